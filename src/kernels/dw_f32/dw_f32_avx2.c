/* SPDX-License-Identifier: Apache-2.0 */
/* dw_f32_avx2.c - eight channels of up to eight neighbouring outputs (AVX2, FMA); the trick is dw_f32_avx512vnni.c's */
#include "kernels/dw_f32/dw_f32.h"

#if PARE_X86
#include <immintrin.h>

#define ISA __attribute__((target("avx2,fma")))
#define INLINE __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 32")

enum { PIXELS = 8, LANES = 8, MAX_KW = 5 };

void pare_dw_f32_avx2(const pare_dw_f32_line *t);

/* All ones in the first n lanes. */
ISA INLINE __m256i mask_of(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* v < lo ? lo : v is MAX(lo, v), which gives v when one of them is NaN; v > hi ? hi : v is MIN(hi, v). */
ISA INLINE __m256 clamp(const pare_dw_f32_line *t, __m256 v)
{
    return _mm256_min_ps(_mm256_set1_ps(t->hi), _mm256_max_ps(_mm256_set1_ps(t->lo), v));
}

/* Channels c .. c + 7 of outputs pixel .. pixel + n - 1. kw and stride are 0 where they are not known beforehand. */
ISA INLINE void block(const pare_dw_f32_line *t, int pixel, int c, const int n, const int kw, const int stride)
{
    const bool   full  = t->c - c >= LANES; /* vmaskmov is slow to store on some CPUs: only where it must be */
    const __m256i lanes = mask_of(t->c - c);
    const float    *w     = t->w + c;
    __m256          acc[PIXELS];

    UNROLL for (int i = 0; i < n; i++)
        acc[i] = _mm256_loadu_ps(t->bias + c);
    for (int h = 0; h < t->kh; h++) {
        const float *x = t->x + pixel * t->x_step + h * t->x_row + c;

        if (kw) {
            __m256 taps[MAX_KW];

            UNROLL for (int k = 0; k < kw; k++, w += t->w_tap)
                taps[k] = _mm256_loadu_ps(w);
            UNROLL for (int column = 0; column < (n - 1) * stride + kw; column++, x += t->x_tap) {
                const __m256 in = _mm256_loadu_ps(x);

                UNROLL for (int i = 0; i < n; i++)
                    if (column >= i * stride && column < i * stride + kw)
                        acc[i] = _mm256_fmadd_ps(in, taps[column - i * stride], acc[i]);
            }
        } else {
            for (int k = 0; k < t->kw; k++, w += t->w_tap, x += t->x_tap) {
                const __m256 tap = _mm256_loadu_ps(w);

                UNROLL for (int i = 0; i < n; i++)
                    acc[i] = _mm256_fmadd_ps(_mm256_loadu_ps(x + i * t->x_step), tap, acc[i]);
            }
        }
    }
    UNROLL for (int i = 0; i < n; i++) {
        float *const y = t->y + (pixel + i) * t->y_pixel + c;

        if (t->r)
            acc[i] = _mm256_add_ps(acc[i], _mm256_maskload_ps(t->r + (pixel + i) * t->r_pixel + c, lanes));
        if (full)
            _mm256_storeu_ps(y, clamp(t, acc[i]));
        else
            _mm256_maskstore_ps(y, lanes, clamp(t, acc[i]));
    }
}

ISA INLINE void pixels(const pare_dw_f32_line *t, int pixel, const int n, const int kw, const int stride)
{
    for (int c = 0; c < t->c; c += LANES)
        block(t, pixel, c, n, kw, stride);
}

typedef void pixels_fn(const pare_dw_f32_line *t, int pixel);

#define PIXELS_FN(n, kw, stride)                                                       \
    ISA static void pixels_##n##_##kw##_##stride(const pare_dw_f32_line *t, int pixel) \
    {                                                                                  \
        pixels(t, pixel, n, kw, stride);                                               \
    }
#define EACH(X, kw, s) X(1, kw, s) X(2, kw, s) X(3, kw, s) X(4, kw, s) X(5, kw, s) X(6, kw, s) X(7, kw, s) X(8, kw, s)
EACH(PIXELS_FN, 0, 0)
EACH(PIXELS_FN, 3, 1)
EACH(PIXELS_FN, 3, 2)
EACH(PIXELS_FN, 5, 1)
EACH(PIXELS_FN, 5, 2)

#define NAME(n, kw, stride) pixels_##n##_##kw##_##stride,
static const struct {
    int        kw;
    int        stride;
    pixels_fn *run[PIXELS];
} shapes[] = {
    { 3, 1, { EACH(NAME, 3, 1) } },
    { 3, 2, { EACH(NAME, 3, 2) } },
    { 5, 1, { EACH(NAME, 5, 1) } },
    { 5, 2, { EACH(NAME, 5, 2) } },
    { 0, 0, { EACH(NAME, 0, 0) } }, /* the others; last */
};

void pare_dw_f32_avx2(const pare_dw_f32_line *t)
{
    const int blocks = (t->n + PIXELS - 1) / PIXELS;
    int       shape  = 0;

    while (shapes[shape].kw && (shapes[shape].kw != t->kw || shapes[shape].stride * t->x_tap != t->x_step))
        shape++;
    for (int i = 0; i < blocks; i++) {
        const int pixel = t->n * i / blocks;
        const int n     = t->n * (i + 1) / blocks - pixel;

        shapes[shape].run[n - 1](t, pixel);
    }
}
#endif
