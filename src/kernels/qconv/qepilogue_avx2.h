/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qepilogue_avx2.h - the epilogue of qepilogue.h, 16 columns at a time, with AVX2 and FMA
 *
 * The same saturating packs as qepilogue_avx512.h. Natural order: v0 holds columns 0..7, v1 8..15, and the packed
 * words need one permute. Lane order (v0 holds 0..3 and 8..11, what unpacks give) needs none.
 */
#ifndef PARE_KERNELS_QEPILOGUE_AVX2_H
#define PARE_KERNELS_QEPILOGUE_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernels/qconv/qepilogue.h"

#define PARE_AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) static inline

typedef struct pare_q256x2 {
    __m256i v0, v1;
} pare_q256x2;

/* 16 int32 to 16 codes in natural order, saturated to [lo, hi] after adding zero. */
PARE_AVX2_INLINE __m128i pare_q256_pack(pare_q256x2 v, bool lanes, int zero, int lo, int hi)
{
    __m256i words = _mm256_packs_epi32(v.v0, v.v1);

    if (!lanes)
        words = _mm256_permute4x64_epi64(words, 0xd8);
    words = _mm256_adds_epi16(words, _mm256_set1_epi16((short)zero));
    const __m128i q = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    return _mm_min_epu8(_mm_max_epu8(q, _mm_set1_epi8((char)lo)), _mm_set1_epi8((char)hi));
}

/* 16 codes to 16 int32 in either order. */
PARE_AVX2_INLINE pare_q256x2 pare_q256_unpack(__m128i q, bool lanes)
{
    if (!lanes)
        return (pare_q256x2){ _mm256_cvtepu8_epi32(q), _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(q, q)) };

    const __m256i words = _mm256_cvtepu8_epi16(q), none = _mm256_setzero_si256();
    return (pare_q256x2){ _mm256_unpacklo_epi16(words, none), _mm256_unpackhi_epi16(words, none) };
}

/* The first `columns` bytes at `x`; nothing behind them is read. */
PARE_AVX2_INLINE __m128i pare_q256_load(const uint8_t *x, int columns)
{
    uint8_t all[16] = { 0 };

    if (columns >= 16)
        return _mm_loadu_si128((const __m128i *)x);
    memcpy(all, x, (size_t)columns);
    return _mm_loadu_si128((const __m128i *)all);
}

PARE_AVX2_INLINE void pare_q256_save(uint8_t *y, int columns, __m128i q)
{
    uint8_t all[16];

    if (columns >= 16) {
        _mm_storeu_si128((__m128i *)y, q);
        return;
    }
    _mm_storeu_si128((__m128i *)all, q);
    memcpy(y, all, (size_t)columns);
}

PARE_AVX2_INLINE __m128i pare_q256_lookup(const uint8_t table[256], __m128i q)
{
    uint8_t all[16];

    _mm_storeu_si128((__m128i *)all, q);
    for (int i = 0; i < 16; i++)
        all[i] = table[all[i]];
    return _mm_loadu_si128((const __m128i *)all);
}

PARE_AVX2_INLINE __m256 pare_q256_scaled(const pare_qepilogue *e, int column, __m256i acc)
{
    return _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(e->scale + column));
}

PARE_AVX2_INLINE __m256i pare_q256_add(const pare_qepilogue *e, __m256i q, __m256i residual)
{
    const __m256 a = _mm256_cvtepi32_ps(q), r = _mm256_cvtepi32_ps(residual), k = _mm256_set1_ps(e->constant);
    const __m256 rate_q = _mm256_set1_ps(e->rate_conv), rate_r = _mm256_set1_ps(e->rate_r);

    if (e->conv_is_second)
        return _mm256_cvtps_epi32(_mm256_fmadd_ps(r, rate_r, _mm256_fmadd_ps(a, rate_q, k)));
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(a, rate_q, _mm256_fmadd_ps(r, rate_r, k)));
}

/* What the plain epilogue of 16 columns needs: neither table nor add. */
typedef struct pare_q256_constants {
    __m256  s0, s1;
    __m256i zero, lo, hi;
} pare_q256_constants;

PARE_AVX2_INLINE pare_q256_constants pare_q256_load_constants(const pare_qepilogue *e, int column)
{
    return (pare_q256_constants){
        .s0 = _mm256_loadu_ps(e->scale + column),
        .s1 = _mm256_loadu_ps(e->scale + column + 8),
        .zero = _mm256_set1_epi16((short)e->zero),
        .lo = _mm256_set1_epi8((char)e->lo),
        .hi = _mm256_set1_epi8((char)e->hi),
    };
}

