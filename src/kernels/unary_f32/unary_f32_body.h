/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary_f32_body.h - the text of every version: blocks of 16 elements, which the compiler turns into vectors
 *
 * The including file defines ROWS (the name of its table) and includes a version of lanes. A loop of 16 fixed turns from
 * x into a block that nothing else can point to needs no checks at run time, so gcc vectorises it at -O2 too.
 */
#include <stddef.h>

#include "base/math_gates.h"
#include "base/math_pow.h"
#include "base/math_trig.h"
#include "kernels/lanes/lanes_math_body.h"
#include "kernels/unary_f32/unary_f32.h"

typedef void block_fn(const float *x, float *restrict y, const float *param);

/* Blocks, then what is left through a block filled up with zeros. */
ISA static inline __attribute__((always_inline)) void all_blocks(long n, const float *x, float *y, const float *param,
                                                                 block_fn *block)
{
    float out[16];

    for (; n >= 16; n -= 16, x += 16, y += 16) {
        block(x, out, param);
        memcpy(y, out, sizeof(out));
    }
    if (n > 0) {
        float rest[16] = { 0 };
        memcpy(rest, x, (size_t)n * sizeof(float));
        block(rest, out, param);
        memcpy(y, out, (size_t)n * sizeof(float));
    }
}

/* Whether a block has an element that is not within +-limit; NaN counts. */
ISA static inline int any_above(const float *x, float limit)
{
    int n = 0;

    for (int l = 0; l < 16; l++)
        n += !(pare_absf(x[l]) <= limit);
    return n;
}

/* A block function for each line of the list; of a _NEAR one two, chosen block by block. */
#define PARE_UNARY_F32(name, n_param, formula)                                                    \
    ISA static inline void name##_block(const float *in, float *restrict out, const float *param) \
    {                                                                                             \
        const float a = n_param > 0 ? param[0] : 0.0f, b = n_param > 1 ? param[1] : 0.0f;         \
        for (int l = 0; l < 16; l++) {                                                            \
            const float x = in[l];                                                                \
            (void)a, (void)b;                                                                     \
            out[l] = pare_quietf(formula);                                                        \
        }                                                                                         \
    }
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near)                                  \
    PARE_UNARY_F32(name##_far, n_param, formula)                                                  \
    PARE_UNARY_F32(name##_near, n_param, near)                                                    \
    ISA static inline void name##_block(const float *in, float *restrict out, const float *param) \
    {                                                                                             \
        (any_above(in, limit) ? name##_far_block : name##_near_block)(in, out, param);            \
    }

#define PARE_UNARY_F32_LANES(name, n_param, formula, on_lanes)
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR

#define PARE_UNARY_F32(name, n_param, formula)                                       \
    ISA static void name##_row(long n, const float *x, float *y, const float *param) \
    {                                                                                \
        all_blocks(n, x, y, param, name##_block);                                    \
    }
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near) PARE_UNARY_F32(name, n_param, formula)
#define PARE_UNARY_F32_LANES(name, n_param, formula, on_lanes)                          \
    ISA static void name##_row(long n, const float *x, float *y, const float *param)    \
    {                                                                                   \
        (void)param;                                                                    \
        for (long i = 0; i < n; i += 16)                                                \
            lanes_store(y + i, lanes_quiet(on_lanes(lanes_load(x + i, n - i))), n - i); \
    }
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR

pare_unary_f32_fn *const ROWS[PARE_UNARY_F32_COUNT] = {
#define PARE_UNARY_F32(name, n_param, formula)                   name##_row,
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near) name##_row,
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR
};
