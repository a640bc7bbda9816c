/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary_grad_f32_body.h - the text of every version: blocks of 16 elements, which the compiler turns into vectors
 *
 * The including file defines ROWS (the name of its table) and ISA, by a version of lanes. A loop of 16 fixed turns into
 * a block that nothing else can point to needs no checks at run time, so gcc vectorises it at -O2 too.
 */
#include "kernels/unary_grad_f32/unary_grad_f32.h"
#include "kernels/unary_grad_f32/unary_grad_slopes.h"

typedef void grad_block_fn(const float *gradient, const float *source, float *restrict out, const float *param);

/* Blocks, then what is left through blocks filled up with zeros. */
ISA static inline __attribute__((always_inline)) void all_blocks(long n, const float *dy, const float *of, float *dx,
                                                                 const float *param, grad_block_fn *block)
{
    float out[16];

    for (; n >= 16; n -= 16, dy += 16, of += 16, dx += 16) {
        block(dy, of, out, param);
        memcpy(dx, out, sizeof(out));
    }
    if (n > 0) {
        float rest[2][16] = { { 0 } };
        memcpy(rest[0], dy, (size_t)n * sizeof(float));
        memcpy(rest[1], of, (size_t)n * sizeof(float));
        block(rest[0], rest[1], out, param);
        memcpy(dx, out, (size_t)n * sizeof(float));
    }
}

/* A block function for each line of the list, and its row function. */
#define PARE_UNARY_GRAD_F32(name, of, formula)                                                                    \
    ISA static inline void name##_block(const float *gradient, const float *source, float *restrict out,          \
                                        const float *param)                                                       \
    {                                                                                                             \
        const float a = param[0], b = param[1];                                                                   \
        (void)a, (void)b;                                                                                         \
        for (int l = 0; l < 16; l++) {                                                                            \
            const float dy = gradient[l], of = source[l];                                                         \
            out[l] = pare_quietf(formula);                                                                        \
        }                                                                                                         \
    }                                                                                                             \
    ISA static void name##_row(long n, const float *gradient, const float *source, float *dx, const float *param) \
    {                                                                                                             \
        all_blocks(n, gradient, source, dx, param, name##_block);                                                 \
    }
#include "kernels/unary_grad_f32/unary_grad_f32.def"
#undef PARE_UNARY_GRAD_F32

pare_unary_grad_f32_fn *const ROWS[PARE_UNARY_GRAD_F32_COUNT] = {
#define PARE_UNARY_GRAD_F32(name, of, formula) name##_row,
#include "kernels/unary_grad_f32/unary_grad_f32.def"
#undef PARE_UNARY_GRAD_F32
};
