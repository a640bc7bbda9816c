/* SPDX-License-Identifier: Apache-2.0 */
/* gather_elements.c - y[a, i, b] = x[a, index[a, i, b], b] */
#include <string.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *const p = call->attrs;
    const pare_shape *const      x = &call->in[0]->shape;
    const pare_shape *const      index = &call->in[1]->shape;
    int                          axis = 0;

    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    PARE_TRY(pare_call_axis(p->axis, x->rank, &axis));
    if (index->rank != x->rank)
        return pare_fail(PARE_ERR_SHAPE, "indices have rank %d, the data has %d", index->rank, x->rank);
    for (int i = 0; i < x->rank; i++)
        if (i != axis && x->dim[i] >= 0 && index->dim[i] > x->dim[i])
            return pare_fail(PARE_ERR_SHAPE, "indices have %lld entries along axis %d, the data %lld",
                             (long long)index->dim[i], i, (long long)x->dim[i]);
    return pare_call_select(call, 0, 0, 1, index);
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *const x = call->in[0], *const index = call->in[1], *const y = call->out[0];
    const int64_t asked = ((const pare_axis_attrs *)call->attrs)->axis;
    const int     axis = (int)(asked < 0 ? asked + x->shape.rank : asked);
    const int64_t n = x->shape.dim[axis], size = (int64_t)pare_dtype_size(x->dtype);
    pare_walk     w;

    pare_walk_begin(&w, index->shape.rank, index->shape.dim);
    pare_walk_follow(&w, 0, index->stride);
    pare_walk_follow(&w, 1, x->stride);
    pare_walk_follow(&w, 2, y->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        const int64_t i = pare_load_int(index->dtype, index->data, w.offset[0]);
        if (i < -n || i >= n)
            return pare_fail(PARE_ERR_DATA, "index %lld is outside of dimension %d, which is %lld", (long long)i, axis,
                             (long long)n);
        const int64_t from = w.offset[1] + ((i < 0 ? i + n : i) - w.at[axis]) * x->stride[axis];
        memcpy((char *)y->data + w.offset[2] * size, (const char *)x->data + from * size, (size_t)size);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[5] s64{4,-5,0,1}", "f32[3,4] s64[2,2]{0,-1,3,2} axis=1", "u8[3,2]~0.5,7 s32[1,2]{2,0}", "s64[3] s64{}", NULL,
};

const pare_op pare_op_gather_elements = {
    .name = "gather_elements",
    .onnx = "GatherElements",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_axis_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
