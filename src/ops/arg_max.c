/* SPDX-License-Identifier: Apache-2.0 */
/* arg_max.c - arg_max, arg_min: the index of the largest or smallest element along `axis`; NaN counts as the extreme */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

extern const pare_op pare_op_arg_max;

static pare_status infer(const pare_call *call)
{
    const pare_arg_attrs *const p = call->attrs;
    const pare_shape *const     x = &call->in[0]->shape;
    pare_shape                  y = { .rank = 0 };
    int                         axis = 0;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_axis(p->axis, x->rank, &axis));
    if (x->dim[axis] == 0)
        return pare_fail(PARE_ERR_SHAPE, "dimension %d is 0, it has no extreme", axis);
    for (int i = 0; i < x->rank; i++)
        if (i != axis || p->keepdims)
            y.dim[y.rank++] = i == axis ? 1 : x->dim[i];
    pare_call_out(call, 0, PARE_s64, &y);
    return PARE_OK;
}

/* Is the element at a beyond the one at b? `sign` -1 looks for the smallest. */
static bool beyond(const pare_tensor *x, int64_t a, int64_t b, int sign)
{
    if (x->dtype == PARE_f32) {
        const float fa = ((const float *)x->data)[a], fb = ((const float *)x->data)[b];
        return (fa != fa && fb == fb) || (sign > 0 ? fa > fb : fa < fb);
    }
    const int64_t ia = pare_load_int(x->dtype, x->data, a), ib = pare_load_int(x->dtype, x->data, b);
    return sign > 0 ? ia > ib : ia < ib;
}

static pare_status forward(const pare_call *call)
{
    const pare_arg_attrs *const p = call->attrs;
    const pare_tensor *const    x = call->in[0];
    const int                   sign = call->op == &pare_op_arg_max ? 1 : -1;
    const int                   axis = (int)(p->axis < 0 ? p->axis + x->shape.rank : p->axis);
    const int64_t               step = x->stride[axis];
    pare_tensor                 y = *call->out[0];
    pare_walk                   w;

    if (!p->keepdims) { /* with the axis back in, results are walked like the input */
        for (int i = x->shape.rank - 1; i > axis; i--)
            y.stride[i] = y.stride[i - 1];
        y.stride[axis] = 0;
    }
    y.shape = x->shape;
    y.shape.dim[axis] = 1;
    pare_walk_begin(&w, y.shape.rank, y.shape.dim);
    pare_walk_follow(&w, 0, x->stride);
    pare_walk_follow(&w, 1, y.stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        int64_t best = 0;
        for (int64_t i = 1; i < x->shape.dim[axis]; i++) {
            const int64_t here = w.offset[0] + i * step, there = w.offset[0] + best * step;
            if (beyond(x, here, there, sign) || (p->select_last_index && !beyond(x, there, here, sign)))
                best = i;
        }
        ((int64_t *)y.data)[w.offset[1]] = best;
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_arg_attrs, axis, 0),
    PARE_ATTR_ROW_INT(pare_arg_attrs, keepdims, 1),
    PARE_ATTR_ROW_INT(pare_arg_attrs, select_last_index, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] axis=1",
    "f32[4,7] axis=-1 keepdims=0",
    "s8[9,9] axis=1 select_last_index=1",
    "s64{3,1,3} keepdims=0",
    "f32[0,3] axis=1",
    NULL,
};

const pare_op pare_op_arg_max = {
    .name = "arg_max",
    .onnx = "ArgMax",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_arg_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};

const pare_op pare_op_arg_min = {
    .name = "arg_min",
    .onnx = "ArgMin",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_arg_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
