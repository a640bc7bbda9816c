/* SPDX-License-Identifier: Apache-2.0 */
/* rows_f32_ref.c - the definition of rows_f32 */
#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "base/math_gates.h"
#include "base/math_pow.h"
#include "kernels/rows_f32/rows_f32.h"

typedef struct lanes {
    float of[16];
} lanes;

static float add_up(lanes s)
{
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            s.of[l] += s.of[l + half];
    return pare_quietf(s.of[0]);
}

static float sum(long n, const float *x)
{
    lanes s = { { 0 } };

    for (long i = 0; i < n; i++)
        s.of[i % 16] += x[i];
    return add_up(s);
}

static float sum_squares(long n, const float *x)
{
    lanes s = { { 0 } };

    for (long i = 0; i < n; i++)
        s.of[i % 16] += x[i] * x[i];
    return add_up(s);
}

static float larger(float a, float b)
{
    return b > a || b != b ? b : a;
}

static float largest(lanes s)
{
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            s.of[l] = larger(s.of[l], s.of[l + half]);
    return pare_quietf(s.of[0]);
}

static float max(long n, const float *x)
{
    lanes s;

    for (int l = 0; l < 16; l++)
        s.of[l] = -pare_f32_of_bits(PARE_INF_BITS);
    for (long i = 0; i < n; i++)
        s.of[i % 16] = larger(s.of[i % 16], x[i]);
    return largest(s);
}

static float max_abs(long n, const float *x)
{
    lanes s = { { 0 } };

    for (long i = 0; i < n; i++)
        s.of[i % 16] = larger(s.of[i % 16], pare_absf(x[i]));
    return largest(s);
}

static void softmax(long n, const float *x, float *y)
{
    const float m = max(n, x);

    for (long i = 0; i < n; i++)
        y[i] = pare_expf(x[i] - m);

    const float share = 1.0f / sum(n, y);
    for (long i = 0; i < n; i++)
        y[i] = pare_quietf(y[i] * share);
}

static void log_softmax(long n, const float *x, float *y)
{
    const float m = max(n, x);
    lanes       s = { { 0 } };

    for (long i = 0; i < n; i++)
        s.of[i % 16] += pare_expf(x[i] - m);

    const float log_total = pare_logf(add_up(s));
    for (long i = 0; i < n; i++)
        y[i] = pare_quietf((x[i] - m) - log_total);
}

static void layer_norm(long n, const float *x, const float *scale, const float *bias, float eps, float *y)
{
    const float mean = sum(n, x) / (float)n;
    lanes       s = { { 0 } };

    assert(n > 0);
    for (long i = 0; i < n; i++)
        s.of[i % 16] += (x[i] - mean) * (x[i] - mean);

    const float inverse = 1.0f / pare_sqrtf(add_up(s) / (float)n + eps);
    for (long i = 0; i < n; i++) {
        const float d = (x[i] - mean) * inverse, scaled = scale ? d * scale[i] : d;
        y[i] = pare_quietf(scale && bias ? fmaf(d, scale[i], bias[i]) : bias ? scaled + bias[i] : scaled);
    }
}

static void rms_norm(long n, const float *x, const float *scale, float eps, float *y)
{
    const float inverse = 1.0f / pare_sqrtf(sum_squares(n, x) / (float)n + eps);

    assert(n > 0);
    for (long i = 0; i < n; i++)
        y[i] = pare_quietf(scale ? (x[i] * inverse) * scale[i] : x[i] * inverse);
}

static void lstm_cell(long n, const float *z, const float *c, float *c_new, float *h)
{
    for (long i = 0; i < n; i++) {
        const float keep = pare_gate_sigmoidf(z[2 * n + i]) * c[i];
        const float cell = keep + pare_gate_sigmoidf(z[i]) * pare_gate_tanhf(z[3 * n + i]);
        h[i] = pare_quietf(pare_gate_sigmoidf(z[n + i]) * pare_gate_tanhf(cell));
        c_new[i] = pare_quietf(cell);
    }
}

static void gru_cell(long n, const float *x, const float *s, const float *h, float *y)
{
    for (long i = 0; i < n; i++) {
        const float z = pare_gate_sigmoidf(x[i] + s[i]);
        const float r = pare_gate_sigmoidf(x[n + i] + s[n + i]);
        const float g = pare_gate_tanhf(x[2 * n + i] + r * s[2 * n + i]);
        y[i] = pare_quietf((1.0f - z) * g + z * h[i]);
    }
}

static void gru_reset(long n, const float *x, const float *s, const float *h, float *z, float *rh)
{
    for (long i = 0; i < n; i++) {
        z[i] = pare_gate_sigmoidf(x[i] + s[i]);
        rh[i] = pare_quietf(pare_gate_sigmoidf(x[n + i] + s[n + i]) * h[i]);
    }
}

static void gru_update(long n, const float *z, const float *g, const float *h, float *y)
{
    for (long i = 0; i < n; i++)
        y[i] = pare_quietf((1.0f - z[i]) * pare_gate_tanhf(g[i]) + z[i] * h[i]);
}

static float at(const float *x, long i, int scalar)
{
    return x[scalar ? 0 : i];
}

/* One function per line of the list, of two numbers and of rows of them. */
#define PARE_BINARY_F32(name, formula)                                                                          \
    static float name##_of(float a, float b)                                                                    \
    {                                                                                                           \
        return pare_quietf(formula);                                                                            \
    }                                                                                                           \
    static void name##_row(long n, const float *a, const float *b, float *y, pare_row_operands operands)        \
    {                                                                                                           \
        for (long i = 0; i < n; i++)                                                                            \
            y[i] = name##_of(at(a, i, operands == PARE_ROW_SCALAR_A), at(b, i, operands == PARE_ROW_SCALAR_B)); \
    }
#include "kernels/rows_f32/rows_f32_binary.def"
#undef PARE_BINARY_F32

const pare_rows_f32_kernel pare_rows_f32_ref = {
    .name        = "rows_f32_ref",
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
