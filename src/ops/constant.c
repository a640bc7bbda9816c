/* SPDX-License-Identifier: Apache-2.0 */
/* constant.c - the tensor in the attribute; importers turn it into a value of the graph */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

static pare_status infer(const pare_call *call)
{
    const pare_tensor *const t = ((const pare_value_attrs *)call->attrs)->value;

    if (!t)
        return pare_fail(PARE_ERR_DATA, "has no value");
    pare_call_out(call, 0, t->dtype, &t->shape);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    pare_move(call->out[0], ((const pare_value_attrs *)call->attrs)->value, 0, 1);
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_TENSOR(pare_value_attrs, value),
    PARE_ATTR_END,
};

const pare_op pare_op_constant = {
    .name = "constant",
    .onnx = "Constant",
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_value_attrs),
    .infer = infer,
    .forward = forward,
};
