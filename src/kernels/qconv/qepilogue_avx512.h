/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qepilogue_avx512.h - the epilogue of qepilogue.h, 64 columns at a time, with AVX-512 F, BW, VL, DQ
 *
 * Four vectors of 16 int32 become 64 bytes by packssdw, paddsw zero, packuswb: equal to the definition for every
 * rounded value of 32 bits, because what leaves int16 saturates to the same end of u8. The packs work within
 * 128-bit lanes. Natural order (vector t holds columns 16t..16t+15) needs one vpermd after them; lane order
 * (vector t, lane l holds columns 16l+4t..16l+4t+3, what byte unpacks give) needs none.
 */
#ifndef PARE_KERNELS_QEPILOGUE_AVX512_H
#define PARE_KERNELS_QEPILOGUE_AVX512_H

#include <immintrin.h>

#include "kernels/qconv/qepilogue.h"

#define PARE_AVX512_INLINE \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"), always_inline)) static inline

/* Four vectors that always stay in registers: named, because compilers keep arrays in memory. */
typedef struct pare_q512x4 {
    __m512i v0, v1, v2, v3;
} pare_q512x4;

/* The low `columns` bits. */
static inline uint64_t pare_q512_mask(int columns)
{
    return columns >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << columns) - 1;
}

/* Packed bytes, which are in lane order, in the order asked for. */
PARE_AVX512_INLINE __m512i pare_q512_order(__m512i q, bool lanes)
{
    if (lanes)
        return q;
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), q);
}

/* 4 x 16 int32 to 64 codes in natural order, saturated to u8. */
PARE_AVX512_INLINE __m512i pare_q512_pack_only(pare_q512x4 v, bool lanes)
{
    const __m512i v01 = _mm512_packs_epi32(v.v0, v.v1), v23 = _mm512_packs_epi32(v.v2, v.v3);

    return pare_q512_order(_mm512_packus_epi16(v01, v23), lanes);
}

/* The same, saturated to [lo, hi] after adding zero. */
PARE_AVX512_INLINE __m512i pare_q512_pack(pare_q512x4 v, bool lanes, __m512i zero, __m512i lo, __m512i hi)
{
    const __m512i v01 = _mm512_adds_epi16(_mm512_packs_epi32(v.v0, v.v1), zero);
    const __m512i v23 = _mm512_adds_epi16(_mm512_packs_epi32(v.v2, v.v3), zero);

    return pare_q512_order(_mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(v01, v23), lo), hi), lanes);
}

/* 64 codes to 4 x 16 int32 in either order. */
PARE_AVX512_INLINE pare_q512x4 pare_q512_unpack(__m512i q, bool lanes)
{
    if (lanes) { /* dword t of each lane belongs to vector t: byte shuffles widen it, -1 gives zero */
        const __m512i v0 = _mm512_set4_epi32(-253, -254, -255, -256), four = _mm512_set1_epi32(4);
        const __m512i v1 = _mm512_add_epi32(v0, four), v2 = _mm512_add_epi32(v1, four), v3 = _mm512_add_epi32(v2, four);

        return (pare_q512x4){ _mm512_shuffle_epi8(q, v0), _mm512_shuffle_epi8(q, v1), _mm512_shuffle_epi8(q, v2),
                              _mm512_shuffle_epi8(q, v3) };
    }
    return (pare_q512x4){ _mm512_cvtepu8_epi32(_mm512_castsi512_si128(q)),
                          _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(q, 1)),
                          _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(q, 2)),
                          _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(q, 3)) };
}

/* Looks up 32 indices held in words: vpermi2w picks one of 64 words of the table, bit 0 its byte. */
PARE_AVX512_INLINE __m512i pare_q512_lookup_words(const uint8_t table[256], __m512i i)
{
    const __m512i word = _mm512_srli_epi16(i, 1);
    const __m512i lo = _mm512_permutex2var_epi16(_mm512_loadu_si512(table), word, _mm512_loadu_si512(table + 64));
    const __m512i hi =
        _mm512_permutex2var_epi16(_mm512_loadu_si512(table + 128), word, _mm512_loadu_si512(table + 192));
    const __m512i both = _mm512_mask_blend_epi16(_mm512_test_epi16_mask(i, _mm512_set1_epi16(128)), lo, hi);
    const __m512i bit = _mm512_slli_epi16(_mm512_and_si512(i, _mm512_set1_epi16(1)), 3);

    return _mm512_and_si512(_mm512_srlv_epi16(both, bit), _mm512_set1_epi16(0xff));
}

/* table[q] of 64 codes: even and odd bytes go separately. */
PARE_AVX512_INLINE __m512i pare_q512_lookup(const uint8_t table[256], __m512i q)
{
    const __m512i even = pare_q512_lookup_words(table, _mm512_and_si512(q, _mm512_set1_epi16(0xff)));
    const __m512i odd = pare_q512_lookup_words(table, _mm512_srli_epi16(q, 8));

    return _mm512_or_si512(even, _mm512_slli_epi16(odd, 8));
}

