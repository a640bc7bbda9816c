/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qat_graph.c - the graph that is trained: fake_quantize where conversion will put integers
 *
 * The simplified copy, on which everything is decided, says by names what to do in the tidied one, whose batch norms are
 * still there. With the running statistics f = gamma / sqrt(var + eps), a layer W with a batch norm behind it becomes
 *
 *     training:  bn(conv(x, fake_quantize(W * f) / f))     the integers of the folded weights, normalized by the batch
 *     frozen:    conv(x, fake_quantize(W * f), (b - mean) * f + beta)                      what will be shipped
 *
 * Scales of moving averages come from the running range as it was before the batch, which moves on for the next one.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/convert.h"
#include "flow/qat_builder.h"

/* A node in front of `before`; its outputs are new values named after `name`. */
pare_status pare_qat_add(pare_qat_builder *b, const char *op, const char *attrs, const char *name, pare_node *before,
                         int n_in, pare_value *const *in, int n_out, pare_value **out)
{
    const pare_op *const descriptor = pare_op_find(op);
    pare_node           *made;

    for (int i = 0; i < n_out; i++)
        PARE_TRY(pare_graph_add_value(b->g, pare_convert_name(b->g, name, op), &out[i]));
    PARE_TRY(pare_graph_add_node(b->g, descriptor, NULL, n_in, in, n_out, out, before, &made));
    return attrs ? pare_node_parse_attrs(made, attrs) : PARE_OK;
}

/* The constant of a kept number: one for all who ask. */
pare_status pare_qat_number_value(pare_qat_builder *b, const char *key, const char *suffix, pare_value **out)
{
    const pare_tensor *const t = pare_qat_number_of(b->qat, key, suffix);
    char                     name[512];

    if (!t)
        return pare_fail(PARE_ERR_ARG, "no range of '%s' was kept", key);
    snprintf(name, sizeof(name), "%s%s", key, suffix);
    *out = pare_graph_find(b->g, name);
    return *out ? PARE_OK : pare_graph_add_const(b->g, name, t, out);
}

pare_node *pare_qat_node(const pare_graph *g, const char *name)
{
    for (pare_node *n = g->first; n; n = n->next)
        if (strcmp(n->name, name) == 0)
            return n;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- activations */

static const char *learning(const pare_qat *qat)
{
    return qat->scales == PARE_QAT_PACT ? "pact" : qat->scales == PARE_QAT_LSQ_PLUS ? "lsq+" : "lsq";
}

/* Scale and zero point of a key, and what of them is learned. */
pare_status pare_qat_scale_of(pare_qat_builder *b, const char *key, int bits, pare_node *before, pare_value *sz[2],
                              const char **learn)
{
    pare_value *range[2];
    char        attrs[ATTRS];

    *learn = "none";
    if (pare_qat_number_of(b->qat, key, ".scale")) {
        *learn = learning(b->qat);
        PARE_TRY(pare_qat_number_value(b, key, ".scale", &sz[0]));
        return pare_qat_number_value(b, key, ".zero", &sz[1]);
    }
    PARE_TRY(pare_qat_number_value(b, key, ".min", &range[0]));
    PARE_TRY(pare_qat_number_value(b, key, ".max", &range[1]));
    snprintf(attrs, sizeof(attrs), "lo=0 hi=%d", (1 << bits) - 1);
    return pare_qat_add(b, "choose_qparams", attrs, key, before, 2, range, 2, sz);
}

/* Of a range that the op itself has, as sigmoid's 0 .. 1. */
pare_status pare_qat_fixed_scale(pare_qat_builder *b, const pare_value_plan *p, pare_value *sz[2])
{
    const float of[2] = { p->fixed_scale, (float)p->fixed_zero };

    for (int i = 0; i < 2; i++) {
        pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(0, NULL));

        t.data = (void *)&of[i];
        PARE_TRY(pare_graph_add_const(b->g, "fixed", &t, &sz[i]));
    }
    return PARE_OK;
}

