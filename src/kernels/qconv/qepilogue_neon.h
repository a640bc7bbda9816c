/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qepilogue_neon.h - the epilogue of qepilogue.h, 16 columns at a time, with NEON
 *
 * fcvtns rounds half to even, and sqxtn, sqadd zero, sqxtun saturate: equal to the definition for every rounded value
 * of 32 bits, because what leaves int16 ends at the same end of u8. Columns are in natural order.
 */
#ifndef PARE_KERNELS_QEPILOGUE_NEON_H
#define PARE_KERNELS_QEPILOGUE_NEON_H

#include <string.h>

#include "kernels/neon.h"
#include "kernels/qconv/qepilogue.h"

/* Columns 0..3, 4..7, 8..11, 12..15. */
typedef struct pare_q128x4 {
    int32x4_t v0, v1, v2, v3;
} pare_q128x4;

/* 16 int32 to 16 codes, saturated to [lo, hi] after adding zero. */
PARE_NEON_INLINE uint8x16_t pare_q128_pack(pare_q128x4 v, int16x8_t zero, uint8x16_t lo, uint8x16_t hi)
{
    const int16x8_t  a = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(v.v0), v.v1), zero);
    const int16x8_t  b = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(v.v2), v.v3), zero);
    const uint8x16_t q = vqmovun_high_s16(vqmovun_s16(a), b);

    return vminq_u8(vmaxq_u8(q, lo), hi);
}

/* 16 codes to 16 int32. */
PARE_NEON_INLINE pare_q128x4 pare_q128_unpack(uint8x16_t q)
{
    const uint16x8_t a = vmovl_u8(vget_low_u8(q)), b = vmovl_high_u8(q);

    return (pare_q128x4){
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(a))),
        vreinterpretq_s32_u32(vmovl_high_u16(a)),
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(b))),
        vreinterpretq_s32_u32(vmovl_high_u16(b)),
    };
}

/* The first `columns` bytes at `x`; nothing behind them is read. */
PARE_NEON_INLINE uint8x16_t pare_q128_load(const uint8_t *x, int columns)
{
    uint8_t all[16] = { 0 };

    if (columns >= 16)
        return vld1q_u8(x);
    memcpy(all, x, (size_t)columns);
    return vld1q_u8(all);
}

/* Stores the first `columns` bytes: the bits of the count say which of 8, 4, 2 and 1 to store. */
PARE_NEON_INLINE void pare_q128_save(uint8_t *y, int columns, uint8x16_t q)
{
    if (columns >= 16) {
        vst1q_u8(y, q);
        return;
    }
    if (columns & 8) {
        vst1_u8(y, vget_low_u8(q));
        q = vextq_u8(q, q, 8);
        y += 8;
    }
    if (columns & 4) {
        const uint32_t four = vgetq_lane_u32(vreinterpretq_u32_u8(q), 0);
        memcpy(y, &four, sizeof(four));
        q = vextq_u8(q, q, 4);
        y += 4;
    }
    if (columns & 2) {
        const uint16_t two = vgetq_lane_u16(vreinterpretq_u16_u8(q), 0);
        memcpy(y, &two, sizeof(two));
        q = vextq_u8(q, q, 2);
        y += 2;
    }
    if (columns & 1)
        *y = vgetq_lane_u8(q, 0);
}

/* A table of 256 in 16 registers, a quarter in four. */
typedef struct pare_q128_table {
    uint8x16x4_t t0, t1, t2, t3;
} pare_q128_table;

PARE_NEON_INLINE pare_q128_table pare_q128_load_table(const uint8_t table[256])
{
    return (pare_q128_table){ vld1q_u8_x4(table), vld1q_u8_x4(table + 64), vld1q_u8_x4(table + 128),
                              vld1q_u8_x4(table + 192) };
}

/* table[q]: an index that lies outside a quarter gives 0 (tbl) or leaves what was found before (tbx). */
PARE_NEON_INLINE uint8x16_t pare_q128_look(const pare_q128_table *t, uint8x16_t q)
{
    uint8x16_t found = vqtbl4q_u8(t->t0, q);

    found = vqtbx4q_u8(found, t->t1, vsubq_u8(q, vdupq_n_u8(64)));
    found = vqtbx4q_u8(found, t->t2, vsubq_u8(q, vdupq_n_u8(128)));
    return vqtbx4q_u8(found, t->t3, vsubq_u8(q, vdupq_n_u8(192)));
}

/* q[i] = table[q[i]] for n vectors. */
PARE_NEON_INLINE void pare_q128_lookup(const uint8_t table[256], uint8x16_t *q, int n)
{
    const pare_q128_table t = pare_q128_load_table(table);

    for (int i = 0; i < n; i++)
        q[i] = pare_q128_look(&t, q[i]);
}

