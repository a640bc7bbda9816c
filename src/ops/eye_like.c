/* SPDX-License-Identifier: Apache-2.0 */
/* eye_like.c - ones on diagonal k of a matrix of the input's shape, zeros elsewhere */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

static pare_status infer(const pare_call *call)
{
    const pare_eye_like_attrs *const p = call->attrs;
    const pare_tensor *const         x = call->in[0];
    const pare_dtype                 dtype = p->dtype == PARE_NO_DTYPE ? x->dtype : p->dtype;

    if (x->shape.rank != 2)
        return pare_fail(PARE_ERR_SHAPE, "needs a matrix, not rank %d", x->shape.rank);
    if (dtype >= PARE_N_DTYPES || !(PARE_DTYPES_BYTES >> dtype & 1))
        return pare_fail(PARE_ERR_UNSUPPORTED, "dtype %s is not supported", pare_dtype_name(dtype));
    pare_call_out(call, 0, dtype, &x->shape);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *const y = call->out[0];
    const int64_t            k = ((const pare_eye_like_attrs *)call->attrs)->k;

    for (int64_t i = 0; i < y->shape.dim[0]; i++)
        for (int64_t j = 0; j < y->shape.dim[1]; j++)
            pare_store_real(y->dtype, y->data, i * y->stride[0] + j * y->stride[1], j - i == k);
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_DTYPE(pare_eye_like_attrs, dtype, PARE_NO_DTYPE),
    PARE_ATTR_ROW_INT(pare_eye_like_attrs, k, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[3,4]", "s64[3,3] k=-1", "f32[4,2] dtype=s8 k=1", "f32[0,2] dtype=f16", NULL,
};

const pare_op pare_op_eye_like = {
    .name = "eye_like",
    .onnx = "EyeLike",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SHAPE_ONLY,
    .attrs = attrs,
    .attrs_size = sizeof(pare_eye_like_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
