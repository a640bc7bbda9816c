/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_neondot.c - 4 pixels x 16 columns, four k per product
 *
 * sdot adds four products of signed bytes to each of four int32 columns; its second operand is one dword of a register,
 * so the packed weights are read as they are and each pixel's 16 codes as one load. Codes become signed by xor 0x80,
 * which takes 128 off them; the folded bias is that of zero point zx - 128.
 */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qconv/qconv_neon.h"

enum { ROWS = 4 };

typedef int32_t __attribute__((aligned(1), may_alias)) four; /* bytes, at any address */

PARE_NEON_INLINE int8x16_t flip(uint8x16_t x)
{
    return vreinterpretq_s8_u8(veorq_u8(x, vdupq_n_u8(128)));
}

/* Four k: number `lane` of the loaded codes x[rows]. A single pixel sums even and odd lanes apart: twice the chains. */
PARE_NEONDOT_ISA PARE_NEON_INLINE void four_k(const int8_t *w, const int8x16_t *x, int lane, const int rows,
                                              pare_q128x4 *acc)
{
    const int8x16_t w0 = vld1q_s8(w), w1 = vld1q_s8(w + 16), w2 = vld1q_s8(w + 32), w3 = vld1q_s8(w + 48);

    PARE_NEON_UNROLL for (int i = 0; i < rows; i++)
    {
        pare_q128x4 *const sum = &acc[rows == 1 ? lane & 1 : i];

        sum->v0 = pare_neon_sdot_four(sum->v0, w0, x[i], lane);
        sum->v1 = pare_neon_sdot_four(sum->v1, w1, x[i], lane);
        sum->v2 = pare_neon_sdot_four(sum->v2, w2, x[i], lane);
        sum->v3 = pare_neon_sdot_four(sum->v3, w3, x[i], lane);
    }
}

PARE_NEONDOT_ISA PARE_NEON_INLINE void products(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                                const pare_qconv_tile *t, const int rows, pare_q128x4 *acc)
{
    const int8_t  *w = panel->w;
    const uint8_t *at[ROWS];

    PARE_NEON_UNROLL for (int i = 0; i < rows; i++) at[i] = t->x[i] + panel->x_offset;
    for (int s = 0; s < p->n_steps; s++) {
        ptrdiff_t offset = p->steps[s].offset;
        int       fours = p->steps[s].fours;
        int8x16_t x[ROWS];

        for (; fours >= 4; fours -= 4, offset += 16, w += 4 * PARE_QCONV_ROW) {
            PARE_NEON_UNROLL for (int i = 0; i < rows; i++) x[i] = flip(vld1q_u8(at[i] + offset));
            PARE_NEON_UNROLL for (int k = 0; k < 4; k++)
            {
                PARE_NEON_IN_ORDER();
                four_k(w + k * PARE_QCONV_ROW, x, k, rows, acc);
            }
        }
        for (; fours > 0; fours--, offset += 4, w += PARE_QCONV_ROW) {
            PARE_NEON_UNROLL for (int i = 0; i < rows; i++) x[i] =
                flip(vreinterpretq_u8_s32(vdupq_n_s32(*(const four *)(at[i] + offset))));
            four_k(w, x, 0, rows, acc);
        }
    }
}

PARE_NEONDOT_ISA PARE_NEON_INLINE void compute(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                               const pare_qconv_tile *t, const int rows)
{
    const int32_t    *b = p->bias + panel->packed;
    const pare_q128x4 bias = { vld1q_s32(b), vld1q_s32(b + 4), vld1q_s32(b + 8), vld1q_s32(b + 12) };
    pare_q128x4       acc[ROWS] = { bias, bias, bias, bias };

    if (rows == 1)
        acc[1] = (pare_q128x4){ vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0) };
    products(p, panel, t, rows, acc);
    if (rows == 1)
        acc[0] = (pare_q128x4){ vaddq_s32(acc[0].v0, acc[1].v0), vaddq_s32(acc[0].v1, acc[1].v1),
                                vaddq_s32(acc[0].v2, acc[1].v2), vaddq_s32(acc[0].v3, acc[1].v3) };
    pare_qconv_neon_finish(p, panel, t, rows, acc);
}

#define TILE(rows)                                                                                    \
    PARE_NEONDOT_ISA static void tile_##rows(const pare_qconv_plan *p, const pare_qconv_panel *panel, \
                                             const pare_qconv_tile *t)                                \
    {                                                                                                 \
        compute(p, panel, t, rows);                                                                   \
    }
TILE(1)
TILE(2)
TILE(4)

void pare_qconv_4x16_neondot(const pare_qconv_range *r)
{
    static const pare_qconv_neon_height heights[ROWS] = { { 1, tile_1 }, { 2, tile_2 }, { 4, tile_4 }, { 4, tile_4 } };

    pare_qconv_neon_run(r, heights, ROWS);
}
#else
typedef int not_arm64;
#endif
