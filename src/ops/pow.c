/* SPDX-License-Identifier: Apache-2.0 */
/* pow.c - x to the power y, element by element; the result has the dtype of x */
#include "base/math_pow.h"
#include "base/status.h"
#include "ops/apply.h"
#include "ops/call.h"
#include "ops/number.h"

static pare_status infer(const pare_call *call)
{
    pare_shape shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INDEX));
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_broadcast(call, 0, 2, &shape));
    pare_call_out(call, 0, call->in[0]->dtype, &shape);
    return PARE_OK;
}

/* By squaring, modulo 2^64. A negative exponent gives the truncated fraction: 0, or +-1 for x = +-1. */
static pare_status int_power(int64_t x, int64_t y, int64_t *result)
{
    int64_t power = 1;

    if (y < 0 && x == 0)
        return pare_fail(PARE_ERR_NUMERIC, "integer 0 to the negative power %lld", (long long)y);
    if (y < 0) {
        *result = x == 1 || (x == -1 && y % 2 == 0) ? 1 : x == -1 ? -1 : 0;
        return PARE_OK;
    }
    for (int64_t square = x; y > 0; y /= 2, square = pare_wrap_mul(square, square))
        if (y % 2)
            power = pare_wrap_mul(power, square);
    *result = power;
    return PARE_OK;
}

/* Without a step: the reference. Integer exponents are rare enough to be taken one at a time. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_dtype dtype = call->in[1]->dtype;
    pare_rows        r;

    (void)scratch;
    if (dtype == PARE_f32) {
        pare_apply_binary(call->out[0], call->in[0], call->in[1], PARE_BINARY_F32_pow, NULL,
                          (pare_share){ step, part, parts });
        return;
    }
    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            ((float *)r.ptr[0])[i * r.step[0]] = pare_quietf(pare_powf(
                ((const float *)r.ptr[1])[i * r.step[1]], (float)pare_load_int(dtype, r.ptr[2], i * r.step[2])));
}

/* Integers to a negative power can fail on their data, so they are left to forward. */
static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (call->in[0]->dtype == PARE_f32) {
        step->kernel = pare_apply_kernel_name(step);
        step->run = run;
    }
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const pare_dtype x_dtype = call->in[0]->dtype, y_dtype = call->in[1]->dtype;
    pare_rows        rows;

    if (x_dtype == PARE_f32) {
        run(NULL, call, 0, 1, NULL);
        return PARE_OK;
    }
    pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, 0, 1);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            const int64_t x = pare_load_int(x_dtype, rows.ptr[1], i * rows.step[1]);
            const int64_t iy = i * rows.step[2];
            int64_t       power = 0;
            if (y_dtype == PARE_f32) {
                const double real = pare_powf((float)x, ((const float *)rows.ptr[2])[iy]);
                pare_store_real(x_dtype, rows.ptr[0], i * rows.step[0], real);
                continue;
            }
            PARE_TRY(int_power(x, pare_load_int(y_dtype, rows.ptr[2], iy), &power));
            pare_store_int(x_dtype, rows.ptr[0], i * rows.step[0], power);
        }
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,5] f32[2,3,5,5]", "f32[2,3] f32:2", "f32[2,3] s64:3", "s64[5] s32{3}", "s32[4,1] f32{0.5,2}", NULL,
};

const pare_op pare_op_pow = {
    .name = "pow",
    .onnx = "Pow",
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
