/* SPDX-License-Identifier: Apache-2.0 */
/* mod.c - remainder: with the sign of the divisor (integers), or of the dividend as in C (fmod = 1) */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

static pare_status infer(const pare_call *call)
{
    const pare_mod_attrs *const p = call->attrs;
    pare_shape                  shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_same_dtype(call, 0, 2));
    if (call->in[0]->dtype == PARE_f32 && !p->fmod)
        return pare_fail(PARE_ERR_ARG, "of floats needs fmod = 1");
    PARE_TRY(pare_call_broadcast(call, 0, 2, &shape));
    pare_call_out(call, 0, call->in[0]->dtype, &shape);
    return PARE_OK;
}

static pare_status int_mod(int64_t a, int64_t b, bool like_c, int64_t *result)
{
    if (b == 0)
        return pare_fail(PARE_ERR_NUMERIC, "integer remainder of a division by zero");
    *result = b == -1 ? 0 : a % b; /* INT64_MIN % -1 would trap */
    if (!like_c && *result != 0 && (*result < 0) != (b < 0))
        *result += b;
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_mod_attrs *const p = call->attrs;
    const pare_dtype            dtype = call->in[0]->dtype;
    pare_rows                   rows;

    pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, 0, 1);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            const int64_t iy = i * rows.step[0], ia = i * rows.step[1], ib = i * rows.step[2];
            if (dtype == PARE_f32) { /* fmodf is exact by definition, whatever libm it comes from */
                ((float *)rows.ptr[0])[iy] = fmodf(((const float *)rows.ptr[1])[ia], ((const float *)rows.ptr[2])[ib]);
                continue;
            }
            int64_t rest;
            PARE_TRY(
                int_mod(pare_load_int(dtype, rows.ptr[1], ia), pare_load_int(dtype, rows.ptr[2], ib), p->fmod, &rest));
            pare_store_int(dtype, rows.ptr[0], iy, rest);
        }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_mod_attrs, fmod, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] f32:0.75 fmod=1", "s32[3] s32{3,-7,1}", "s64[4,1] s64{-3} fmod=1", "u8[5] u8:7", NULL,
};

const pare_op pare_op_mod = {
    .name = "mod",
    .onnx = "Mod",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .attrs = attrs,
    .attrs_size = sizeof(pare_mod_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
