/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dw_f32_neon.c - eight channels of up to eight neighbouring outputs; the trick is dw_f32_avx512vnni.c's
 *
 * 16 accumulators, two registers of input and the ten of a row of five weights stay in registers.
 */
#include "kernels/dw_f32/dw_f32.h"

#if PARE_ARM64
#include "kernels/neon.h"

enum { PIXELS = 8, LANES = 8, MAX_KW = 5 };

void pare_dw_f32_neon(const pare_dw_f32_line *t);

/* Channels 0..3 and 4..7 of a block. */
typedef struct eight {
    float32x4_t lo, hi;
} eight;

PARE_NEON_INLINE eight load(const float *src)
{
    return (eight){ vld1q_f32(src), vld1q_f32(src + 4) };
}

PARE_NEON_INLINE void fma_8(eight *sum, eight x, eight w)
{
    sum->lo = vfmaq_f32(sum->lo, x.lo, w.lo);
    sum->hi = vfmaq_f32(sum->hi, x.hi, w.hi);
}

/* The sums of LANES channels of the first `n` outputs. kw and stride (in taps) are 0 where not known beforehand. */
PARE_NEON_INLINE void chains(const pare_dw_f32_line *t, int c, const int n, const int kw, const int stride,
                             eight acc[PIXELS])
{
    const float *w = t->w + c;

    PARE_NEON_UNROLL for (int i = 0; i < n; i++) acc[i] = load(t->bias + c);
    for (int h = 0; h < t->kh; h++) {
        const float *x = t->x + h * t->x_row + c;

        if (kw) {
            eight taps[MAX_KW];

            PARE_NEON_UNROLL for (int k = 0; k < kw; k++, w += t->w_tap) taps[k] = load(w);
            PARE_NEON_UNROLL for (int column = 0; column < (n - 1) * stride + kw; column++, x += t->x_tap)
            {
                PARE_NEON_IN_ORDER();
                const eight in = load(x);

                PARE_NEON_UNROLL for (int i = 0; i < n; i++) if (column >= i * stride && column < i * stride + kw)
                    fma_8(&acc[i], in, taps[column - i * stride]);
            }
        } else {
            for (int k = 0; k < t->kw; k++, w += t->w_tap, x += t->x_tap) {
                const eight tap = load(w);

                PARE_NEON_UNROLL for (int i = 0; i < n; i++) fma_8(&acc[i], load(x + i * t->x_step), tap);
            }
        }
    }
}

PARE_NEON_INLINE void pixels(const pare_dw_f32_line *line, int pixel, const int n, const int kw, const int stride)
{
    pare_dw_f32_line  t = *line; /* a copy, so that stores to y cannot change it */
    const float32x4_t lo = vdupq_n_f32(t.lo), hi = vdupq_n_f32(t.hi);

    t.x += pixel * t.x_step;
    for (int c = 0; c < t.c; c += LANES) {
        const int    left = t.c - c;
        const float *r = t.r ? t.r + pixel * t.r_pixel + c : NULL;
        float       *y = t.y + pixel * t.y_pixel + c;
        eight        acc[PIXELS];

        chains(&t, c, n, kw, stride, acc);
        PARE_NEON_UNROLL for (int i = 0; i < n; i++, y += t.y_pixel)
        {
            if (r) {
                acc[i].lo = vaddq_f32(acc[i].lo, pare_neon_load_f32(r + i * t.r_pixel, left));
                acc[i].hi = vaddq_f32(acc[i].hi, pare_neon_load_f32(r + i * t.r_pixel + 4, left - 4));
            }
            pare_neon_save_f32(y, left, pare_neon_clamp(acc[i].lo, lo, hi));
            pare_neon_save_f32(y + 4, left - 4, pare_neon_clamp(acc[i].hi, lo, hi));
        }
    }
}

typedef void pixels_fn(const pare_dw_f32_line *t, int pixel);

#define PIXELS_FN(n, kw, stride)                                                   \
    static void pixels_##n##_##kw##_##stride(const pare_dw_f32_line *t, int pixel) \
    {                                                                              \
        pixels(t, pixel, n, kw, stride);                                           \
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

void pare_dw_f32_neon(const pare_dw_f32_line *t)
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
