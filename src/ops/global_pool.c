/* SPDX-License-Identifier: Apache-2.0 */
/* global_pool.c - mean and maximum over all spatial axes (ONNX GlobalAveragePool, GlobalMaxPool) */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;

    if (call->in[0]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 0);
    if (x->rank < 3)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d, at least 3 (N, C, spatial ...) is needed", x->rank);
    call->out[0]->dtype = PARE_f32;
    call->out[0]->shape = *x;
    for (int i = 2; i < x->rank; i++)
        call->out[0]->shape.dim[i] = 1;
    return PARE_OK;
}

/* Row-major position number i of the spatial axes as an element offset. */
static int64_t spatial_offset(const pare_tensor *x, int64_t i)
{
    int64_t offset = 0;

    for (int axis = x->shape.rank - 1; axis >= 2; axis--) {
        offset += i % x->shape.dim[axis] * x->stride[axis];
        i /= x->shape.dim[axis];
    }
    return offset;
}

/* The lane rule of NUMERICS.md 9: pixel i goes to lane i mod 16, lanes are added 16 -> 8 -> 4 -> 2 -> 1. */
static float mean_of(const pare_tensor *x, const float *plane, int64_t pixels)
{
    float lane[16] = { 0 };

    for (int64_t i = 0; i < pixels; i++)
        lane[i % 16] = lane[i % 16] + plane[spatial_offset(x, i)];
    for (int half = 8; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] = lane[i] + lane[i + half];
    return lane[0] / (float)pixels;
}

static float max_of(const pare_tensor *x, const float *plane, int64_t pixels)
{
    float v = -INFINITY;

    for (int64_t i = 0; i < pixels; i++) {
        const float e = plane[spatial_offset(x, i)];

        v = e > v ? e : v;
    }
    return v;
}

static pare_status each_plane(const pare_call *call, float (*reduce)(const pare_tensor *, const float *, int64_t))
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    int64_t            pixels = 1;

    for (int i = 2; i < x->shape.rank; i++)
        pixels *= x->shape.dim[i];
    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t c = 0; c < x->shape.dim[1]; c++)
            ((float *)y->data)[n * y->stride[0] + c * y->stride[1]] =
                reduce(x, (const float *)x->data + n * x->stride[0] + c * x->stride[1], pixels);
    return PARE_OK;
}

static pare_status forward_average(const pare_call *call)
{
    return each_plane(call, mean_of);
}

static pare_status forward_max(const pare_call *call)
{
    return each_plane(call, max_of);
}

static const char *const samples[] = { "f32[2,3,7,5]", "f32[1,20,4,9]", "f32[2,3,17]", NULL };

const pare_op pare_op_global_average_pool = {
    .name    = "global_average_pool",
    .onnx    = "GlobalAveragePool",
    .min_in  = 1,
    .max_in  = 1,
    .min_out = 1,
    .max_out = 1,
    .traits  = PARE_WANTS_CHANNELS_LAST | PARE_KEEPS_RANGE,
    .infer   = infer,
    .forward = forward_average,
    .samples = samples,
};

const pare_op pare_op_global_max_pool = {
    .name    = "global_max_pool",
    .onnx    = "GlobalMaxPool",
    .min_in  = 1,
    .max_in  = 1,
    .min_out = 1,
    .max_out = 1,
    .traits  = PARE_WANTS_CHANNELS_LAST | PARE_SELECTS,
    .infer   = infer,
    .forward = forward_max,
    .samples = samples,
};
