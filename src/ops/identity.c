/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - the input itself */
#include "ops/view.h"

static pare_status infer(const pare_call *call)
{
    return pare_view_out(call, &call->in[0]->shape);
}

PARE_IN_PARTS(pare_view_part)

static const char *const samples[] = {
    "f32[2,3,5,5]", "f32[1,2,3,17]", "f32[2,4,3,3]", "f32[1,20,5,7]", "s64[]", "u8[3,4]~0.5,128",
    "f32[0,2]",     "bf16[3]",       NULL,
};

const pare_op pare_op_identity = {
    .name = "identity",
    .onnx = "Identity",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS | PARE_ELEMENTWISE | PARE_VIEW,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
