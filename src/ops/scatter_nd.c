/* SPDX-License-Identifier: Apache-2.0 */
/* scatter_nd.c - a copy of x in which the slices that the multi-indices in[1] name join those of in[2], one by one */
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
    const pare_shape *const         update = &call->in[2]->shape;
    pare_reduction                  reduction;

    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    PARE_TRY(pare_scatter_reduction(call, p->reduction, &reduction));
    if (call->in[2]->dtype != call->in[0]->dtype)
        return pare_fail(PARE_ERR_SHAPE, "updates are %s, the data is %s", pare_dtype_name(call->in[2]->dtype),
                         pare_dtype_name(call->in[0]->dtype));
    const int     outer = index->rank - 1;
    const int64_t depth = outer < 0 ? -1 : index->dim[outer];
    bool          fits = depth >= 0 && depth <= x->rank && update->rank == outer + x->rank - depth;
    for (int i = 0; fits && i < update->rank; i++) {
        const int64_t want = i < outer ? index->dim[i] : x->dim[i - outer + depth];
        fits = want == update->dim[i] || want < 0 || update->dim[i] < 0;
    }
    if (!fits) {
        char a[PARE_SHAPE_TEXT], b[PARE_SHAPE_TEXT], c[PARE_SHAPE_TEXT];
        return pare_fail(PARE_ERR_SHAPE, "data %s, indices %s and updates %s do not fit", pare_shape_text(x, a),
                         pare_shape_text(index, b), pare_shape_text(update, c));
    }
    return pare_call_select(call, 0, 0, 1, x);
}

/* The slice of y that starts `at` elements from its start joins the one of the updates at `from`. */
static void join_slice(const pare_call *call, pare_reduction reduction, int depth, int64_t at, int64_t from)
{
    const pare_tensor *const y = call->out[0], *const update = call->in[2];
    const int outer = call->in[1]->shape.rank - 1;
    pare_walk w;

    pare_walk_begin(&w, y->shape.rank - depth, y->shape.dim + depth);
    pare_walk_follow(&w, 0, y->stride + depth);
    pare_walk_follow(&w, 1, update->stride + outer);
    for (; w.left > 0; pare_walk_next(&w))
        pare_scatter_one(reduction, y->dtype, y->data, at + w.offset[0], update->data, from + w.offset[1]);
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *const x = call->in[0], *const index = call->in[1], *const y = call->out[0];
    const int      outer = index->shape.rank - 1;
    const int      depth = (int)index->shape.dim[outer];
    pare_reduction reduction = PARE_REDUCTION_NONE;
    pare_walk      w;

    PARE_TRY(pare_scatter_reduction(call, ((const pare_scatter_attrs *)call->attrs)->reduction, &reduction));
    pare_move(y, x, 0, 1);
    pare_walk_begin(&w, outer, index->shape.dim);
    pare_walk_follow(&w, 0, index->stride);
    pare_walk_follow(&w, 1, call->in[2]->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        int64_t at = 0;
        for (int i = 0; i < depth; i++) {
            const int64_t k = pare_load_int(index->dtype, index->data, w.offset[0] + i * index->stride[outer]);
            const int64_t n = x->shape.dim[i];
            if (k < -n || k >= n)
                return pare_fail(PARE_ERR_DATA, "index %lld is outside of dimension %d, which is %lld", (long long)k, i,
                                 (long long)n);
            at += (k < 0 ? k + n : k) * y->stride[i];
        }
        join_slice(call, reduction, depth, at, w.offset[1]);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_STRING(pare_scatter_attrs, reduction, "none"),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[8] s64[3,1]{4,-5,1} f32[3]",
    "f32[3,4] s64[2,1]{2,0} f32[2,4] reduction=\"add\"",
    "s64[3,4] s64[1,2]{0,2} s64[1] reduction=\"max\"",
    "f16[3] s32[1,1]{1} f16[1]",
    NULL,
};

const pare_op pare_op_scatter_nd = {
    .name = "scatter_nd",
    .onnx = "ScatterND",
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
