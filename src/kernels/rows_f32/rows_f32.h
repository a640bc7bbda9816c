/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_f32.h - what is done to whole rows of floats: sums, softmax, norms, recurrent cells, two-operand arithmetic
 *
 * A sum runs in 16 lanes (docs/NUMERICS.md 9): element i is added to lane i mod 16, i ascending, the lanes starting at
 * +0; then lane l takes lane l + 8, l + 4, l + 2, l + 1, and lane 0 is the sum. A maximum runs the same way with
 * "b > a ? b : a", is NaN when an element is, and starts at -inf (of sizes: 0).
 *
 * Every function is the chain of float operations written beside it, each rounded once, with the functions of
 * base/math.h; so all versions give the bits of pare_rows_f32_ref. A NaN result is always PARE_NAN_BITS. Outputs may
 * be the same memory as an input row of the same place; otherwise nothing overlaps. Nothing outside the rows is
 * touched; n may be 0, except for the norms.
 */
#ifndef PARE_KERNELS_ROWS_F32_H
#define PARE_KERNELS_ROWS_F32_H

#include "cpu/cpu.h"

typedef enum pare_binary_f32 {
#define PARE_BINARY_F32(name, formula) PARE_BINARY_F32_##name,
#include "kernels/rows_f32/rows_f32_binary.def"
#undef PARE_BINARY_F32
    PARE_BINARY_F32_COUNT
} pare_binary_f32;

/* Which operand is one number for the whole row. */
typedef enum pare_row_operands {
    PARE_ROW_BOTH,     /* a[n], b[n] */
    PARE_ROW_SCALAR_A, /* a[1], b[n] */
    PARE_ROW_SCALAR_B, /* a[n], b[1] */
} pare_row_operands;

/* y[n] = f(a, b) */
typedef void pare_binary_f32_fn(long n, const float *a, const float *b, float *y, pare_row_operands operands);

typedef struct pare_rows_f32_kernel {
    const char *name;
    unsigned    isa;

    float (*sum)(long n, const float *x);
    float (*sum_squares)(long n, const float *x); /* sum of x * x           */
    float (*max)(long n, const float *x);
    float (*max_abs)(long n, const float *x); /* the a of dynamic quantization */

    /* m = max, e = exp(x - m), y = e * (1 / (sum of e)). */
    void (*softmax)(long n, const float *x, float *y);

    /* y = (x - m) - log(sum of e) */
    void (*log_softmax)(long n, const float *x, float *y);

    /*
     * mean = sum / n, d = x - mean, var = (sum of d * d) / n, y = fmaf(d * (1 / sqrt(var + eps)), scale, bias).
     * scale[n] and bias[n] may be NULL: that operation is then left out.
     */
    void (*layer_norm)(long n, const float *x, const float *scale, const float *bias, float eps, float *y);

    /* y = (x * (1 / sqrt(sum_squares / n + eps))) * scale; scale[n] may be NULL. */
    void (*rms_norm)(long n, const float *x, const float *scale, float eps, float *y);

    /*
     * sigmoid and tanh of the cells are pare_gate_sigmoidf and pare_gate_tanhf.
     *
     * LSTM, ONNX order: z[4][n] are the sums before i, o, f, g. c' = sigmoid(f) * c + sigmoid(i) * tanh(g),
     * h = sigmoid(o) * tanh(c').
     */
    void (*lstm_cell)(long n, const float *z, const float *c, float *c_new, float *h);

    /*
     * GRU, ONNX order z, r, h; x[3][n] comes from the input, s[3][n] from the state, biases are in them:
     * z = sigmoid(xz + sz), r = sigmoid(xr + sr), g = tanh(xh + r * sh), y = (1 - z) * g + z * h.
     */
    void (*gru_cell)(long n, const float *x, const float *s, const float *h, float *y);

    /* The same with linear_before_reset = 0, in two steps. First z, and r * h for the product with the weights. */
    void (*gru_reset)(long n, const float *x, const float *s, const float *h, float *z, float *rh);

    /* Then y = (1 - z) * tanh(g) + z * h, where g[n] is the whole sum before tanh. */
    void (*gru_update)(long n, const float *z, const float *g, const float *h, float *y);

    pare_binary_f32_fn *binary[PARE_BINARY_F32_COUNT];
} pare_rows_f32_kernel;

/* The versions that this CPU runs, best first; returns how many. */
int pare_rows_f32_candidates(unsigned cpu, const pare_rows_f32_kernel *out[], int max);

/* The best of them. */
const pare_rows_f32_kernel *pare_rows_f32_best(unsigned cpu);

/* The name of a function of two operands. */
const char *pare_binary_f32_name(pare_binary_f32 f);

/* The definition: one element after the other. Not among the candidates. */
extern const pare_rows_f32_kernel pare_rows_f32_ref;

extern const pare_rows_f32_kernel pare_rows_f32_c;
#if PARE_X86
extern const pare_rows_f32_kernel pare_rows_f32_avx2;
extern const pare_rows_f32_kernel pare_rows_f32_avx512vnni;
#endif
#if PARE_ARM64
extern const pare_rows_f32_kernel pare_rows_f32_neon;
#endif

#endif
