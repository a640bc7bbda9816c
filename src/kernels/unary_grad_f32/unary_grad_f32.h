/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary_grad_f32.h - what comes back through a function of one float, for a row
 *
 *     dx[i] = g(dy[i], of[i]), i = 0 .. n - 1, of = x or y as the function's line says
 *
 * The functions are the lines of unary_grad_f32.def, and all versions give equal bits: those of
 * pare_unary_grad_f32_ref. A NaN result is always PARE_NAN_BITS (base/math.h). dx may be dy or of; otherwise they do
 * not overlap. Nothing outside the n elements is read or written; n may be 0.
 */
#ifndef PARE_KERNELS_UNARY_GRAD_F32_H
#define PARE_KERNELS_UNARY_GRAD_F32_H

#include "cpu/cpu.h"

typedef enum pare_unary_grad_f32 {
#define PARE_UNARY_GRAD_F32(name, of, formula) PARE_UNARY_GRAD_F32_##name,
#include "kernels/unary_grad_f32/unary_grad_f32.def"
#undef PARE_UNARY_GRAD_F32
    PARE_UNARY_GRAD_F32_COUNT
} pare_unary_grad_f32;

/* param: the function's parameters a and b; two numbers, whether it has them or not. */
typedef void pare_unary_grad_f32_fn(long n, const float *dy, const float *of, float *dx, const float *param);

/* One version: a row function for every function of the list. */
typedef struct pare_unary_grad_f32_kernel {
    const char                    *name;
    unsigned                       isa;
    pare_unary_grad_f32_fn *const *rows; /* [PARE_UNARY_GRAD_F32_COUNT] */
} pare_unary_grad_f32_kernel;

/* The versions that this CPU runs, best first; returns how many. */
int pare_unary_grad_f32_candidates(unsigned cpu, const pare_unary_grad_f32_kernel *out[], int max);

const char *pare_unary_grad_f32_name(pare_unary_grad_f32 f);

/* The definition: one element after the other, one operation after the other. */
void pare_unary_grad_f32_ref(pare_unary_grad_f32 f, long n, const float *dy, const float *of, float *dx,
                             const float *param);

extern pare_unary_grad_f32_fn *const pare_unary_grad_f32_rows_c[PARE_UNARY_GRAD_F32_COUNT];
#if PARE_X86
extern pare_unary_grad_f32_fn *const pare_unary_grad_f32_rows_avx2[PARE_UNARY_GRAD_F32_COUNT];
extern pare_unary_grad_f32_fn *const pare_unary_grad_f32_rows_avx512vnni[PARE_UNARY_GRAD_F32_COUNT];
#endif
#if PARE_ARM64
extern pare_unary_grad_f32_fn *const pare_unary_grad_f32_rows_neon[PARE_UNARY_GRAD_F32_COUNT];
#endif

#endif
