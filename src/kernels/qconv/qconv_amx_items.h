/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_amx_items.h - the requantization of a finished block, in 16 items of 64 outputs
 *
 * An item is one row of each of the four sums: 64 columns of a pixel, 32 of two or 16 of four. It is small enough to run
 * beside one tile product. What it needs lies in registers, and where its pixels go was worked out for the whole block
 * at once: a plain item is 12 vector instructions for conversion and scale, 3 to 6 for packing, and its stores.
 */
#ifndef PARE_KERNELS_QCONV_AMX_ITEMS_H
#define PARE_KERNELS_QCONV_AMX_ITEMS_H

#include "kernels/qconv/qconv_amx.h"
#include "kernels/qconv/qepilogue_avx512.h"

#define PARE_AMX_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi," PARE_TILE_TARGET
#define PARE_AMX_INLINE __attribute__((target(PARE_AMX_TARGET), always_inline)) static inline

/* u8 after the packs alone; with a zero point; with bounds too; an add; a table, or both; float. */
typedef enum amx_kind { AMX_BARE, AMX_ZERO, AMX_BOUNDS, AMX_ADD, AMX_TABLE, AMX_F32, AMX_KINDS } amx_kind;

static inline amx_kind amx_kind_of(const pare_qepilogue *e)
{
    if (e->kind != PARE_QKIND_U8)
        return AMX_F32;
    if (e->table)
        return AMX_TABLE;
    if (e->add)
        return AMX_ADD;
    return e->lo > 0 || e->hi < 255 ? AMX_BOUNDS : e->zero ? AMX_ZERO : AMX_BARE;
}

/*
 * One block's sums, and where they go. Tile loads and stores whose rows cross cache lines take up to six times as long;
 * the distance of two slots keeps loads and stores of different blocks apart in L1.
 */
typedef struct amx_slot {
    _Alignas(64) int32_t acc[4][16][16];    /* [tile][row][column]                                               */
    uint8_t                *rows[2][4][16]; /* [0]: y of each row of each pixel tile; [1]: the residual, not written */
    int32_t                *out;            /* where the sums go: acc, or where they wait for more k-steps       */
    int                     n_items;        /* to requantize: as many as a tile has rows, or 0                   */
    const pare_qconv_panel *panel;
    const float            *row_scale;
    uint8_t                 apart[1344 - 1024 - 4 * sizeof(void *)];
} amx_slot;
_Static_assert(sizeof(amx_slot) == 4096 + 1344, "an odd number of cache lines beyond a page");

/* What items read: the block, as in its slot, and constants. */
typedef struct amx_items {
    const amx_slot *slot;
    int             row_scale_step;
    uint64_t        mask; /* of the panel's columns */
    bool            full; /* all of them            */
    __m512          s0, s1, s2, s3;
    __m512          b0, b1, b2, b3, clamp_lo, clamp_hi; /* float outputs */
    __m512i         zero, lo, hi;
    const uint8_t  *table;
    bool            add, conv_is_second;
    __m512          round, round_zero, lo_f32, hi_f32, rate_conv, rate_r, constant;
    __m512i         add_lo, add_hi;
} amx_items;

/* Tile `t` of item `e`. */
PARE_AMX_INLINE __m512 amx_scaled(const amx_items *c, ptrdiff_t e, int t, __m512 scale)
{
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_load_si512(c->slot->acc[t][e])), scale);
}

/*
 * The first rounding of an add, to a code that stays a float. Adding and taking off 1.5 * 2^23 rounds half to even
 * where the value is below 2^22 in size; beyond, the clamp decides alike. The zero point comes with the subtraction.
 */
PARE_AMX_INLINE __m512 amx_code(const amx_items *c, __m512 scaled)
{
    const __m512 q = _mm512_sub_ps(_mm512_add_ps(scaled, c->round), c->round_zero);

    return _mm512_min_ps(_mm512_max_ps(q, c->lo_f32), c->hi_f32);
}

