/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_amx_items.h - the requantization of a finished block, in 16 items of 64 outputs
 *
 * An item is one row of 64 columns, two rows of 32, or four of 16; it is small enough to run beside one tile product.
 * What an item needs lies in registers: a plain item is 12 vector instructions for conversion and scale, 3 to 6 for
 * packing, and its store.
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

enum { AMX_TILE = 256 }; /* int32 of one sum */

/* One block's sums, and where they go. Their distance keeps loads and stores of different blocks apart in L1. */
typedef struct amx_slot {
    int32_t                 acc[4][AMX_TILE]; /* [tile][row 16][column 16] */
    const pare_qconv_panel *panel;
    uint8_t                *y;
    const uint8_t          *residual;
    const int32_t          *y_rows, *r_rows; /* [4 / panel_tiles * 16] */
    const float            *row_scale;
    uint8_t                 apart[1344 - 6 * sizeof(void *)];
} amx_slot;

/* What items read: the block, as in its slot, and constants. */
typedef struct amx_items {
    const int32_t *acc;
    uint8_t       *y, *nowhere; /* rows that are not stored go nowhere: 256 bytes */
    const uint8_t *residual;
    const int32_t *y_rows, *r_rows;
    const float   *row_scale;
    int            row_scale_step;
    uint64_t       mask; /* of the panel's columns */
    bool           full; /* all of them            */
    __m512         s0, s1, s2, s3;
    __m512         b0, b1, b2, b3, clamp_lo, clamp_hi; /* float outputs */
    __m512i        zero, lo, hi;
    const uint8_t *table;
    bool           add, conv_is_second;
    __m512         round, round_zero, lo_f32, hi_f32, rate_conv, rate_r, constant;
    __m512i        add_lo, add_hi;
} amx_items;

PARE_AMX_INLINE __m512 amx_scaled(const int32_t *acc, __m512 scale)
{
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_load_si512(acc)), scale);
}

/* Where row `r` goes. */
PARE_AMX_INLINE uint8_t *amx_row(const amx_items *c, int r)
{
    const int32_t  at = c->y_rows[r];
    uint8_t *const y = c->y + at;

    return at < 0 ? c->nowhere : y;
}

