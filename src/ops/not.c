/* SPDX-License-Identifier: Apache-2.0 */
/* not.c - logical negation */
#include "base/status.h"
#include "ops/call.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    PARE_TRY(pare_call_plain(call, 0, PARE_D(bool)));
    pare_call_out(call, 0, PARE_bool, &call->in[0]->shape);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    pare_rows rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++)
            ((uint8_t *)rows.ptr[0])[i * rows.step[0]] = !((const uint8_t *)rows.ptr[1])[i * rows.step[1]];
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = { "bool[2,3,5,5]", "bool[]", "bool[0]", NULL };

const pare_op pare_op_not = {
    .name = "not",
    .onnx = "Not",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
