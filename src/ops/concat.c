/* SPDX-License-Identifier: Apache-2.0 */
/* concat.c - the inputs one after another along `axis` */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"
#include "ops/samples.h"

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *const p = call->attrs;
    pare_shape                   y = call->in[0]->shape;
    int                          axis;

    PARE_TRY(pare_call_axis(p->axis, y.rank, &axis));
    for (int k = 1; k < call->n_in; k++) {
        if (!call->in[k])
            return pare_fail(PARE_ERR_SHAPE, "input %d is left out but required", k);
        const pare_shape *const x = &call->in[k]->shape;
        bool                    fits = x->rank == y.rank;
        for (int i = 0; fits && i < y.rank; i++) {
            if (i == axis)
                y.dim[i] = y.dim[i] < 0 || x->dim[i] < 0 ? PARE_DIM_ANY : y.dim[i] + x->dim[i];
            else if (y.dim[i] == PARE_DIM_ANY)
                y.dim[i] = x->dim[i];
            else
                fits = x->dim[i] == y.dim[i] || x->dim[i] == PARE_DIM_ANY;
        }
        if (!fits) {
            char a[PARE_SHAPE_TEXT], b[PARE_SHAPE_TEXT];
            return pare_fail(PARE_ERR_SHAPE, "input %d of shape %s does not continue %s along axis %d", k,
                             pare_shape_text(x, a), pare_shape_text(&call->in[0]->shape, b), axis);
        }
    }
    return pare_call_select(call, 0, 0, call->n_in, &y);
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_axis_attrs *const p = call->attrs;
    const int                    rank = call->out[0]->shape.rank;
    const int                    axis = (int)(p->axis < 0 ? p->axis + rank : p->axis);
    int64_t                      start = 0;

    for (int k = 0; k < call->n_in; k++) {
        const int64_t     count = call->in[k]->shape.dim[axis];
        const pare_tensor place = pare_region(call->out[0], axis, start, count, 1);
        if (place.data != call->in[k]->data) /* the planner may have put it there */
            pare_move(&place, call->in[k], part, parts);
        start += count;
    }
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, 0),
    PARE_ATTR_END,
};

static bool by_sample(const pare_call *call, unsigned carries)
{
    const pare_axis_attrs *const a = call->attrs;

    return call->n_in < 32 && pare_samples_are(call, carries, 0, UINT32_MAX) && pare_samples_off_axis(call, a->axis);
}

static const char *const samples[] = {
    "f32[2,3,5,5] f32[2,1,5,5] f32[2,4,5,5] axis=1",
    "f32[2,3] f32[1,3]",
    "s64{1,2} s64{3}",
    "f32[2,3] axis=-1",
    "u8[2,3]~0.5,7 u8[2,2]~0.5,7 axis=1",
    "f32[2,0] f32[2,3] axis=1",
    "bool[2] bool[3]",
    NULL,
};

const pare_op pare_op_concat = {
    .name = "concat",
    .onnx = "Concat",
    .min_in = 1,
    .max_in = -1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_axis_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
