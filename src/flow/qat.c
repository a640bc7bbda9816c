/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qat.c - quantization in training: from a float model to what is trained, and from that to what is shipped
 *
 *     create    decide and calibrate as post-training quantization does; the ranges are where training begins
 *                                                                                               (qat_numbers.c)
 *     graph     the tidied model with fake_quantize where conversion would put integers         (qat_graph.c)
 *     absorb    weights and ranges come back from what was trained, by name
 *     convert   decide again on the trained weights, give every value its trained range, convert
 */
#include "flow/qat.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <pare/train.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/convert.h"

/* ----------------------------------------------------------------------------------------------------------- create */

static pare_status copy_mapping(pare_qat *qat, const pare_mapping *m)
{
    pare_rule *const rules = pare_arena_alloc(qat->arena, sizeof(*rules) * ((size_t)m->n + 1));

    if (!rules)
        return pare_fail_memory(sizeof(*rules) * (size_t)m->n, "rules");
    for (int i = 0; i < m->n; i++) {
        rules[i] = m->rules[i];
        rules[i].pattern = m->rules[i].pattern ? pare_arena_strdup(qat->arena, m->rules[i].pattern) : NULL;
        rules[i].config.observer =
            m->rules[i].config.observer ? pare_arena_strdup(qat->arena, m->rules[i].config.observer) : NULL;
        rules[i].config.reason =
            m->rules[i].config.reason ? pare_arena_strdup(qat->arena, m->rules[i].config.reason) : NULL;
    }
    qat->quantize.mapping = (pare_mapping){ rules, m->n };
    return PARE_OK;
}

static pare_status begin(pare_qat *qat, const pare_graph *model, const pare_qat_options *o)
{
    pare_quantization q = { 0 };
    pare_status       status;

    if ((int)o->scales < 0 || o->scales > PARE_QAT_PACT || !(o->averaging >= 0 && o->averaging <= 1))
        return pare_fail(PARE_ERR_ARG, "there are no scales of kind %d with averaging %g", (int)o->scales,
                         (double)o->averaging);
    qat->scales = o->scales ? o->scales : PARE_QAT_MOVING_AVERAGE;
    qat->averaging = o->averaging > 0 ? o->averaging : 0.01f;
    qat->quantize = (pare_quantize_options){ .target = o->quantize.target };
    PARE_TRY(copy_mapping(qat, &o->quantize.mapping));
    PARE_TRY(pare_train_tidy(model, &qat->model));
    PARE_GOTO(pare_quantization_begin(qat->model, &o->quantize, &q));
    if (pare_quantization_needs_data(&q))
        PARE_GOTO(pare_quantization_calibrate(&q, &o->quantize));
    status = pare_qat_keep(qat, &q);
out:
    pare_quantization_end(&q);
    return status;
}

pare_status pare_qat_create(const pare_graph *model, const pare_qat_options *options, pare_qat **out)
{
    const pare_qat_options defaults = { 0 };
    pare_qat *const        qat = pare_calloc(1, sizeof(*qat));

    *out = NULL;
    if (!qat || !(qat->arena = pare_arena_create())) {
        pare_free(qat);
        return pare_fail_memory(sizeof(*qat), "quantization in training");
    }
    const pare_status status = begin(qat, model, options ? options : &defaults);

    if (status == PARE_OK)
        *out = qat;
    else
        pare_qat_destroy(qat);
    return status;
}

void pare_qat_destroy(pare_qat *qat)
{
    if (!qat)
        return;
    for (int i = 0; i < qat->n_numbers; i++)
        pare_tensor_release(&qat->numbers[i].t);
    pare_free(qat->numbers);
    pare_graph_destroy(qat->model);
    pare_arena_destroy(qat->arena);
    pare_free(qat);
}

/* ----------------------------------------------------------------------------------------------------------- absorb */

static bool same_kind(const pare_tensor *a, const pare_tensor *b)
{
    return a->dtype == PARE_f32 && b->dtype == PARE_f32 && pare_shape_equal(&a->shape, &b->shape);
}

