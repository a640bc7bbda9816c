/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary_f32.h - a function of one float, applied to a row
 *
 *     y[i] = f(x[i]), i = 0 .. n - 1
 *
 * The functions are the lines of unary_f32.def, and all versions give equal bits: those of pare_unary_f32_ref. A NaN
 * result is always PARE_NAN_BITS (base/math.h). y may be x itself; otherwise they do not overlap. Nothing outside the n
 * elements is read or written; n may be 0.
 */
#ifndef PARE_KERNELS_UNARY_F32_H
#define PARE_KERNELS_UNARY_F32_H

#include "cpu/cpu.h"

typedef enum pare_unary_f32 {
#define PARE_UNARY_F32(name, n_param, formula)                   PARE_UNARY_F32_##name,
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near) PARE_UNARY_F32_##name,
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR
    PARE_UNARY_F32_COUNT
} pare_unary_f32;

/* param: the function's parameters a and b, as many as it has; NULL where it has none. */
typedef void pare_unary_f32_fn(long n, const float *x, float *y, const float *param);

/* One version: a row function for every function of the list. */
typedef struct pare_unary_f32_kernel {
    const char               *name;
    unsigned                  isa;
    pare_unary_f32_fn *const *rows; /* [PARE_UNARY_F32_COUNT] */
} pare_unary_f32_kernel;

/* The versions that this CPU runs, best first; returns how many. */
int pare_unary_f32_candidates(unsigned cpu, const pare_unary_f32_kernel *out[], int max);

/* The best version's row function. */
pare_unary_f32_fn *pare_unary_f32_row(pare_unary_f32 f, unsigned cpu);

/* The function of that name, or -1; its name; how many parameters it has (0, 1 or 2). */
int         pare_unary_f32_find(const char *name);
const char *pare_unary_f32_name(pare_unary_f32 f);
int         pare_unary_f32_params(pare_unary_f32 f);

/* The definition: one element after the other, one operation after the other. */
void pare_unary_f32_ref(pare_unary_f32 f, long n, const float *x, float *y, const float *param);

extern pare_unary_f32_fn *const pare_unary_f32_rows_c[PARE_UNARY_F32_COUNT];
#if PARE_X86
extern pare_unary_f32_fn *const pare_unary_f32_rows_avx2[PARE_UNARY_F32_COUNT];
extern pare_unary_f32_fn *const pare_unary_f32_rows_avx512vnni[PARE_UNARY_F32_COUNT];
#endif
#if PARE_ARM64
extern pare_unary_f32_fn *const pare_unary_f32_rows_neon[PARE_UNARY_F32_COUNT];
#endif

#endif
