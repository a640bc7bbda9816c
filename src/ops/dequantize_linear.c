/* SPDX-License-Identifier: Apache-2.0 */
/* dequantize_linear.c - integers to real numbers, x = (float)(q - zero) * scale (ONNX DequantizeLinear) */
#include "base/alloc.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/qlinear.h"

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_qlinear_attrs, axis, 1),
    PARE_ATTR_ROW_INT(pare_qlinear_attrs, block_size, 0),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_tensor *zero = call->n_in > 2 ? call->in[2] : NULL;

    if (!pare_qlinear_dtype(call->in[0]->dtype) && call->in[0]->dtype != PARE_s32)
        return pare_op_bad_dtype(call, 0);
    if (call->in[1]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 1);
    if (zero && zero->dtype != call->in[0]->dtype)
        return pare_op_bad_dtype(call, 2);
    call->out[0]->dtype = PARE_f32;
    call->out[0]->shape = call->in[0]->shape;
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    pare_tensor   x = *call->in[0];
    pare_qparams *q;

    PARE_TRY(pare_qlinear_params(call->in[1], call->n_in > 2 ? call->in[2] : NULL, call->attrs, &x.shape, &q));
    x.q = q;
    pare_tensor_dequantize(&x, call->out[0]);
    pare_free(q);
    return PARE_OK;
}

static const char *const samples[] = {
    "u8[2,3,4,5] f32:0.02 u8:113",
    "s8[2,3,4,5] f32{0.02,0.03,0.5} s8{0,1,-3} axis=1",
    "s32[3,4] f32{0.02,0.03,0.5} ? axis=0",
    NULL,
};

const pare_op pare_op_dequantize_linear = {
    .name = "dequantize_linear",
    .onnx = "DequantizeLinear",
    .min_in = 2, /* q, scale, zero point */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .attrs = attrs,
    .attrs_size = sizeof(pare_qlinear_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = pare_qlinear_prepare,
    .samples = samples,
};