/* 16 int32 to words, zero added: columns 0..3, 8..11 and 4..7, 12..15 from natural order, sorted from lane order. */
PARE_AVX2_INLINE __m256i pare_q256_words(const pare_q256_constants *c, pare_q256x2 acc)
{
    const __m256i v0 = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc.v0), c->s0));
    const __m256i v1 = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc.v1), c->s1));

    return _mm256_adds_epi16(_mm256_packs_epi32(v0, v1), c->zero);
}

/* The codes of two pixels with neither table nor add, one pixel in each half. */
PARE_AVX2_INLINE __m256i pare_q256_codes_2(const pare_q256_constants *c, pare_q256x2 a, pare_q256x2 b, bool lanes)
{
    const __m256i q = _mm256_packus_epi16(pare_q256_words(c, a), pare_q256_words(c, b));
    const __m256i bounded = _mm256_min_epu8(_mm256_max_epu8(q, c->lo), c->hi);

    if (lanes)
        return _mm256_permute4x64_epi64(bounded, 0xd8);
    return _mm256_permutevar8x32_epi32(bounded, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* Codes of the convolution through table and add. Of the residual `columns` are read. */
PARE_AVX2_INLINE __m128i pare_q256_finish(const pare_qepilogue *e, __m128i q, const uint8_t *residual, int columns)
{
    if (e->table)
        q = pare_q256_lookup(e->table, q);
    if (!e->add)
        return q;

    const pare_q256x2 a = pare_q256_unpack(q, true);
    const pare_q256x2 r = pare_q256_unpack(pare_q256_load(residual, columns), true);
    const pare_q256x2 s = { pare_q256_add(e, a.v0, r.v0), pare_q256_add(e, a.v1, r.v1) };
    return pare_q256_pack(s, true, 0, e->add_lo, e->add_hi);
}

/* Stores the u8 outputs of 16 columns, of which the first `columns` (<= 16) exist. The scales' order is that of acc. */
PARE_AVX2_INLINE void pare_q256_store_u8(const pare_qepilogue *e, int column, pare_q256x2 acc, bool lanes, int columns,
                                         uint8_t *y, const uint8_t *residual)
{
    const pare_q256x2 v = { _mm256_cvtps_epi32(pare_q256_scaled(e, column, acc.v0)),
                            _mm256_cvtps_epi32(pare_q256_scaled(e, column + 8, acc.v1)) };
    const __m128i     q = pare_q256_pack(v, lanes, e->zero, e->lo, e->hi);

    pare_q256_save(y, columns, pare_q256_finish(e, q, residual, columns));
}

/* The float outputs of 8 columns. vmaxps and vminps give their second operand where one is NaN: it stays. */
PARE_AVX2_INLINE __m256 pare_q256_f32(const pare_qepilogue *e, int column, __m256i acc, float row_scale)
{
    __m256 scale = _mm256_loadu_ps(e->scale + column);

    if (e->kind == PARE_QKIND_F32_ROWS)
        scale = _mm256_mul_ps(_mm256_set1_ps(row_scale), scale);
    __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale);
    if (e->bias_f32)
        value = _mm256_add_ps(value, _mm256_loadu_ps(e->bias_f32 + column));
    return _mm256_min_ps(_mm256_set1_ps(e->clamp_hi), _mm256_max_ps(_mm256_set1_ps(e->clamp_lo), value));
}

/* Stores 8 floats, of which the first `columns` exist (0 or less: none). */
PARE_AVX2_INLINE void pare_q256_save_f32(float *y, int columns, __m256 value)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    if (columns >= 8)
        _mm256_storeu_ps(y, value);
    else
        _mm256_maskstore_ps(y, _mm256_cmpgt_epi32(_mm256_set1_epi32(columns), lane), value);
}

/* Stores the float outputs of 16 columns in natural order, of which the first `columns` exist. */
PARE_AVX2_INLINE void pare_q256_store_f32(const pare_qepilogue *e, int column, pare_q256x2 acc, int columns, float *y,
                                          float row_scale)
{
    pare_q256_save_f32(y, columns, pare_q256_f32(e, column, acc.v0, row_scale));
    if (columns > 8)
        pare_q256_save_f32(y + 8, columns - 8, pare_q256_f32(e, column + 8, acc.v1, row_scale));
}

/* The same from lane order. */
PARE_AVX2_INLINE void pare_q256_store_f32_lanes(const pare_qepilogue *e, int column, pare_q256x2 acc, int columns,
                                                float *y, float row_scale)
{
    const __m256 v0 = pare_q256_f32(e, column, acc.v0, row_scale), v1 = pare_q256_f32(e, column + 8, acc.v1, row_scale);

    pare_q256_save_f32(y, columns, _mm256_permute2f128_ps(v0, v1, 0x20));
    if (columns > 8)
        pare_q256_save_f32(y + 8, columns - 8, _mm256_permute2f128_ps(v0, v1, 0x31));
}

#endif
