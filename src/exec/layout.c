/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - how a value lies in memory: strides, pixel padding, halo */
#include <string.h>

#include "exec/plan.h"

/* Kernels may read this far behind the last pixel (docs/ARCHITECTURE.md, Tensor). */
enum { GUARD = 64 };

static int64_t round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

/*
 * Elements from one pixel to the next: a multiple of 64 bytes, or of 32 for 8-bit pixels of up to 32 channels. Pictures
 * of at most 4 channels lie so densely that the taps of a filter row are one run: of 4 bytes, or exactly their floats.
 */
static int64_t pixel_stride(int64_t channels, int64_t size)
{
    if (channels <= 4 && (size == 1 || size == 4))
        return size == 1 ? 4 : channels;

    const int64_t align = size == 1 && channels <= 32 ? 32 : 64;

    return round_up(channels * size, align) / size;
}

void pare_layout_of(const pare_value *v, pare_tensor *t, size_t *bytes, size_t *interior)
{
    *interior = 0;
    memset(t->halo, 0, sizeof(t->halo));
    if (v->format == PARE_DENSE || t->shape.rank < 3) {
        pare_tensor_set_dense(t);
        *bytes = (size_t)pare_tensor_bytes(t) + GUARD;
        return;
    }
    const int     r = t->shape.rank;
    const int64_t size = (int64_t)pare_dtype_size(t->dtype);
    int64_t       step = pixel_stride(t->shape.dim[1], size);

    memcpy(t->halo, v->halo, sizeof(t->halo));
    t->stride[1] = 1;
    for (int axis = r - 1; axis >= 2; axis--) {
        const int *halo = axis == r - 1 ? v->halo[1] : axis == r - 2 ? v->halo[0] : (const int[2]){ 0, 0 };

        t->stride[axis] = step;
        *interior += (size_t)(halo[0] * step * size);
        step *= t->shape.dim[axis] + halo[0] + halo[1];
    }
    t->stride[0] = step;
    *bytes = (size_t)(t->shape.dim[0] * step * size) + GUARD;
}

/* `n` pixels from `at` on. The byte pattern of a float zero and of any 8-bit number is one repeated byte. */
static void fill_pixels(char *at, int64_t n, int64_t pixel_bytes, int byte)
{
    if (n > 0)
        memset(at, byte, (size_t)(n * pixel_bytes));
}

void pare_halo_fill(const pare_value *v, const pare_tensor *t, int part, int parts)
{
    const int     r = t->shape.rank;
    const int64_t size = (int64_t)pare_dtype_size(t->dtype);

    if (v->format != PARE_CHANNELS_LAST || r < 3 || !(v->halo[0][0] | v->halo[0][1] | v->halo[1][0] | v->halo[1][1]))
        return;
    const int     byte = t->q && t->q->zero && size == 1 ? (uint8_t)t->q->zero[0] : 0;
    const int64_t w = t->shape.dim[r - 1];
    const int64_t h = r >= 4 ? t->shape.dim[r - 2] : 1;
    const int64_t left = v->halo[1][0], right = v->halo[1][1];
    const int64_t top = r >= 4 ? v->halo[0][0] : 0, rows = h + top + (r >= 4 ? v->halo[0][1] : 0);
    const int64_t pixel = t->stride[r - 1] * size;
    const int64_t row = (w + left + right) * pixel;
    /* Images, and depth slices of 3-D data, follow each other without gaps. */
    int64_t images = t->shape.dim[0];
    for (int axis = 2; axis < r - 2; axis++)
        images *= t->shape.dim[axis];

    for (int64_t i = part; i < images * rows; i += parts) {
        const int64_t y = i % rows - top;
        char *const   at = (char *)t->data - top * row - left * pixel + i * row;

        if (y < 0 || y >= h) {
            fill_pixels(at, w + left + right, pixel, byte);
        } else {
            fill_pixels(at, left, pixel, byte);
            fill_pixels(at + (left + w) * pixel, right, pixel, byte);
        }
    }
}
