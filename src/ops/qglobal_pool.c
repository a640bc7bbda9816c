/* SPDX-License-Identifier: Apache-2.0 */
/* qglobal_pool.c - means of whole quantized images: global_average_pool after lowering (NUMERICS.md 6) */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/pool.h"
#include "ops/qconv.h"
#include "ops/qtensor.h"

static pare_status infer(const pare_call *call)
{
    pare_shape shape = call->in[0]->shape;

    PARE_TRY(pare_q_input_u8(call, 0));
    if (shape.rank < 3)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d, at least 3 (N, C, spatial ...) is needed", shape.rank);
    for (int i = 2; i < shape.rank; i++) {
        if (shape.dim[i] == 0)
            return pare_fail(PARE_ERR_SHAPE, "an image without pixels has no mean");
        shape.dim[i] = 1;
    }
    PARE_TRY(pare_q_output_u8(call, &shape));
    return pare_q_check_range(255 * (pare_q_scale(call->in[0]) / pare_q_scale(call->out[0])) + 255);
}

/* The sum of a plane's codes is exact in 64 bits. */
static int64_t sum_of(const pare_tensor *x, const uint8_t *plane)
{
    pare_tensor view = { .dtype = PARE_u8, .data = (void *)(uintptr_t)plane };
    int64_t     sum = 0;
    pare_rows   r;

    for (int i = 2; i < x->shape.rank; i++) {
        view.shape.dim[view.shape.rank] = x->shape.dim[i];
        view.stride[view.shape.rank++] = x->stride[i];
    }
    pare_rows_begin(&r, 1, (const pare_tensor *const[]){ &view }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            sum += ((const uint8_t *)r.ptr[0])[i * r.step[0]];
    return sum;
}

/* q = clamp(rint((float)(sum - n * zx) * (sx / (sy * (float)n))) + zy) */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const int64_t      channels = x->shape.dim[1];
    int64_t            pixels = 1;
    long               begin, end;

    for (int i = 2; i < x->shape.rank; i++)
        pixels *= x->shape.dim[i];
    const float m = pare_q_scale(x) / (pare_q_scale(y) * (float)pixels);

    pare_pool_split((long)(x->shape.dim[0] * channels), 1, part, parts, &begin, &end);
    for (int64_t plane = begin; plane < end; plane++) {
        const int64_t n = plane / channels, c = plane % channels;
        const int64_t sum = sum_of(x, (const uint8_t *)x->data + n * x->stride[0] + c * x->stride[1]);

        ((uint8_t *)y->data)[n * y->stride[0] + c * y->stride[1]] =
            (uint8_t)pare_qround((float)(sum - pixels * pare_q_zero(x)) * m, pare_q_zero(y), 0, 255);
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
    pare_pool_f32_desc d;
    pare_window        w;

    step->kernel = "c";
    step->run = run_planes;
    pare_pool_whole(&call->in[0]->shape, &w);
    return pare_pool_describe(call, &w, false, &d) ? pare_pool_use_u8(call, &d, PARE_QPOOL_MEAN, step) : PARE_OK;
}

const pare_op pare_op_qglobal_average_pool = {
    .name = "qglobal_average_pool",
    .min_in = 1, /* x [N,C,spatial] u8 */
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_INTEGER | PARE_WANTS_CHANNELS_LAST,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
};