static pare_status fake(pare_qat_builder *b, pare_value *x, pare_value *const sz[2], int bits, const char *learn,
                        pare_node *before, pare_value **y)
{
    char attrs[ATTRS];

    snprintf(attrs, sizeof(attrs), "lo=0 hi=%d learn=\"%s\"", (1 << bits) - 1, learn);
    return pare_qat_add(b, "fake_quantize", attrs, x->name, before, 3, (pare_value *const[]){ x, sz[0], sz[1] }, 1, y);
}

/* All who read v read what its integers stand for, which takes over the name. */
static pare_status fake_value(pare_qat_builder *b, const pare_value *decided, pare_value *v)
{
    const pare_value_plan *const p = &b->q->values[pare_quantization_leader(b->q, decided->id)];
    const char *const            key = pare_qat_value_key(b->q, decided);
    pare_node *const             before = v->producer ? v->producer->next : b->g->first;
    pare_value                  *sz[2], *y, *stand_in;
    const char                  *learn = "none";

    PARE_TRY(p->fixed_scale > 0 ? pare_qat_fixed_scale(b, p, sz)
                                : pare_qat_scale_of(b, key, p->bits, before, sz, &learn));
    PARE_TRY(pare_graph_add_value(b->g, v->name, &stand_in));
    pare_graph_replace_uses(b->g, v, stand_in);
    PARE_TRY(fake(b, v, sz, p->bits, learn, before, &y));
    pare_graph_replace_uses(b->g, stand_in, y);
    if (!v->is_input)
        pare_graph_swap_names(v, y);
    return PARE_OK;
}

/* Elements that are only moved have the codes that they had. */
static bool is_moved(const pare_qat_builder *b, const pare_value *v)
{
    const pare_decision *const d = v->producer ? pare_quantization_of(b->q, v->producer) : NULL;

    return d && d->mode == PARE_QMODE_STATIC && d->rule->role == PARE_QROLE_MOVES;
}

static bool is_faked(const pare_qat_builder *b, const pare_value *v)
{
    return v->graph == b->q->g && v->id < b->q->n_values && b->q->values[v->id].quantized && !pare_value_is_const(v) &&
           !is_moved(b, v);
}

/* -------------------------------------------------------------------------------------------------------- observing */

/* min and max of what a key's values are in this batch go into its running range. `of`: room for 2 n values. */
static pare_status observe(pare_qat_builder *b, const char *key, int n, pare_value *const *values, pare_value **of)
{
    pare_value *in[4], *out[2], *range[2];
    char        attrs[ATTRS];

    for (int i = 0; i < n; i++) {
        PARE_TRY(pare_qat_add(b, "value_range", "axis=0", key, NULL, 1, &values[i], 2, range));
        of[i] = range[0];
        of[n + i] = range[1];
    }
    for (int k = 0; k < 2; k++) {
        in[k] = of[k * n];
        if (n > 1)
            PARE_TRY(pare_qat_add(b, "concat", "axis=0", key, NULL, n, of + k * n, 1, &in[k]));
        PARE_TRY(pare_qat_number_value(b, key, k ? ".max" : ".min", &in[2 + k]));
    }
    snprintf(attrs, sizeof(attrs), "constant=%.9g", (double)b->qat->averaging);
    return pare_qat_add(b, "moving_range", attrs, key, NULL, 4, in, 2, out);
}

/* The values before fake_quantize of all that share the scale of `leader`. */
static int members_of(const pare_qat_builder *b, int leader, pare_value *const *faked, pare_value **members,
                      const char **key)
{
    int n = 0;

    for (const pare_value *v = b->q->g->values; v; v = v->next) {
        if (v->id >= b->q->n_values || pare_quantization_leader(b->q, v->id) != leader)
            continue;
        if (v->id == leader)
            *key = v->name;
        if (faked[v->id] && b->q->values[v->id].observed)
            members[n++] = faked[v->id];
    }
    return n;
}