PARE_AMX_INLINE const uint8_t *amx_residual_row(const amx_items *c, int r)
{
    const int32_t        at = c->r_rows[r];
    const uint8_t *const y = c->residual + at;

    return at < 0 ? c->nowhere : y;
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

/* One row of 64 columns. */
PARE_AMX_INLINE void amx_item_16x64(const amx_items *c, amx_kind kind, int row)
{
    const int32_t *const acc = c->acc + row * 16;
    uint8_t *const       y = amx_row(c, row);
    pare_q512x4          r = { 0 };

    if (amx_reads_residual(c, kind)) {
        const uint8_t *const at = amx_residual_row(c, row);
        r = pare_q512_unpack(c->full ? _mm512_loadu_si512(at) : _mm512_maskz_loadu_epi8(c->mask, at), true);
    }
    const __m512i q = amx_codes(c, kind, true, amx_scaled(acc, c->s0), amx_scaled(acc + AMX_TILE, c->s1),
                                amx_scaled(acc + 2 * AMX_TILE, c->s2), amx_scaled(acc + 3 * AMX_TILE, c->s3), r);
    if (__builtin_expect(c->full, 1))
        _mm512_storeu_si512(y, q);
    else
        _mm512_mask_storeu_epi8(y, c->mask, q);
}

/* Rows `row` and row + 1 of pixel tile `m`. */
PARE_AMX_INLINE void amx_item_32x32(const amx_items *c, amx_kind kind, int m, int row)
{
    const int32_t *const acc = c->acc + m * 2 * AMX_TILE + row * 16;
    uint8_t *const y0 = amx_row(c, m * 16 + row), *const y1 = amx_row(c, m * 16 + row + 1);
    pare_q512x4 r = { 0 };

    if (amx_reads_residual(c, kind)) {
        const uint8_t *const r0 = amx_residual_row(c, m * 16 + row), *const r1 = amx_residual_row(c, m * 16 + row + 1);
        r = (pare_q512x4){ amx_residual16(c, r0, 0), amx_residual16(c, r0, 1), amx_residual16(c, r1, 0),
                           amx_residual16(c, r1, 1) };
    }
    const __m512i q = amx_codes(c, kind, false, amx_scaled(acc, c->s0), amx_scaled(acc + AMX_TILE, c->s1),
                                amx_scaled(acc + 16, c->s0), amx_scaled(acc + AMX_TILE + 16, c->s1), r);
    if (__builtin_expect(c->full, 1)) {
        _mm256_storeu_si256((__m256i *)(void *)y0, _mm512_castsi512_si256(q));
        _mm256_storeu_si256((__m256i *)(void *)y1, _mm512_extracti64x4_epi64(q, 1));
    } else {
        _mm256_mask_storeu_epi8(y0, (__mmask32)c->mask, _mm512_castsi512_si256(q));
        _mm256_mask_storeu_epi8(y1, (__mmask32)c->mask, _mm512_extracti64x4_epi64(q, 1));
    }
}

PARE_AMX_INLINE void amx_store16(const amx_items *c, int row, __m128i q)
{
    uint8_t *const y = amx_row(c, row);

    if (__builtin_expect(c->full, 1))
        _mm_storeu_si128((__m128i *)(void *)y, q);
    else
        _mm_mask_storeu_epi8(y, (__mmask16)c->mask, q);
}

/* Rows `row` to row + 3 of pixel tile `m`. */
PARE_AMX_INLINE void amx_item_64x16(const amx_items *c, amx_kind kind, int m, int row)
{
    const int32_t *const acc = c->acc + m * AMX_TILE + row * 16;
    const int            first = m * 16 + row;
    pare_q512x4          r = { 0 };

    if (amx_reads_residual(c, kind))
        r = (pare_q512x4){ amx_residual16(c, amx_residual_row(c, first), 0),
                           amx_residual16(c, amx_residual_row(c, first + 1), 0),
                           amx_residual16(c, amx_residual_row(c, first + 2), 0),
                           amx_residual16(c, amx_residual_row(c, first + 3), 0) };
    const __m512i q = amx_codes(c, kind, false, amx_scaled(acc, c->s0), amx_scaled(acc + 16, c->s0),
                                amx_scaled(acc + 32, c->s0), amx_scaled(acc + 48, c->s0), r);
    amx_store16(c, first, _mm512_castsi512_si128(q));
    amx_store16(c, first + 1, _mm512_extracti32x4_epi32(q, 1));
    amx_store16(c, first + 2, _mm512_extracti32x4_epi32(q, 2));
    amx_store16(c, first + 3, _mm512_extracti32x4_epi32(q, 3));
}

/* Vector i of a float item: 4 / nt rows of nt vectors. */
PARE_AMX_INLINE void amx_f32(const amx_items *c, int nt, int m, int row, int i)
{
    const int      t = i % nt, r = row + i / nt;
    const __m512   scale = t == 0 ? c->s0 : t == 1 ? c->s1 : t == 2 ? c->s2 : c->s3;
    const __m512   bias = t == 0 ? c->b0 : t == 1 ? c->b1 : t == 2 ? c->b2 : c->b3;
    const __m512   rows = _mm512_set1_ps(c->row_scale[(m * 16 + r) * c->row_scale_step]);
    const __m512   scaled = amx_scaled(c->acc + (m * nt + t) * AMX_TILE + r * 16, _mm512_mul_ps(rows, scale));
    const __m512   value = _mm512_max_ps(c->clamp_lo, _mm512_add_ps(scaled, bias)); /* NaN, as second operand, stays */
    uint8_t *const y = amx_row(c, m * 16 + r) + 64 * t;

    _mm512_mask_storeu_ps(y, (__mmask16)(c->mask >> (16 * t)), _mm512_min_ps(c->clamp_hi, value));
}

/* Item `e` of a block of `nt` column tiles. The first items are those of the first rows of each tile. */
PARE_AMX_INLINE void amx_item(const amx_items *c, int nt, amx_kind kind, int e)
{
    const int m = nt == 4 ? 0 : nt == 2 ? e % 2 : e % 4, row = nt == 4 ? e : nt == 2 ? e / 2 * 2 : e / 4 * 4;

    if (kind == AMX_F32) {
        amx_f32(c, nt, m, row, 0);
        amx_f32(c, nt, m, row, 1);
        amx_f32(c, nt, m, row, 2);
        amx_f32(c, nt, m, row, 3);
    } else if (nt == 4) {
        amx_item_16x64(c, kind, row);
    } else if (nt == 2) {
        amx_item_32x32(c, kind, m, row);
    } else {
        amx_item_64x16(c, kind, m, row);
    }
}

#endif
