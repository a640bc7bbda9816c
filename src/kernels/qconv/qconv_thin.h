/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_thin.h - a form of the AVX-512 version for little depth (qconv_thin_avx512vnni.c), and its requantization
 *
 * It overlaps the next tile's products, so what counts is how many instructions it has and which units they need. An
 * add takes 11 per 16 outputs, the residual's conversion included, and then the packs.
 */
#ifndef PARE_KERNELS_QCONV_THIN_H
#define PARE_KERNELS_QCONV_THIN_H

#include "kernels/qconv/qconv_plan.h"
#include "kernels/qconv/qepilogue_avx512.h"

/* Constants of an add. They may stay operands in memory. */
typedef struct pare_thin_add {
    __m512  round, round_zero;
    __m512i least, most; /* bounds of the first code, as it is after rounding */
    __m512  rate_conv, rate_r, constant;
    __m512i lo, hi;
} pare_thin_add;

PARE_AVX512_INLINE pare_thin_add pare_thin_add_load(const pare_qepilogue *e)
{
    const float round = 12582912; /* 1.5 * 2^23 */

    return (pare_thin_add){
        .round = _mm512_set1_ps(round),
        .round_zero = _mm512_set1_ps(round - (float)e->zero),
        .least = _mm512_castps_si512(_mm512_set1_ps(round + (float)(e->lo - e->zero))),
        .most = _mm512_castps_si512(_mm512_set1_ps(round + (float)(e->hi - e->zero))),
        .rate_conv = _mm512_set1_ps(e->rate_conv),
        .rate_r = _mm512_set1_ps(e->rate_r),
        .constant = _mm512_set1_ps(e->constant),
        .lo = _mm512_set1_epi8((char)e->add_lo),
        .hi = _mm512_set1_epi8((char)e->add_hi),
    };
}

/*
 * Both roundings of 16 columns. Adding 1.5 * 2^23 rounds half to even where the value is below 2^22 in size, and beyond
 * it the clamp decides alike. The clamp compares the floats' bits, because integer units are free where sums and
 * products are not: both bounds are positive, so negative numbers are small in either order.
 */
PARE_AVX512_INLINE __m512i pare_thin_add16(const pare_thin_add *c, bool conv_is_second, const float *scale, __m512i acc,
                                           __m512i residual)
{
    const __m512i t = _mm512_castps_si512(_mm512_add_ps(pare_q512_scaled(scale, acc), c->round));
    const __m512i code = _mm512_min_epi32(_mm512_max_epi32(t, c->least), c->most);
    const __m512  q = _mm512_sub_ps(_mm512_castsi512_ps(code), c->round_zero), r = _mm512_cvtepi32_ps(residual);

    if (conv_is_second)
        return _mm512_cvtps_epi32(_mm512_fmadd_ps(r, c->rate_r, _mm512_fmadd_ps(q, c->rate_conv, c->constant)));
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(q, c->rate_conv, _mm512_fmadd_ps(r, c->rate_r, c->constant)));
}

/* 64 codes in natural order. */
PARE_AVX512_INLINE __m512i pare_thin_codes_add(const pare_thin_add *c, bool conv_is_second,
                                               const pare_q512_constants *scales, pare_q512x4 acc, pare_q512x4 r)
{
    const pare_q512x4 v = {
        pare_thin_add16(c, conv_is_second, scales->s0, acc.v0, r.v0),
        pare_thin_add16(c, conv_is_second, scales->s1, acc.v1, r.v1),
        pare_thin_add16(c, conv_is_second, scales->s2, acc.v2, r.v2),
        pare_thin_add16(c, conv_is_second, scales->s3, acc.v3, r.v3),
    };

    return _mm512_min_epu8(_mm512_max_epu8(pare_q512_pack_only(v, false), c->lo), c->hi);
}

/* Neither zero point nor bounds to apply; those; those and a table; an add, the convolution its operand a; or b. */
typedef enum pare_thin_kind {
    PARE_THIN_BARE,
    PARE_THIN_PLAIN,
    PARE_THIN_TABLE,
    PARE_THIN_ADD,
    PARE_THIN_ADD_SECOND,
    PARE_THIN_KINDS
} pare_thin_kind;

/* Neighbouring pixels of one line and one panel. */
typedef struct pare_thin_job {
    const pare_qconv_plan  *plan;
    const pare_qconv_panel *panel;
    pare_q512_constants     constants;
    pare_thin_add           add;
    __mmask64               mask; /* of the panel's columns                          */
    const uint8_t          *x;    /* of the bundle, at the first pixel               */
    uint8_t                *y;    /* of column 0                                     */
    const uint8_t          *residual;
    ptrdiff_t               x_step, y_step, r_step;
    int                     n; /* pixels */
} pare_thin_job;

/* What the compiler knows. */
typedef struct pare_thin_form {
    int            rows, tiles;
    pare_thin_kind kind;
    bool           partial; /* fewer pixels than rows: the last one is repeated, and stored once */
} pare_thin_form;

/* 16 residual codes of pixel i from column 16 * t on. */
PARE_AVX512_INLINE __m512i pare_thin_residual16(const pare_thin_job *g, pare_thin_form f, const uint8_t *r, int i,
                                                int t)
{
    const uint8_t *const at = r + (f.partial && i >= g->n ? g->n - 1 : i) * g->r_step + 16 * t;
    const __mmask16      mask = (__mmask16)(g->mask >> (16 * t));

    if (__builtin_expect(mask == 0xffff, 1))
        return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, at));
}

/* The residual of the pixels of one pack from pixel i on. */
PARE_AVX512_INLINE pare_q512x4 pare_thin_residual(const pare_thin_job *g, pare_thin_form f, const uint8_t *r, int i)
{
    if (f.tiles > 2)
        return (pare_q512x4){ pare_thin_residual16(g, f, r, i, 0), pare_thin_residual16(g, f, r, i, 1),
                              pare_thin_residual16(g, f, r, i, 2), pare_thin_residual16(g, f, r, i, 3) };
    if (f.tiles == 2)
        return (pare_q512x4){ pare_thin_residual16(g, f, r, i, 0), pare_thin_residual16(g, f, r, i, 1),
                              pare_thin_residual16(g, f, r, i + 1, 0), pare_thin_residual16(g, f, r, i + 1, 1) };
    return (pare_q512x4){ pare_thin_residual16(g, f, r, i, 0), pare_thin_residual16(g, f, r, i + 1, 0),
                          pare_thin_residual16(g, f, r, i + 2, 0), pare_thin_residual16(g, f, r, i + 3, 0) };
}

/* 64 codes of the pixels of one pack from pixel i on; `r` is the residual of pixel 0. */
PARE_AVX512_INLINE __m512i pare_thin_codes(const pare_thin_job *g, pare_thin_form f, const uint8_t *r, int i,
                                           pare_q512x4 acc)
{
    if (f.kind >= PARE_THIN_ADD)
        return pare_thin_codes_add(&g->add, f.kind == PARE_THIN_ADD_SECOND, &g->constants, acc,
                                   pare_thin_residual(g, f, r, i));

    const __m512i q = pare_q512_codes(&g->constants, acc, false, f.kind == PARE_THIN_BARE);
    return f.kind == PARE_THIN_TABLE ? pare_q512_lookup(g->plan->epilogue.table, q) : q;
}

bool pare_qconv_thin_fits(const pare_qconv_plan *plan);
void pare_qconv_thin_avx512vnni(const pare_qconv_range *r);

#endif
