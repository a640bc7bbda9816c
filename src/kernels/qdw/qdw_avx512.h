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
    int                lines, parts; /* of the output line, which lie side by side in a vector: 1, 2 or 4 */
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
    ptrdiff_t            x_part, y_part, r_part; /* bytes between the parts of a line */
    int                  n, parts;               /* outputs of a part; parts of a line */
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

/* The codes of one pixel of each part. */
PARE_AVX512_INLINE __m512i pare_qdw512_pixels(const uint8_t *x, int parts, ptrdiff_t part)
{
    if (parts == 1)
        return pare_qdw512_load(x);

    __m512i v = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)x));
    if (parts == 2) {
        v = _mm512_inserti64x4(v, _mm256_loadu_si256((const __m256i *)(x + part)), 1);
    } else {
        v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)x));
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(x + part)), 1);
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(x + 2 * part)), 2);
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(x + 3 * part)), 3);
    }
    return v;
}

/* Stores the codes of one output of each part. */
PARE_AVX512_INLINE void pare_qdw512_save(uint8_t *y, __mmask64 mask, int parts, ptrdiff_t part, __m512i q)
{
    if (parts == 1) {
        _mm512_mask_storeu_epi8(y, mask, q);
    } else if (parts == 2) {
        _mm256_mask_storeu_epi8(y, (__mmask32)mask, _mm512_castsi512_si256(q));
        _mm256_mask_storeu_epi8(y + part, (__mmask32)mask, _mm512_extracti64x4_epi64(q, 1));
    } else {
        _mm_mask_storeu_epi8(y, (__mmask16)mask, _mm512_castsi512_si128(q));
        _mm_mask_storeu_epi8(y + part, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 1));
        _mm_mask_storeu_epi8(y + 2 * part, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 2));
        _mm_mask_storeu_epi8(y + 3 * part, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 3));
    }
}

/* The four rows of a group: the first from row 0 of the taps, the others from the first. */
typedef struct pare_qdw512_rows {
    ptrdiff_t r0, r1, r2, r3;
} pare_qdw512_rows;

PARE_AVX512_INLINE pare_qdw512_rows pare_qdw512_find_rows(const pare_qdw512_job *g, int group)
{
    const ptrdiff_t r0 = pare_qdw_row(g->line, 4 * group);

    return (pare_qdw512_rows){ r0, pare_qdw_row(g->line, 4 * group + 1) - r0, pare_qdw_row(g->line, 4 * group + 2) - r0,
                               pare_qdw_row(g->line, 4 * group + 3) - r0 };
}

/* One input column of a row group, `x` in row 0. */
PARE_AVX512_INLINE pare_q512x4 pare_qdw512_column(const uint8_t *x, const pare_qdw512_rows *r, int parts,
                                                  ptrdiff_t part)
{
    const uint8_t *const at = x + r->r0;
    const __m512i        a = pare_qdw512_pixels(at, parts, part), b = pare_qdw512_pixels(at + r->r1, parts, part);
    const __m512i c = pare_qdw512_pixels(at + r->r2, parts, part), d = pare_qdw512_pixels(at + r->r3, parts, part);
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
void pare_qdw512_store_other(const pare_qdw512_job *g, int parts, int line, int ox, const pare_q512x4 *acc);

/* Stores output ox of each part of line 0 or 1 of the pair from what pare_qdw512_round gave. */
PARE_AVX512_INLINE void pare_qdw512_store(const pare_qdw512_job *g, pare_qdw512_form f, int line, int ox,
                                          pare_q512x4 acc)
{
    uint8_t *const             y = g->y + ox * g->y_pixel + line * g->y_row;
    const pare_q512_constants *c = &g->constants;

    if (f.finish == PARE_QDW512_OTHER)
        pare_qdw512_store_other(g, f.parts, line, ox, &acc);
    else if (f.finish == PARE_QDW512_BARE)
        pare_qdw512_save(y, g->mask, f.parts, g->y_part, pare_q512_pack_only(acc, true));
    else
        pare_qdw512_save(y, g->mask, f.parts, g->y_part, pare_q512_pack(acc, true, c->zero, c->lo, c->hi));
}

/* Any filter and stride (qdw_any_avx512vnni.c). */
void pare_qdw512_any(const pare_qdw512_job *g, pare_qdw512_form f);

#endif
