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
        const __m512    v = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, x + i), scale);
        _mm_mask_storeu_epi8(y + i, mask, _mm512_cvtepi32_epi8(code(v, zero, lo, hi)));
    }
}

ISA void pare_dequantize_avx512vnni(const pare_quantize_params *p, const uint8_t *x, float *y, long n)
{
    const __m512  scale = _mm512_set1_ps(p->scale);
    const __m512i zero = _mm512_set1_epi32(p->zero);

    for (long i = 0; i < n; i += 16) {
        const __mmask16 mask = left(n - i);
        const __m128i   bytes = _mm_maskz_loadu_epi8(mask, x + i);
        const __m512i   q = p->lo < 0 ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes);
        _mm512_mask_storeu_ps(y + i, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(q, zero)), scale));
    }
}

/* The greater of `most` and |x|. NaN loses: vmaxps gives the second operand. */
INLINE __m512 larger(__m512 x, __m512 most)
{
    return _mm512_max_ps(_mm512_abs_ps(x), most);
}

ISA float pare_quantize_largest_avx512vnni(const pare_quantize_pixels *p)
{
    __m512 m0 = _mm512_setzero_ps(), m1 = m0, m2 = m0, m3 = m0;

    for (long i = 0; i < p->n; i++) {
        const float *x = p->x + i * p->x_step;
        long         c = p->channels;

        for (; c >= 64; c -= 64, x += 64) {
            m0 = larger(_mm512_loadu_ps(x), m0);
            m1 = larger(_mm512_loadu_ps(x + 16), m1);
            m2 = larger(_mm512_loadu_ps(x + 32), m2);
            m3 = larger(_mm512_loadu_ps(x + 48), m3);
        }
        for (; c > 0; c -= 16, x += 16)
            m0 = larger(_mm512_maskz_loadu_ps(left(c), x), m0);
    }
    return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(m0, m1), _mm512_max_ps(m2, m3)));
}

ISA void pare_quantize_codes_avx512vnni(const pare_quantize_pixels *p, float a)
{
    /* Where a = 0 the bounds make every code 0. */
    const __m512  inverse = _mm512_set1_ps(127 / a), none = _mm512_setzero_ps();
    const __m512  hi = _mm512_set1_ps(a > 0 ? 127 : 0), lo = _mm512_sub_ps(none, hi);
    const __m512i offset = _mm512_set1_epi32(128);

    for (long i = 0; i < p->n; i++) {
        const float *x = p->x + i * p->x_step;
        uint8_t     *y = p->y + i * p->y_step;
        long         c = p->channels;

        for (; c >= 16; c -= 16, x += 16, y += 16) {
            const __m512i q = code(_mm512_mul_ps(_mm512_loadu_ps(x), inverse), none, lo, hi);
            _mm_storeu_si128((__m128i *)y, _mm512_cvtepi32_epi8(_mm512_add_epi32(q, offset)));
        }
        if (c > 0) {
            const __m512  v = _mm512_mul_ps(_mm512_maskz_loadu_ps(left(c), x), inverse);
            const __m512i q = code(v, none, lo, hi);
            _mm_mask_storeu_epi8(y, left(c), _mm512_cvtepi32_epi8(_mm512_add_epi32(q, offset)));
        }
    }
}
#else
typedef int not_x86;
#endif
