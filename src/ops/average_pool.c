/* SPDX-License-Identifier: Apache-2.0 */
/* average_pool.c - the mean of each window (ONNX AveragePool), float */
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

/* s = 0; for h, for w: s = s + x; y = s / n. */
static pare_status forward(const pare_call *call)
{
    const pare_pool_attrs *a = call->attrs;
    const pare_tensor     *x = call->in[0], *y = call->out[0];
    pare_window            w;

    PARE_TRY(pare_window_resolve(&a->window, &x->shape, NULL, &w));
    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t c = 0; c < x->shape.dim[1]; c++)
            for (int64_t p = 0; p < w.positions; p++) {
                int64_t at[PARE_MAX_SPATIAL], tap[PARE_MAX_SPATIAL], to = n * y->stride[0] + c * y->stride[1];
                float   sum = 0;

                pare_window_position(&w, p, at);
                for (int i = 0; i < w.n; i++)
                    to += at[i] * y->stride[i + 2];
                for (int64_t j = 0; j < w.taps; j++) {
                    pare_window_tap(&w, j, tap);
                    const int64_t from = pare_window_offset(&w, at, tap, &x->stride[2]);

                    if (from >= 0)
                        sum = sum + ((const float *)x->data)[n * x->stride[0] + c * x->stride[1] + from];
                }
                ((float *)y->data)[to] = sum / (float)pare_pool_count(a, &w, at);
            }
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,7,8] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
    "f32[2,20,7,8] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1",
    "f32[1,5,9] kernel_shape=[2] ceil_mode=1 strides=[2]",
    "f32[1,2,5,5] kernel_shape=[2,2] auto_pad=\"SAME_UPPER\"",
    NULL,
};

const pare_op pare_op_average_pool = {
    .name       = "average_pool",
    .onnx       = "AveragePool",
    .min_in     = 1, /* x [N,C,spatial] */
    .max_in     = 1,
    .min_out    = 1,
    .max_out    = 1,
    .traits     = PARE_WANTS_CHANNELS_LAST | PARE_KEEPS_RANGE,
    .attrs      = attrs,
    .attrs_size = sizeof(pare_pool_attrs),
    .infer      = infer,
    .forward    = forward,
    .samples    = samples,
};
