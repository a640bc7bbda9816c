/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmul.h - y = a * b on u8 codes of three different qparams (docs/NUMERICS.md 6)
 *
 *   m = (sa * sb) / sy
 *   q = clamp(rint((float)((a - za) * (b - zb)) * m + (float)zy)), product and sum rounded separately
 */
#ifndef PARE_KERNELS_QMUL_H
#define PARE_KERNELS_QMUL_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct pare_qmul_desc {
    float sa, sb, sy;
    int   za, zb, zy;
    int   lo, hi; /* bounds of q; hi 0 means 255 */
} pare_qmul_desc;

typedef struct pare_qmul_params {
    float m;
    int   za, zb, zy;
    int   lo, hi;
} pare_qmul_params;

/* PARE_ERR_UNSUPPORTED where a product could leave 32 bits. */
pare_status pare_qmul_init(const pare_qmul_desc *d, pare_qmul_params *p);

/*
 * One row: a [n], b [n] or, with b_step 0, one code for all; y [n] may be a or b. Nothing else is read or written.
 */
typedef void pare_qmul_row(const pare_qmul_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y,
                           long n);

/* Pixels of `channels` codes each, times one code per channel: the gates of a squeeze-and-excitation block. */
typedef struct pare_qmul_gated {
    const uint8_t *a; /* [pixels][channels], a_pixel bytes apart              */
    const uint8_t *b; /* [channels]                                           */
    uint8_t       *y; /* [pixels][channels], y_pixel bytes apart; may be a    */
    ptrdiff_t      a_pixel, y_pixel;
    long           pixels, channels;
} pare_qmul_gated;

typedef void pare_qmul_gate(const pare_qmul_params *p, const pare_qmul_gated *g);

typedef struct pare_qmul_kernel {
    const char     *name;
    unsigned        isa;
    pare_qmul_row  *row;
    pare_qmul_gate *gate;
} pare_qmul_kernel;

/* The versions that `cpu` runs, best first; the last, portable C, is the reference itself. */
int pare_qmul_candidates(unsigned cpu, const pare_qmul_kernel *out[], int max);

/* Declares pare_qmul_ref, pare_qmul_gate_ref, pare_qmul_avx2 ... */
#define PARE_QMUL(name, isa)         \
    pare_qmul_row  pare_qmul_##name; \
    pare_qmul_gate pare_qmul_gate_##name;
#include "kernels/qmul/qmul.def"
#undef PARE_QMUL

#endif
