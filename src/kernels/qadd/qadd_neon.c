/* SPDX-License-Identifier: Apache-2.0 */
/* qadd_neon.c - 16 codes at a time */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qadd/qadd.h"
#include "kernels/qconv/qepilogue_neon.h"

PARE_NEON_INLINE int32x4_t add_4(const pare_qadd_params *p, int32x4_t a, int32x4_t b)
{
    const float32x4_t inner = vfmaq_f32(vdupq_n_f32(p->k), vcvtq_f32_s32(b), vdupq_n_f32(p->rb));

    return vcvtnq_s32_f32(vfmaq_f32(inner, vcvtq_f32_s32(a), vdupq_n_f32(p->ra)));
}

PARE_NEON_INLINE uint8x16_t add_16(const pare_qadd_params *p, uint8x16_t a, uint8x16_t b)
{
    const pare_q128x4 va = pare_q128_unpack(a), vb = pare_q128_unpack(b);
    const pare_q128x4 v = { add_4(p, va.v0, vb.v0), add_4(p, va.v1, vb.v1), add_4(p, va.v2, vb.v2),
                            add_4(p, va.v3, vb.v3) };

    return pare_q128_pack(v, vdupq_n_s16(0), vdupq_n_u8((uint8_t)p->lo), vdupq_n_u8((uint8_t)p->hi));
}

void pare_qadd_neon(const pare_qadd_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    const pare_qadd_params copy = *p; /* stores to y cannot alias it */
    const uint8x16_t       scalar = vdupq_n_u8(n > 0 ? *b : 0);
    long                   i = 0;

    for (; i + 16 <= n; i += 16)
        vst1q_u8(y + i, add_16(&copy, vld1q_u8(a + i), b_step ? vld1q_u8(b + i) : scalar));
    if (i < n) {
        const int left = (int)(n - i);
        pare_q128_save(y + i, left,
                       add_16(&copy, pare_q128_load(a + i, left), b_step ? pare_q128_load(b + i, left) : scalar));
    }
}
#else
typedef int not_arm64;
#endif
