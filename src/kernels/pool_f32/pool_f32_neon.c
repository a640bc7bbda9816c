/* SPDX-License-Identifier: Apache-2.0 */
/* pool_f32_neon.c - pooling of sixteen channels at a time, of four where the whole image is averaged in sixteen lanes */
#include "kernels/pool_f32/pool_f32.h"

#if PARE_ARM64
#include <math.h>

#include "kernels/neon.h"

enum { LANES = 4, VECS = 4, BLOCK = LANES * VECS, SUMS = 16 };

void pare_pool_f32_max_neon(const pare_pool_f32_window *t);
void pare_pool_f32_average_neon(const pare_pool_f32_window *t);
void pare_pool_f32_global_neon(const pare_pool_f32_window *t);

PARE_NEON_INLINE void store(const pare_pool_f32_window *t, int c, float32x4_t v)
{
    pare_neon_save_f32(t->y + c, t->c - c, v);
}

/* x > v ? x : v. Not fmax: a NaN of x loses, and the sign of a zero stays. */
PARE_NEON_INLINE float32x4_t larger(float32x4_t x, float32x4_t v)
{
    return vbslq_f32(vcgtq_f32(x, v), x, v);
}

void pare_pool_f32_max_neon(const pare_pool_f32_window *arg)
{
    const pare_pool_f32_window t = *arg; /* a copy, so that stores to y cannot change it */

    for (int c = 0; c < t.c; c += BLOCK) {
        float32x4_t v[VECS];

        PARE_NEON_UNROLL for (int i = 0; i < VECS; i++) v[i] = vdupq_n_f32(-INFINITY);
        for (int row = 0; row < t.rows; row++) {
            const float *x = t.x + row * t.x_row + c;

            for (int pixel = 0; pixel < t.pixels; pixel++, x += t.x_pixel)
                PARE_NEON_UNROLL for (int i = 0; i < VECS; i++) v[i] = larger(vld1q_f32(x + i * LANES), v[i]);
        }
        PARE_NEON_UNROLL for (int i = 0; i < VECS; i++) store(&t, c + i * LANES, v[i]);
    }
}

void pare_pool_f32_average_neon(const pare_pool_f32_window *arg)
{
    const pare_pool_f32_window t = *arg;
    const float32x4_t          divisor = vdupq_n_f32(t.divisor);

    for (int c = 0; c < t.c; c += BLOCK) {
        float32x4_t v[VECS];

        PARE_NEON_UNROLL for (int i = 0; i < VECS; i++) v[i] = vdupq_n_f32(0);
        for (int row = 0; row < t.rows; row++) {
            const float *x = t.x + row * t.x_row + c;

            for (int pixel = 0; pixel < t.pixels; pixel++, x += t.x_pixel)
                PARE_NEON_UNROLL for (int i = 0; i < VECS; i++) v[i] = vaddq_f32(v[i], vld1q_f32(x + i * LANES));
        }
        PARE_NEON_UNROLL for (int i = 0; i < VECS; i++) store(&t, c + i * LANES, vdivq_f32(v[i], divisor));
    }
}

/* Whole rounds of sixteen pixels, the first of which belongs to lane 0. */
PARE_NEON_INLINE void add_rounds(const float *x, ptrdiff_t step, long rounds, float32x4_t sum[SUMS])
{
    float32x4_t s[SUMS];

    PARE_NEON_UNROLL for (int i = 0; i < SUMS; i++) s[i] = sum[i];
    for (; rounds > 0; rounds--)
        PARE_NEON_UNROLL for (int i = 0; i < SUMS; i++, x += step) s[i] = vaddq_f32(s[i], vld1q_f32(x));
    PARE_NEON_UNROLL for (int i = 0; i < SUMS; i++) sum[i] = s[i];
}

void pare_pool_f32_global_neon(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        float32x4_t sum[SUMS];
        int         next = 0; /* lane of the next pixel */

        for (int i = 0; i < SUMS; i++)
            sum[i] = vdupq_n_f32(0);
        for (int row = 0; row < t->rows; row++) {
            const float *x = t->x + row * t->x_row + c;

            for (int left = t->pixels; left > 0;) {
                const int n = next == 0 && left >= SUMS ? left / SUMS * SUMS : 1;

                if (n > 1)
                    add_rounds(x, t->x_pixel, n / SUMS, sum);
                else
                    sum[next] = vaddq_f32(sum[next], vld1q_f32(x));
                next = (next + n) % SUMS;
                left -= n;
                x += n * t->x_pixel;
            }
        }
        for (int half = SUMS / 2; half > 0; half /= 2)
            for (int i = 0; i < half; i++)
                sum[i] = vaddq_f32(sum[i], sum[i + half]);
        store(t, c, vdivq_f32(sum[0], vdupq_n_f32(t->divisor)));
    }
}
#endif
