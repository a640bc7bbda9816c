/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_f32_avx512vnni.c - pooling of sixteen channels at a time (AVX-512 F).
 *
 * MAX(x, v) is x > v ? x : v, NaN and signed zeros included. The sixteen lanes of a global average are sixteen
 * registers: rounds of sixteen pixels add to fixed registers, and the pixels that a row leaves over, or the next row
 * needs to complete a round, go through a small array.
 */
#include "kernels/pool_f32/pool_f32.h"

#if PARE_X86
#include <immintrin.h>
#include <math.h>

#define ISA    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
#define INLINE __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 16")

enum { LANES = 16, SUMS = 16 };

void pare_pool_f32_max_avx512vnni(const pare_pool_f32_window *t);
void pare_pool_f32_average_avx512vnni(const pare_pool_f32_window *t);
void pare_pool_f32_global_avx512vnni(const pare_pool_f32_window *t);

ISA INLINE void store(const pare_pool_f32_window *t, int c, __m512 v)
{
    const int n = t->c - c;

    _mm512_mask_storeu_ps(t->y + c, n >= LANES ? 0xffff : (__mmask16)((1u << n) - 1), v);
}

ISA void pare_pool_f32_max_avx512vnni(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        __m512 v = _mm512_set1_ps(-INFINITY);

        for (int row = 0; row < t->rows; row++) {
            const float *x = t->x + row * t->x_row + c;

            for (int pixel = 0; pixel < t->pixels; pixel++, x += t->x_pixel)
                v = _mm512_max_ps(_mm512_loadu_ps(x), v);
        }
        store(t, c, v);
    }
}

ISA void pare_pool_f32_average_avx512vnni(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        __m512 v = _mm512_setzero_ps();

        for (int row = 0; row < t->rows; row++) {
            const float *x = t->x + row * t->x_row + c;

            for (int pixel = 0; pixel < t->pixels; pixel++, x += t->x_pixel)
                v = _mm512_add_ps(v, _mm512_loadu_ps(x));
        }
        store(t, c, _mm512_div_ps(v, _mm512_set1_ps(t->divisor)));
    }
}

/* Whole rounds of sixteen pixels, the first of which belongs to lane 0. */
ISA INLINE void add_rounds(const float *x, ptrdiff_t step, long rounds, __m512 sum[SUMS])
{
    __m512 s[SUMS];

    UNROLL for (int i = 0; i < SUMS; i++) s[i] = sum[i];
    for (; rounds > 0; rounds--)
        UNROLL for (int i = 0; i < SUMS; i++, x += step) s[i] = _mm512_add_ps(s[i], _mm512_loadu_ps(x));
    UNROLL for (int i = 0; i < SUMS; i++) sum[i] = s[i];
}

ISA void pare_pool_f32_global_avx512vnni(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        __m512 sum[SUMS];
        int    next = 0; /* lane of the next pixel */

        for (int i = 0; i < SUMS; i++)
            sum[i] = _mm512_setzero_ps();
        for (int row = 0; row < t->rows; row++) {
            const float *x = t->x + row * t->x_row + c;

            for (int left = t->pixels; left > 0;) {
                const int n = next == 0 && left >= SUMS ? left / SUMS * SUMS : 1;

                if (n > 1)
                    add_rounds(x, t->x_pixel, n / SUMS, sum);
                else
                    sum[next] = _mm512_add_ps(sum[next], _mm512_loadu_ps(x));
                next = (next + n) % SUMS;
                left -= n;
                x += n * t->x_pixel;
            }
        }
        for (int half = SUMS / 2; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                sum[i] = _mm512_add_ps(sum[i], sum[i + half]);
        store(t, c, _mm512_div_ps(sum[0], _mm512_set1_ps(t->divisor)));
    }
}
#endif
