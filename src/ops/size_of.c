/* SPDX-License-Identifier: Apache-2.0 */
/* size_of.c - op size: how many elements the input has */
#include "base/status.h"
#include "ops/call.h"

static pare_status infer(const pare_call *call)
{
    pare_call_out(call, 0, PARE_s64, &(pare_shape){ .rank = 0 });
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    *(int64_t *)call->out[0]->data = pare_shape_count(&call->in[0]->shape);
    return PARE_OK;
}

static const char *const samples[] = { "f32[2,3,5,5]", "u8[]", "s64[0,7]", NULL };

const pare_op pare_op_size = {
    .name = "size",
    .onnx = "Size",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SHAPE_ONLY,
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
