/* SPDX-License-Identifier: Apache-2.0 */
/* split.c - pieces along `axis`: of the lengths in[1], or num_outputs equal ones of which the last may be shorter */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"
#include "ops/samples.h"

static pare_status infer(const pare_call *call)
{
    const pare_split_attrs *const p = call->attrs;
    const pare_shape *const       x = &call->in[0]->shape;
    int64_t                       left;
    pare_ints                     lengths;
    int                           axis;

    PARE_TRY(pare_call_axis(p->axis, x->rank, &axis));
    PARE_TRY(pare_call_ints(call, 1, "split", &lengths));
    if (lengths.n ? lengths.n != call->n_out : p->num_outputs && p->num_outputs != call->n_out)
        return pare_fail(PARE_ERR_SHAPE, "%d lengths for %d outputs", lengths.n ? lengths.n : (int)p->num_outputs,
                         call->n_out);

    left = x->dim[axis];
    const int64_t chunk = (left + call->n_out - 1) / call->n_out;
    for (int k = 0; k < call->n_out; k++) {
        pare_shape y = *x;
        if (lengths.n)
            y.dim[axis] = lengths.v[k];
        else if (x->dim[axis] != PARE_DIM_ANY)
            y.dim[axis] = left < chunk ? left : chunk;
        if (lengths.n && lengths.v[k] < 0)
            return pare_fail(PARE_ERR_SHAPE, "length %d is negative", k);
        left -= y.dim[axis];
        PARE_TRY(pare_call_select(call, k, 0, 1, &y));
    }
    if (x->dim[axis] != PARE_DIM_ANY && left != 0)
        return pare_fail(PARE_ERR_SHAPE, "the lengths do not add up to %lld", (long long)x->dim[axis]);
    return PARE_OK;
}

/* Pieces that are not wanted have no tensor to tell their length, so those are read again. */
static int64_t length(const pare_call *call, int k, int axis)
{
    const int64_t chunk = (call->in[0]->shape.dim[axis] + call->n_out - 1) / call->n_out;

    if (call->out[k])
        return call->out[k]->shape.dim[axis];
    return pare_call_has(call, 1) ? pare_tensor_int(call->in[1], k) : chunk;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_split_attrs *const p = call->attrs;
    const int                     axis = (int)(p->axis < 0 ? p->axis + call->in[0]->shape.rank : p->axis);
    int64_t                       start = 0;

    for (int k = 0; k < call->n_out; k++) {
        const int64_t     count = length(call, k, axis);
        const pare_tensor piece = pare_region(call->in[0], axis, start, count, 1);
        if (call->out[k] && call->out[k]->data != piece.data)
            pare_move(call->out[k], &piece, part, parts);
        start += count;
    }
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_split_attrs, axis, 0),
    PARE_ATTR_ROW_INT(pare_split_attrs, num_outputs, 0),
    PARE_ATTR_END,
};

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1, 0) &&
           pare_samples_off_axis(call, ((const pare_split_attrs *)call->attrs)->axis);
}

static const char *const samples[] = {
    "f32[2,6,5,5] axis=1 num_outputs=2 -> 2",
    "f32[7,3] num_outputs=3 -> 3",
    "f32[2,6] s64{1,5} axis=-1 -> 2",
    "f32[2,6] s64{0,6} axis=1 -> 2",
    "u8[4,3]~0.5,9 num_outputs=2 -> 2",
    "f32[9,2] num_outputs=4 -> 4",
    NULL,
};

const pare_op pare_op_split = {
    .name = "split",
    .onnx = "Split",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = PARE_MAX_OUTPUTS,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_split_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
