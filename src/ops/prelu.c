/* SPDX-License-Identifier: Apache-2.0 */
/* prelu.c - x where it is not negative, else slope * x; the slope is broadcast to x */
#include "base/status.h"
#include "ops/apply.h"
#include "ops/call.h"

static pare_status infer(const pare_call *call)
{
    pare_shape shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32)));
    PARE_TRY(pare_call_broadcast(call, 0, 2, &shape));
    if (!pare_shape_equal(&shape, &call->in[0]->shape)) {
        char x[PARE_SHAPE_TEXT], slope[PARE_SHAPE_TEXT];
        return pare_fail(PARE_ERR_SHAPE, "slopes of shape %s do not broadcast to %s",
                         pare_shape_text(&call->in[1]->shape, slope), pare_shape_text(&call->in[0]->shape, x));
    }
    pare_call_out(call, 0, PARE_f32, &shape);
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    pare_apply_binary(call->out[0], call->in[0], call->in[1], PARE_BINARY_F32_prelu, NULL, (pare_share){ .parts = 1 });
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    pare_apply_binary(call->out[0], call->in[0], call->in[1], PARE_BINARY_F32_prelu, NULL,
                      (pare_share){ step, part, parts });
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    (void)call;
    step->kernel = pare_apply_kernel_name(step);
    step->run = run;
    return PARE_OK;
}

static const char *const samples[] = { "f32[2,3,5,5] f32[3,1,1]", "f32[6,7] f32[6,7]", "f32[4] f32[]", NULL };

const pare_op pare_op_prelu = {
    .name = "prelu",
    .onnx = "PRelu",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
