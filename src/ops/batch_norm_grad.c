/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_norm_grad.c - the gradient of a batch normalization whose statistics are those of the batch, to its input
 *
 * dx = fmaf(dy, f, fmaf(x - mean, k, shift)) with s = sqrt(var + epsilon), f = gamma / s, n = pixels of all images,
 * k = -(f * (dgamma / s)) / n, shift = -(f * dbeta) / n; dbeta and dgamma are those of batch_norm_grad_merge.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/channel_images.h"

enum { DY, X, GAMMA, MEAN, VAR, DBETA, DGAMMA, N_IN };

typedef struct grad_attrs {
    float epsilon;
} grad_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(grad_attrs, epsilon, 1e-5f),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[X]->shape;

    PARE_TRY(pare_call_plain(call, DY, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, X, PARE_D(f32)));
    if (x->rank < 2 || !pare_shape_equal(x, &call->in[DY]->shape))
        return pare_fail(PARE_ERR_SHAPE, "the gradient does not have the shape of the input, N, C, spatial axes");
    for (int i = GAMMA; i < N_IN; i++)
        PARE_TRY(pare_call_per_channel(call, X, i));
    pare_call_out(call, 0, PARE_f32, x);
    return PARE_OK;
}

/* Number c of a [C] input. */
static float of(const pare_call *call, int input, int64_t c)
{
    return ((const float *)call->in[input]->data)[c * call->in[input]->stride[0]];
}

/* The four numbers of channel c. */
static void coefficients(const pare_call *call, int64_t c, float *mean, float *f, float *k, float *shift)
{
    const pare_shape *x = &call->in[X]->shape;
    const float       n = (float)(x->dim[0] * pare_n_pixels(x));
    const float       s = sqrtf(of(call, VAR, c) + ((const grad_attrs *)call->attrs)->epsilon);

    *mean = of(call, MEAN, c);
    *f = of(call, GAMMA, c) / s;
    *k = -(*f * (of(call, DGAMMA, c) / s)) / n;
    *shift = -(*f * of(call, DBETA, c)) / n;
}

static pare_status forward(const pare_call *call)
{
    const pare_shape *x = &call->in[X]->shape;
    const int64_t     pixels = pare_n_pixels(x);
    float *const      line = pare_malloc(2 * sizeof(float) * (size_t)pixels + 1);

    if (!line)
        return pare_fail_memory(2 * sizeof(float) * (size_t)pixels, "a channel");
    for (int64_t c = 0; c < x->dim[1]; c++) {
        float mean, f, k, shift;

        coefficients(call, c, &mean, &f, &k, &shift);
        for (int64_t n = 0; n < x->dim[0]; n++) {
            pare_channel_get(call->in[X], n, c, line);
            pare_channel_get(call->in[DY], n, c, line + pixels);
            pare_channels_f32_ref.grad(&(pare_channels_f32_image){ .h = 1,
                                                                   .w = (int)pixels,
                                                                   .c = 1,
                                                                   .x = line,
                                                                   .x_pixel = 1,
                                                                   .dy = line + pixels,
                                                                   .dy_pixel = 1,
                                                                   .y = line,
                                                                   .y_pixel = 1,
                                                                   .mean = &mean,
                                                                   .f = &f,
                                                                   .k = &k,
                                                                   .shift = &shift });
            pare_channel_put(call->out[0], n, c, line);
        }
    }
    pare_free(line);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    pare_channels_f32_image im = pare_image_of(call->in[X]);
    const long              lines = (long)call->in[X]->shape.dim[0] * im.h;
    float *const mean = scratch, *const f = mean + im.c, *const k = f + im.c, *const shift = k + im.c;
    long begin, end;

    for (int c = 0; c < im.c; c++)
        coefficients(call, c, &mean[c], &f[c], &k[c], &shift[c]);
    im.mean = mean;
    im.f = f;
    im.k = k;
    im.shift = shift;
    pare_pool_split(lines, 1, part, parts, &begin, &end);
    const int h = im.h;

    for (long line = begin; line < end; line += im.h) {
        im.h = h - (int)(line % h) < end - line ? h - (int)(line % h) : (int)(end - line);
        pare_image_set_x(&im, call->in[X], line);
        pare_image_set_dy(&im, call->in[DY], line);
        pare_image_set_y(&im, call->out[0], line);
        pare_channels_kernel(step)->grad(&im);
    }
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    (void)step;
    if (operand != DY && operand != X && operand != N_IN)
        return (pare_span){ PTRDIFF_MIN, PTRDIFF_MAX };
    return pare_span_lines(operand == N_IN ? call->out[0] : call->in[operand], part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (!pare_has_pixels(call->in[DY]) || !pare_has_pixels(call->in[X]) || !pare_has_pixels(call->out[0]))
        return PARE_OK; /* the reference runs */
    step->kernel = pare_channels_kernel(step)->name;
    step->scratch = 4 * sizeof(float) * (size_t)call->in[X]->shape.dim[1];
    step->run = run;
    step->span = span;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,4,5] f32[2,3,4,5] f32[3] f32[3] f32{0.5,1,2} f32[3] f32[3]",
    "f32[3,2] f32[3,2] f32[2] f32[2] f32{0.25,3} f32[2] f32[2] epsilon=0.01",
    "f32[2,2,2,3,2] f32[2,2,2,3,2] f32[2] f32[2] f32{0,3} f32[2] f32[2]",
    NULL,
};

const pare_op pare_op_batch_norm_grad = {
    .name = "batch_norm_grad",
    .min_in = N_IN, /* dy, x [N,C,...]; gamma, mean, var, dbeta, dgamma [C] */
    .max_in = N_IN,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(grad_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
