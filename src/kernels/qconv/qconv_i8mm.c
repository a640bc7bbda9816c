/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_i8mm.c - 6 pixels x 16 columns, eight k per product
 *
 * usmmla multiplies two pixels of eight unsigned k by two columns of eight signed k: 32 products in one instruction,
 * twice those of sdot. Weights are packed with eight neighbouring k of a column (k_round 8), so a register holds two
 * columns; a pair of pixels is two loads of eight bytes. Per eight k: 8 loads of weights, 6 of pixels, 24 usmmla.
 */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qconv/qconv_neon.h"

enum { ROWS = 6, PAIRS = 8 /* of columns */ };

/* The low or the high half of a and b: {a, b} with a pixel's four columns in two pairs becomes one row of four. */
PARE_NEON_INLINE int32x4_t first_pixel(int32x4_t a, int32x4_t b)
{
    return vreinterpretq_s32_s64(vtrn1q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
}

PARE_NEON_INLINE int32x4_t second_pixel(int32x4_t a, int32x4_t b)
{
    return vreinterpretq_s32_s64(vtrn2q_s64(vreinterpretq_s64_s32(a), vreinterpretq_s64_s32(b)));
}

/* acc[r][c] = the products of pixels 2r, 2r + 1 and columns 2c, 2c + 1: {p0c0, p0c1, p1c0, p1c1}. */
PARE_I8MM_ISA PARE_NEON_INLINE void products(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                             const pare_qconv_tile *t, const int rows, int32x4_t acc[][PAIRS])
{
    const int8_t  *w = panel->w;
    const uint8_t *at[ROWS];

    PARE_NEON_UNROLL for (int i = 0; i < rows; i++) at[i] = t->x[i] + panel->x_offset;
    for (int s = 0; s < p->n_steps; s++) {
        ptrdiff_t offset = p->steps[s].offset;

        for (int k = p->steps[s].fours; k > 0; k -= 2, offset += 8, w += 2 * PARE_QCONV_ROW) {
            uint8x16_t x[ROWS / 2];

            PARE_NEON_UNROLL for (int i = 0; i < rows; i += 2) x[i / 2] =
                vcombine_u8(vld1_u8(at[i] + offset), vld1_u8(at[i + 1] + offset));
            PARE_NEON_UNROLL for (int c = 0; c < PAIRS; c++)
            {
                if (c % 2 == 0)
                    PARE_NEON_IN_ORDER();
                const int8x16_t b = vld1q_s8(w + 16 * c);

                PARE_NEON_UNROLL for (int i = 0; i < rows / 2; i++) acc[i][c] = pare_neon_usmmla(acc[i][c], x[i], b);
            }
        }
    }
}

PARE_I8MM_ISA PARE_NEON_INLINE void compute(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                            const pare_qconv_tile *t, const int rows)
{
    const int32_t *b = p->bias + panel->packed;
    int32x4_t      acc[ROWS / 2][PAIRS];
    pare_q128x4    sums[ROWS];

    PARE_NEON_UNROLL for (int c = 0; c < PAIRS; c++)
    {
        const int32x2_t bias = vld1_s32(b + 2 * c);

        PARE_NEON_UNROLL for (int i = 0; i < rows / 2; i++) acc[i][c] = vcombine_s32(bias, bias);
    }
    products(p, panel, t, rows, acc);
    PARE_NEON_UNROLL for (int i = 0; i < rows / 2; i++)
    {
        const int32x4_t *a = acc[i];

        sums[2 * i] = (pare_q128x4){ first_pixel(a[0], a[1]), first_pixel(a[2], a[3]), first_pixel(a[4], a[5]),
                                     first_pixel(a[6], a[7]) };
        sums[2 * i + 1] = (pare_q128x4){ second_pixel(a[0], a[1]), second_pixel(a[2], a[3]), second_pixel(a[4], a[5]),
                                         second_pixel(a[6], a[7]) };
    }
    pare_qconv_neon_finish(p, panel, t, rows, sums);
}

#define TILE(rows)                                                                                 \
    PARE_I8MM_ISA static void tile_##rows(const pare_qconv_plan *p, const pare_qconv_panel *panel, \
                                          const pare_qconv_tile *t)                                \
    {                                                                                              \
        compute(p, panel, t, rows);                                                                \
    }
TILE(2)
TILE(4)
TILE(6)

void pare_qconv_6x16_i8mm(const pare_qconv_range *r)
{
    static const pare_qconv_neon_height heights[ROWS] = { { 2, tile_2 }, { 2, tile_2 }, { 4, tile_4 },
                                                          { 4, tile_4 }, { 6, tile_6 }, { 6, tile_6 } };

    pare_qconv_neon_run(r, heights, ROWS);
}
#else
typedef int not_arm64;
#endif
