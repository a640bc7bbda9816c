/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lut8_avx2.c - 32 codes at a time by 16 byte shuffles
 *
 * Shuffle h looks up the codes whose high half is h: code ^ (h * 16) is below 16 just for them, so a saturating
 * + 0x70 leaves their top bit clear and sets everyone else's, for which vpshufb gives 0.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include <immintrin.h>

#include "kernels/lut8/lut8.h"

#define ISA __attribute__((target("avx2,fma")))

ISA void pare_lut8_avx2(const uint8_t table[256], const uint8_t *x, uint8_t *y, long n)
{
    long i = 0;

    for (; i + 32 <= n; i += 32) {
        const __m256i q = _mm256_loadu_si256((const __m256i *)(x + i));
        __m256i       found = _mm256_setzero_si256();

        for (int h = 0; h < 16; h++) {
            const __m256i part = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16 * h)));
            const __m256i other = _mm256_xor_si256(q, _mm256_set1_epi8((char)(16 * h)));
            const __m256i index = _mm256_adds_epu8(other, _mm256_set1_epi8(0x70));
            found = _mm256_or_si256(found, _mm256_shuffle_epi8(part, index));
        }
        _mm256_storeu_si256((__m256i *)(y + i), found);
    }
    for (; i < n; i++)
        y[i] = table[x[i]];
}
#else
typedef int not_x86;
#endif
