/* SPDX-License-Identifier: Apache-2.0 */
/* average_pool.c - the mean of each window (ONNX AveragePool), float */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/pool.h"

static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(pare_pool_attrs),
    { .name = "ceil_mode", .type = PARE_ATTR_INT, .offset = offsetof(pare_pool_attrs, window.ceil_mode) },
    PARE_ATTR_ROW_INT(pare_pool_attrs, count_include_pad, 0),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    pare_window window;

    if (call->in[0]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 0);
    call->out[0]->dtype = PARE_f32;
    return pare_pool_shape(call, &window);
}

/* s = 0; for h, for w: s = s + x; the mean is s / n. */
static float mean(const pare_call *call, const pare_window *w, const float *plane, const int64_t *at)
{
    float sum = 0;

    for (int64_t j = 0; j < w->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL];

        pare_window_tap(w, j, tap);
        const int64_t from = pare_window_offset(w, at, tap, &call->in[0]->stride[2]);

        if (from >= 0)
            sum = sum + plane[from];
    }
    return sum / (float)pare_pool_count(call->attrs, w, at);
}

/* Planes (images times channels) of share `part`. */
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
            ((float *)y->data)[to] = mean(call, &w, (const float *)x->data + n * x->stride[0] + c * x->stride[1], at);
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
    pare_pool_f32_average(s->kernel, &s->d, call->in[0]->data, call->out[0]->data, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_pool_attrs *a = call->attrs;
    pare_pool_f32_desc     d;
    pare_window            w;

    PARE_TRY(pare_window_resolve(&a->window, &call->in[0]->shape, NULL, &w));
    if (pare_pool_describe(call, &w, a->count_include_pad != 0, &d) && d.dilation_h == 1 && d.dilation_w == 1)
        return pare_pool_use(&d, step, run_f32);
    step->kernel = "c";
    step->run = run_planes;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,7,8] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
    "f32[2,20,7,8] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1",
    "f32[1,5,9] kernel_shape=[2] ceil_mode=1 strides=[2]",
    "f32[1,2,5,5] kernel_shape=[2,2] auto_pad=\"SAME_UPPER\"",
    "f32[1,3,7,6] kernel_shape=[2,3] dilations=[2,1] ceil_mode=1 strides=[2,2]",
    NULL,
};

const pare_op pare_op_average_pool = {
    .name = "average_pool",
    .onnx = "AveragePool",
    .min_in = 1, /* x [N,C,spatial] */
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .attrs = attrs,
    .attrs_size = sizeof(pare_pool_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