pare_status pare_qat_absorb(pare_qat *qat, const pare_graph *trained)
{
    for (pare_value *v = qat->model->values; v; v = v->next) {
        const pare_value *const now = pare_value_is_const(v) ? pare_graph_find(trained, v->name) : NULL;
        pare_tensor             t;

        if (!now || !pare_value_is_const(now) || !same_kind(&v->t, &now->t))
            continue;
        PARE_TRY(pare_graph_keep_tensor(qat->model, &now->t, &t));
        pare_tensor_release(&v->t);
        v->t = t;
    }
    for (int i = 0; i < qat->n_numbers; i++) {
        const pare_value *const now = pare_graph_find(trained, qat->numbers[i].name);

        if (now && pare_value_is_const(now) && same_kind(&qat->numbers[i].t, &now->t))
            pare_tensor_copy(&qat->numbers[i].t, &now->t);
    }
    return PARE_OK;
}

pare_status pare_qat_float(const pare_qat *qat, pare_graph **out)
{
    return pare_graph_clone(qat->model, out);
}

/* ---------------------------------------------------------------------------------------------------------- convert */

static float number(const pare_tensor *t)
{
    return ((const float *)t->data)[0];
}

/* A learned scale and zero point as fake_quantize reads them. */
static void learned(const pare_tensor *scale, const pare_tensor *zero, int bits, float *s, int32_t *z)
{
    const float hi = (float)((1 << bits) - 1), of = rintf(number(zero));

    *s = number(scale) > FLT_EPSILON ? number(scale) : FLT_EPSILON;
    *z = (int32_t)(of < 0 ? 0 : of > hi ? hi : of);
}

static void set_values(const pare_qat *qat, pare_quantization *q)
{
    for (const pare_value *v = q->g->values; v; v = v->next) {
        pare_value_plan *const   p = &q->values[v->id];
        const pare_tensor *const min = pare_qat_number_of(qat, v->name, ".min");
        const pare_tensor *const scale = pare_qat_number_of(qat, v->name, ".scale");

        if (!p->quantized || p->group != v->id || p->fixed_scale > 0 || pare_value_is_const(v) || !min)
            continue;
        p->min = number(min);
        p->max = number(pare_qat_number_of(qat, v->name, ".max"));
        if (scale)
            learned(scale, pare_qat_number_of(qat, v->name, ".zero"), p->bits, &p->fixed_scale, &p->fixed_zero);
    }
}

static pare_status set_layer(const pare_qat *qat, pare_decision *d)
{
    const int                bits = d->config.activation_bits;
    const char *const        key = pare_qat_input_key(qat, d);
    const pare_tensor *const weights = pare_qat_number_of(qat, d->node->in[1]->name, ".scale");

    if (!key)
        return pare_fail_memory(0, "the name of a range");
    const pare_tensor *const min = pare_qat_number_of(qat, key, ".min");
    const pare_tensor *const scale = pare_qat_number_of(qat, key, ".scale");

    if (weights)
        d->weight_scale = weights->data;
    if (!d->coarse || !min)
        return PARE_OK;
    if (scale) {
        learned(scale, pare_qat_number_of(qat, key, ".zero"), bits, &d->in_scale, &d->in_zero);
        return PARE_OK;
    }
    return pare_qparams_choose(number(min), number(pare_qat_number_of(qat, key, ".max")), PARE_AFFINE,
                               (pare_qrange){ 0, (1 << bits) - 1 }, 0, &d->in_scale, &d->in_zero);
}

pare_status pare_qat_convert(const pare_qat *qat, pare_graph **out, pare_quantize_result **result)
{
    pare_quantization q;
    pare_status       status;

    PARE_GOTO(pare_quantization_begin(qat->model, &qat->quantize, &q));
    set_values(qat, &q);
    for (int i = 0; i < q.n_decisions; i++)
        if (pare_qat_is_weighted(&q.decisions[i]))
            PARE_GOTO(set_layer(qat, &q.decisions[i]));
    status = pare_quantization_finish(&q, &qat->quantize, out, result);
out:
    pare_quantization_end(&q);
    return status;
}
