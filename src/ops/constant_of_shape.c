/* SPDX-License-Identifier: Apache-2.0 */
/* constant_of_shape.c - of the shape in[0], filled with the one element of the attribute, or with f32 0 */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    const pare_tensor *const value = ((const pare_value_attrs *)call->attrs)->value;
    pare_shape               y = { .rank = 0 };
    pare_ints                want;

    if (value && (pare_shape_count(&value->shape) != 1 || pare_dtype_size(value->dtype) == 0))
        return pare_fail(PARE_ERR_SHAPE, "the value must be one element of at least 8 bits");
    PARE_TRY(pare_call_ints(call, 0, "shape", &want));
    for (int i = 0; i < want.n; i++) {
        if (want.v[i] < 0)
            return pare_fail(PARE_ERR_SHAPE, "dimension %d is %lld", i, (long long)want.v[i]);
        PARE_TRY(pare_shape_push(&y, want.v[i]));
    }
    pare_call_out(call, 0, value ? value->dtype : PARE_f32, &y);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const value = ((const pare_value_attrs *)call->attrs)->value;
    const float              zero = 0;

    pare_fill(call->out[0], value ? value->data : &zero, part, parts);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_TENSOR(pare_value_attrs, value),
    PARE_ATTR_END,
};

static const char *const samples[] = { "s64{2,3,5}", "s64{}", "s64{0,2}", NULL };

const pare_op pare_op_constant_of_shape = {
    .name = "constant_of_shape",
    .onnx = "ConstantOfShape",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_value_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
