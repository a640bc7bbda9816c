/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_avx2.c - 8 values at a time; tails through the reference */
#include "cpu/cpu.h"

#if PARE_X86
#include <immintrin.h>
#include <math.h>

#include "kernels/quantize/quantize.h"

#define ISA    __attribute__((target("avx2,fma")))
#define INLINE ISA __attribute__((always_inline)) static inline

/* Rounds, adds zero and clamps; vmaxps gives its second operand, lo, for NaN. */
INLINE __m256i code(__m256 value, __m256 zero, __m256 lo, __m256 hi)
{
    const __m256 r = _mm256_add_ps(_mm256_round_ps(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), zero);

    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(r, lo), hi));
}

/* The low bytes of 8 dwords. */
INLINE void store_bytes(uint8_t *y, __m256i q)
{
    const __m256i low   = _mm256_and_si256(q, _mm256_set1_epi32(0xff));
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));

    _mm_storel_epi64((__m128i *)y, _mm_packus_epi16(words, words));
}

ISA void pare_quantize_avx2(const pare_quantize_params *p, const float *x, uint8_t *y, long n)
{
    const __m256 scale = _mm256_set1_ps(p->scale), zero = _mm256_set1_ps((float)p->zero);
    const __m256 lo = _mm256_set1_ps((float)p->lo), hi = _mm256_set1_ps((float)p->hi);
    long         i = 0;

    for (; i + 8 <= n; i += 8)
        store_bytes(y + i, code(_mm256_div_ps(_mm256_loadu_ps(x + i), scale), zero, lo, hi));
    pare_quantize_ref(p, x + i, y + i, n - i);
}

ISA void pare_dequantize_avx2(const pare_quantize_params *p, const uint8_t *x, float *y, long n)
{
    const pare_quantize_params copy  = *p;
    const __m256               scale = _mm256_set1_ps(copy.scale);
    const __m256i              zero  = _mm256_set1_epi32(copy.zero);
    long                       i     = 0;

    for (; i + 8 <= n; i += 8) {
        const __m128i bytes = _mm_loadl_epi64((const __m128i *)(x + i));
        const __m256i q     = copy.lo < 0 ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
        _mm256_storeu_ps(y + i, _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(q, zero)), scale));
    }
    pare_dequantize_ref(&copy, x + i, y + i, n - i);
}

/* max|x| of all but the last n % 8 values, 8 at a time. */
INLINE float largest(const float *x, long n)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256       most = _mm256_setzero_ps();
    float        lanes[8], a = 0;

    for (long i = 0; i + 8 <= n; i += 8) /* NaN loses: vmaxps gives the second operand */
        most = _mm256_max_ps(_mm256_andnot_ps(sign, _mm256_loadu_ps(x + i)), most);
    _mm256_storeu_ps(lanes, most);
    for (int i = 0; i < 8; i++)
        a = lanes[i] > a ? lanes[i] : a;
    return a;
}

ISA float pare_quantize_dynamic_avx2(const float *x, uint8_t *y, long n)
{
    float a = largest(x, n);

    for (long i = n / 8 * 8; i < n; i++)
        a = fabsf(x[i]) > a ? fabsf(x[i]) : a;

    const __m256 inverse = _mm256_set1_ps(127 / a), hi = _mm256_set1_ps(127), lo = _mm256_set1_ps(-127);
    float        tail[8];
    uint8_t      codes[8] = { 0 };
    for (long i = 0; i < n; i += 8) {
        const int    count = n - i < 8 ? (int)(n - i) : 8;
        const float *from  = x + i;
        if (count < 8) {
            for (int j = 0; j < 8; j++)
                tail[j] = j < count ? x[i + j] : 0;
            from = tail;
        }
        __m256i q = code(_mm256_mul_ps(_mm256_loadu_ps(from), inverse), _mm256_setzero_ps(), lo, hi);
        q         = _mm256_add_epi32(a > 0 ? q : _mm256_setzero_si256(), _mm256_set1_epi32(128));
        store_bytes(count < 8 ? codes : y + i, q);
        for (int j = 0; count < 8 && j < count; j++)
            y[i + j] = codes[j];
    }
    return a / 127;
}
#else
typedef int not_x86;
#endif
