/* SPDX-License-Identifier: Apache-2.0 */
/* global_pool.c - mean and maximum over all spatial axes (ONNX GlobalAveragePool, GlobalMaxPool) */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/pool.h"

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

extern const pare_op pare_op_global_average_pool;

/* Planes (images times channels) of share `part`. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const int64_t      channels = x->shape.dim[1];
    pare_window        w;
    long               begin, end;

    pare_pool_whole(&x->shape, &w);
    pare_pool_split((long)(x->shape.dim[0] * channels), 1, part, parts, &begin, &end);
    for (int64_t plane = begin; plane < end; plane++) {
        const int64_t n = plane / channels, c = plane % channels;
        const float  *from = (const float *)x->data + n * x->stride[0] + c * x->stride[1];

        ((float *)y->data)[n * y->stride[0] + c * y->stride[1]] =
            call->op == &pare_op_global_average_pool ? mean_of(x, from, w.taps) : max_of(x, from, w.taps);
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
    if (call->op == &pare_op_global_average_pool)
        pare_pool_f32_global(s->kernel, &s->d, call->in[0]->data, call->out[0]->data, part, parts);
    else
        pare_pool_f32_max(s->kernel, &s->d, call->in[0]->data, call->out[0]->data, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    pare_pool_f32_desc d;
    pare_window        w;

    pare_pool_whole(&call->in[0]->shape, &w);
    if (pare_pool_describe(call, &w, false, &d))
        return pare_pool_use(&d, step, run_f32);
    step->kernel = "c";
    step->run = run_planes;
    return PARE_OK;
}

static const char *const samples[] = { "f32[2,3,7,5]", "f32[1,20,4,9]", "f32[2,3,17]", NULL };

const pare_op pare_op_global_average_pool = {
    .name = "global_average_pool",
    .onnx = "GlobalAveragePool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};

const pare_op pare_op_global_max_pool = {
    .name = "global_max_pool",
    .onnx = "GlobalMaxPool",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST | PARE_SELECTS,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
