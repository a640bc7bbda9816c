/* SPDX-License-Identifier: Apache-2.0 */
/* zip8_avx2.c - 16 channels by one pair of unpacks; the last step of a pixel goes back so far that it is whole */
#include "cpu/cpu.h"

#if PARE_X86
#include <immintrin.h>

#include "kernels/zip8/zip8.h"

#define ISA __attribute__((target("avx2,fma")))

enum { WIDE = 16, NARROW = 8 };

ISA static inline void zip_wide(const uint8_t *a, const uint8_t *b, uint8_t *y)
{
    const __m128i va = _mm_loadu_si128((const __m128i *)a), vb = _mm_loadu_si128((const __m128i *)b);

    _mm_storeu_si128((__m128i *)y, _mm_unpacklo_epi8(va, vb));
    _mm_storeu_si128((__m128i *)(y + WIDE), _mm_unpackhi_epi8(va, vb));
}

ISA static inline void zip_narrow(const uint8_t *a, const uint8_t *b, uint8_t *y)
{
    const __m128i va = _mm_loadl_epi64((const __m128i *)a), vb = _mm_loadl_epi64((const __m128i *)b);

    _mm_storeu_si128((__m128i *)y, _mm_unpacklo_epi8(va, vb));
}

ISA static inline void zip_pixel(const uint8_t *a, const uint8_t *b, uint8_t *y, long n)
{
    long c = 0;

    if (n < NARROW) {
        for (; c < n; c++) {
            y[2 * c] = a[c];
            y[2 * c + 1] = b[c];
        }
    } else if (n < WIDE) {
        zip_narrow(a, b, y);
        zip_narrow(a + n - NARROW, b + n - NARROW, y + 2 * (n - NARROW));
    } else {
        for (; c + WIDE <= n; c += WIDE)
            zip_wide(a + c, b + c, y + 2 * c);
        if (c < n)
            zip_wide(a + n - WIDE, b + n - WIDE, y + 2 * (n - WIDE));
    }
}

ISA void pare_zip8_avx2(const pare_zip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        zip_pixel(g->a + i * g->a_pixel, g->b + i * g->b_pixel, g->y + i * g->y_pixel, g->channels);
}
/* Of 8 pairs the first or second bytes, as words. */
ISA static inline __m128i bytes_of(const uint8_t *x, bool second)
{
    const __m128i pairs = _mm_loadu_si128((const __m128i *)x);

    return second ? _mm_srli_epi16(pairs, 8) : _mm_and_si128(pairs, _mm_set1_epi16(0xff));
}

ISA static inline void unzip_wide(const uint8_t *x, uint8_t *y, bool second)
{
    _mm_storeu_si128((__m128i *)y, _mm_packus_epi16(bytes_of(x, second), bytes_of(x + WIDE, second)));
}

ISA static inline void unzip_narrow(const uint8_t *x, uint8_t *y, bool second)
{
    const __m128i words = bytes_of(x, second);

    _mm_storel_epi64((__m128i *)y, _mm_packus_epi16(words, words));
}

ISA static inline void unzip_pixel(const uint8_t *x, uint8_t *y, long n, bool second)
{
    long c = 0;

    if (n < NARROW) {
        for (; c < n; c++)
            y[c] = x[2 * c + second];
    } else if (n < WIDE) {
        unzip_narrow(x, y, second);
        unzip_narrow(x + 2 * (n - NARROW), y + n - NARROW, second);
    } else {
        for (; c + WIDE <= n; c += WIDE)
            unzip_wide(x + 2 * c, y + c, second);
        if (c < n)
            unzip_wide(x + 2 * (n - WIDE), y + n - WIDE, second);
    }
}

ISA void pare_unzip8_avx2(const pare_unzip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        unzip_pixel(g->x + i * g->x_pixel, g->y + i * g->y_pixel, g->channels, g->second);
}
#else
typedef int not_x86;
#endif
