/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantize_avx512vnni.c - 16 values at a time; tails by masks
 *
 * Quotients x / scale come from the reciprocal y of the scale, rounded: q0 = x y, and twice q' = q + (x - q scale) y
 * with fused operations. The first step makes q the true quotient rounded one way or the other, the second rounds it
 * correctly (Markstein), as long as nothing under- or overflows: scales far from 1 are divided by. Clamping comes first:
 * the numbers of the codes lo and hi divide to within half a code of themselves.
 */
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

typedef struct divisor {
    __m512  scale, inverse;
    __m512  least, most; /* numbers of the codes lo and hi: what lies beyond becomes those */
    __m512i zero;
    bool    quick;
} divisor;

INLINE divisor divisor_of(const pare_quantize_params *p)
{
    return (divisor){ _mm512_set1_ps(p->scale),
                      _mm512_set1_ps(1 / p->scale),
                      _mm512_set1_ps((float)(p->lo - p->zero) * p->scale),
                      _mm512_set1_ps((float)(p->hi - p->zero) * p->scale),
                      _mm512_set1_epi32(p->zero),
                      p->scale >= 0x1p-100f && p->scale <= 0x1p100f };
}

/* vmaxps gives its second operand for NaN, so that becomes lo. */
INLINE __m512i quick_code(const divisor *d, __m512 x)
{
    const __m512 v = _mm512_min_ps(_mm512_max_ps(x, d->least), d->most);
    __m512       q = _mm512_mul_ps(v, d->inverse);

    q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, d->scale, v), d->inverse, q);
    q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, d->scale, v), d->inverse, q);
    return _mm512_add_epi32(_mm512_cvtps_epi32(q), d->zero);
}

INLINE __m512i code_of(const pare_quantize_params *p, const divisor *d, __m512 x)
{
    if (d->quick)
        return quick_code(d, x);
    return code(_mm512_div_ps(x, d->scale), _mm512_set1_ps((float)p->zero), _mm512_set1_ps((float)p->lo),
                _mm512_set1_ps((float)p->hi));
}

ISA void pare_quantize_avx512vnni(const pare_quantize_params *params, const float *x, uint8_t *y, long n)
{
    const pare_quantize_params p = *params;
    const divisor              d = divisor_of(&p);
    long                       i = 0;

    for (; i + 16 <= n; i += 16)
        _mm_storeu_si128((__m128i *)(y + i), _mm512_cvtepi32_epi8(code_of(&p, &d, _mm512_loadu_ps(x + i))));
    if (i < n) {
        const __m512i q = code_of(&p, &d, _mm512_maskz_loadu_ps(left(n - i), x + i));
        _mm_mask_storeu_epi8(y + i, left(n - i), _mm512_cvtepi32_epi8(q));
    }
}

/* 16 pixels: a channel's codes are a byte of each dword. */
INLINE __m512i pixels_16(const pare_quantize_planar_desc *d, const divisor *by, int channels, const float *x,
                         __mmask16 mask)
{
    const __m512i byte = _mm512_set1_epi32(0xff);
    __m512i       pixels = _mm512_setzero_si512();

    for (int c = channels - 1; c >= 0; c--) {
        const __m512  v = _mm512_maskz_loadu_ps(mask, x + c * d->plane);
        const __m512i q = _mm512_and_si512(code_of(&d->params, by, v), byte);

        pixels = _mm512_or_si512(_mm512_slli_epi32(pixels, 8), q);
    }
    return pixels;
}

INLINE void pixels_all(const pare_quantize_planar_desc *d, int channels, const float *x, uint8_t *y, long n)
{
    const divisor by = divisor_of(&d->params);
    long          i = 0;

    for (; i + 16 <= n; i += 16)
        _mm512_storeu_si512(y + 4 * i, pixels_16(d, &by, channels, x + i, 0xffff));
    if (i < n)
        _mm512_mask_storeu_epi32(y + 4 * i, left(n - i), pixels_16(d, &by, channels, x + i, left(n - i)));
}

/* Colour pictures have a loop of their own. */
ISA void pare_quantize_pixel4_avx512vnni(const pare_quantize_planar_desc *desc, const float *x, uint8_t *y, long n)
{
    const pare_quantize_planar_desc d = *desc;

    if (d.channels == 3)
        pixels_all(&d, 3, x, y, n);
    else
        pixels_all(&d, d.channels, x, y, n);
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
