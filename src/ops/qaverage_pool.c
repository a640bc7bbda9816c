/* SPDX-License-Identifier: Apache-2.0 */
/* qaverage_pool.c - means of quantized windows: average_pool after lowering (NUMERICS.md 6) */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/pool.h"
#include "ops/qconv.h"
#include "ops/qtensor.h"

static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(pare_pool_attrs),
    { .name = "ceil_mode", .type = PARE_ATTR_INT, .offset = offsetof(pare_pool_attrs, window.ceil_mode) },
    PARE_ATTR_ROW_INT(pare_pool_attrs, count_include_pad, 0),
    PARE_ATTR_END,
};

/* A mean is at most 255 steps of x away from its zero point. */
static pare_status check(const pare_call *call)
{
    PARE_TRY(pare_q_input_u8(call, 0));
    PARE_TRY(pare_q_output_u8(call, &call->in[0]->shape));
    return pare_q_check_range(255 * (pare_q_scale(call->in[0]) / pare_q_scale(call->out[0])) + 255);
}

static pare_status infer(const pare_call *call)
{
    pare_window window;

    PARE_TRY(check(call));
    return pare_pool_shape(call, &window);
}

/* s = 0; for h, for w: s = s + sx * (float)(q - zx); the code of s / n. An empty window is NaN: the lowest code. */
static uint8_t mean(const pare_call *call, const pare_window *w, const uint8_t *plane, const int64_t *at)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const float        sx = pare_q_scale(x);
    const int          zx = pare_q_zero(x);
    float              s = 0;

    for (int64_t j = 0; j < w->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL];

        pare_window_tap(w, j, tap);
        const int64_t from = pare_window_offset(w, at, tap, &x->stride[2]);

        if (from >= 0)
            s = s + sx * (float)(plane[from] - zx);
    }
    const float v = (s / (float)pare_pool_count(call->attrs, w, at)) / pare_q_scale(y) + (float)pare_q_zero(y);

    return v == v ? (uint8_t)pare_qround(v, 0, 0, 255) : 0;
}

/* Planes (images times channels) number begin to end - 1. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_pool_attrs *a = call->attrs;
    const pare_tensor     *x = call->in[0], *y = call->out[0];
    const int64_t          channels = x->shape.dim[1];
    pare_window            w;
    long                   begin, end;

    pare_window_resolve(&a->window, &x->shape, NULL, &w); /* has succeeded in infer */
    pare_pool_split((long)(x->shape.dim[0] * channels), 1, part, parts, &begin, &end);
    for (int64_t plane = begin; plane < end; plane++)
        for (int64_t p = 0; p < w.positions; p++) {
            const int64_t n = plane / channels, c = plane % channels;
            int64_t       at[PARE_MAX_SPATIAL], to = n * y->stride[0] + c * y->stride[1];

            pare_window_position(&w, p, at);
            for (int i = 0; i < w.n; i++)
                to += at[i] * y->stride[i + 2];
            ((uint8_t *)y->data)[to] =
                mean(call, &w, (const uint8_t *)x->data + n * x->stride[0] + c * x->stride[1], at);
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

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_pool_attrs *a = call->attrs;
    pare_pool_f32_desc     d;
    pare_window            w;

    step->kernel = "c";
    step->run = run_planes;
    PARE_TRY(pare_window_resolve(&a->window, &call->in[0]->shape, NULL, &w));
    if (!pare_pool_describe(call, &w, a->count_include_pad != 0, &d))
        return PARE_OK;
    return pare_pool_use_u8(call, &d, PARE_QPOOL_AVERAGE, step);
}

const pare_op pare_op_qaverage_pool = {
    .name = "qaverage_pool",
    .min_in = 1, /* x [N,C,spatial] u8 */
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_INTEGER | PARE_WANTS_CHANNELS_LAST,
    .attrs = attrs,
    .attrs_size = sizeof(pare_pool_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
};
