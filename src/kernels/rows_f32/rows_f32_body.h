/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_f32_body.h - the text of every version
 *
 * The including file defines FEATURES (what it needs), KERNEL and NAME (of the table), and includes a version of lanes.
 */
#include <assert.h>
#include <stdbool.h>

#include "base/math_pow.h"
#include "kernels/lanes/lanes_math_body.h"
#include "kernels/rows_f32/rows_f32.h"
#include "kernels/rows_f32/rows_f32_blocks_body.h"

/* What is summed. */
typedef lanes term_fn(lanes x);

INLINE lanes same(lanes x)
{
    return x;
}

INLINE lanes square(lanes x)
{
    return lanes_mul(x, x);
}

/* The sum of f(x - from) over the row, in every lane; x - 0 is x, also for -0. */
INLINE lanes sum_of(long n, const float *x, term_fn *f, lanes from)
{
    lanes total = lanes_set(0.0f);

    for (long i = 0; i < n; i += 16)
        total = lanes_add(total, lanes_first(f(lanes_sub(lanes_load(x + i, n - i), from)), n - i, 0.0f));
    return lanes_sum(total);
}

ISA static float sum(long n, const float *x)
{
    return pare_quietf(lanes_one(sum_of(n, x, same, lanes_set(0.0f))));
}

ISA static float sum_squares(long n, const float *x)
{
    return pare_quietf(lanes_one(sum_of(n, x, square, lanes_set(0.0f))));
}

/* The lanes in the order 8, 4, 2, 1. */
INLINE float largest(lanes v)
{
    v = lanes_larger(v, lanes_across(v, 8));
    v = lanes_larger(v, lanes_across(v, 4));
    v = lanes_larger(v, lanes_across(v, 2));
    return pare_quietf(lanes_one(lanes_larger(v, lanes_across(v, 1))));
}

ISA static float max(long n, const float *x)
{
    const float least = -pare_f32_of_bits(PARE_INF_BITS);
    lanes       most = lanes_set(least);

    for (long i = 0; i < n; i += 16)
        most = lanes_larger(most, lanes_first(lanes_load(x + i, n - i), n - i, least));
    return largest(most);
}

ISA static float max_abs(long n, const float *x)
{
    lanes most = lanes_set(0.0f);

    for (long i = 0; i < n; i += 16)
        most = lanes_larger(most, lanes_abs(lanes_load(x + i, n - i)));
    return largest(most);
}

/* The m of softmax, in every lane. Which zero it is does not matter, and a NaN that is lost here comes back in x - m. */
INLINE lanes any_max(long n, const float *x)
{
    const float least = -pare_f32_of_bits(PARE_INF_BITS);
    lanes       even = lanes_set(least), odd = even;

    for (; n >= 32; n -= 32, x += 32) {
        even = lanes_max(even, lanes_load(x, 16));
        odd = lanes_max(odd, lanes_load(x + 16, 16));
    }
    for (; n > 0; n -= 16, x += 16)
        even = lanes_max(even, lanes_first(lanes_load(x, n), n, least));
    return lanes_most(lanes_max(even, odd));
}

/* One NaN in x makes the sum NaN, and so all of y; other numbers cannot make one. */
ISA static void softmax(long n, const float *x, float *y)
{
    const lanes m = any_max(n, x);
    lanes       total = lanes_set(0.0f);

    for (long i = 0; i < n; i += 16) {
        const lanes e = lanes_exp_low(lanes_sub(lanes_load(x + i, n - i), m));
        lanes_store(y + i, e, n - i);
        total = lanes_add(total, lanes_first(e, n - i, 0.0f));
    }
    const lanes share = lanes_quiet(lanes_div(lanes_set(1.0f), lanes_sum(total)));
    const bool  is_nan = pare_bits_of_f32(lanes_one(share)) == PARE_NAN_BITS;
    for (long i = 0; i < n; i += 16)
        lanes_store(y + i, is_nan ? share : lanes_mul(lanes_load(y + i, n - i), share), n - i);
}

ISA static void log_softmax(long n, const float *x, float *y)
{
    const lanes m = any_max(n, x);
    const lanes log_total = lanes_set(pare_logf(lanes_one(sum_of(n, x, lanes_exp_low, m))));

    for (long i = 0; i < n; i += 16)
        lanes_store(y + i, lanes_quiet(lanes_sub(lanes_sub(lanes_load(x + i, n - i), m), log_total)), n - i);
}

/* y = fmaf((x - mean) * inverse, scale, bias) */
INLINE void normalize(long n, const float *x, const float of[2], const float *scale, const float *bias, float *y)
{
    const lanes mean = lanes_set(of[0]), inverse = lanes_set(of[1]);

    for (long i = 0; i < n; i += 16) {
        const long left = n - i;
        lanes      d = lanes_mul(lanes_sub(lanes_load(x + i, left), mean), inverse);
        if (scale && bias)
            d = lanes_fma(d, lanes_load(scale + i, left), lanes_load(bias + i, left));
        else if (scale)
            d = lanes_mul(d, lanes_load(scale + i, left));
        else if (bias)
            d = lanes_add(d, lanes_load(bias + i, left));
        lanes_store(y + i, lanes_quiet(d), left);
    }
}

ISA static void layer_norm(long n, const float *x, const float *scale, const float *bias, float eps, float *y)
{
    assert(n > 0);
    const float mean = sum(n, x) / (float)n;
    const float var = lanes_one(sum_of(n, x, square, lanes_set(mean))) / (float)n;
    normalize(n, x, (float[2]){ mean, 1.0f / pare_sqrtf(var + eps) }, scale, bias, y);
}