/*
 * What the plain epilogue needs: zero as words, bounds as bytes, and where the scales of the four vectors lie. They
 * stay operands in memory, because accumulators fill the registers. A tile of one or two vectors repeats its
 * scales, so that several pixels share a pack.
 */
typedef struct pare_q512_constants {
    const float *s0, *s1, *s2, *s3;
    __m512i      zero, lo, hi;
} pare_q512_constants;

PARE_AVX512_INLINE pare_q512_constants pare_q512_load(const pare_qepilogue *e, int column, int n)
{
    const float *s = e->scale + column;

    return (pare_q512_constants){
        .s0 = s,
        .s1 = n > 1 ? s + 16 : s,
        .s2 = n > 2 ? s + 32 : s,
        .s3 = n > 3    ? s + 48
              : n == 2 ? s + 16
                       : s,
        .zero = _mm512_set1_epi16((short)e->zero),
        .lo = _mm512_set1_epi8((char)e->lo),
        .hi = _mm512_set1_epi8((char)e->hi),
    };
}

/* (float)acc * scale. */
PARE_AVX512_INLINE __m512 pare_q512_scaled(const float *scale, __m512i acc)
{
    return _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(scale));
}

/* The fused add: codes of the convolution as floats and 16 codes of the residual to the rounded sum. */
PARE_AVX512_INLINE __m512i pare_q512_add(const pare_qepilogue *e, __m512 q, __m512i residual)
{
    const __m512 r = _mm512_cvtepi32_ps(residual), k = _mm512_set1_ps(e->constant);
    const __m512 rate_q = _mm512_set1_ps(e->rate_conv), rate_r = _mm512_set1_ps(e->rate_r);

    if (e->conv_is_second)
        return _mm512_cvtps_epi32(_mm512_fmadd_ps(r, rate_r, _mm512_fmadd_ps(q, rate_q, k)));
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(q, rate_q, _mm512_fmadd_ps(r, rate_r, k)));
}

/*
 * Both roundings of 16 columns, without a table between them. The first code stays a float: an integer below 2^24
 * in size, or so far outside the bounds that the clamp decides alike.
 */
PARE_AVX512_INLINE __m512i pare_q512_round_add(const pare_qepilogue *e, const float *scale, __m512i acc,
                                               __m512i residual)
{
    __m512 q = _mm512_roundscale_ps(pare_q512_scaled(scale, acc), _MM_FROUND_TO_NEAREST_INT);

    q = _mm512_max_ps(_mm512_add_ps(q, _mm512_set1_ps((float)e->zero)), _mm512_set1_ps((float)e->lo));
    return pare_q512_add(e, _mm512_min_ps(q, _mm512_set1_ps((float)e->hi)), residual);
}

/* Zero point 0 and the bounds of u8, as after ReLU: the packs saturate to just that. */
static inline bool pare_q512_is_bare(const pare_qepilogue *e)
{
    return e->zero == 0 && e->lo == 0 && e->hi == 255;
}

/* 64 codes with neither table nor add; `bare` as above. */
PARE_AVX512_INLINE __m512i pare_q512_codes(const pare_q512_constants *c, pare_q512x4 acc, bool lanes, bool bare)
{
    const pare_q512x4 v = {
        _mm512_cvtps_epi32(pare_q512_scaled(c->s0, acc.v0)),
        _mm512_cvtps_epi32(pare_q512_scaled(c->s1, acc.v1)),
        _mm512_cvtps_epi32(pare_q512_scaled(c->s2, acc.v2)),
        _mm512_cvtps_epi32(pare_q512_scaled(c->s3, acc.v3)),
    };

    return bare ? pare_q512_pack_only(v, lanes) : pare_q512_pack(v, lanes, c->zero, c->lo, c->hi);
}

/* 64 codes with the add fused. */
PARE_AVX512_INLINE __m512i pare_q512_codes_add(const pare_qepilogue *e, const pare_q512_constants *c, pare_q512x4 acc,
                                               bool lanes, __m512i residual)
{
    const pare_q512x4 r = pare_q512_unpack(residual, lanes);
    const pare_q512x4 v = {
        pare_q512_round_add(e, c->s0, acc.v0, r.v0),
        pare_q512_round_add(e, c->s1, acc.v1, r.v1),
        pare_q512_round_add(e, c->s2, acc.v2, r.v2),
        pare_q512_round_add(e, c->s3, acc.v3, r.v3),
    };

    return pare_q512_pack(v, lanes, _mm512_setzero_si512(), _mm512_set1_epi8((char)e->add_lo),
                          _mm512_set1_epi8((char)e->add_hi));
}

