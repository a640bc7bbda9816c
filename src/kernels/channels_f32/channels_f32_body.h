/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channels_f32_body.h - channels_f32, written once on sixteen lanes; included by each version after its lanes_*.h
 *
 * Sums take up to four vectors of channels together, so that four chains hide each other's latency where there are
 * as many channels. No include guard: the including file says FEATURES, KERNEL and NAME.
 */
#include "kernels/channels_f32/channels_f32.h"

enum { LANES = 16, BLOCK = 4 };

#define UNROLL _Pragma("GCC unroll 4")

/* Channels of a block of `vecs` vectors that are left for vector v. */
INLINE long left_of(int n, int v)
{
    return n - v * LANES;
}

INLINE void sum_block(const pare_channels_f32_image *im, int c, const int vecs, float *s)
{
    lanes acc[BLOCK];

    UNROLL for (int v = 0; v < vecs; v++) acc[v] = lanes_set(0);
    for (int i = 0; i < im->h; i++) {
        const float *x = im->x + i * im->x_row + c;

        for (int j = 0; j < im->w; j++, x += im->x_pixel)
            UNROLL for (int v = 0; v < vecs; v++) acc[v] =
                lanes_add(acc[v], lanes_load(x + v * LANES, left_of(im->c - c, v)));
    }
    UNROLL for (int v = 0; v < vecs; v++) lanes_store(s + c + v * LANES, acc[v], left_of(im->c - c, v));
}

INLINE void stats_block(const pare_channels_f32_image *im, int c, const int vecs, float *mean, float *m2)
{
    lanes center[BLOCK], acc[BLOCK];

    sum_block(im, c, vecs, mean);
    UNROLL for (int v = 0; v < vecs; v++)
    {
        center[v] =
            lanes_div(lanes_load(mean + c + v * LANES, left_of(im->c - c, v)), lanes_set((float)(im->h * im->w)));
        lanes_store(mean + c + v * LANES, center[v], left_of(im->c - c, v));
        acc[v] = lanes_set(0);
    }
    for (int i = 0; i < im->h; i++) {
        const float *x = im->x + i * im->x_row + c;

        for (int j = 0; j < im->w; j++, x += im->x_pixel)
            UNROLL for (int v = 0; v < vecs; v++)
            {
                const lanes d = lanes_sub(lanes_load(x + v * LANES, left_of(im->c - c, v)), center[v]);
                acc[v] = lanes_fma(d, d, acc[v]);
            }
    }
    UNROLL for (int v = 0; v < vecs; v++) lanes_store(m2 + c + v * LANES, acc[v], left_of(im->c - c, v));
}

INLINE void grad_sums_block(const pare_channels_f32_image *im, int c, const int vecs, float *s, float *t)
{
    lanes center[BLOCK], plain[BLOCK], weighted[BLOCK];

    UNROLL for (int v = 0; v < vecs; v++)
    {
        center[v] = lanes_load(im->mean + c + v * LANES, left_of(im->c - c, v));
        plain[v] = weighted[v] = lanes_set(0);
    }
    for (int i = 0; i < im->h; i++) {
        const float *x = im->x + i * im->x_row + c, *dy = im->dy + i * im->dy_row + c;

        for (int j = 0; j < im->w; j++, x += im->x_pixel, dy += im->dy_pixel)
            UNROLL for (int v = 0; v < vecs; v++)
            {
                const lanes g = lanes_load(dy + v * LANES, left_of(im->c - c, v));
                const lanes d = lanes_sub(lanes_load(x + v * LANES, left_of(im->c - c, v)), center[v]);
                plain[v] = lanes_add(plain[v], g);
                weighted[v] = lanes_fma(g, d, weighted[v]);
            }
    }
    UNROLL for (int v = 0; v < vecs; v++)
    {
        lanes_store(s + c + v * LANES, plain[v], left_of(im->c - c, v));
        lanes_store(t + c + v * LANES, weighted[v], left_of(im->c - c, v));
    }
}

