/* SPDX-License-Identifier: Apache-2.0 */
/* shape_of.c - op shape: the dimensions start .. end - 1 of the input */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

/* As a Python slice of the list of dimensions. */
static int place(int64_t at, int rank)
{
    at = at < 0 ? at + rank : at;
    return (int)(at < 0 ? 0 : at > rank ? rank : at);
}

static pare_status infer(const pare_call *call)
{
    const pare_shape_attrs *const p = call->attrs;
    const int                     rank = call->in[0]->shape.rank;
    const int                     start = place(p->start, rank), end = place(p->end, rank);

    pare_call_out(call, 0, PARE_s64, &(pare_shape){ 1, { end > start ? end - start : 0 } });
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_shape_attrs *const p = call->attrs;
    const pare_tensor *const      y = call->out[0];
    const int                     start = place(p->start, call->in[0]->shape.rank);

    for (int64_t i = 0; i < y->shape.dim[0]; i++)
        ((int64_t *)y->data)[i * y->stride[0]] = call->in[0]->shape.dim[start + i];
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_shape_attrs, start, 0),
    PARE_ATTR_ROW_INT(pare_shape_attrs, end, INT64_MAX),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5]", "f32[2,3,5] start=1", "f32[2,3,5] start=-2 end=-1", "u8[]", "s64[0,7] start=5", "u4[3,2]", NULL,
};

const pare_op pare_op_shape = {
    .name = "shape",
    .onnx = "Shape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SHAPE_ONLY,
    .attrs = attrs,
    .attrs_size = sizeof(pare_shape_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
