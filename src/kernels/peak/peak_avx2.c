/* SPDX-License-Identifier: Apache-2.0 */
/* peak_avx2.c - vpmaddwd with vpaddd, which is how an exact sum is made of bytes, and vfmadd: 16 and 8 multiply-adds each */
#include "kernels/peak/peak.h"

#if PARE_X86
#include <immintrin.h>

#define ISA __attribute__((target("avx2,fma")))

/* So that the product of the same two is not made once for all. */
ISA static inline __m256i opaque(__m256i x)
{
    __asm__ volatile("" : "+x"(x));
    return x;
}

ISA int pare_peak_int8_avx2(long n)
{
    const __m256i x = _mm256_set1_epi32((int)n), w = _mm256_set1_epi32((int)n + 1);
    __m256i       sum[PARE_PEAK_SUMS];
    int           all = 0;

    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) sum[i] = _mm256_set1_epi32(i);
    for (long round = 0; round < n; round++)
        PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++)
        {
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(opaque(x), w));
            __asm__ volatile("" : "+x"(sum[i])); /* each round anew, in a register */
        }
    PARE_PEAK_UNROLL for (int i = 0; i < PARE_PEAK_SUMS; i++) all ^= _mm256_extract_epi32(sum[i], 0);
    return all;
}

ISA int pare_peak_f32_avx2(long n)
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
