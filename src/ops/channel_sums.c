/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel_sums.c - the sum of each channel, which is the gradient of a bias: [N,C,...] -> [C]
 *
 * The pixels of an image are one chain of additions, and images are added in order; both from 0.
 */
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/call.h"
#include "ops/channel_images.h"

enum { BLOCK = 64 }; /* channels that a part does together: four cache lines */

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (x->rank < 2)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d; it needs N, C, spatial axes", x->rank);
    const pare_shape y = pare_shape_of(1, &x->dim[1]);

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
    for (int64_t c = 0; c < x->shape.dim[1]; c++) {
        float sum = 0, of;

        for (int64_t n = 0; n < x->shape.dim[0]; n++) {
            pare_channel_get(x, n, c, line);
            pare_channels_f32_ref.sum(
                &(pare_channels_f32_image){ .h = 1, .w = (int)pixels, .c = 1, .x = line, .x_pixel = 1 }, &of);
            sum = sum + of;
        }
        ((float *)y->data)[c * y->stride[0]] = sum;
    }
    pare_free(line);
    return PARE_OK;
}

/* Blocks of channels, each of all images. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_tensor      *x = call->in[0];
    float *const            y = call->out[0]->data;
    pare_channels_f32_image im = pare_image_of(x);
    const int               channels = im.c;
    long                    begin, end;

    (void)scratch;
    pare_pool_split(channels, channels >= BLOCK * parts ? BLOCK : 16, part, parts, &begin, &end);
    for (long c = begin; c < end; c += BLOCK) {
        float of[BLOCK];

        im.c = (int)(end - c < BLOCK ? end - c : BLOCK);
        for (int i = 0; i < im.c; i++)
            y[c + i] = 0;
        for (long n = 0; n < x->shape.dim[0]; n++) {
            pare_image_set_x(&im, x, n * im.h);
            im.x += c;
            pare_channels_kernel(step)->sum(&im, of);
            for (int i = 0; i < im.c; i++)
                y[c + i] = y[c + i] + of[i];
        }
    }
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (!pare_has_pixels(call->in[0]) || !pare_tensor_is_dense(call->out[0]))
        return PARE_OK; /* the reference runs */
    step->kernel = pare_channels_kernel(step)->name;
    step->run = run;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[3,5,4,6]", "f32[2,150,3]", "f32[7,33]", "f32[2,3,2,3,2]", "f32[0,4,2,2]", NULL,
};

const pare_op pare_op_channel_sums = {
    .name = "channel_sums",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