INLINE void scale_block(const pare_channels_f32_image *im, int c, const int vecs)
{
    const float lo = im->lo, hi = im->hi; /* a store to y cannot change them */
    const int   n = im->c - c;
    lanes       f[BLOCK], shift[BLOCK];

    UNROLL for (int v = 0; v < vecs; v++)
    {
        f[v] = lanes_load(im->f + c + v * LANES, left_of(n, v));
        shift[v] = lanes_load(im->shift + c + v * LANES, left_of(n, v));
    }
    for (int i = 0; i < im->h; i++) {
        const float    *x = im->x + i * im->x_row + c;
        float          *y = im->y + i * im->y_row + c;
        const ptrdiff_t x_pixel = im->x_pixel, y_pixel = im->y_pixel;

        for (int j = im->w; j > 0; j--, x += x_pixel, y += y_pixel)
            UNROLL for (int v = 0; v < vecs; v++)
            {
                const lanes r = lanes_fma(lanes_load(x + v * LANES, left_of(n, v)), f[v], shift[v]);
                lanes_store(y + v * LANES, lanes_at_most(lanes_at_least(r, lo), hi), left_of(n, v));
            }
    }
}

INLINE void grad_block(const pare_channels_f32_image *im, int c, const int vecs)
{
    const int n = im->c - c;
    lanes     center[BLOCK], f[BLOCK], k[BLOCK], shift[BLOCK];

    UNROLL for (int v = 0; v < vecs; v++)
    {
        center[v] = lanes_load(im->mean + c + v * LANES, left_of(n, v));
        f[v] = lanes_load(im->f + c + v * LANES, left_of(n, v));
        k[v] = lanes_load(im->k + c + v * LANES, left_of(n, v));
        shift[v] = lanes_load(im->shift + c + v * LANES, left_of(n, v));
    }
    for (int i = 0; i < im->h; i++) {
        const float    *x = im->x + i * im->x_row + c, *dy = im->dy + i * im->dy_row + c;
        float          *y = im->y + i * im->y_row + c;
        const ptrdiff_t x_pixel = im->x_pixel, dy_pixel = im->dy_pixel, y_pixel = im->y_pixel;

        for (int j = im->w; j > 0; j--, x += x_pixel, dy += dy_pixel, y += y_pixel)
            UNROLL for (int v = 0; v < vecs; v++)
            {
                const lanes d = lanes_sub(lanes_load(x + v * LANES, left_of(n, v)), center[v]);
                const lanes r = lanes_fma(d, k[v], shift[v]);
                lanes_store(y + v * LANES, lanes_fma(lanes_load(dy + v * LANES, left_of(n, v)), f[v], r),
                            left_of(n, v));
            }
    }
}

/* Blocks of four vectors, then of one. */
#define BLOCKS(block, ...)                                 \
    int c = 0;                                             \
    for (; im->c - c >= BLOCK * LANES; c += BLOCK * LANES) \
        block(im, c, BLOCK __VA_ARGS__);                   \
    for (; c < im->c; c += LANES)                          \
    block(im, c, 1 __VA_ARGS__)
#define WITH(...) , __VA_ARGS__

ISA static void sum(const pare_channels_f32_image *im, float *s)
{
    BLOCKS(sum_block, WITH(s));
}

ISA static void stats(const pare_channels_f32_image *im, float *mean, float *m2)
{
    BLOCKS(stats_block, WITH(mean, m2));
}

ISA static void grad_sums(const pare_channels_f32_image *im, float *s, float *t)
{
    BLOCKS(grad_sums_block, WITH(s, t));
}

ISA static void scale(const pare_channels_f32_image *im)
{
    BLOCKS(scale_block, );
}

ISA static void grad(const pare_channels_f32_image *im)
{
    BLOCKS(grad_block, );
}

const pare_channels_f32_kernel KERNEL = { NAME, FEATURES, sum, stats, grad_sums, scale, grad };
