/* SPDX-License-Identifier: Apache-2.0 */
/* dw_f32_avx2.c - eight channels of up to eight neighbouring outputs (AVX2, FMA); the trick is dw_f32_avx512vnni.c's */
#include "kernels/dw_f32/dw_f32.h"

#if PARE_X86
#include <immintrin.h>

#define ISA    __attribute__((target("avx2,fma")))
#define INLINE __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 32")

enum { PIXELS = 8, LANES = 8, MAX_KW = 5 };

void pare_dw_f32_avx2(const pare_dw_f32_line *t);

/* All ones in the first n lanes. */
ISA INLINE __m256i mask_of(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* Loads stay loads: a compiler that folds one into each of its products loses what sharing it has won. */
ISA INLINE __m256 load_once(const float *src)
{
    __m256 v = _mm256_loadu_ps(src);

    __asm__("" : "+x"(v));
    return v;
}

/* The sums of LANES channels of the first `n` outputs. kw and stride (in taps) are 0 where not known beforehand. */
ISA INLINE void chains(const pare_dw_f32_line *t, int c, const int n, const int kw, const int stride,
                       __m256 acc[PIXELS])
{
    const float *w = t->w + c;

    UNROLL for (int i = 0; i < n; i++) acc[i] = _mm256_loadu_ps(t->bias + c);
    for (int h = 0; h < t->kh; h++) {
        const float *x = t->x + h * t->x_row + c;

        if (kw) {
            __m256 taps[MAX_KW];

            UNROLL for (int k = 0; k < kw; k++, w += t->w_tap) taps[k] = _mm256_loadu_ps(w);
            UNROLL for (int column = 0; column < (n - 1) * stride + kw; column++, x += t->x_tap)
            {
                const __m256 in = load_once(x);

                UNROLL for (int i = 0; i < n; i++) if (column >= i * stride && column < i * stride + kw) acc[i] =
                    _mm256_fmadd_ps(in, taps[column - i * stride], acc[i]);
            }
        } else {
            for (int k = 0; k < t->kw; k++, w += t->w_tap, x += t->x_tap) {
                const __m256 tap = _mm256_loadu_ps(w);

                UNROLL for (int i = 0; i < n; i++) acc[i] =
                    _mm256_fmadd_ps(_mm256_loadu_ps(x + i * t->x_step), tap, acc[i]);
            }
        }
    }
}

/* v < lo ? lo : v is MAX(lo, v), which gives v when one of them is NaN; v > hi ? hi : v is MIN(hi, v). */
ISA INLINE void pixels(const pare_dw_f32_line *line, int pixel, const int n, const int kw, const int stride)
{
    pare_dw_f32_line t = *line; /* a copy, so that stores to y cannot change it */
    const __m256     lo = _mm256_set1_ps(t.lo);
    const __m256     hi = _mm256_set1_ps(t.hi);

    t.x += pixel * t.x_step;
    for (int c = 0; c < t.c; c += LANES) {
        const __m256i lanes = mask_of(t.c - c);
        const float  *r = t.r ? t.r + pixel * t.r_pixel + c : NULL;
        float        *y = t.y + pixel * t.y_pixel + c;
        __m256        acc[PIXELS];

        chains(&t, c, n, kw, stride, acc);
        if (r)
            UNROLL for (int i = 0; i < n; i++, r += t.r_pixel) acc[i] =
                _mm256_add_ps(acc[i], _mm256_maskload_ps(r, lanes));
        if (t.c - c >= LANES) {
            UNROLL for (int i = 0; i < n; i++, y += t.y_pixel)
                _mm256_storeu_ps(y, _mm256_min_ps(hi, _mm256_max_ps(lo, acc[i])));
        } else { /* vmaskmov is slow to store on some CPUs: only where it must be */
            for (int i = 0; i < n; i++, y += t.y_pixel)
                _mm256_maskstore_ps(y, lanes, _mm256_min_ps(hi, _mm256_max_ps(lo, acc[i])));
        }
    }
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
    { 3, 1, { EACH(NAME, 3, 1) } }, { 3, 2, { EACH(NAME, 3, 2) } }, { 5, 1, { EACH(NAME, 5, 1) } },
    { 5, 2, { EACH(NAME, 5, 2) } }, { 0, 0, { EACH(NAME, 0, 0) } }, /* the others; last */
};

void pare_dw_f32_avx2(const pare_dw_f32_line *t)
{
    const int blocks = (t->n + PIXELS - 1) / PIXELS;
    int       shape = 0;

    while (shapes[shape].kw && (shapes[shape].kw != t->kw || shapes[shape].stride * t->x_tap != t->x_step))
        shape++;
    for (int i = 0; i < blocks; i++) {
        const int pixel = t->n * i / blocks;
        const int n = t->n * (i + 1) / blocks - pixel;

        shapes[shape].run[n - 1](t, pixel);
    }
}
#endif
