/* SPDX-License-Identifier: Apache-2.0 */
/* is_inf.c - where a float is infinite, either sign or one of them */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    pare_call_out(call, 0, PARE_bool, &call->in[0]->shape);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_is_inf_attrs *const p = call->attrs;
    pare_rows                      rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            const float x = ((const float *)rows.ptr[1])[i * rows.step[1]];
            ((uint8_t *)rows.ptr[0])[i * rows.step[0]] =
                (p->detect_positive && x == INFINITY) || (p->detect_negative && x == -INFINITY);
        }
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_is_inf_attrs, detect_negative, 1),
    PARE_ATTR_ROW_INT(pare_is_inf_attrs, detect_positive, 1),
    PARE_ATTR_END,
};

static const char *const samples[] = { "f32[2,3,5,5]", "f32[9] detect_negative=0", "f32[9] detect_positive=0", NULL };

const pare_op pare_op_is_inf = {
    .name = "is_inf",
    .onnx = "IsInf",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .attrs = attrs,
    .attrs_size = sizeof(pare_is_inf_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
