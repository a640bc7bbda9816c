/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_avx2.c - 8 values at a time; tails through the reference; quotients as in quantize_avx512vnni.c */
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
    const __m256i low = _mm256_and_si256(q, _mm256_set1_epi32(0xff));
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));

    _mm_storel_epi64((__m128i *)y, _mm_packus_epi16(words, words));
}

typedef struct divisor {
    __m256  scale, inverse;
    __m256  least, most; /* numbers of the codes lo and hi: what lies beyond becomes those */
    __m256i zero;
    bool    quick;
} divisor;

INLINE divisor divisor_of(const pare_quantize_params *p)
{
    return (divisor){ _mm256_set1_ps(p->scale),
                      _mm256_set1_ps(1 / p->scale),
                      _mm256_set1_ps((float)(p->lo - p->zero) * p->scale),
                      _mm256_set1_ps((float)(p->hi - p->zero) * p->scale),
                      _mm256_set1_epi32(p->zero),
                      p->scale >= 0x1p-100f && p->scale <= 0x1p100f };
}

/* vmaxps gives its second operand for NaN, so that becomes lo. */
INLINE __m256i quick_code(const divisor *d, __m256 x)
{
    const __m256 v = _mm256_min_ps(_mm256_max_ps(x, d->least), d->most);
    __m256       q = _mm256_mul_ps(v, d->inverse);

    q = _mm256_fmadd_ps(_mm256_fnmadd_ps(q, d->scale, v), d->inverse, q);
    q = _mm256_fmadd_ps(_mm256_fnmadd_ps(q, d->scale, v), d->inverse, q);
    return _mm256_add_epi32(_mm256_cvtps_epi32(q), d->zero);
}

INLINE __m256i codes_of(const pare_quantize_params *p, const divisor *d, __m256 x)
{
    if (d->quick)
        return quick_code(d, x);
    return code(_mm256_div_ps(x, d->scale), _mm256_set1_ps((float)p->zero), _mm256_set1_ps((float)p->lo),
                _mm256_set1_ps((float)p->hi));
}

ISA void pare_quantize_avx2(const pare_quantize_params *params, const float *x, uint8_t *y, long n)
{
    const pare_quantize_params p = *params;
    const divisor              d = divisor_of(&p);
    long                       i = 0;

    for (; i + 8 <= n; i += 8)
        store_bytes(y + i, codes_of(&p, &d, _mm256_loadu_ps(x + i)));
    pare_quantize_ref(&p, x + i, y + i, n - i);
}

/* 8 pixels at a time: a channel's codes are a byte of each dword. */
ISA void pare_quantize_pixel4_avx2(const pare_quantize_planar_desc *desc, const float *x, uint8_t *y, long n)
{
    const pare_quantize_planar_desc d = *desc;
    const divisor                   by = divisor_of(&d.params);
    long                            i = 0;

    for (; i + 8 <= n; i += 8) {
        __m256i pixels = _mm256_setzero_si256();

        for (int c = d.channels - 1; c >= 0; c--) {
            const __m256i q = codes_of(&d.params, &by, _mm256_loadu_ps(x + c * d.plane + i));
            pixels = _mm256_or_si256(_mm256_slli_epi32(pixels, 8), _mm256_and_si256(q, _mm256_set1_epi32(0xff)));
        }
        _mm256_storeu_si256((__m256i *)(y + 4 * i), pixels);
    }
    pare_quantize_pixel4_ref(&d, x + i, y + 4 * i, n - i);
}

ISA void pare_dequantize_avx2(const pare_quantize_params *p, const uint8_t *x, float *y, long n)
{
    const pare_quantize_params copy = *p;
    const __m256               scale = _mm256_set1_ps(copy.scale);
    const __m256i              zero = _mm256_set1_epi32(copy.zero);
    long                       i = 0;

    for (; i + 8 <= n; i += 8) {
        const __m128i bytes = _mm_loadl_epi64((const __m128i *)(x + i));
        const __m256i q = copy.lo < 0 ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
        _mm256_storeu_ps(y + i, _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(q, zero)), scale));
    }
    pare_dequantize_ref(&copy, x + i, y + i, n - i);
}

/* The lanes below n. */
INLINE __m256i left(long n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* The greater of `most` and |x|. NaN loses: vmaxps gives the second operand. */
INLINE __m256 larger(__m256 x, __m256 most)
{
    return _mm256_max_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x), most);
}

ISA float pare_quantize_largest_avx2(const pare_quantize_pixels *p)
{
    __m256 m0 = _mm256_setzero_ps(), m1 = m0;
    float  lanes[8], a = 0;

    for (long i = 0; i < p->n; i++) {
        const float *x = p->x + i * p->x_step;
        long         c = p->channels;

        for (; c >= 16; c -= 16, x += 16) {
            m0 = larger(_mm256_loadu_ps(x), m0);
            m1 = larger(_mm256_loadu_ps(x + 8), m1);
        }
        if (c >= 8) {
            m0 = larger(_mm256_loadu_ps(x), m0);
            c -= 8, x += 8;
        }
        if (c > 0)
            m1 = larger(_mm256_maskload_ps(x, left(c)), m1);
    }
    _mm256_storeu_ps(lanes, _mm256_max_ps(m0, m1));
    for (int i = 0; i < 8; i++)
        a = lanes[i] > a ? lanes[i] : a;
    return a;
}

ISA void pare_quantize_codes_avx2(const pare_quantize_pixels *p, float a)
{
    /* Where a = 0 the bounds make every code 0. */
    const __m256  inverse = _mm256_set1_ps(127 / a), none = _mm256_setzero_ps();
    const __m256  hi = _mm256_set1_ps(a > 0 ? 127 : 0), lo = _mm256_sub_ps(none, hi);
    const __m256i offset = _mm256_set1_epi32(128);

    for (long i = 0; i < p->n; i++) {
        const float *x = p->x + i * p->x_step;
        uint8_t     *y = p->y + i * p->y_step;
        long         c = p->channels;

        for (; c >= 8; c -= 8, x += 8, y += 8)
            store_bytes(y, _mm256_add_epi32(code(_mm256_mul_ps(_mm256_loadu_ps(x), inverse), none, lo, hi), offset));
        if (c > 0) {
            const __m256 v = _mm256_mul_ps(_mm256_maskload_ps(x, left(c)), inverse);
            uint8_t      codes[8];
            store_bytes(codes, _mm256_add_epi32(code(v, none, lo, hi), offset));
            for (long j = 0; j < c; j++)
                y[j] = codes[j];
        }
    }
}
#else
typedef int not_x86;
#endif
