/* SPDX-License-Identifier: Apache-2.0 */
/* batch_norm_grad_sums.c - per image and channel the sums of dy and of dy * (x - mean): dy, x [N,C,...], mean [C] ->
 * [N,2,C] */
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/call.h"
#include "ops/channel_images.h"

enum { DY, X, MEAN };

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[X]->shape;

    PARE_TRY(pare_call_plain(call, DY, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, X, PARE_D(f32)));
    if (x->rank < 2 || !pare_shape_equal(x, &call->in[DY]->shape))
        return pare_fail(PARE_ERR_SHAPE, "the gradient does not have the shape of the input, N, C, spatial axes");
    PARE_TRY(pare_call_per_channel(call, X, MEAN));
    const pare_shape y = pare_shape_of(3, (const int64_t[]){ x->dim[0], 2, x->dim[1] });

    pare_call_out(call, 0, PARE_f32, &y);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *x = call->in[X], *mean = call->in[MEAN], *y = call->out[0];
    const int64_t      pixels = pare_n_pixels(&x->shape);
    float *const       line = pare_malloc(2 * sizeof(float) * (size_t)pixels + 1);

    if (!line)
        return pare_fail_memory(2 * sizeof(float) * (size_t)pixels, "a channel");
    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t c = 0; c < x->shape.dim[1]; c++) {
            float *const to = (float *)y->data + n * y->stride[0] + c * y->stride[2];

            pare_channel_get(x, n, c, line);
            pare_channel_get(call->in[DY], n, c, line + pixels);
            pare_channels_f32_ref.grad_sums(
                &(pare_channels_f32_image){ .h = 1,
                                            .w = (int)pixels,
                                            .c = 1,
                                            .x = line,
                                            .x_pixel = 1,
                                            .dy = line + pixels,
                                            .dy_pixel = 1,
                                            .mean = (const float *)mean->data + c * mean->stride[0] },
                to, to + y->stride[1]);
        }
    pare_free(line);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_tensor      *x = call->in[X], *y = call->out[0];
    pare_channels_f32_image im = pare_image_of(x);
    long                    begin, end;

    (void)scratch;
    im.mean = call->in[MEAN]->data;
    pare_pool_split((long)x->shape.dim[0], 1, part, parts, &begin, &end);
    for (long n = begin; n < end; n++) {
        float *const to = (float *)y->data + n * y->stride[0];

        pare_image_set_x(&im, x, n * im.h);
        pare_image_set_dy(&im, call->in[DY], n * im.h);
        pare_channels_kernel(step)->grad_sums(&im, to, to + y->stride[1]);
    }
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long begin, end;

    (void)step;
    if (operand == DY || operand == X)
        return pare_span_images(call->in[operand], part, parts);
    if (operand == MEAN)
        return (pare_span){ PTRDIFF_MIN, PTRDIFF_MAX };
    pare_pool_split((long)call->in[X]->shape.dim[0], 1, part, parts, &begin, &end);
    const ptrdiff_t image = (ptrdiff_t)(call->out[0]->stride[0] * (int64_t)sizeof(float));

    return (pare_span){ begin * image, end * image };
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (!pare_has_pixels(call->in[DY]) || !pare_has_pixels(call->in[X]) || !pare_tensor_is_dense(call->in[MEAN]) ||
        !pare_tensor_is_dense(call->out[0]))
        return PARE_OK; /* the reference runs */
    step->kernel = pare_channels_kernel(step)->name;
    step->run = run;
    step->span = span;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[3,5,4,6] f32[3,5,4,6] f32[5]",     "f32[2,70,3] f32[2,70,3] f32[70]",  "f32[7,33] f32[7,33] f32[33]",
    "f32[2,3,2,3,2] f32[2,3,2,3,2] f32[3]", "f32[0,4,2,2] f32[0,4,2,2] f32[4]", NULL,
};

const pare_op pare_op_batch_norm_grad_sums = {
    .name = "batch_norm_grad_sums",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
