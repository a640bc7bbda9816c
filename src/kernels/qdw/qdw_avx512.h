/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_avx512.h - what the AVX-512 files of qdw share: 64 channels, four rows at a time
 *
 * The bytes of four vertically neighbouring pixels are interleaved (8 unpacks for 64 channels) so that each dword
 * holds four rows of one channel; one vpdpbusd then applies one filter column. With weights (w0, w1, w2, 0) it gives
 * line y of a 3x3 filter, with (0, w0, w1, w2) line y + 1.
 */
#ifndef PARE_KERNELS_QDW_AVX512_H
#define PARE_KERNELS_QDW_AVX512_H

#include "kernels/qconv/qepilogue_avx512.h"
#include "kernels/qdw/qdw_plan.h"

enum { PARE_QDW512_BLOCK = 64, PARE_QDW512_STEP = 256 /* bytes of one step: packed weights, interleaved pixels */ };

/* Neither zero point nor bounds to apply; those; table, add or float output. */
typedef enum pare_qdw512_finish { PARE_QDW512_BARE, PARE_QDW512_PLAIN, PARE_QDW512_OTHER } pare_qdw512_finish;

/* What the compiler knows: each set of values is a loop of its own. */
typedef struct pare_qdw512_form {
    int                lines;
    pare_qdw512_finish finish;
} pare_qdw512_form;

/* What stays the same along a line. */
typedef struct pare_qdw512_job {
    const pare_qdw_line *line;
    const pare_qdw_plan *p;
    const int8_t        *w0, *w1; /* packed weights of both lines                  */
    const int32_t       *bias;    /* [64]                                          */
    uint8_t             *y;       /* the block in the first output pixel           */
    ptrdiff_t            y_pixel, y_row;
    pare_q512_constants  constants;
    __mmask64            mask;
    int                  first; /* column and channel of the block               */
    int                  skip;  /* bytes from an output pixel to its block       */
} pare_qdw512_job;

/* A vector that several instructions use. Compilers would make it a memory operand of each, and no core loads more
 * vectors than it multiplies. */
PARE_AVX512_INLINE __m512i pare_qdw512_load(const void *at)
{
    __m512i v = _mm512_loadu_si512(at);

    __asm__ volatile("" : "+v"(v));
    return v;
}

/* Four pixels, r1, r2 and r3 bytes behind the first. */
PARE_AVX512_INLINE pare_q512x4 pare_qdw512_interleave(const uint8_t *x, ptrdiff_t r1, ptrdiff_t r2, ptrdiff_t r3)
{
    const __m512i a = pare_qdw512_load(x), b = pare_qdw512_load(x + r1);
    const __m512i c = pare_qdw512_load(x + r2), d = pare_qdw512_load(x + r3);
    const __m512i ab_lo = _mm512_unpacklo_epi8(a, b), ab_hi = _mm512_unpackhi_epi8(a, b);
    const __m512i cd_lo = _mm512_unpacklo_epi8(c, d), cd_hi = _mm512_unpackhi_epi8(c, d);

    return (pare_q512x4){ _mm512_unpacklo_epi16(ab_lo, cd_lo), _mm512_unpackhi_epi16(ab_lo, cd_lo),
                          _mm512_unpacklo_epi16(ab_hi, cd_hi), _mm512_unpackhi_epi16(ab_hi, cd_hi) };
}

/* Accumulators of vector v, rounded where nothing comes between: early, so that this overlaps with products. */
PARE_AVX512_INLINE __m512i pare_qdw512_round(const pare_qdw512_job *g, pare_qdw512_form f, int v, __m512i acc)
{
    if (f.finish == PARE_QDW512_OTHER)
        return acc;
    return _mm512_cvtps_epi32(pare_q512_scaled(g->constants.s0 + 16 * v, acc));
}

/* With table, add or float output: out of line, so that the plain epilogue keeps its registers. */
void pare_qdw512_store_other(const pare_qdw512_job *g, int line, int ox, const pare_q512x4 *acc);

/* Stores output ox of line 0 or 1 of the pair from what pare_qdw512_round gave. */
PARE_AVX512_INLINE void pare_qdw512_store(const pare_qdw512_job *g, pare_qdw512_form f, int line, int ox,
                                          pare_q512x4 acc)
{
    uint8_t *const             y = g->y + ox * g->y_pixel + line * g->y_row;
    const pare_q512_constants *c = &g->constants;

    if (f.finish == PARE_QDW512_OTHER)
        pare_qdw512_store_other(g, line, ox, &acc);
    else if (f.finish == PARE_QDW512_BARE)
        _mm512_mask_storeu_epi8(y, g->mask, pare_q512_pack_only(acc, true));
    else
        _mm512_mask_storeu_epi8(y, g->mask, pare_q512_pack(acc, true, c->zero, c->lo, c->hi));
}

/* Any filter and stride (qdw_any_avx512vnni.c). */
void pare_qdw512_any(const pare_qdw512_job *g, pare_qdw512_form f);

#endif
