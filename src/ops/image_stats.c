/* SPDX-License-Identifier: Apache-2.0 */
/* image_stats.c - mean and sum of squared deviations of every image's channels: x [N,C,...] -> [N,2,C] */
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/call.h"
#include "ops/channel_images.h"

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (x->rank < 2)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d; it needs N, C, spatial axes", x->rank);
    const pare_shape y = pare_shape_of(3, (const int64_t[]){ x->dim[0], 2, x->dim[1] });

    pare_call_out(call, 0, PARE_f32, &y);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const int64_t      pixels = pare_n_pixels(&x->shape);
    float *const       line = pare_malloc(sizeof(float) * (size_t)pixels + 1);

    if (!line)
        return pare_fail_memory(sizeof(float) * (size_t)pixels, "a channel");
    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t c = 0; c < x->shape.dim[1]; c++) {
            float *const to = (float *)y->data + n * y->stride[0] + c * y->stride[2];

            pare_channel_get(x, n, c, line);
            pare_channels_f32_ref.stats(
                &(pare_channels_f32_image){ .h = 1, .w = (int)pixels, .c = 1, .x = line, .x_pixel = 1 }, to,
                to + y->stride[1]);
        }
    pare_free(line);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_tensor      *x = call->in[0], *y = call->out[0];
    pare_channels_f32_image im = pare_image_of(x);
    long                    begin, end;

    (void)scratch;
    pare_pool_split((long)x->shape.dim[0], 1, part, parts, &begin, &end);
    for (long n = begin; n < end; n++) {
        float *const to = (float *)y->data + n * y->stride[0];

        pare_image_set_x(&im, x, n * im.h);
        pare_channels_kernel(step)->stats(&im, to, to + y->stride[1]);
    }
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long begin, end;

    (void)step;
    if (operand == 0)
        return pare_span_images(call->in[0], part, parts);
    pare_pool_split((long)call->in[0]->shape.dim[0], 1, part, parts, &begin, &end);
    const ptrdiff_t image = (ptrdiff_t)(call->out[0]->stride[0] * (int64_t)sizeof(float));

    return (pare_span){ begin * image, end * image };
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (!pare_has_pixels(call->in[0]) || !pare_tensor_is_dense(call->out[0]))
        return PARE_OK; /* the reference runs */
    step->kernel = pare_channels_kernel(step)->name;
    step->run = run;
    step->span = span;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[3,5,4,6]", "f32[2,70,3]", "f32[7,33]", "f32[2,3,2,3,2]", "f32[0,4,2,2]", "f32[1,1,1,1]", NULL,
};

const pare_op pare_op_image_stats = {
    .name = "image_stats",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
