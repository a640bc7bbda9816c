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

/* v = sigmoid(x) of a block of n <= 16 */
INLINE void gate(float *restrict v, const float *x, long n)
{
    float              rest[16];
    const float *const a = take(rest, x, n);
    EACH_LANE          v[l] = pare_sigmoidf(a[l]);
}

/* v = sigmoid(x + s) */
INLINE void gate_of_sum(float *restrict v, const float *x, const float *s, long n)
{
    float              rest_x[16], rest_s[16];
    const float *const a = take(rest_x, x, n), *const b = take(rest_s, s, n);
    EACH_LANE v[l] = pare_sigmoidf(a[l] + b[l]);
}

ISA static void lstm_cell(long n, const float *z, const float *c, float *c_new, float *h)
{
    float rest_c[16], rest_g[16], in[16], out[16], keep[16], cell[16], y[16];

    for (long i = 0; i < n; i += 16) {
        const long         left = block_at(i, n);
        const float *const old = take(rest_c, c + i, left);
        const float *const g = take(rest_g, z + 3 * n + i, left);
        gate(in, z + i, left);
        gate(out, z + n + i, left);
        gate(keep, z + 2 * n + i, left);
        EACH_LANE cell[l] = keep[l] * old[l] + in[l] * pare_tanhf(g[l]);
        EACH_LANE y[l] = pare_quietf(out[l] * pare_tanhf(cell[l]));
        EACH_LANE cell[l] = pare_quietf(cell[l]);
        give(c_new + i, cell, left);
        give(h + i, y, left);
    }
}

ISA static void gru_cell(long n, const float *x, const float *s, const float *h, float *y)
{
    float z[16], r[16], rest_x[16], rest_s[16], rest_h[16], out[16];

    for (long i = 0; i < n; i += 16) {
        const long         left = block_at(i, n);
        const float *const a = take(rest_x, x + 2 * n + i, left);
        const float *const b = take(rest_s, s + 2 * n + i, left);
        const float *const old = take(rest_h, h + i, left);
        gate_of_sum(z, x + i, s + i, left);
        gate_of_sum(r, x + n + i, s + n + i, left);
        EACH_LANE out[l] = pare_quietf((1.0f - z[l]) * pare_tanhf(a[l] + r[l] * b[l]) + z[l] * old[l]);
        give(y + i, out, left);
    }
}

ISA static void gru_reset(long n, const float *x, const float *s, const float *h, float *z, float *rh)
{
    float v[16], r[16], rest[16];

    for (long i = 0; i < n; i += 16) {
        const long         left = block_at(i, n);
        const float *const old = take(rest, h + i, left);
        gate_of_sum(v, x + i, s + i, left);
        gate_of_sum(r, x + n + i, s + n + i, left);
        EACH_LANE r[l] = pare_quietf(r[l] * old[l]);
        give(z + i, v, left);
        give(rh + i, r, left);
    }
}

ISA static void gru_update(long n, const float *z, const float *g, const float *h, float *y)
{
    float rest_z[16], rest_g[16], rest_h[16], out[16];

    for (long i = 0; i < n; i += 16) {
        const long         left = block_at(i, n);
        const float *const a = take(rest_z, z + i, left);
        const float *const b = take(rest_g, g + i, left);
        const float *const old = take(rest_h, h + i, left);
        EACH_LANE          out[l] = pare_quietf((1.0f - a[l]) * pare_tanhf(b[l]) + a[l] * old[l]);
        give(y + i, out, left);
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
