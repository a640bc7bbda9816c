/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_neon.c - 16 codes at a time; the differences fit words, their products dwords */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qconv/qepilogue_neon.h"
#include "kernels/qmul/qmul.h"

/* rint(product * m + zy), each operation rounded. */
PARE_NEON_INLINE int32x4_t scale_4(const pare_qmul_params *p, int32x4_t product)
{
    const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(product), vdupq_n_f32(p->m));

    return vcvtnq_s32_f32(vaddq_f32(scaled, vdupq_n_f32((float)p->zy)));
}

PARE_NEON_INLINE uint8x16_t multiply_16(const pare_qmul_params *p, uint8x16_t a, uint8x16_t b)
{
    const uint8x16_t za = vdupq_n_u8((uint8_t)p->za), zb = vdupq_n_u8((uint8_t)p->zb);
    const int16x8_t  a0 = vreinterpretq_s16_u16(vsubl_u8(vget_low_u8(a), vget_low_u8(za)));
    const int16x8_t  a1 = vreinterpretq_s16_u16(vsubl_high_u8(a, za));
    const int16x8_t  b0 = vreinterpretq_s16_u16(vsubl_u8(vget_low_u8(b), vget_low_u8(zb)));
    const int16x8_t  b1 = vreinterpretq_s16_u16(vsubl_high_u8(b, zb));

    const pare_q128x4 v = {
        scale_4(p, vmull_s16(vget_low_s16(a0), vget_low_s16(b0))),
        scale_4(p, vmull_high_s16(a0, b0)),
        scale_4(p, vmull_s16(vget_low_s16(a1), vget_low_s16(b1))),
        scale_4(p, vmull_high_s16(a1, b1)),
    };
    return pare_q128_pack(v, vdupq_n_s16(0), vdupq_n_u8((uint8_t)p->lo), vdupq_n_u8((uint8_t)p->hi));
}

void pare_qmul_neon(const pare_qmul_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    const pare_qmul_params copy = *p; /* stores to y cannot alias it */
    const uint8x16_t       scalar = vdupq_n_u8(n > 0 ? *b : 0);
    long                   i = 0;

    for (; i + 16 <= n; i += 16)
        vst1q_u8(y + i, multiply_16(&copy, vld1q_u8(a + i), b_step ? vld1q_u8(b + i) : scalar));
    if (i < n) {
        const int left = (int)(n - i);
        pare_q128_save(y + i, left,
                       multiply_16(&copy, pare_q128_load(a + i, left), b_step ? pare_q128_load(b + i, left) : scalar));
    }
}

void pare_qmul_gate_neon(const pare_qmul_params *p, const pare_qmul_gated *g)
{
    for (long i = 0; i < g->pixels; i++)
        pare_qmul_neon(p, g->a + i * g->a_pixel, g->b, 1, g->y + i * g->y_pixel, g->channels);
}
#else
typedef int not_arm64;
#endif