/* rint((float)acc * scale) */
PARE_NEON_INLINE int32x4_t pare_q128_scaled(float32x4_t scale, int32x4_t acc)
{
    return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc), scale));
}

/* What the plain epilogue needs of 16 columns. */
typedef struct pare_q128_constants {
    float32x4_t s0, s1, s2, s3;
    int16x8_t   zero;
    uint8x16_t  lo, hi;
} pare_q128_constants;

PARE_NEON_INLINE pare_q128_constants pare_q128_constants_of(const pare_qepilogue *e, int column)
{
    const float *s = e->scale + column;

    return (pare_q128_constants){
        .s0 = vld1q_f32(s),
        .s1 = vld1q_f32(s + 4),
        .s2 = vld1q_f32(s + 8),
        .s3 = vld1q_f32(s + 12),
        .zero = vdupq_n_s16((int16_t)e->zero),
        .lo = vdupq_n_u8((uint8_t)e->lo),
        .hi = vdupq_n_u8((uint8_t)e->hi),
    };
}

/* 16 codes with neither table nor add. */
PARE_NEON_INLINE uint8x16_t pare_q128_codes(const pare_q128_constants *c, pare_q128x4 acc)
{
    const pare_q128x4 v = { pare_q128_scaled(c->s0, acc.v0), pare_q128_scaled(c->s1, acc.v1),
                            pare_q128_scaled(c->s2, acc.v2), pare_q128_scaled(c->s3, acc.v3) };

    return pare_q128_pack(v, c->zero, c->lo, c->hi);
}

/* The fused add of 4 codes. */
PARE_NEON_INLINE int32x4_t pare_q128_add_4(const pare_qepilogue *e, int32x4_t q, int32x4_t residual)
{
    const float32x4_t a = vcvtq_f32_s32(q), r = vcvtq_f32_s32(residual), k = vdupq_n_f32(e->constant);
    const float32x4_t rate_q = vdupq_n_f32(e->rate_conv), rate_r = vdupq_n_f32(e->rate_r);

    if (e->conv_is_second)
        return vcvtnq_s32_f32(vfmaq_f32(vfmaq_f32(k, a, rate_q), r, rate_r));
    return vcvtnq_s32_f32(vfmaq_f32(vfmaq_f32(k, r, rate_r), a, rate_q));
}

/* The fused add of 16 codes. */
PARE_NEON_INLINE uint8x16_t pare_q128_add(const pare_qepilogue *e, uint8x16_t conv, uint8x16_t residual)
{
    const pare_q128x4 q = pare_q128_unpack(conv), r = pare_q128_unpack(residual);
    const pare_q128x4 v = { pare_q128_add_4(e, q.v0, r.v0), pare_q128_add_4(e, q.v1, r.v1),
                            pare_q128_add_4(e, q.v2, r.v2), pare_q128_add_4(e, q.v3, r.v3) };

    return pare_q128_pack(v, vdupq_n_s16(0), vdupq_n_u8((uint8_t)e->add_lo), vdupq_n_u8((uint8_t)e->add_hi));
}

/* The float outputs of 4 columns. */
PARE_NEON_INLINE float32x4_t pare_q128_f32(const pare_qepilogue *e, int column, int32x4_t acc, float row_scale)
{
    float32x4_t scale = vld1q_f32(e->scale + column);

    if (e->kind == PARE_QKIND_F32_ROWS)
        scale = vmulq_f32(vdupq_n_f32(row_scale), scale);
    float32x4_t value = vmulq_f32(vcvtq_f32_s32(acc), scale);
    if (e->bias_f32)
        value = vaddq_f32(value, vld1q_f32(e->bias_f32 + column));
    return pare_neon_clamp(value, vdupq_n_f32(e->clamp_lo), vdupq_n_f32(e->clamp_hi));
}

/* Stores the float outputs of 16 columns, of which the first `columns` exist. */
PARE_NEON_INLINE void pare_q128_store_f32(const pare_qepilogue *e, int column, pare_q128x4 acc, int columns, float *y,
                                          float row_scale)
{
    pare_neon_save_f32(y, columns, pare_q128_f32(e, column, acc.v0, row_scale));
    pare_neon_save_f32(y + 4, columns - 4, pare_q128_f32(e, column + 4, acc.v1, row_scale));
    pare_neon_save_f32(y + 8, columns - 8, pare_q128_f32(e, column + 8, acc.v2, row_scale));
    pare_neon_save_f32(y + 12, columns - 12, pare_q128_f32(e, column + 12, acc.v3, row_scale));
}

#endif
