/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - what infer functions keep asking of a call */
#include "ops/call.h"

#include <string.h>

#include "base/status.h"
#include "tensor/qparams.h"

pare_status pare_call_plain(const pare_call *call, int input, unsigned set)
{
    const pare_tensor *const t = call->in[input];

    if (!(set >> t->dtype & 1))
        return pare_op_bad_dtype(call, input);
    if (t->q)
        return pare_fail(PARE_ERR_UNSUPPORTED, "input %d is quantized; put a dequantize in front", input);
    return PARE_OK;
}

pare_status pare_call_same_dtype(const pare_call *call, int first, int last)
{
    const pare_tensor *a = NULL;

    for (int i = first; i < last && i < call->n_in; i++) {
        const pare_tensor *const b = call->in[i];
        if (!b)
            continue;
        if (a && a->dtype != b->dtype)
            return pare_fail(PARE_ERR_SHAPE, "input %d is %s but an input before it is %s; cast one of them", i,
                             pare_dtype_name(b->dtype), pare_dtype_name(a->dtype));
        a = b;
    }
    return PARE_OK;
}

void pare_call_out(const pare_call *call, int output, pare_dtype dtype, const pare_shape *shape)
{
    if (output >= call->n_out || !call->out[output])
        return;
    call->out[output]->dtype = dtype;
    call->out[output]->shape = *shape;
    call->out[output]->q = NULL;
}

pare_status pare_call_select(const pare_call *call, int output, int first, int last, const pare_shape *shape)
{
    const pare_tensor *const t = call->in[first];

    if (pare_dtype_bits(t->dtype) < 8)
        return pare_op_bad_dtype(call, first);
    if (t->q && (t->q->n != 1 || t->q->block))
        return pare_fail(PARE_ERR_UNSUPPORTED, "input %d is quantized with %d scales; only one per tensor can be moved",
                         first, t->q->n);
    PARE_TRY(pare_call_same_dtype(call, first, last));
    for (int i = first + 1; i < last && i < call->n_in; i++) {
        const pare_qparams *const q = call->in[i] ? call->in[i]->q : t->q;
        if (q != t->q && (!q || !t->q || !pare_qparams_equal(q, t->q)))
            return pare_fail(PARE_ERR_SHAPE, "inputs %d and %d are quantized with different scale or zero point", first,
                             i);
    }

    pare_call_out(call, output, t->dtype, shape);
    if (output < call->n_out && call->out[output])
        call->out[output]->q = t->q;
    return PARE_OK;
}

pare_status pare_call_axis(int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return pare_fail(PARE_ERR_SHAPE, "axis %lld is outside of rank %d", (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return PARE_OK;
}

pare_status pare_call_ints(const pare_call *call, int input, const char *what, pare_ints *out)
{
    out->n = 0;
    if (!pare_call_has(call, input))
        return PARE_OK;

    const pare_tensor *const t = call->in[input];
    if (!(PARE_DTYPES_INT >> t->dtype & 1))
        return pare_op_bad_dtype(call, input);
    if (t->shape.rank > 1)
        return pare_fail(PARE_ERR_SHAPE, "input %d (%s) has rank %d, it must be a list", input, what, t->shape.rank);

    const int64_t n = pare_shape_count(&t->shape);
    if (n > PARE_MAX_INTS)
        return pare_fail(PARE_ERR_UNSUPPORTED, "input %d (%s) has %lld entries, at most %d are supported", input, what,
                         (long long)n, PARE_MAX_INTS);
    if (n < 0 || (n > 0 && !t->data))
        return pare_op_needs_value(call, input, what);
    for (int i = 0; i < n; i++)
        out->v[i] = pare_tensor_int(t, i);
    out->n = (int)n;
    return PARE_OK;
}

pare_status pare_shape_push(pare_shape *shape, int64_t dim)
{
    if (shape->rank == PARE_MAX_RANK)
        return pare_fail(PARE_ERR_UNSUPPORTED, "the result has more than %d dimensions", PARE_MAX_RANK);
    shape->dim[shape->rank++] = dim;
    return PARE_OK;
}

pare_status pare_call_mark_axes(const pare_ints *axes, int rank, bool *marked)
{
    memset(marked, 0, (size_t)rank * sizeof(*marked));
    for (int i = 0; i < axes->n; i++) {
        int axis = 0;
        PARE_TRY(pare_call_axis(axes->v[i], rank, &axis));
        if (marked[axis])
            return pare_fail(PARE_ERR_SHAPE, "axis %d is given twice", axis);
        marked[axis] = true;
    }
    return PARE_OK;
}

pare_status pare_call_broadcast(const pare_call *call, int first, int last, pare_shape *out)
{
    *out = (pare_shape){ .rank = 0 };
    for (int i = first; i < last && i < call->n_in; i++) {
        const pare_shape so_far = *out;
        if (!call->in[i])
            continue;
        if (!pare_shape_broadcast(&so_far, &call->in[i]->shape, out)) {
            char a[PARE_SHAPE_TEXT], b[PARE_SHAPE_TEXT];
            return pare_fail(PARE_ERR_SHAPE, "input %d of shape %s does not broadcast with %s", i,
                             pare_shape_text(&call->in[i]->shape, a), pare_shape_text(&so_far, b));
        }
    }
    return PARE_OK;
}
