/* SPDX-License-Identifier: Apache-2.0 */
/* where.c - in[1] where the condition holds, in[2] elsewhere */
#include "base/status.h"
#include "ops/call.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    pare_shape shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(bool)));
    PARE_TRY(pare_call_broadcast(call, 0, 3, &shape));
    return pare_call_select(call, 0, 1, 3, &shape);
}

/* ptr: y, condition, a, b. */
#define PICK_ROW(type)                                                                                           \
    for (int64_t i = 0; i < r->n; i++) {                                                                         \
        const type a = ((const type *)r->ptr[2])[i * r->step[2]], b = ((const type *)r->ptr[3])[i * r->step[3]]; \
        ((type *)r->ptr[0])[i * r->step[0]] = ((const uint8_t *)r->ptr[1])[i * r->step[1]] ? a : b;              \
    }

static void pick_row(const pare_rows *r, size_t size)
{
    if (size == 1) {
        PICK_ROW(uint8_t)
    } else if (size == 2) {
        PICK_ROW(uint16_t)
    } else if (size == 4) {
        PICK_ROW(uint32_t)
    } else {
        PICK_ROW(uint64_t)
    }
}

static void do_part(const pare_call *call, int part, int parts)
{
    pare_rows rows;

    pare_rows_begin(&rows, 4, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1], call->in[2] }, part,
                    parts);
    while (pare_rows_next(&rows))
        pick_row(&rows, pare_dtype_size(call->out[0]->dtype));
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "bool[2,3,5,5] f32[2,3,5,5] f32[2,3,5,5]",
    "bool[5] s64[3,5] s64[3,1]",
    "bool[3,1] u8[1,4] u8[]",
    "bool[2] bool[2] bool[2]",
    "bool[4] u8[4]~0.5,7 u8[4]~0.5,7",
    "bool[2,3] f16[2,3] f16[3]",
    NULL,
};

const pare_op pare_op_where = {
    .name = "where",
    .onnx = "Where",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE | PARE_SELECTS,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
