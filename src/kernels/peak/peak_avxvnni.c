/* SPDX-License-Identifier: Apache-2.0 */
/* peak_avxvnni.c - vpdpbusd and vfmadd on 256 bits: 32 and 8 multiply-adds each */
#include "kernels/peak/peak.h"

#if PARE_X86
#include "kernels/avxvnni.h"

#define ISA PARE_AVXVNNI_ISA

ISA int pare_peak_int8_avxvnni(long n)
{
    const __m256i x = _mm256_set1_epi32((int)n), w = _mm256_set1_epi32((int)n + 1);
    __m256i       sum[PARE_PEAK_SUMS];
    int           all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = _mm256_set1_epi32(i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = pare_dpbusd_256(sum[i], x, w);
            __asm__ volatile("" : "+x"(sum[i])); /* each round anew, in a register */
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all ^= _mm256_extract_epi32(sum[i], 0);
    return all;
}

ISA int pare_peak_f32_avxvnni(long n)
{
    const __m256 x = _mm256_set1_ps((float)n), w = _mm256_set1_ps(0.5f);
    __m256       sum[PARE_PEAK_SUMS];
    float        all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = _mm256_set1_ps((float)i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = _mm256_fmadd_ps(sum[i], w, x);
            __asm__ volatile("" : "+x"(sum[i]));
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all += _mm256_cvtss_f32(sum[i]);
    return all > 1;
}
#endif
