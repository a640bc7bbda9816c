/* SPDX-License-Identifier: Apache-2.0 */
/* integer_in.c - scales and zero points of ONNX's integer products */
#include "ops/integer_in.h"

#include <math.h>

#include "base/status.h"

/* Input `input` has dtype `dtype` and one number or `n` of them in a list. */
static pare_status check(const pare_call *call, int input, pare_dtype dtype, int64_t n)
{
    if (input == 0 || !pare_call_has(call, input))
        return PARE_OK;
    const pare_tensor *t = call->in[input];
    const int64_t      count = pare_shape_count(&t->shape);

    if (t->dtype != dtype)
        return pare_op_bad_dtype(call, input);
    if (count != 1 && (count < 0 || t->shape.rank != 1 || (n >= 0 && count != n)))
        return pare_fail(PARE_ERR_UNSUPPORTED, "input %d has %lld numbers; it must have 1 or a list of %lld", input,
                         (long long)count, (long long)n);
    return PARE_OK;
}

pare_status pare_integer_check(const pare_call *call, const pare_integer_in *at, int64_t rows, int64_t columns)
{
    const unsigned   bytes = PARE_D(u8) | PARE_D(s8);
    const pare_dtype a = call->in[0]->dtype, b = call->in[at->b]->dtype;

    PARE_TRY(pare_call_plain(call, 0, bytes));
    PARE_TRY(pare_call_plain(call, at->b, bytes));
    PARE_TRY(check(call, at->a_scale, PARE_f32, rows));
    PARE_TRY(check(call, at->b_scale, PARE_f32, columns));
    PARE_TRY(check(call, at->y_scale, PARE_f32, 1));
    PARE_TRY(check(call, at->a_zero, a, rows));
    PARE_TRY(check(call, at->b_zero, b, columns));
    call->out[0]->dtype = PARE_s32;
    if (at->y_zero == 0)
        return PARE_OK;
    PARE_TRY(pare_call_plain(call, at->y_zero, bytes));
    call->out[0]->dtype = call->in[at->y_zero]->dtype;
    return check(call, at->y_zero, call->out[0]->dtype, 1);
}

static int64_t entry(const pare_tensor *t, int64_t i)
{
    return pare_shape_count(&t->shape) == 1 ? 0 : i;
}

int64_t pare_integer_zero(const pare_call *call, int input, int64_t i)
{
    if (input == 0 || !pare_call_has(call, input))
        return 0;
    return pare_tensor_int(call->in[input], entry(call->in[input], i));
}

static float scale_of(const pare_call *call, int input, int64_t i)
{
    return (float)pare_tensor_real(call->in[input], entry(call->in[input], i));
}

void pare_integer_store(const pare_call *call, const pare_integer_in *at, int64_t row, int64_t column, int64_t acc,
                        int64_t to)
{
    const pare_tensor *y = call->out[0];

    if (at->y_scale == 0) {
        ((int32_t *)y->data)[to] = (int32_t)(uint32_t)(uint64_t)acc;
        return;
    }
    const float m =
        (scale_of(call, at->a_scale, row) * scale_of(call, at->b_scale, column)) / scale_of(call, at->y_scale, 0);
    const float   v = rintf((float)acc * m);
    const int64_t zero = pare_integer_zero(call, at->y_zero, 0);
    const int64_t lo = pare_dtype_lo(y->dtype), hi = pare_dtype_hi(y->dtype);

    /* Compared as floats first: a value of any size, and NaN (lo), can be stored. */
    const int64_t code = !(v > (float)(lo - zero)) ? lo : v > (float)(hi - zero) ? hi : (int64_t)v + zero;

    pare_store_int(y->dtype, y->data, to, code);
}
