/* SPDX-License-Identifier: Apache-2.0 */
/* cast.c - between element types; a float that does not fit an integer saturates, integers are cut modulo 2^bits */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    const pare_cast_attrs *const p = call->attrs;

    PARE_TRY(pare_call_plain(call, 0, PARE_DTYPES_BYTES));
    if (p->to <= PARE_NO_DTYPE || p->to >= PARE_N_DTYPES || !(PARE_DTYPES_BYTES >> p->to & 1))
        return pare_fail(PARE_ERR_UNSUPPORTED, "to dtype %s is not supported", pare_dtype_name(p->to));
    pare_call_out(call, 0, p->to, &call->in[0]->shape);
    return PARE_OK;
}

/* Truncates; NaN gives 0; u64 above 2^63 is not reached, since dtype.def bounds it there. */
static int64_t saturated(double x, pare_dtype to)
{
    const int64_t lo = pare_dtype_lo(to), hi = pare_dtype_hi(to);

    if (x != x)
        return 0;
    if (x <= (double)lo)
        return lo;
    return x >= (double)hi ? hi : (int64_t)x;
}

static void cast_row(const pare_rows *r, pare_dtype to, pare_dtype from)
{
    const bool from_real = pare_dtype_kind(from) == PARE_KIND_FLOAT;
    const bool to_real = pare_dtype_kind(to) == PARE_KIND_FLOAT;

    for (int64_t i = 0; i < r->n; i++) {
        const int64_t iy = i * r->step[0], ix = i * r->step[1];
        if (to_real)
            pare_store_real(to, r->ptr[0], iy, pare_load_real(from, r->ptr[1], ix));
        else if (!from_real)
            pare_store_int(to, r->ptr[0], iy, pare_load_int(from, r->ptr[1], ix));
        else if (to == PARE_bool)
            pare_store_int(to, r->ptr[0], iy, pare_load_real(from, r->ptr[1], ix) != 0);
        else
            pare_store_int(to, r->ptr[0], iy, saturated(pare_load_real(from, r->ptr[1], ix), to));
    }
}

static void do_part(const pare_call *call, int part, int parts)
{
    pare_rows rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&rows))
        cast_row(&rows, call->out[0]->dtype, call->in[0]->dtype);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_DTYPE(pare_cast_attrs, to, PARE_f32),
    PARE_ATTR_ROW_INT(pare_cast_attrs, saturate, 1),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] to=s8",
    "f32[2,3] to=u8",
    "f32[9] to=s64",
    "f32[9] to=bool",
    "f32[9] to=f16",
    "f32[9] to=bf16",
    "f16[9] to=f32",
    "s64[9] to=f32",
    "s64[9] to=s32",
    "bool[2,3] to=f32",
    "s32[7] to=u8",
    "f32[0] to=f64",
    NULL,
};

const pare_op pare_op_cast = {
    .name = "cast",
    .onnx = "Cast",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .attrs = attrs,
    .attrs_size = sizeof(pare_cast_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
