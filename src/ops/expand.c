/* SPDX-License-Identifier: Apache-2.0 */
/* expand.c - broadcast with the shape in[1] */
#include "base/status.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    pare_shape y = { .rank = 0 };
    pare_ints  want;

    PARE_TRY(pare_call_ints(call, 1, "shape", &want));
    for (int i = 0; i < want.n; i++) {
        if (want.v[i] < 0)
            return pare_fail(PARE_ERR_SHAPE, "the new shape has the negative dimension %lld", (long long)want.v[i]);
        PARE_TRY(pare_shape_push(&y, want.v[i]));
    }
    const pare_shape target = y;
    if (!pare_shape_broadcast(&call->in[0]->shape, &target, &y)) {
        char from[PARE_SHAPE_TEXT], to[PARE_SHAPE_TEXT];
        return pare_fail(PARE_ERR_SHAPE, "input of shape %s does not broadcast with %s",
                         pare_shape_text(&call->in[0]->shape, from), pare_shape_text(&target, to));
    }
    return pare_call_select(call, 0, 0, 1, &y);
}

static void do_part(const pare_call *call, int part, int parts)
{
    pare_move(call->out[0], call->in[0], part, parts); /* rows broadcast the source */
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[3,1] s64{2,3,4}",
    "f32[2,3] s64{1}",
    "u8[1,3]~0.5,7 s64{2,1}",
    "s64[] s64{2,2}",
    "bool[1] s64{0}",
    "f16[2] s64{2,2}",
    NULL,
};

const pare_op pare_op_expand = {
    .name = "expand",
    .onnx = "Expand",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
