/* SPDX-License-Identifier: Apache-2.0 */
/* max_pool.c - the largest element of each window (ONNX MaxPool); integers with qparams keep them */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/pool.h"

static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(pare_pool_attrs),
    { .name = "ceil_mode", .type = PARE_ATTR_INT, .offset = offsetof(pare_pool_attrs, window.ceil_mode) },
    PARE_ATTR_ROW_INT(pare_pool_attrs, storage_order, 0),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_dtype t = call->in[0]->dtype;
    pare_window      window;

    if (t != PARE_f32 && t != PARE_u8 && t != PARE_s8)
        return pare_op_bad_dtype(call, 0);
    call->out[0]->dtype = t;
    if (call->in[0]->q)
        call->out[0]->q = call->in[0]->q;
    PARE_TRY(pare_pool_shape(call, &window));
    if (call->n_out > 1 && call->out[1]) {
        call->out[1]->dtype = PARE_s64;
        call->out[1]->shape = call->out[0]->shape;
    }
    return PARE_OK;
}

/* Comparisons in the widest form are exact for all three dtypes; NaN never replaces a number. */
static float element(const pare_tensor *t, int64_t i)
{
    if (t->dtype == PARE_f32)
        return ((const float *)t->data)[i];
    return t->dtype == PARE_u8 ? ((const uint8_t *)t->data)[i] : ((const int8_t *)t->data)[i];
}

static void put(const pare_tensor *t, int64_t i, float v)
{
    if (t->dtype == PARE_f32)
        ((float *)t->data)[i] = v;
    else if (t->dtype == PARE_u8)
        ((uint8_t *)t->data)[i] = (uint8_t)v;
    else
        ((int8_t *)t->data)[i] = (int8_t)v;
}

/* Flat index of the input position inside the whole tensor, as the second output counts. */
static int64_t flat_index(const pare_window *w, int64_t plane, const int64_t *at, const int64_t *tap, bool columns)
{
    int64_t index = 0, size = 1;

    for (int k = 0; k < w->n; k++) {
        const int     i = columns ? k : w->n - 1 - k;
        const int64_t p = at[i] * w->stride[i] - w->before[i] + tap[i] * w->dilation[i];

        index += p * size;
        size *= w->in[i];
    }
    return plane * size + index;
}

/* Planes (images times channels) of share `part`. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_pool_attrs *a = call->attrs;
    const pare_tensor     *x = call->in[0], *y = call->out[0], *which = call->n_out > 1 ? call->out[1] : NULL;
    const float            lowest = x->dtype == PARE_f32 ? -INFINITY : x->dtype == PARE_u8 ? 0 : -128;
    pare_window            w;
    long                   begin, end;

    pare_window_resolve(&a->window, &x->shape, NULL, &w); /* has succeeded in infer */
    pare_pool_split((long)(x->shape.dim[0] * x->shape.dim[1]), 1, part, parts, &begin, &end);
    for (int64_t plane = begin; plane < end; plane++) {
        const int64_t n = plane / x->shape.dim[1], c = plane % x->shape.dim[1];

        for (int64_t p = 0; p < w.positions; p++) {
            int64_t at[PARE_MAX_SPATIAL], tap[PARE_MAX_SPATIAL], best = 0;
            int64_t to = n * y->stride[0] + c * y->stride[1], to_index = 0;
            float   v = lowest;

            pare_window_position(&w, p, at);
            for (int i = 0; i < w.n; i++) {
                to += at[i] * y->stride[i + 2];
                to_index += which ? at[i] * which->stride[i + 2] : 0;
            }
            for (int64_t j = 0; j < w.taps; j++) {
                pare_window_tap(&w, j, tap);
                const int64_t from = pare_window_offset(&w, at, tap, &x->stride[2]);
                const float   e = from < 0 ? lowest : element(x, n * x->stride[0] + c * x->stride[1] + from);

                if (from >= 0 && e > v) {
                    v = e;
                    best = flat_index(&w, plane, at, tap, a->storage_order != 0);
                }
            }
            put(y, to, v);
            if (which)
                ((int64_t *)which->data)[n * which->stride[0] + c * which->stride[1] + to_index] = best;
        }
    }
}

static pare_status forward(const pare_call *call)
{
    do_part(call, 0, 1);
    return PARE_OK;
}

static void run_planes(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step, (void)scratch;
    do_part(call, part, parts);
}

static void run_f32(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_pool_state *s = step->state;

    (void)scratch;
    pare_pool_f32_max(s->kernel, &s->d, call->in[0]->data, call->out[0]->data, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_pool_attrs *a = call->attrs;
    const pare_dtype       dtype = call->in[0]->dtype;
    pare_pool_f32_desc     d;
    pare_window            w;

    step->kernel = "c";
    step->run = run_planes;
    PARE_TRY(pare_window_resolve(&a->window, &call->in[0]->shape, NULL, &w));
    if ((call->n_out > 1 && call->out[1]) || dtype == PARE_s8 || !pare_pool_describe(call, &w, false, &d))
        return PARE_OK;
    return dtype == PARE_f32 ? pare_pool_use(&d, step, run_f32) : pare_pool_use_u8(call, &d, PARE_QPOOL_MAX, step);
}

static const char *const samples[] = {
    "f32[2,3,7,8] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
    "f32[1,5,9] kernel_shape=[2] ceil_mode=1 strides=[2]",
    "u8[1,70,6,6] kernel_shape=[3,2] dilations=[2,1]",
    "s8[1,3,4,4] kernel_shape=[2,2] auto_pad=\"SAME_LOWER\"",
    NULL,
};

const pare_op pare_op_max_pool = {
    .name = "max_pool",
    .onnx = "MaxPool",
    .min_in = 1, /* x [N,C,spatial] */
    .max_in = 1,
    .min_out = 1, /* y, indices */
    .max_out = 2,
    .traits = PARE_SELECTS | PARE_WANTS_CHANNELS_LAST,
    .attrs = attrs,
    .attrs_size = sizeof(pare_pool_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