/* faked[id] is what was quantized in the graph that is trained; members, of: room. */
static pare_status observe_values(pare_qat_builder *b, pare_value *const *faked, pare_value **members, pare_value **of)
{
    for (int leader = 0; leader < b->q->n_values; leader++) {
        const char *key = NULL;
        const int   n = members_of(b, leader, faked, members, &key);

        if (n && key && pare_qat_number_of(b->qat, key, ".min") && !pare_qat_number_of(b->qat, key, ".scale") &&
            b->q->values[leader].fixed_scale == 0)
            PARE_TRY(observe(b, key, n, members, of));
    }
    return PARE_OK;
}

/* What has fewer bits for one layer, behind what the value has for all. */
static pare_status fake_coarse_inputs(pare_qat_builder *b)
{
    for (int i = 0; i < b->q->n_decisions; i++) {
        const pare_decision *const d = &b->q->decisions[i];
        pare_node *const           n = d->coarse ? pare_qat_node(b->g, d->node->name) : NULL;
        pare_value                *sz[2], *of[2], *y;
        const char                *learn, *key;

        if (!n)
            continue;
        if (!(key = pare_qat_input_key(b->qat, d)))
            return pare_fail_memory(0, "the name of a range");
        PARE_TRY(pare_qat_scale_of(b, key, d->config.activation_bits, n, sz, &learn));
        if (strcmp(learn, "none") == 0 && !b->phase->freeze_ranges)
            PARE_TRY(observe(b, key, 1, &n->in[0], of));
        PARE_TRY(fake(b, n->in[0], sz, d->config.activation_bits, learn, n, &y));
        pare_node_set_in(n, 0, y);
    }
    return PARE_OK;
}

static pare_status fake_values(pare_qat_builder *b)
{
    const size_t       n = (size_t)b->q->n_values + 1;
    pare_value **const faked = pare_calloc(4 * n, sizeof(pare_value *));
    pare_status        status = PARE_OK;

    if (!faked)
        return pare_fail_memory(4 * n * sizeof(*faked), "values");
    for (const pare_value *v = b->q->g->values; v; v = v->next) {
        pare_value *const mine = is_faked(b, v) ? pare_graph_find(b->g, v->name) : NULL;

        if (!is_faked(b, v))
            continue;
        if (!mine) {
            status = pare_fail(PARE_ERR_UNSUPPORTED, "value '%s' is made by several nodes of the model", v->name);
            goto out;
        }
        faked[v->id] = mine;
        PARE_GOTO(fake_value(b, v, mine));
    }
    if (!b->phase->freeze_ranges)
        status = observe_values(b, faked, faked + n, faked + 2 * n);
out:
    pare_free(faked);
    return status;
}

pare_status pare_qat_graph(const pare_qat *qat, const pare_qat_phase *phase, pare_graph **out)
{
    const pare_qat_phase first = { 0 };
    pare_quantization    q;
    pare_qat_builder     b = { .qat = qat, .phase = phase ? phase : &first, .q = &q };
    pare_status          status;

    PARE_GOTO(pare_quantization_begin(qat->model, &qat->quantize, &q));
    PARE_GOTO(pare_graph_clone(qat->model, &b.g));
    PARE_GOTO(pare_qat_fake_layers(&b));
    PARE_GOTO(fake_values(&b));
    PARE_GOTO(fake_coarse_inputs(&b));
    PARE_GOTO(pare_qat_fake_biases(&b));
    pare_graph_sweep(b.g);
    PARE_GOTO(pare_graph_sort(b.g));
    PARE_GOTO(pare_graph_infer(b.g, false));
    PARE_GOTO(pare_graph_verify(b.g));
    *out = b.g;
    b.g = NULL;
out:
    pare_graph_destroy(b.g);
    pare_quantization_end(&q);
    return status;
}
