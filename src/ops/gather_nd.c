/* SPDX-License-Identifier: Apache-2.0 */
/* gather_nd.c - the last dimension of in[1] holds multi-indices into in[0]; each fetches what is left below it */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

static pare_status infer(const pare_call *call)
{
    const int64_t           batch = ((const pare_gather_nd_attrs *)call->attrs)->batch_dims;
    const pare_shape *const x = &call->in[0]->shape;
    const pare_shape *const index = &call->in[1]->shape;
    pare_shape              y = { .rank = 0 };

    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    if (index->rank < 1 || batch < 0 || batch >= index->rank || batch >= x->rank)
        return pare_fail(PARE_ERR_SHAPE, "batch_dims %lld does not fit ranks %d and %d", (long long)batch, x->rank,
                         index->rank);
    const int64_t depth = index->dim[index->rank - 1];
    if (depth == PARE_DIM_ANY)
        return pare_fail(PARE_ERR_DYNAMIC, "the length of the multi-indices is not fixed");
    if (depth > x->rank - batch)
        return pare_fail(PARE_ERR_SHAPE, "multi-indices of length %lld for rank %d", (long long)depth, x->rank);
    for (int i = 0; i < index->rank - 1; i++) {
        if (i < batch && index->dim[i] != x->dim[i] && index->dim[i] >= 0 && x->dim[i] >= 0)
            return pare_fail(PARE_ERR_SHAPE, "batch dimension %d differs: %lld and %lld", i, (long long)x->dim[i],
                             (long long)index->dim[i]);
        PARE_TRY(pare_shape_push(&y, index->dim[i]));
    }
    for (int i = (int)(batch + depth); i < x->rank; i++)
        PARE_TRY(pare_shape_push(&y, x->dim[i]));
    return pare_call_select(call, 0, 0, 1, &y);
}

/* What one multi-index fetches: the dimensions of x from `first` on, with x's strides or y's. */
static pare_tensor below(const pare_tensor *x, int first, const int64_t *stride)
{
    pare_tensor rest = { .dtype = x->dtype, .shape = pare_shape_of(x->shape.rank - first, x->shape.dim + first) };

    for (int i = 0; i < rest.shape.rank; i++)
        rest.stride[i] = stride[i];
    return rest;
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *const x = call->in[0], *const index = call->in[1], *const y = call->out[0];
    const int     batch = (int)((const pare_gather_nd_attrs *)call->attrs)->batch_dims;
    const int     outer = index->shape.rank - 1;
    const int     depth = (int)index->shape.dim[outer];
    const int64_t size = (int64_t)pare_dtype_size(x->dtype);
    pare_tensor   from = below(x, batch + depth, x->stride + batch + depth);
    pare_tensor   to = below(x, batch + depth, y->stride + outer);
    pare_walk     w;

    pare_walk_begin(&w, outer, index->shape.dim);
    pare_walk_follow(&w, 0, index->stride);
    pare_walk_follow(&w, 1, y->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        int64_t offset = 0;
        for (int i = 0; i < batch; i++)
            offset += w.at[i] * x->stride[i];
        for (int i = 0; i < depth; i++) {
            const int64_t at = pare_load_int(index->dtype, index->data, w.offset[0] + i * index->stride[outer]);
            const int64_t n = x->shape.dim[batch + i];
            if (at < -n || at >= n)
                return pare_fail(PARE_ERR_DATA, "index %lld is outside of dimension %d, which is %lld", (long long)at,
                                 batch + i, (long long)n);
            offset += (at < 0 ? at + n : at) * x->stride[batch + i];
        }
        from.data = (char *)x->data + offset * size;
        to.data = (char *)y->data + w.offset[1] * size;
        pare_move(&to, &from, 0, 1);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_gather_nd_attrs, batch_dims, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[3,4] s64[2,2]{0,-1,2,3}",
    "f32[3,4,2] s64[2,1]{2,0}",
    "f32[2,3,4] s64[2,1]{1,-1} batch_dims=1",
    "u8[4,3]~0.5,7 s32[1,1]{3}",
    NULL,
};

const pare_op pare_op_gather_nd = {
    .name = "gather_nd",
    .onnx = "GatherND",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_gather_nd_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
