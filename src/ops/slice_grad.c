/* SPDX-License-Identifier: Apache-2.0 */
/* slice_grad.c - the gradient of a slice: the elements that it kept in their places, zeros between them */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

typedef struct grad_attrs {
    pare_ints shape, starts, steps; /* of all axes: the input's, the first index that is kept, distance to the next */
} grad_attrs;

static pare_status infer(const pare_call *call)
{
    const grad_attrs *const a = call->attrs;
    const pare_shape *const dy = &call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (a->shape.n != dy->rank || a->starts.n != dy->rank || a->steps.n != dy->rank)
        return pare_fail(PARE_ERR_SHAPE, "shape, starts and steps must have one entry per axis");
    for (int i = 0; i < dy->rank; i++) {
        const int64_t last = a->starts.v[i] + (dy->dim[i] - 1) * a->steps.v[i];

        if (a->shape.v[i] < 0 ||
            (dy->dim[i] > 0 &&
             (a->starts.v[i] < 0 || a->starts.v[i] >= a->shape.v[i] || last < 0 || last >= a->shape.v[i])) ||
            a->steps.v[i] == 0)
            return pare_fail(PARE_ERR_SHAPE, "axis %d of the slice does not lie inside the shape", i);
    }
    const pare_shape x = pare_shape_of(a->shape.n, a->shape.v);

    pare_call_out(call, 0, PARE_f32, &x);
    return PARE_OK;
}

/* The first index i >= 0 at which start + i * step has come to `bound` (step > 0: from below, else from above). */
static int64_t first_past(int64_t start, int64_t step, int64_t bound)
{
    const int64_t way = step > 0 ? bound - start : start - bound, pace = step > 0 ? step : -step;

    return way <= 0 ? 0 : (way + pace - 1) / pace;
}

static int64_t at_most(int64_t x, int64_t most)
{
    return x < most ? x : most;
}

/* Parts share the indices of the first axis that has several. */
static void do_part(const pare_call *call, int part, int parts)
{
    const grad_attrs *const a = call->attrs;
    pare_tensor             dx = *call->out[0], dy = *call->in[0];
    int                     axis = 0;
    long                    begin, end;

    while (axis < dx.shape.rank && dx.shape.dim[axis] == 1)
        axis++;
    if (axis == dx.shape.rank) { /* one element */
        if (part == 0)
            pare_fill(&dx, &(float){ 0 }, 0, 1);
        if (part == 0 && pare_shape_count(&dy.shape) > 0)
            pare_move(&dx, &dy, 0, 1);
        return;
    }
    pare_pool_split((long)dx.shape.dim[axis], 1, part, parts, &begin, &end);
    const pare_tensor mine = pare_region(&dx, axis, begin, end - begin, 1);

    pare_fill(&mine, &(float){ 0 }, 0, 1);
    if (pare_shape_count(&dy.shape) == 0)
        return;
    const int64_t start = a->starts.v[axis], step = a->steps.v[axis], n = dy.shape.dim[axis];
    const int64_t first = at_most(step > 0 ? first_past(start, step, begin) : first_past(start, step, end - 1), n);
    const int64_t last = at_most(step > 0 ? first_past(start, step, end) : first_past(start, step, begin - 1), n);

    if (first >= last || begin >= end)
        return;
    for (int i = 0; i < dx.shape.rank; i++) {
        const int64_t skip = i == axis ? first : 0, count = i == axis ? last - first : dy.shape.dim[i];

        dx = pare_region(&dx, i, a->starts.v[i] + skip * a->steps.v[i], count, a->steps.v[i]);
        dy = pare_region(&dy, i, skip, count, 1);
    }
    pare_move(&dx, &dy, 0, 1);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INTS(grad_attrs, shape),
    PARE_ATTR_ROW_INTS(grad_attrs, starts),
    PARE_ATTR_ROW_INTS(grad_attrs, steps),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[3,2] shape=[7,4] starts=[1,3] steps=[2,-2]",
    "f32[3,5] shape=[8,5] starts=[7,0] steps=[-3,1]",
    "f32[1,1] shape=[1,1] starts=[0,0] steps=[1,1]",
    "f32[0,2] shape=[3,2] starts=[3,0] steps=[1,1]",
    "f32[] shape=[] starts=[] steps=[]",
    NULL,
};

const pare_op pare_op_slice_grad = {
    .name = "slice_grad",
    .min_in = 1, /* dy */
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(grad_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
