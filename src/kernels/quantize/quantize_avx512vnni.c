/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_avx512vnni.c - 16 values at a time; tails by masks */
#include "cpu/cpu.h"

#if PARE_X86
#include <immintrin.h>

#include "kernels/quantize/quantize.h"

#define ISA    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define INLINE ISA __attribute__((always_inline)) static inline

INLINE __mmask16 left(long n)
{
    return n >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << n) - 1);
}

/* Rounds, adds zero and clamps; vmaxps gives its second operand, lo, for NaN. */
INLINE __m512i code(__m512 value, __m512 zero, __m512 lo, __m512 hi)
{
    const __m512 r = _mm512_add_ps(_mm512_roundscale_ps(value, _MM_FROUND_TO_NEAREST_INT), zero);

    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(r, lo), hi));
}

ISA void pare_quantize_avx512vnni(const pare_quantize_params *p, const float *x, uint8_t *y, long n)
{
    const __m512 scale = _mm512_set1_ps(p->scale), zero = _mm512_set1_ps((float)p->zero);
    const __m512 lo = _mm512_set1_ps((float)p->lo), hi = _mm512_set1_ps((float)p->hi);

    for (long i = 0; i < n; i += 16) {
        const __mmask16 mask = left(n - i);
        const __m512    v    = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, x + i), scale);
        _mm_mask_storeu_epi8(y + i, mask, _mm512_cvtepi32_epi8(code(v, zero, lo, hi)));
    }
}

ISA void pare_dequantize_avx512vnni(const pare_quantize_params *p, const uint8_t *x, float *y, long n)
{
    const __m512  scale = _mm512_set1_ps(p->scale);
    const __m512i zero  = _mm512_set1_epi32(p->zero);

    for (long i = 0; i < n; i += 16) {
        const __mmask16 mask  = left(n - i);
        const __m128i   bytes = _mm_maskz_loadu_epi8(mask, x + i);
        const __m512i   q     = p->lo < 0 ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
        _mm512_mask_storeu_ps(y + i, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(q, zero)), scale));
    }
}

ISA float pare_quantize_dynamic_avx512vnni(const float *x, uint8_t *y, long n)
{
    __m512 most = _mm512_setzero_ps();

    for (long i = 0; i < n; i += 16) /* NaN loses: vmaxps gives the second operand */
        most = _mm512_max_ps(_mm512_abs_ps(_mm512_maskz_loadu_ps(left(n - i), x + i)), most);

    const float   a       = _mm512_reduce_max_ps(most);
    const __m512  inverse = _mm512_set1_ps(127 / a), hi = _mm512_set1_ps(127), lo = _mm512_set1_ps(-127);
    const __m512i offset  = _mm512_set1_epi32(128);
    for (long i = 0; i < n; i += 16) {
        const __mmask16 mask = left(n - i);
        const __m512    v    = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), inverse);
        const __m512i   q    = a > 0 ? code(v, _mm512_setzero_ps(), lo, hi) : _mm512_setzero_si512();
        _mm_mask_storeu_epi8(y + i, mask, _mm512_cvtepi32_epi8(_mm512_add_epi32(q, offset)));
    }
    return a / 127;
}
#else
typedef int not_x86;
#endif
