/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_linear.c - real numbers to integers, q = clamp(rint(x / scale) + zero) (ONNX QuantizeLinear) */
#include "base/alloc.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/qlinear.h"

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_qlinear_attrs, axis, 1),
    PARE_ATTR_ROW_INT(pare_qlinear_attrs, block_size, 0),
    PARE_ATTR_ROW_DTYPE(pare_qlinear_attrs, output_dtype, PARE_NO_DTYPE),
    PARE_ATTR_ROW_INT(pare_qlinear_attrs, saturate, 1),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_qlinear_attrs *a = call->attrs;
    const pare_tensor        *zero = call->n_in > 2 ? call->in[2] : NULL;

    if (call->in[0]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 0);
    if (call->in[1]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 1);
    if (zero && !pare_qlinear_dtype(zero->dtype))
        return pare_op_bad_dtype(call, 2);
    call->out[0]->dtype = zero ? zero->dtype : a->output_dtype ? a->output_dtype : PARE_u8;
    call->out[0]->shape = call->in[0]->shape;
    if (!pare_qlinear_dtype(call->out[0]->dtype))
        return pare_fail(PARE_ERR_UNSUPPORTED, "output_dtype %s is not an integer of at most 16 bits",
                         pare_dtype_name(call->out[0]->dtype));
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    pare_tensor   y = *call->out[0];
    pare_qparams *q;

    PARE_TRY(pare_qlinear_params(call->in[1], call->n_in > 2 ? call->in[2] : NULL, call->attrs, &y.shape, &q));
    y.q = q;
    pare_tensor_quantize(call->in[0], &y, pare_qrange_of(y.dtype, false));
    pare_free(q);
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,4,5] f32:0.02 u8:113",
    "f32[2,3,4,5] f32{0.02,0.03,0.5} s8{0,1,-3} axis=1",
    "f32[2,6] f32[2,1]{0.02,0.5} ? axis=1 block_size=6 output_dtype=s16",
    NULL,
};

const pare_op pare_op_quantize_linear = {
    .name = "quantize_linear",
    .onnx = "QuantizeLinear",
    .min_in = 2, /* x, scale, zero point */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE | PARE_INTEGER, /* keeps the q that a pass has set on its output */
    .attrs = attrs,
    .attrs_size = sizeof(pare_qlinear_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = pare_qlinear_prepare,
    .samples = samples,
};