/* The second rounding: codes of the convolution, as floats, and of the residual to 64 codes of the sum. */
PARE_AMX_INLINE __m512i amx_add(const amx_items *c, bool lanes, __m512 q0, __m512 q1, __m512 q2, __m512 q3,
                                pare_q512x4 r)
{
    const __m512 rate_q = c->rate_conv, rate_r = c->rate_r, k = c->constant;
    __m512       r0 = _mm512_cvtepi32_ps(r.v0), r1 = _mm512_cvtepi32_ps(r.v1);
    __m512       r2 = _mm512_cvtepi32_ps(r.v2), r3 = _mm512_cvtepi32_ps(r.v3);

    if (c->conv_is_second) {
        r0 = _mm512_fmadd_ps(r0, rate_r, _mm512_fmadd_ps(q0, rate_q, k));
        r1 = _mm512_fmadd_ps(r1, rate_r, _mm512_fmadd_ps(q1, rate_q, k));
        r2 = _mm512_fmadd_ps(r2, rate_r, _mm512_fmadd_ps(q2, rate_q, k));
        r3 = _mm512_fmadd_ps(r3, rate_r, _mm512_fmadd_ps(q3, rate_q, k));
    } else {
        r0 = _mm512_fmadd_ps(q0, rate_q, _mm512_fmadd_ps(r0, rate_r, k));
        r1 = _mm512_fmadd_ps(q1, rate_q, _mm512_fmadd_ps(r1, rate_r, k));
        r2 = _mm512_fmadd_ps(q2, rate_q, _mm512_fmadd_ps(r2, rate_r, k));
        r3 = _mm512_fmadd_ps(q3, rate_q, _mm512_fmadd_ps(r3, rate_r, k));
    }
    const pare_q512x4 v = { _mm512_cvtps_epi32(r0), _mm512_cvtps_epi32(r1), _mm512_cvtps_epi32(r2),
                            _mm512_cvtps_epi32(r3) };
    return pare_q512_pack(v, lanes, _mm512_setzero_si512(), c->add_lo, c->add_hi);
}

/* table[q] of 64 codes: seven bits of the index within each half of the table, then the half. */
PARE_AMX_INLINE __m512i amx_lookup(const uint8_t *table, __m512i q)
{
    const __m512i lo = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), q, _mm512_loadu_si512(table + 64));
    const __m512i hi = _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), q, _mm512_loadu_si512(table + 192));

    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(q), lo, hi);
}

/* 64 codes from their scaled sums, in the order of `lanes`. `r` is read where there is an add. */
PARE_AMX_INLINE __m512i amx_codes(const amx_items *c, amx_kind kind, bool lanes, __m512 f0, __m512 f1, __m512 f2,
                                  __m512 f3, pare_q512x4 r)
{
    if (kind == AMX_ADD)
        return amx_add(c, lanes, amx_code(c, f0), amx_code(c, f1), amx_code(c, f2), amx_code(c, f3), r);

    const pare_q512x4 v = { _mm512_cvtps_epi32(f0), _mm512_cvtps_epi32(f1), _mm512_cvtps_epi32(f2),
                            _mm512_cvtps_epi32(f3) };
    if (kind == AMX_BARE)
        return pare_q512_pack_only(v, lanes);
    if (kind == AMX_ZERO) {
        const __m512i v01 = _mm512_adds_epi16(_mm512_packs_epi32(v.v0, v.v1), c->zero);
        const __m512i v23 = _mm512_adds_epi16(_mm512_packs_epi32(v.v2, v.v3), c->zero);
        return pare_q512_order(_mm512_packus_epi16(v01, v23), lanes);
    }
    const __m512i q = pare_q512_pack(v, lanes, c->zero, c->lo, c->hi);
    if (kind == AMX_BOUNDS)
        return q;
    const __m512i t = amx_lookup(c->table, q);
    if (!c->add)
        return t;
    const pare_q512x4 u = pare_q512_unpack(t, lanes);
    return amx_add(c, lanes, _mm512_cvtepi32_ps(u.v0), _mm512_cvtepi32_ps(u.v1), _mm512_cvtepi32_ps(u.v2),
                   _mm512_cvtepi32_ps(u.v3), r);
}

PARE_AMX_INLINE bool amx_reads_residual(const amx_items *c, amx_kind kind)
{
    return kind == AMX_ADD || (kind == AMX_TABLE && c->add);
}

/* 16 residual codes from column 16 * t on. */
PARE_AMX_INLINE __m512i amx_residual16(const amx_items *c, const uint8_t *r, int t)
{
    if (__builtin_expect(c->full, 1))
        return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(r + 16 * t)));
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8((__mmask16)(c->mask >> (16 * t)), r + 16 * t));
}

/* Vector `t` of the residual: columns 16 * (t % nt) on of pixel tile t / nt. */
PARE_AMX_INLINE __m512i amx_residual_part(const amx_items *c, int nt, ptrdiff_t e, int t)
{
    return amx_residual16(c, c->slot->rows[1][t / nt][e], t % nt);
}

PARE_AMX_INLINE pare_q512x4 amx_residual(const amx_items *c, int nt, ptrdiff_t e)
{
    const uint8_t *const at = c->slot->rows[1][0][e];

    if (nt == 4)
        return pare_q512_unpack(c->full ? _mm512_loadu_si512(at) : _mm512_maskz_loadu_epi8(c->mask, at), true);
    return (pare_q512x4){ amx_residual_part(c, nt, e, 0), amx_residual_part(c, nt, e, 1),
                          amx_residual_part(c, nt, e, 2), amx_residual_part(c, nt, e, 3) };
}

