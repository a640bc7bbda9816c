/* SPDX-License-Identifier: Apache-2.0 */
/* move_pixels.c - between planes and channels-last pixels of 4-byte elements: a transposition, done in squares */
#include "ops/move.h"

/* Pixels and channels of a square: 16 lines of the cache on either side, whatever the strides. */
enum { SQUARE = 16 };

/* `n` pixels of `channels`; distances in elements. */
typedef struct strip {
    uint32_t       *dst;
    const uint32_t *src;
    int64_t         dst_pixel, dst_channel, src_pixel, src_channel;
    int64_t         n, channels;
} strip;

static bool has_pixels(const pare_tensor *t)
{
    return t->shape.rank >= 3 && t->shape.dim[1] > 1 && pare_dtype_size(t->dtype) == 4;
}

static bool are_pixels(const pare_tensor *t)
{
    return has_pixels(t) && t->stride[1] == 1;
}

static bool are_planes(const pare_tensor *t)
{
    return has_pixels(t) && t->stride[1] != 1 && t->stride[t->shape.rank - 1] == 1;
}

/* Pictures of few channels, which pixels of a constant size make fast: the compiler interleaves vectors. */
static void gather_2(const strip *s)
{
    const uint32_t *const a = s->src, *const b = a + s->src_channel;

    for (int64_t i = 0; i < s->n; i++) {
        uint32_t *const to = s->dst + i * s->dst_pixel;
        to[0] = a[i];
        to[1] = b[i];
    }
}

static void gather_3(const strip *s)
{
    const uint32_t *const a = s->src, *const b = a + s->src_channel, *const c = b + s->src_channel;

    for (int64_t i = 0; i < s->n; i++) {
        uint32_t *const to = s->dst + i * s->dst_pixel;
        to[0] = a[i];
        to[1] = b[i];
        to[2] = c[i];
    }
}

static void gather_4(const strip *s)
{
    strip right = *s;

    right.dst += 2;
    right.src += 2 * s->src_channel;
    gather_2(s);
    gather_2(&right);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whatever side is dense is written, or read, in runs; the other stays in the first cache for the next run. */
static void square(const strip *s, int64_t p, int64_t c)
{
    const int64_t         last_p = least(p + SQUARE, s->n), last_c = least(c + SQUARE, s->channels);
    uint32_t *const       dst = s->dst;
    const uint32_t *const src = s->src;

    if (s->dst_channel == 1) {
        for (int64_t i = p; i < last_p; i++)
            for (int64_t j = c; j < last_c; j++)
                dst[i * s->dst_pixel + j] = src[i * s->src_pixel + j * s->src_channel];
    } else {
        for (int64_t j = c; j < last_c; j++)
            for (int64_t i = p; i < last_p; i++)
                dst[i * s->dst_pixel + j * s->dst_channel] = src[i * s->src_pixel + j];
    }
}

static void move_strip(const strip *s)
{
    static void (*const gather[])(const strip *) = { [2] = gather_2, [3] = gather_3, [4] = gather_4 };

    if (s->channels <= 4 && s->dst_channel == 1 && s->src_pixel == 1) {
        gather[s->channels](s);
        return;
    }
    for (int64_t p = 0; p < s->n; p += SQUARE)
        for (int64_t c = 0; c < s->channels; c += SQUARE)
            square(s, p, c);
}

bool pare_move_pixels(const pare_tensor *dst, const pare_tensor *src, int part, int parts)
{
    if (!(are_pixels(dst) && are_planes(src)) && !(are_planes(dst) && are_pixels(src)))
        return false;

    const pare_tensor to = pare_region(dst, 1, 0, 1, 1), from = pare_region(src, 1, 0, 1, 1);
    pare_rows         rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ &to, &from }, part, parts);
    while (pare_rows_next(&rows))
        move_strip(&(strip){ .dst = (uint32_t *)(void *)rows.ptr[0],
                             .src = (const uint32_t *)(void *)rows.ptr[1],
                             .dst_pixel = rows.step[0],
                             .dst_channel = dst->stride[1],
                             .src_pixel = rows.step[1],
                             .src_channel = src->stride[1],
                             .n = rows.n,
                             .channels = dst->shape.dim[1] });
    return true;
}
