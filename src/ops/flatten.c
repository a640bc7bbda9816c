/* SPDX-License-Identifier: Apache-2.0 */
/* flatten.c - to a matrix: the dimensions before `axis` are rows, the others columns */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/view.h"

/* Product of dimensions first .. last - 1; PARE_DIM_ANY when one is not fixed. */
static int64_t product(const pare_shape *shape, int first, int last)
{
    const pare_shape part = pare_shape_of(last - first, shape->dim + first);

    return pare_shape_count(&part);
}

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *const p = call->attrs;
    const pare_shape *const      x = &call->in[0]->shape;
    const int64_t                axis = p->axis < 0 ? p->axis + x->rank : p->axis;

    if (axis < 0 || axis > x->rank)
        return pare_fail(PARE_ERR_SHAPE, "axis %lld is outside of rank %d", (long long)p->axis, x->rank);
    const pare_shape y = { .rank = 2, .dim = { product(x, 0, (int)axis), product(x, (int)axis, x->rank) } };
    return pare_view_out(call, &y);
}

PARE_IN_PARTS(pare_view_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, 1),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5]", "f32[2,3,4] axis=0", "u8[2,3,4]~0.5,1 axis=-1", "f32[] axis=0", NULL,
};

const pare_op pare_op_flatten = {
    .name = "flatten",
    .onnx = "Flatten",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS | PARE_VIEW,
    .attrs = attrs,
    .attrs_size = sizeof(pare_axis_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
