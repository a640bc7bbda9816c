/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip8_avx512vnni.c - 32 channels widened to words, those of b in the upper byte
 *
 * The last step of a pixel goes back so far that it is whole: masked stores are slow on some processors, and only pixels
 * of less than 16 channels need them.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include <immintrin.h>

#include "kernels/zip8/zip8.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

enum { WIDE = 32, NARROW = 16 };

ISA static inline void zip_wide(const uint8_t *a, const uint8_t *b, uint8_t *y)
{
    const __m512i low = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)a));
    const __m512i high = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)b));

    _mm512_storeu_si512(y, _mm512_or_si512(low, _mm512_slli_epi16(high, 8)));
}

ISA static inline __m256i zip_16(__m128i a, __m128i b)
{
    return _mm256_or_si256(_mm256_cvtepu8_epi16(a), _mm256_slli_epi16(_mm256_cvtepu8_epi16(b), 8));
}

ISA static inline void zip_narrow(const uint8_t *a, const uint8_t *b, uint8_t *y)
{
    _mm256_storeu_si256((__m256i *)y, zip_16(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b)));
}

/* Fewer than 16 channels. */
ISA static inline void zip_few(const uint8_t *a, const uint8_t *b, uint8_t *y, long n)
{
    const __mmask16 in = (__mmask16)((1u << n) - 1);
    const __mmask32 out = (__mmask32)((UINT64_C(1) << 2 * n) - 1);

    _mm256_mask_storeu_epi8(y, out, zip_16(_mm_maskz_loadu_epi8(in, a), _mm_maskz_loadu_epi8(in, b)));
}

ISA static inline void zip_pixel(const uint8_t *a, const uint8_t *b, uint8_t *y, long n)
{
    if (n < NARROW) {
        zip_few(a, b, y, n);
    } else if (n < WIDE) {
        zip_narrow(a, b, y);
        zip_narrow(a + n - NARROW, b + n - NARROW, y + 2 * (n - NARROW));
    } else {
        long c = 0;

        for (; c + WIDE <= n; c += WIDE)
            zip_wide(a + c, b + c, y + 2 * c);
        if (c < n)
            zip_wide(a + n - WIDE, b + n - WIDE, y + 2 * (n - WIDE));
    }
}

ISA void pare_zip8_avx512vnni(const pare_zip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        zip_pixel(g->a + i * g->a_pixel, g->b + i * g->b_pixel, g->y + i * g->y_pixel, g->channels);
}
ISA static inline void unzip_wide(const uint8_t *x, uint8_t *y, bool second)
{
    const __m512i pairs = _mm512_loadu_si512(x);

    _mm256_storeu_si256((__m256i *)y, _mm512_cvtepi16_epi8(second ? _mm512_srli_epi16(pairs, 8) : pairs));
}

ISA static inline void unzip_narrow(const uint8_t *x, uint8_t *y, bool second)
{
    const __m256i pairs = _mm256_loadu_si256((const __m256i *)x);

    _mm_storeu_si128((__m128i *)y, _mm256_cvtepi16_epi8(second ? _mm256_srli_epi16(pairs, 8) : pairs));
}

/* Fewer than 16 channels. */
ISA static inline void unzip_few(const uint8_t *x, uint8_t *y, long n, bool second)
{
    const __m256i pairs = _mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), x);

    _mm_mask_storeu_epi8(y, (__mmask16)((1u << n) - 1),
                         _mm256_cvtepi16_epi8(second ? _mm256_srli_epi16(pairs, 8) : pairs));
}

ISA static inline void unzip_pixel(const uint8_t *x, uint8_t *y, long n, bool second)
{
    if (n < NARROW) {
        unzip_few(x, y, n, second);
    } else if (n < WIDE) {
        unzip_narrow(x, y, second);
        unzip_narrow(x + 2 * (n - NARROW), y + n - NARROW, second);
    } else {
        long c = 0;

        for (; c + WIDE <= n; c += WIDE)
            unzip_wide(x + 2 * c, y + c, second);
        if (c < n)
            unzip_wide(x + 2 * (n - WIDE), y + n - WIDE, second);
    }
}

ISA void pare_unzip8_avx512vnni(const pare_unzip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        unzip_pixel(g->x + i * g->x_pixel, g->y + i * g->y_pixel, g->channels, g->second);
}
#else
typedef int not_x86;
#endif
