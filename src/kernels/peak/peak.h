/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peak.h - the multiply-adds a core can do: nothing but independent products in registers, as the kernels of each
 * instruction set make them
 *
 * What kernels reach is compared with this (pare bench --plan). A version does `n` rounds; the number that it returns
 * means nothing and keeps the compiler from leaving the work out.
 */
#ifndef PARE_KERNELS_PEAK_H
#define PARE_KERNELS_PEAK_H

typedef struct pare_peak_kernel {
    const char *name;
    unsigned    isa;
    int (*int8)(long n); /* products of u8 by s8, summed exactly in int32 */
    int int8_macs;       /* of one round                                  */
    int (*f32)(long n);  /* fused multiply-adds                           */
    int f32_macs;
} pare_peak_kernel;

/* The versions that `cpu` runs, the fastest first; the last is portable C. */
int pare_peak_candidates(unsigned cpu, const pare_peak_kernel *out[], int max);

/* Declares pare_peak_int8_avx2 ... */
#define PARE_PEAK(name, isa, int8_macs, f32_macs) \
    int pare_peak_int8_##name(long n);            \
    int pare_peak_f32_##name(long n);
#include "kernels/peak/peak.def"
#undef PARE_PEAK

/* Independent sums of a round: enough to hide the latency of every product. In front of loops over them: */
#define PARE_PEAK_SUMS 12
#if defined(__clang__)
#define PARE_PEAK_UNROLL _Pragma("clang loop unroll(full)")
#else
#define PARE_PEAK_UNROLL _Pragma("GCC unroll 12")
#endif

#endif