ISA static void rms_norm(long n, const float *x, const float *scale, float eps, float *y)
{
    assert(n > 0);
    normalize(n, x, (float[2]){ 0.0f, 1.0f / pare_sqrtf(sum_squares(n, x) / (float)n + eps) }, scale, NULL, y);
}

ISA static void lstm_cell(long n, const float *z, const float *c, float *c_new, float *h)
{
    for (long i = 0; i < n; i += 16) {
        const long  left = n - i;
        const lanes in = lanes_sigmoid(lanes_load(z + i, left)), out = lanes_sigmoid(lanes_load(z + n + i, left));
        const lanes keep = lanes_sigmoid(lanes_load(z + 2 * n + i, left)),
                    g = lanes_tanh(lanes_load(z + 3 * n + i, left));
        const lanes cell = lanes_add(lanes_mul(keep, lanes_load(c + i, left)), lanes_mul(in, g));
        lanes_store(h + i, lanes_quiet(lanes_mul(out, lanes_tanh(cell))), left);
        lanes_store(c_new + i, lanes_quiet(cell), left);
    }
}

/* (1 - z) * g + z * h */
INLINE lanes blend(lanes z, lanes g, lanes h)
{
    return lanes_quiet(lanes_add(lanes_mul(lanes_sub(lanes_set(1.0f), z), g), lanes_mul(z, h)));
}

INLINE lanes gate_of_sum(const float *x, const float *s, long left)
{
    return lanes_sigmoid(lanes_add(lanes_load(x, left), lanes_load(s, left)));
}

ISA static void gru_cell(long n, const float *x, const float *s, const float *h, float *y)
{
    for (long i = 0; i < n; i += 16) {
        const long  left = n - i;
        const lanes z = gate_of_sum(x + i, s + i, left), r = gate_of_sum(x + n + i, s + n + i, left);
        const lanes part = lanes_mul(r, lanes_load(s + 2 * n + i, left));
        const lanes g = lanes_tanh(lanes_add(lanes_load(x + 2 * n + i, left), part));
        lanes_store(y + i, blend(z, g, lanes_load(h + i, left)), left);
    }
}

ISA static void gru_reset(long n, const float *x, const float *s, const float *h, float *z, float *rh)
{
    for (long i = 0; i < n; i += 16) {
        const long  left = n - i;
        const lanes gate = gate_of_sum(x + i, s + i, left), r = gate_of_sum(x + n + i, s + n + i, left);
        const lanes reset = lanes_mul(r, lanes_load(h + i, left));
        lanes_store(z + i, lanes_quiet(gate), left);
        lanes_store(rh + i, lanes_quiet(reset), left);
    }
}

ISA static void gru_update(long n, const float *z, const float *g, const float *h, float *y)
{
    for (long i = 0; i < n; i += 16) {
        const long left = n - i;
        lanes_store(y + i, blend(lanes_load(z + i, left), lanes_tanh(lanes_load(g + i, left)), lanes_load(h + i, left)),
                    left);
    }
}

typedef void pair_fn(const float *a, const float *b, float *restrict y);

/* The operand that is one number becomes a block of its own, and its pointer stays where it is. */
INLINE void all_pairs(long n, const float *a, const float *b, float *y, pare_row_operands operands, pair_fn *pair)
{
    const long a_step = operands == PARE_ROW_SCALAR_A ? 0 : 16, b_step = operands == PARE_ROW_SCALAR_B ? 0 : 16;
    float      one[16], rest_a[16], rest_b[16], out[16];

    if (n > 0 && operands != PARE_ROW_BOTH)
        EACH_LANE one[l] = operands == PARE_ROW_SCALAR_A ? *a : *b;
    a = a_step ? a : one;
    b = b_step ? b : one;
    for (; n >= 16; n -= 16, a += a_step, b += b_step, y += 16) {
        pair(a, b, out);
        memcpy(y, out, sizeof(out));
    }
    if (n > 0) {
        pair(take(rest_a, a, n), take(rest_b, b, n), out);
        memcpy(y, out, BYTES(n));
    }
}

#define PARE_BINARY_F32(name, formula)                                                                       \
    INLINE void name##_pair(const float *p, const float *q, float *restrict y)                               \
    {                                                                                                        \
        EACH_LANE                                                                                            \
        {                                                                                                    \
            const float a = p[l], b = q[l];                                                                  \
            y[l] = pare_quietf(formula);                                                                     \
        }                                                                                                    \
    }                                                                                                        \
    ISA static void name##_row(long n, const float *a, const float *b, float *y, pare_row_operands operands) \
    {                                                                                                        \
        all_pairs(n, a, b, y, operands, name##_pair);                                                        \
    }
#include "kernels/rows_f32/rows_f32_binary.def"
#undef PARE_BINARY_F32

const pare_rows_f32_kernel KERNEL = {
    .name        = NAME,
    .isa         = FEATURES,
    .sum         = sum,
    .sum_squares = sum_squares,
    .max         = max,
    .max_abs     = max_abs,
    .softmax     = softmax,
    .log_softmax = log_softmax,
    .layer_norm  = layer_norm,
    .rms_norm    = rms_norm,
    .lstm_cell   = lstm_cell,
    .gru_cell    = gru_cell,
    .gru_reset   = gru_reset,
    .gru_update  = gru_update,
    .binary = {
#define PARE_BINARY_F32(name, formula) name##_row,
#include "kernels/rows_f32/rows_f32_binary.def"
#undef PARE_BINARY_F32
    },
};
