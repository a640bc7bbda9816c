/* SPDX-License-Identifier: Apache-2.0 */
/* batch_normalization.c - inference form of batch normalization (ONNX BatchNormalization, training_mode 0) */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/channel_images.h"

typedef struct bn_attrs {
    float   epsilon, momentum;
    int64_t training_mode;
    float   clamp_lo, clamp_hi;
} bn_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(bn_attrs, epsilon, 1e-5f),
    PARE_ATTR_ROW_FLOAT(bn_attrs, momentum, 0.9f),
    PARE_ATTR_ROW_INT(bn_attrs, training_mode, 0),
    PARE_ATTR_ROWS_CLAMP(bn_attrs),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const bn_attrs   *a = call->attrs;
    const pare_shape *x = &call->in[0]->shape;

    if (a->training_mode)
        return pare_fail(PARE_ERR_UNSUPPORTED, "training_mode is set; export the model in evaluation mode");
    for (int i = 0; i < 5; i++) {
        if (call->in[i]->dtype != PARE_f32)
            return pare_op_bad_dtype(call, i);
        if (i > 0 &&
            (call->in[i]->shape.rank != 1 || (x->rank > 1 && call->in[i]->shape.dim[0] != x->dim[1] && x->dim[1] >= 0)))
            return pare_fail(PARE_ERR_SHAPE, "input %d must have one number per channel", i);
    }
    call->out[0]->dtype = PARE_f32;
    call->out[0]->shape = *x;
    return PARE_OK;
}

/*
 * y = fmaf(x, f, b - mean * f) with f = scale / sqrt(var + epsilon): the arithmetic that folding into a convolution uses.
 * These are f and the other number of channel c.
 */
static void coefficients(const pare_call *call, int64_t c, float *f, float *shift)
{
    const float epsilon = ((const bn_attrs *)call->attrs)->epsilon;

    *f = (float)pare_tensor_real(call->in[1], c) / sqrtf((float)pare_tensor_real(call->in[4], c) + epsilon);
    *shift = (float)pare_tensor_real(call->in[2], c) - (float)pare_tensor_real(call->in[3], c) * *f;
}

/* Channel by channel, in any memory. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const bn_attrs    *a = call->attrs;
    const pare_tensor *x = call->in[0], *y = call->out[0];

    (void)step, (void)scratch;
    for (int64_t c = part; c < pare_n_channels(&x->shape); c += parts) {
        pare_tensor xc = *x, yc = *y;
        pare_rows   rows;
        float       f, shift;

        coefficients(call, c, &f, &shift);
        if (x->shape.rank > 1) {
            xc.data = (float *)x->data + c * x->stride[1];
            yc.data = (float *)y->data + c * y->stride[1];
            xc.shape.dim[1] = yc.shape.dim[1] = 1;
        }
        pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ &yc, &xc }, 0, 1);
        while (pare_rows_next(&rows))
            for (int64_t i = 0; i < rows.n; i++) {
                float v = fmaf(((const float *)rows.ptr[1])[i * rows.step[1]], f, shift);

                v = v < a->clamp_lo ? a->clamp_lo : v;
                ((float *)rows.ptr[0])[i * rows.step[0]] = v > a->clamp_hi ? a->clamp_hi : v;
            }
    }
}

/* Line by line of channels-last images. */
static void run_lines(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const bn_attrs         *a = call->attrs;
    const pare_tensor      *x = call->in[0];
    pare_channels_f32_image im = pare_image_of(x);
    const int               h = im.h;
    float *const f = scratch, *const shift = f + im.c;
    long begin, end;

    for (int c = 0; c < im.c; c++)
        coefficients(call, c, &f[c], &shift[c]);
    im.f = f;
    im.shift = shift;
    im.lo = a->clamp_lo;
    im.hi = a->clamp_hi;
    pare_pool_split((long)x->shape.dim[0] * h, 1, part, parts, &begin, &end);
    for (long line = begin; line < end; line += im.h) {
        im.h = h - (int)(line % h) < end - line ? h - (int)(line % h) : (int)(end - line);
        pare_image_set_x(&im, x, line);
        pare_image_set_y(&im, call->out[0], line);
        pare_channels_kernel(step)->scale(&im);
    }
}

static pare_span span_lines(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    (void)step;
    if (operand > 0 && operand != call->n_in)
        return (pare_span){ PTRDIFF_MIN, PTRDIFF_MAX };
    return pare_span_lines(operand ? call->out[0] : call->in[0], part, parts);
}

static pare_status forward(const pare_call *call)
{
    run(NULL, call, 0, 1, NULL);
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (!pare_has_pixels(call->in[0]) || !pare_has_pixels(call->out[0])) {
        step->run = run;
        return PARE_OK;
    }
    step->kernel = pare_channels_kernel(step)->name;
    step->scratch = 2 * sizeof(float) * (size_t)call->in[0]->shape.dim[1];
    step->run = run_lines;
    step->span = span_lines;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,4,5] f32[3] f32[3] f32[3] f32{0.5,1,2}",
    "f32[4,2] f32[2] f32[2] f32[2] f32{0.25,3} epsilon=0.01",
    "f32[2,3,4,5] f32[3] f32[3] f32[3] f32{0.5,1,2} clamp_lo=0 clamp_hi=1",
    NULL,
};

const pare_op pare_op_batch_normalization = {
    .name = "batch_normalization",
    .onnx = "BatchNormalization",
    .min_in = 5, /* x [N,C,...], scale, bias, mean, variance [C] */
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP,
    .attrs = attrs,
    .attrs_size = sizeof(bn_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
