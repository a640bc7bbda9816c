/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qadd.h - y = a + b on u8 codes of three different qparams (docs/NUMERICS.md 6)
 *
 *   ra = sa / sy, rb = sb / sy, k = (float)zy - fmaf(ra, za, rb * zb)
 *   q  = clamp(rint(fmaf((float)a, ra, fmaf((float)b, rb, k))))
 *
 * The operands are not symmetric in the last bit. Where a is broadcast along the row, the caller swaps a and b,
 * scales included, before pare_qadd_init; only b may be a scalar here.
 */
#ifndef PARE_KERNELS_QADD_H
#define PARE_KERNELS_QADD_H

#include <stdint.h>

#include "base/status.h"

typedef struct pare_qadd_desc {
    float sa, sb, sy;
    int   za, zb, zy;
    int   lo, hi; /* bounds of q; hi 0 means 255 */
} pare_qadd_desc;

typedef struct pare_qadd_params {
    float ra, rb, k;
    int   lo, hi;
} pare_qadd_params;

/* PARE_ERR_UNSUPPORTED where a sum could leave 32 bits. */
pare_status pare_qadd_init(const pare_qadd_desc *d, pare_qadd_params *p);

/*
 * One row: a [n], b [n] or, with b_step 0, one code for all; y [n] may be a or b. Nothing else is read or written.
 */
typedef void pare_qadd_row(const pare_qadd_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y,
                           long n);

typedef struct pare_qadd_kernel {
    const char    *name;
    unsigned       isa;
    pare_qadd_row *row;
} pare_qadd_kernel;

/* The versions that `cpu` runs, best first; the last, portable C, is the reference itself. */
int pare_qadd_candidates(unsigned cpu, const pare_qadd_kernel *out[], int max);

/* Declares pare_qadd_ref, pare_qadd_avx2 ... */
#define PARE_QADD(name, isa) pare_qadd_row pare_qadd_##name;
#include "kernels/qadd/qadd.def"
#undef PARE_QADD

#endif
