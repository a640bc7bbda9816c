/* SPDX-License-Identifier: Apache-2.0 */
/* qat_numbers.c - ranges and learned scales: where training begins */
#include <float.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/convert.h"
#include "flow/qat.h"

const pare_tensor *pare_qat_number_of(const pare_qat *qat, const char *key, const char *suffix)
{
    const size_t length = strlen(key);

    for (int i = 0; i < qat->n_numbers; i++)
        if (strncmp(qat->numbers[i].name, key, length) == 0 && strcmp(qat->numbers[i].name + length, suffix) == 0)
            return &qat->numbers[i].t;
    return NULL;
}

static pare_status keep(pare_qat *qat, const char *key, const char *suffix, int64_t n, const float *values)
{
    pare_qat_number *const list = pare_realloc(qat->numbers, (size_t)(qat->n_numbers + 1) * sizeof(*list));
    pare_tensor            t = pare_tensor_of(PARE_f32, pare_shape_of(1, &n));

    if (!list)
        return pare_fail_memory((size_t)(qat->n_numbers + 1) * sizeof(*list), "ranges");
    qat->numbers = list;
    const char *const name = pare_arena_printf(qat->arena, "%s%s", key, suffix);

    if (!name)
        return pare_fail_memory(strlen(key), "the name of a range");
    PARE_TRY(pare_tensor_alloc(&t));
    memcpy(t.data, values, sizeof(float) * (size_t)n);
    list[qat->n_numbers++] = (pare_qat_number){ name, t };
    return PARE_OK;
}

const char *pare_qat_value_key(const pare_quantization *q, const pare_value *v)
{
    const int leader = pare_quantization_leader(q, v->id);

    for (const pare_value *l = q->g->values; l; l = l->next)
        if (l->id == leader)
            return l->name;
    return v->name;
}

const char *pare_qat_input_key(const pare_qat *qat, const pare_decision *d)
{
    return pare_arena_printf(qat->arena, "%s/input", d->node->name);
}

/* A range, and where scales are learned what it gives for codes 0 .. 2^bits - 1. */
static pare_status keep_range(pare_qat *qat, const char *key, const float range[2], int bits, bool learned)
{
    float   scale, zero_f;
    int32_t zero;

    PARE_TRY(keep(qat, key, ".min", 1, &range[0]));
    PARE_TRY(keep(qat, key, ".max", 1, &range[1]));
    if (!learned)
        return PARE_OK;
    PARE_TRY(
        pare_qparams_choose(range[0], range[1], PARE_AFFINE, (pare_qrange){ 0, (1 << bits) - 1 }, 0, &scale, &zero));
    zero_f = (float)zero;
    PARE_TRY(keep(qat, key, ".scale", 1, &scale));
    return keep(qat, key, ".zero", 1, &zero_f);
}

/* PACT learns upper bounds, so it is for what has no negative numbers. */
static bool learns(const pare_qat *qat, const pare_value *v, const float range[2])
{
    if (v->is_input || qat->scales == PARE_QAT_MOVING_AVERAGE)
        return false;
    return qat->scales != PARE_QAT_PACT || range[0] >= 0;
}

static pare_status keep_values(pare_qat *qat, const pare_quantization *q)
{
    for (const pare_value *v = q->g->values; v; v = v->next) {
        const pare_value_plan *const p = &q->values[v->id];
        const float                  range[2] = { p->min, p->max };

        if (p->quantized && p->group == v->id && p->fixed_scale == 0 && !pare_value_is_const(v))
            PARE_TRY(keep_range(qat, v->name, range, p->bits, learns(qat, v, range)));
    }
    return PARE_OK;
}

static pare_status keep_coarse_input(pare_qat *qat, const pare_quantization *q, const pare_decision *d)
{
    const pare_value *const      v = d->node->in[0];
    const pare_value_plan *const p = &q->values[pare_quantization_leader(q, v->id)];
    const char *const            key = pare_qat_input_key(qat, d);
    float                        range[2] = { p->min, p->max };

    if (p->fixed_scale > 0) {
        range[0] = (float)(0 - p->fixed_zero) * p->fixed_scale;
        range[1] = (float)(255 - p->fixed_zero) * p->fixed_scale;
    }
    if (d->in_max > d->in_min) {
        range[0] = d->in_min;
        range[1] = d->in_max;
    }
    return key ? keep_range(qat, key, range, d->config.activation_bits, learns(qat, v, range))
               : pare_fail_memory(0, "the name of a range");
}

/* The squared error of channel c (of s->n; one: all) of weights rounded with a scale. */
static double rounding_error(const pare_value *w, const pare_weight_scales *s, int64_t inner, int c, float scale,
                             pare_qrange range)
{
    const float  *x = w->t.data;
    const int64_t count = pare_shape_count(&w->t.shape), step = s->n > 1 ? inner * s->n : count;
    const int64_t run = s->n > 1 ? inner : count;
    double        sum = 0;

    for (int64_t first = s->n > 1 ? c * inner : 0; first < count; first += step)
        for (int64_t i = first; i < first + run; i++) {
            const double off = (double)(scale * (float)pare_quantize_one(x[i], scale, 0, range)) - (double)x[i];

            sum += off * off;
        }
    return sum;
}

/* Where learned scales of weights begin: the largest weight, or less where that makes the squared error smaller. */
static pare_status keep_weight_scales(pare_qat *qat, const pare_decision *d)
{
    enum { TRIES = 24 };
    const pare_value *const w = d->node->in[1];
    pare_weight_scales      s = { 0 };
    const int               axis = pare_channel_axis(d->node), bits = d->config.weight_bits;
    const int               hi = (1 << (bits - 1)) - 1;
    const pare_qrange       range = { bits >= 4 ? -hi : -hi - 1, hi };
    int64_t                 inner = 1;
    pare_status             status;

    PARE_GOTO(pare_weight_scales_choose(w, axis, &d->config, &s));
    for (int i = axis + 1; i < w->t.shape.rank; i++)
        inner *= w->t.shape.dim[i];
    for (int c = 0; c < s.n && bits < 8; c++) {
        const float largest = s.scale[c];
        double      least = rounding_error(w, &s, inner, c, largest, range);

        for (int k = 1; k < TRIES; k++) {
            const float  scale = largest * (1 - (float)k / (TRIES + 8));
            const double error = rounding_error(w, &s, inner, c, scale, range);

            if (error < least && scale > FLT_EPSILON) {
                least = error;
                s.scale[c] = scale;
            }
        }
    }
    status = keep(qat, w->name, ".scale", s.n, s.scale);
out:
    pare_free(s.scale);
    return status;
}

bool pare_qat_is_weighted(const pare_decision *d)
{
    return d->mode == PARE_QMODE_STATIC && d->rule->role == PARE_QROLE_WEIGHTED;
}

static pare_status keep_layers(pare_qat *qat, const pare_quantization *q)
{
    const bool learned = qat->scales == PARE_QAT_LSQ || qat->scales == PARE_QAT_LSQ_PLUS;

    for (int i = 0; i < q->n_decisions; i++) {
        const pare_decision *const d = &q->decisions[i];

        if (!pare_qat_is_weighted(d))
            continue;
        if (d->coarse)
            PARE_TRY(keep_coarse_input(qat, q, d));
        if (learned)
            PARE_TRY(keep_weight_scales(qat, d));
    }
    return PARE_OK;
}

pare_status pare_qat_keep(pare_qat *qat, const pare_quantization *q)
{
    PARE_TRY(keep_values(qat, q));
    return keep_layers(qat, q);
}
