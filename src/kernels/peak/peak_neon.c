/* SPDX-License-Identifier: Apache-2.0 */
/* peak_neon.c - smull and sadalp, which is how an exact sum is made without sdot, and fmla: 8 and 4 multiply-adds each */
#include "kernels/peak/peak.h"

#if PARE_ARM64
#include "kernels/neon.h"

/* So that the product of the same two is not made once for all. */
static inline int8x16_t opaque(int8x16_t x)
{
    __asm__ volatile("" : "+w"(x));
    return x;
}

int pare_peak_int8_neon(long n)
{
    const int8x16_t x = vdupq_n_s8((int8_t)n), w = vdupq_n_s8((int8_t)(n + 1));
    int32x4_t       sum[PARE_PEAK_SUMS];
    int             all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = vdupq_n_s32(i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = vpadalq_s16(sum[i], vmull_s8(vget_low_s8(opaque(x)), vget_low_s8(w)));
            __asm__ volatile("" : "+w"(sum[i]));
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all ^= vgetq_lane_s32(sum[i], 0);
    return all;
}

int pare_peak_f32_neon(long n)
{
    const float32x4_t x = vdupq_n_f32((float)n), w = vdupq_n_f32(0.5f);
    float32x4_t       sum[PARE_PEAK_SUMS];
    float             all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = vdupq_n_f32((float)i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = vfmaq_f32(x, sum[i], w);
            __asm__ volatile("" : "+w"(sum[i]));
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all += vgetq_lane_f32(sum[i], 0);
    return all > 1;
}
#endif
