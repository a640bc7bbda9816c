/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_neon.c - 4 pixels x 16 columns, exact, on every 64-bit ARM
 *
 * Bytes are widened to words, and smlal multiplies four columns of one k by one word of a pixel: no pair of products
 * is ever summed in 16 bits, where -128 * -128 twice would not fit. ld4 takes the packed four k of 16 columns apart.
 * Per four k that is 64 smlal beside 1 ld4, 8 widenings of weights, 4 loads and 2 widenings of pixels.
 */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qconv/qconv_neon.h"

/* Four bytes at any address. */
typedef uint32_t __attribute__((aligned(1), may_alias)) four;

/* Four codes of one pixel, or of two, as words. */
PARE_NEON_INLINE int16x8_t load_pixels(const uint8_t *a, const uint8_t *b)
{
    uint32x2_t v = vdup_n_u32(*(const four *)a);

    if (b)
        v = vset_lane_u32(*(const four *)b, v, 1);
    return vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(v)));
}

/* sum += w * x[lane] in 16 columns; compilers want the lane as a constant. */
#define COLUMNS(sum, w, x, lane)                                            \
    ((sum)->v0 = vmlal_laneq_s16((sum)->v0, vget_low_s16((w)[0]), x, lane), \
     (sum)->v1 = vmlal_high_laneq_s16((sum)->v1, (w)[0], x, lane),          \
     (sum)->v2 = vmlal_laneq_s16((sum)->v2, vget_low_s16((w)[1]), x, lane), \
     (sum)->v3 = vmlal_high_laneq_s16((sum)->v3, (w)[1], x, lane))

/* Four k of a pixel in the lower half of x; then of the one in the upper half. */
PARE_NEON_INLINE void lower(pare_q128x4 *sum, int16x8_t w[4][2], int16x8_t x)
{
    COLUMNS(sum, w[0], x, 0);
    COLUMNS(sum, w[1], x, 1);
    COLUMNS(sum, w[2], x, 2);
    COLUMNS(sum, w[3], x, 3);
}

PARE_NEON_INLINE void upper(pare_q128x4 *sum, int16x8_t w[4][2], int16x8_t x)
{
    COLUMNS(sum, w[0], x, 4);
    COLUMNS(sum, w[1], x, 5);
    COLUMNS(sum, w[2], x, 6);
    COLUMNS(sum, w[3], x, 7);
}

PARE_NEON_INLINE void products(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                               const int rows, pare_q128x4 *acc)
{
    const int8_t *w = panel->w;

    for (int s = 0; s < p->n_steps; s++) {
        ptrdiff_t offset = p->steps[s].offset + panel->x_offset;

        for (int k = p->steps[s].fours; k > 0; k--, offset += 4, w += PARE_QCONV_ROW) {
            const int8x16x4_t bytes = vld4q_s8(w);
            int16x8_t         words[4][2];

            PARE_NEON_UNROLL for (int i = 0; i < 4; i++)
            {
                words[i][0] = vmovl_s8(vget_low_s8(bytes.val[i]));
                words[i][1] = vmovl_high_s8(bytes.val[i]);
            }
            PARE_NEON_UNROLL for (int i = 0; i < rows; i += 2)
            {
                const int16x8_t x = load_pixels(t->x[i] + offset, rows > 1 ? t->x[i + 1] + offset : NULL);

                lower(&acc[i], words, x);
                if (rows > 1)
                    upper(&acc[i + 1], words, x);
            }
        }
    }
}

PARE_NEON_INLINE void compute(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                              const int rows)
{
    const int32_t    *b = p->bias + panel->packed;
    const pare_q128x4 bias = { vld1q_s32(b), vld1q_s32(b + 4), vld1q_s32(b + 8), vld1q_s32(b + 12) };
    pare_q128x4       acc[4] = { bias, bias, bias, bias };

    products(p, panel, t, rows, acc);
    pare_qconv_neon_finish(p, panel, t, rows, acc);
}

static void tile_1(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t)
{
    compute(p, panel, t, 1);
}

static void tile_2(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t)
{
    compute(p, panel, t, 2);
}

static void tile_4(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t)
{
    compute(p, panel, t, 4);
}

void pare_qconv_4x16_neon(const pare_qconv_range *r)
{
    static const pare_qconv_neon_height heights[] = { { 1, tile_1 }, { 2, tile_2 }, { 4, tile_4 }, { 4, tile_4 } };

    pare_qconv_neon_run(r, heights, 4);
}
#else
typedef int not_arm64;
#endif
