/* SPDX-License-Identifier: Apache-2.0 */
/* one_hot.c - a new axis of length in[1]: in[2][1] where its index is that of in[0], in[2][0] elsewhere */
#include <string.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *const p = call->attrs;
    const pare_shape *const      x = &call->in[0]->shape;
    pare_shape                   y = { .rank = 0 };
    int                          axis = 0, taken = 0;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_plain(call, 2, PARE_DTYPES_BYTES));
    PARE_TRY(pare_call_axis(p->axis, x->rank + 1, &axis));
    if (pare_shape_count(&call->in[1]->shape) != 1 || pare_shape_count(&call->in[2]->shape) != 2)
        return pare_fail(PARE_ERR_SHAPE, "depth must be one number and values two");
    if (!call->in[1]->data)
        return pare_op_needs_value(call, 1, "depth");
    const int64_t depth = pare_tensor_int(call->in[1], 0);
    if (depth < 0)
        return pare_fail(PARE_ERR_SHAPE, "depth is %lld", (long long)depth);
    for (int i = 0; i <= x->rank; i++)
        PARE_TRY(pare_shape_push(&y, i == axis ? depth : x->dim[taken++]));
    pare_call_out(call, 0, call->in[2]->dtype, &y);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_axis_attrs *const p = call->attrs;
    const pare_tensor *const x = call->in[0], *const value = call->in[2], *const y = call->out[0];
    const int     axis = (int)(p->axis < 0 ? p->axis + y->shape.rank : p->axis);
    const int64_t depth = y->shape.dim[axis];
    const size_t  size = pare_dtype_size(y->dtype);
    pare_walk     w;
    int64_t       index = 0;
    pare_shape    lines = y->shape;

    lines.dim[axis] = 1;
    pare_fill(y, value->data, 0, 1);
    pare_walk_begin(&w, lines.rank, lines.dim);
    pare_walk_follow(&w, 0, y->stride);
    for (; w.left > 0; pare_walk_next(&w), index++) {
        const int64_t k = pare_tensor_int(x, index);
        const int64_t at = k < 0 ? k + depth : k;
        if (at >= 0 && at < depth)
            memcpy((char *)y->data + (w.offset[0] + at * y->stride[axis]) * (int64_t)size,
                   (const char *)value->data + value->stride[0] * (int64_t)size, size);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, -1),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "s64{0,7,-1,3} s64:4 f32{0,1}",
    "s64[2,2]{1,0,2,-3} s64{3} s64{5,2} axis=0",
    "s32:1 s64:2 bool{0,1}",
    "f32{1,2} f32:3 u8{0,9}",
    NULL,
};

const pare_op pare_op_one_hot = {
    .name = "one_hot",
    .onnx = "OneHot",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_axis_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
