/* SPDX-License-Identifier: Apache-2.0 */
/* peak_avx512vnni.c - vpdpbusd and vfmadd on 512 bits: 64 and 16 multiply-adds each */
#include "kernels/peak/peak.h"

#if PARE_X86
#include <immintrin.h>

#define ISA __attribute__((target("avx512f,avx512bw,avx512vnni")))

ISA int pare_peak_int8_avx512vnni(long n)
{
    const __m512i x = _mm512_set1_epi32((int)n), w = _mm512_set1_epi32((int)n + 1);
    __m512i       sum[PARE_PEAK_SUMS];
    int           all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = _mm512_set1_epi32(i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = _mm512_dpbusd_epi32(sum[i], x, w);
            __asm__ volatile("" : "+v"(sum[i])); /* each round anew, in a register */
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all ^= _mm512_cvtsi512_si32(sum[i]);
    return all;
}

ISA int pare_peak_f32_avx512vnni(long n)
{
    const __m512 x = _mm512_set1_ps((float)n), w = _mm512_set1_ps(0.5f);
    __m512       sum[PARE_PEAK_SUMS];
    float        all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = _mm512_set1_ps((float)i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = _mm512_fmadd_ps(sum[i], w, x);
            __asm__ volatile("" : "+v"(sum[i]));
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all += _mm512_cvtss_f32(sum[i]);
    return all > 1;
}
#endif
