/* SPDX-License-Identifier: Apache-2.0 */
/* lut8.h - y[i] = table[x[i]]: any function of one 8-bit code (docs/NUMERICS.md 6) */
#ifndef PARE_KERNELS_LUT8_H
#define PARE_KERNELS_LUT8_H

#include <stdint.h>

/* x [n], y [n], which may be x. s8 codes index as their bytes. Nothing else is read or written. */
typedef void pare_lut8_row(const uint8_t table[256], const uint8_t *x, uint8_t *y, long n);

typedef struct pare_lut8_kernel {
    const char    *name;
    unsigned       isa;
    pare_lut8_row *row;
} pare_lut8_kernel;

/* The versions that `cpu` runs, best first; the last, portable C, is the reference itself. */
int pare_lut8_candidates(unsigned cpu, const pare_lut8_kernel *out[], int max);

/* Declares pare_lut8_ref, pare_lut8_avx2 ... */
#define PARE_LUT8(name, isa) pare_lut8_row pare_lut8_##name;
#include "kernels/lut8/lut8.def"
#undef PARE_LUT8

#endif
