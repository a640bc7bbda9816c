/* SPDX-License-Identifier: Apache-2.0 */
/* scatter_elements.c - a copy of x in which y[a, index[a, i, b], b] joins update[a, i, b], in row-major order */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/scatter.h"

static pare_status infer(const pare_call *call)
{
    const pare_scatter_attrs *const p = call->attrs;
    const pare_shape *const         x = &call->in[0]->shape;
    const pare_shape *const         index = &call->in[1]->shape;
    pare_reduction                  reduction;
    int                             axis = 0;

    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    PARE_TRY(pare_call_axis(p->axis, x->rank, &axis));
    PARE_TRY(pare_scatter_reduction(call, p->reduction, &reduction));
    if (call->in[2]->dtype != call->in[0]->dtype)
        return pare_fail(PARE_ERR_SHAPE, "updates are %s, the data is %s", pare_dtype_name(call->in[2]->dtype),
                         pare_dtype_name(call->in[0]->dtype));
    if (index->rank != x->rank || !pare_shape_equal(index, &call->in[2]->shape))
        return pare_fail(PARE_ERR_SHAPE, "indices and updates must have one shape, and the rank of the data");
    for (int i = 0; i < x->rank; i++)
        if (i != axis && x->dim[i] >= 0 && index->dim[i] > x->dim[i])
            return pare_fail(PARE_ERR_SHAPE, "indices have %lld entries along axis %d, the data %lld",
                             (long long)index->dim[i], i, (long long)x->dim[i]);
    return pare_call_select(call, 0, 0, 1, x);
}

static pare_status forward(const pare_call *call)
{
    const pare_scatter_attrs *const p = call->attrs;
    const pare_tensor *const x = call->in[0], *const index = call->in[1], *const update = call->in[2];
    const pare_tensor *const y = call->out[0];
    const int                axis = (int)(p->axis < 0 ? p->axis + x->shape.rank : p->axis);
    const int64_t            n = x->shape.dim[axis];
    pare_reduction           reduction = PARE_REDUCTION_NONE;
    pare_walk                w;

    PARE_TRY(pare_scatter_reduction(call, p->reduction, &reduction));
    pare_move(y, x, 0, 1);
    pare_walk_begin(&w, index->shape.rank, index->shape.dim);
    pare_walk_follow(&w, 0, index->stride);
    pare_walk_follow(&w, 1, update->stride);
    pare_walk_follow(&w, 2, y->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        const int64_t i = pare_load_int(index->dtype, index->data, w.offset[0]);
        if (i < -n || i >= n)
            return pare_fail(PARE_ERR_DATA, "index %lld is outside of dimension %d, which is %lld", (long long)i, axis,
                             (long long)n);
        const int64_t at = w.offset[2] + ((i < 0 ? i + n : i) - w.at[axis]) * y->stride[axis];
        pare_scatter_one(reduction, y->dtype, y->data, at, update->data, w.offset[1]);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_scatter_attrs, axis, 0),
    PARE_ATTR_ROW_STRING(pare_scatter_attrs, reduction, "none"),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[5] s64{4,-5,1} f32[3]",
    "f32[3,4] s64[2,2]{0,-1,3,3} f32[2,2] axis=1 reduction=\"add\"",
    "s64[3,4] s64[1,2]{0,2} s64[1,2] reduction=\"mul\"",
    "u8[4] s32{0,0} u8[2] reduction=\"max\"",
    "f16[3] s64{1} f16[1]",
    "f32[3] s64{2,2} f32[2] reduction=\"min\"",
    NULL,
};

const pare_op pare_op_scatter_elements = {
    .name = "scatter_elements",
    .onnx = "ScatterElements",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_scatter_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
