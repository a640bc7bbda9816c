/* SPDX-License-Identifier: Apache-2.0 */
/* trilu.c - the upper or lower triangle of each matrix, counted from diagonal in[1]; the rest is zero */
#include <string.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

static pare_status infer(const pare_call *call)
{
    const pare_shape *const x = &call->in[0]->shape;

    if (x->rank < 2)
        return pare_fail(PARE_ERR_SHAPE, "needs matrices, not rank %d", x->rank);
    if (pare_call_has(call, 1))
        PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    if (pare_call_has(call, 1) && pare_shape_count(&call->in[1]->shape) != 1)
        return pare_fail(PARE_ERR_SHAPE, "k must be one number");
    return pare_call_select(call, 0, 0, 1, x);
}

static pare_status forward(const pare_call *call)
{
    const bool               upper = ((const pare_trilu_attrs *)call->attrs)->upper;
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const int64_t k = pare_call_has(call, 1) ? pare_tensor_int(call->in[1], 0) : 0;
    const size_t  size = pare_dtype_size(x->dtype);
    const int     row = x->shape.rank - 2;
    char          zero[8];
    pare_walk     w;

    pare_zero_element(x, zero);
    pare_walk_begin(&w, x->shape.rank, x->shape.dim);
    pare_walk_follow(&w, 0, x->stride);
    pare_walk_follow(&w, 1, y->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        const int64_t diagonal = w.at[row + 1] - w.at[row];
        const bool    stays = upper ? diagonal >= k : diagonal <= k;
        memcpy((char *)y->data + w.offset[1] * (int64_t)size,
               stays ? (const char *)x->data + w.offset[0] * (int64_t)size : zero, size);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_trilu_attrs, upper, 1),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5]", "s64[4,5] s64:-1 upper=0", "u8[3,3]~0.5,7 s64:1", "f32[0,3]", "bool[2,3,2] s64:7", NULL,
};

const pare_op pare_op_trilu = {
    .name = "trilu",
    .onnx = "Trilu",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_trilu_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
