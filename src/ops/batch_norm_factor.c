/* SPDX-License-Identifier: Apache-2.0 */
/* batch_norm_factor.c - f = gamma / sqrt(var + epsilon): what folding multiplies weights by (docs/NUMERICS.md 9) */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

typedef struct factor_attrs {
    float epsilon;
} factor_attrs;

static const pare_attr attrs[] = { PARE_ATTR_ROW_FLOAT(factor_attrs, epsilon, 1e-5f), PARE_ATTR_END };

static pare_status infer(const pare_call *call)
{
    for (int i = 0; i < 2; i++)
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (call->in[0]->shape.rank != 1 || !pare_shape_equal(&call->in[0]->shape, &call->in[1]->shape))
        return pare_fail(PARE_ERR_SHAPE, "gamma and variance need one number per channel");
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const float eps = ((const factor_attrs *)call->attrs)->epsilon;

    for (int64_t c = 0; c < call->in[0]->shape.dim[0]; c++)
        pare_tensor_set_real(
            call->out[0], c,
            (double)((float)pare_tensor_real(call->in[0], c) / sqrtf((float)pare_tensor_real(call->in[1], c) + eps)));
    return PARE_OK;
}

static const char *const samples[] = { "f32[3] f32{0.5,1,2}", "f32[1] f32{0} epsilon=0.25", NULL };

const pare_op pare_op_batch_norm_factor = {
    .name = "batch_norm_factor",
    .min_in = 2, /* gamma, variance [C] */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(factor_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
