/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - slices of in[0] along `axis`, one for each index in in[1]: y[a, i, b] = x[a, index[i], b] */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/samples.h"

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *const p = call->attrs;
    const pare_shape *const      x = &call->in[0]->shape;
    const pare_shape *const      index = &call->in[1]->shape;
    pare_shape                   y = { .rank = 0 };
    int                          axis = 0;

    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    PARE_TRY(pare_call_axis(p->axis, x->rank, &axis));
    for (int i = 0; i < axis; i++)
        PARE_TRY(pare_shape_push(&y, x->dim[i]));
    for (int i = 0; i < index->rank; i++)
        PARE_TRY(pare_shape_push(&y, index->dim[i]));
    for (int i = axis + 1; i < x->rank; i++)
        PARE_TRY(pare_shape_push(&y, x->dim[i]));
    return pare_call_select(call, 0, 0, 1, &y);
}

/* The dimensions a and b of one slice: those of the input without `axis`, strides as given for the input's axes. */
static pare_tensor slice_of(const pare_tensor *x, int axis)
{
    pare_tensor slice = *x;

    slice.buf = NULL;
    slice.shape.rank--;
    for (int i = axis; i < slice.shape.rank; i++) {
        slice.shape.dim[i] = x->shape.dim[i + 1];
        slice.stride[i] = x->stride[i + 1];
    }
    return slice;
}

static pare_status forward(const pare_call *call)
{
    const pare_tensor *const x = call->in[0], *const index = call->in[1], *const y = call->out[0];
    const int     rank = x->shape.rank;
    const int64_t asked = ((const pare_axis_attrs *)call->attrs)->axis;
    const int     axis = (int)(asked < 0 ? asked + rank : asked);
    const int64_t n = x->shape.dim[axis], size = (int64_t)pare_dtype_size(x->dtype);
    pare_tensor   from = slice_of(x, axis), to = from;
    pare_walk     w;

    for (int i = 0; i < to.shape.rank; i++)
        to.stride[i] = y->stride[i < axis ? i : i + index->shape.rank];
    pare_walk_begin(&w, index->shape.rank, index->shape.dim);
    pare_walk_follow(&w, 0, index->stride);
    pare_walk_follow(&w, 1, y->stride + axis);
    for (; w.left > 0; pare_walk_next(&w)) {
        const int64_t i = pare_load_int(index->dtype, index->data, w.offset[0]);
        if (i < -n || i >= n)
            return pare_fail(PARE_ERR_DATA, "index %lld is outside of dimension %d, which is %lld", (long long)i, axis,
                             (long long)n);
        from.data = (char *)x->data + (i < 0 ? i + n : i) * x->stride[axis] * size;
        to.data = (char *)y->data + w.offset[1] * size;
        pare_move(&to, &from, 0, 1);
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, 0),
    PARE_ATTR_END,
};

static bool by_sample(const pare_call *call, unsigned carries)
{
    const pare_axis_attrs *const a = call->attrs;

    return carries == 1 ? pare_samples_off_axis(call, a->axis)
                        : carries == 2 && (a->axis == 0 || a->axis == -call->in[0]->shape.rank);
}

static const char *const samples[] = {
    "f32[5,4] s64{0,-1,3}", "f32[2,3,5,5] s64{2,0} axis=1",
    "f32[4] s64:-4",        "u8[4,3]~0.5,7 s32{1,1} axis=-1",
    "s64[3] s64:1",         "f32[3,0] s64{2}",
    "bf16[3,2] s64{2,0}",   NULL,
};

const pare_op pare_op_gather = {
    .name = "gather",
    .onnx = "Gather",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_axis_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .samples = samples,
};
