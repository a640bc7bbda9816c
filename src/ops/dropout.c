/* SPDX-License-Identifier: Apache-2.0 */
/* dropout.c - as at inference: nothing is dropped, the mask is all true */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/view.h"

static pare_status infer(const pare_call *call)
{
    if (pare_call_has(call, 2) && pare_shape_count(&call->in[2]->shape) != 1)
        return pare_fail(PARE_ERR_SHAPE, "training_mode must be one boolean");
    if (pare_call_has(call, 2) && call->in[2]->data && pare_tensor_int(call->in[2], 0) != 0)
        return pare_fail(PARE_ERR_UNSUPPORTED, "training_mode is on; only inference is supported");
    pare_call_out(call, 1, PARE_bool, &call->in[0]->shape);
    return pare_view_out(call, &call->in[0]->shape);
}

static void do_part(const pare_call *call, int part, int parts)
{
    const bool yes = true;

    pare_view_part(call, part, parts);
    if (call->n_out > 1 && call->out[1])
        pare_fill(call->out[1], &yes, part, parts);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_dropout_attrs, seed, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = { "f32[2,3,5,5]", "f32[2,3] f32:0.5 bool:0", NULL };

const pare_op pare_op_dropout = {
    .name = "dropout",
    .onnx = "Dropout",
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 2,
    .traits = PARE_SELECTS | PARE_ELEMENTWISE | PARE_VIEW,
    .attrs = attrs,
    .attrs_size = sizeof(pare_dropout_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