/*
 * 64 columns of a pixel, or 32 of two, or 16 of four. Each pointer is read just before its store: compilers would keep
 * several in vector registers, and moves from there take the ports that requantization needs.
 */
PARE_AMX_INLINE void amx_store(const amx_items *c, int nt, ptrdiff_t e, __m512i q)
{
    uint8_t *const(*const y)[16] = c->slot->rows[0];

    if (nt == 4 && __builtin_expect(c->full, 1)) {
        _mm512_storeu_si512(y[0][e], q);
    } else if (nt == 4) {
        _mm512_mask_storeu_epi8(y[0][e], c->mask, q);
    } else if (nt == 2 && __builtin_expect(c->full, 1)) {
        _mm256_storeu_si256((__m256i *)(void *)y[0][e], _mm512_castsi512_si256(q));
        _mm256_storeu_si256((__m256i *)(void *)y[1][e], _mm512_extracti64x4_epi64(q, 1));
    } else if (nt == 2) {
        _mm256_mask_storeu_epi8(y[0][e], (__mmask32)c->mask, _mm512_castsi512_si256(q));
        _mm256_mask_storeu_epi8(y[1][e], (__mmask32)c->mask, _mm512_extracti64x4_epi64(q, 1));
    } else if (__builtin_expect(c->full, 1)) {
        _mm_storeu_si128((__m128i *)(void *)y[0][e], _mm512_castsi512_si128(q));
        _mm_storeu_si128((__m128i *)(void *)y[1][e], _mm512_extracti32x4_epi32(q, 1));
        _mm_storeu_si128((__m128i *)(void *)y[2][e], _mm512_extracti32x4_epi32(q, 2));
        _mm_storeu_si128((__m128i *)(void *)y[3][e], _mm512_extracti32x4_epi32(q, 3));
    } else {
        _mm_mask_storeu_epi8(y[0][e], (__mmask16)c->mask, _mm512_castsi512_si128(q));
        _mm_mask_storeu_epi8(y[1][e], (__mmask16)c->mask, _mm512_extracti32x4_epi32(q, 1));
        _mm_mask_storeu_epi8(y[2][e], (__mmask16)c->mask, _mm512_extracti32x4_epi32(q, 2));
        _mm_mask_storeu_epi8(y[3][e], (__mmask16)c->mask, _mm512_extracti32x4_epi32(q, 3));
    }
}

/* Vector `t` of a float item. */
PARE_AMX_INLINE void amx_f32(const amx_items *c, int nt, ptrdiff_t e, int t)
{
    const int      m = t / nt, n = t % nt;
    const __m512   scale = n == 0 ? c->s0 : n == 1 ? c->s1 : n == 2 ? c->s2 : c->s3;
    const __m512   bias = n == 0 ? c->b0 : n == 1 ? c->b1 : n == 2 ? c->b2 : c->b3;
    const __m512   rows = _mm512_set1_ps(c->slot->row_scale[(m * 16 + e) * c->row_scale_step]);
    const __m512   scaled = amx_scaled(c, e, t, _mm512_mul_ps(rows, scale));
    const __m512   value = _mm512_max_ps(c->clamp_lo, _mm512_add_ps(scaled, bias)); /* NaN, as second operand, stays */
    uint8_t *const y = c->slot->rows[0][m][e] + 64 * n;

    _mm512_mask_storeu_ps(y, (__mmask16)(c->mask >> (16 * n)), _mm512_min_ps(c->clamp_hi, value));
}

/* Item `e`: row e of the four sums of a block of `nt` column tiles. */
PARE_AMX_INLINE void amx_item(const amx_items *c, int nt, amx_kind kind, ptrdiff_t e)
{
    pare_q512x4 r = { 0 };

    if (kind == AMX_F32) {
        amx_f32(c, nt, e, 0);
        amx_f32(c, nt, e, 1);
        amx_f32(c, nt, e, 2);
        amx_f32(c, nt, e, 3);
        return;
    }
    if (amx_reads_residual(c, kind))
        r = amx_residual(c, nt, e);
    const __m512 s1 = nt > 1 ? c->s1 : c->s0, s2 = nt > 2 ? c->s2 : c->s0, s3 = nt > 2 ? c->s3 : s1;
    const __m512 f0 = amx_scaled(c, e, 0, c->s0), f1 = amx_scaled(c, e, 1, s1);
    const __m512 f2 = amx_scaled(c, e, 2, s2), f3 = amx_scaled(c, e, 3, s3);

    amx_store(c, nt, e, amx_codes(c, kind, nt == 4, f0, f1, f2, f3, r));
}

#endif
