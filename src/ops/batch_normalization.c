/* SPDX-License-Identifier: Apache-2.0 */
/* batch_normalization.c - inference form of batch normalization (ONNX BatchNormalization, training_mode 0) */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"

typedef struct bn_attrs {
    float   epsilon, momentum;
    int64_t training_mode;
} bn_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(bn_attrs, epsilon, 1e-5f),
    PARE_ATTR_ROW_FLOAT(bn_attrs, momentum, 0.9f),
    PARE_ATTR_ROW_INT(bn_attrs, training_mode, 0),
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

/* y = fmaf(x, f, b - mean * f) with f = scale / sqrt(var + epsilon): the arithmetic that folding into a convolution uses. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const bn_attrs    *a = call->attrs;
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const int64_t      channels = x->shape.rank > 1 ? x->shape.dim[1] : 1;

    (void)step, (void)scratch;
    for (int64_t c = part; c < channels; c += parts) {
        const float f =
            (float)pare_tensor_real(call->in[1], c) / sqrtf((float)pare_tensor_real(call->in[4], c) + a->epsilon);
        const float shift = (float)pare_tensor_real(call->in[2], c) - (float)pare_tensor_real(call->in[3], c) * f;
        pare_tensor xc = *x, yc = *y;
        pare_rows   rows;

        if (x->shape.rank > 1) {
            xc.data = (float *)x->data + c * x->stride[1];
            yc.data = (float *)y->data + c * y->stride[1];
            xc.shape.dim[1] = yc.shape.dim[1] = 1;
        }
        pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ &yc, &xc }, 0, 1);
        while (pare_rows_next(&rows))
            for (int64_t i = 0; i < rows.n; i++)
                ((float *)rows.ptr[0])[i * rows.step[0]] =
                    fmaf(((const float *)rows.ptr[1])[i * rows.step[1]], f, shift);
    }
}

static pare_status forward(const pare_call *call)
{
    run(NULL, call, 0, 1, NULL);
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    (void)call;
    step->run = run;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,4,5] f32[3] f32[3] f32[3] f32{0.5,1,2}",
    "f32[4,2] f32[2] f32[2] f32[2] f32{0.25,3} epsilon=0.01",
    NULL,
};

const pare_op pare_op_batch_normalization = {
    .name = "batch_normalization",
    .onnx = "BatchNormalization",
    .min_in = 5, /* x [N,C,...], scale, bias, mean, variance [C] */
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(bn_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