/* The add on codes that went through a table. */
PARE_AVX512_INLINE __m512i pare_q512_codes_then_add(const pare_qepilogue *e, __m512i codes, __m512i residual)
{
    const pare_q512x4 q = pare_q512_unpack(codes, true), r = pare_q512_unpack(residual, true);
    const pare_q512x4 v = {
        pare_q512_add(e, _mm512_cvtepi32_ps(q.v0), r.v0),
        pare_q512_add(e, _mm512_cvtepi32_ps(q.v1), r.v1),
        pare_q512_add(e, _mm512_cvtepi32_ps(q.v2), r.v2),
        pare_q512_add(e, _mm512_cvtepi32_ps(q.v3), r.v3),
    };

    return pare_q512_pack(v, true, _mm512_setzero_si512(), _mm512_set1_epi8((char)e->add_lo),
                          _mm512_set1_epi8((char)e->add_hi));
}

/* 64 codes of whatever the epilogue asks for; `residual` is read where it has an add. */
PARE_AVX512_INLINE __m512i pare_q512_codes_any(const pare_qepilogue *e, const pare_q512_constants *c, pare_q512x4 acc,
                                               bool lanes, __m512i residual)
{
    if (e->add && !e->table)
        return pare_q512_codes_add(e, c, acc, lanes, residual);

    __m512i q = pare_q512_codes(c, acc, lanes, false);
    if (e->table)
        q = pare_q512_lookup(e->table, q);
    return e->add ? pare_q512_codes_then_add(e, q, residual) : q;
}

/* The float outputs of 16 columns. vmaxps and vminps give their second operand where one is NaN: it stays. */
PARE_AVX512_INLINE __m512 pare_q512_f32(const pare_qepilogue *e, int column, __m512i acc, float row_scale)
{
    __m512 scale = _mm512_loadu_ps(e->scale + column);

    if (e->kind == PARE_QKIND_F32_ROWS)
        scale = _mm512_mul_ps(_mm512_set1_ps(row_scale), scale);
    __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale);
    if (e->bias_f32)
        value = _mm512_add_ps(value, _mm512_loadu_ps(e->bias_f32 + column));
    return _mm512_min_ps(_mm512_set1_ps(e->clamp_hi), _mm512_max_ps(_mm512_set1_ps(e->clamp_lo), value));
}

PARE_AVX512_INLINE void pare_q512_store_f32(const pare_qepilogue *e, int column, __m512i acc, __mmask16 mask, float *y,
                                            float row_scale)
{
    _mm512_mask_storeu_ps(y, mask, pare_q512_f32(e, column, acc, row_scale));
}

/* Stores the float outputs of `n` vectors in natural order. */
PARE_AVX512_INLINE void pare_q512_store_f32x4(const pare_qepilogue *e, int column, pare_q512x4 acc, int n,
                                              __mmask64 mask, float *y, float row_scale)
{
    pare_q512_store_f32(e, column, acc.v0, (__mmask16)mask, y, row_scale);
    if (n > 1)
        pare_q512_store_f32(e, column + 16, acc.v1, (__mmask16)(mask >> 16), y + 16, row_scale);
    if (n > 2)
        pare_q512_store_f32(e, column + 32, acc.v2, (__mmask16)(mask >> 32), y + 32, row_scale);
    if (n > 3)
        pare_q512_store_f32(e, column + 48, acc.v3, (__mmask16)(mask >> 48), y + 48, row_scale);
}

/* Stores the float outputs of 64 columns from lane order: four 128-bit lanes of four vectors are transposed. */
PARE_AVX512_INLINE void pare_q512_store_f32_lanes(const pare_qepilogue *e, int column, pare_q512x4 acc, __mmask64 mask,
                                                  float *y, float row_scale)
{
    const __m512 v0 = pare_q512_f32(e, column, acc.v0, row_scale);
    const __m512 v1 = pare_q512_f32(e, column + 16, acc.v1, row_scale);
    const __m512 v2 = pare_q512_f32(e, column + 32, acc.v2, row_scale);
    const __m512 v3 = pare_q512_f32(e, column + 48, acc.v3, row_scale);
    /* Lanes 0 and 1, then 2 and 3, of two vectors. */
    const __m512 a01 = _mm512_shuffle_f32x4(v0, v1, 0x44), b01 = _mm512_shuffle_f32x4(v2, v3, 0x44);
    const __m512 a23 = _mm512_shuffle_f32x4(v0, v1, 0xee), b23 = _mm512_shuffle_f32x4(v2, v3, 0xee);

    _mm512_mask_storeu_ps(y, (__mmask16)mask, _mm512_shuffle_f32x4(a01, b01, 0x88));
    _mm512_mask_storeu_ps(y + 16, (__mmask16)(mask >> 16), _mm512_shuffle_f32x4(a01, b01, 0xdd));
    _mm512_mask_storeu_ps(y + 32, (__mmask16)(mask >> 32), _mm512_shuffle_f32x4(a23, b23, 0x88));
    _mm512_mask_storeu_ps(y + 48, (__mmask16)(mask >> 48), _mm512_shuffle_f32x4(a23, b23, 0xdd));
}

#endif
