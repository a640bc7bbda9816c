/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - how a value lies in memory: strides, pixel padding, halo */
#include <string.h>

#include "base/pool.h"
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

/* A picture with its border; distances in bytes. */
typedef struct frame {
    int64_t w, h, left, right, top;
    int64_t pixel, line, lines; /* of one picture, border included      */
    int64_t all;                /* lines of all pictures; 0: no border */
} frame;

static frame frame_of(const pare_value *v, const pare_tensor *t)
{
    const int r = t->shape.rank;

    if (v->format != PARE_CHANNELS_LAST || r < 3 || !(v->halo[0][0] | v->halo[0][1] | v->halo[1][0] | v->halo[1][1]))
        return (frame){ .all = 0 };
    frame f = { .w = t->shape.dim[r - 1],
                .h = r >= 4 ? t->shape.dim[r - 2] : 1,
                .left = v->halo[1][0],
                .right = v->halo[1][1],
                .top = r >= 4 ? v->halo[0][0] : 0,
                .pixel = t->stride[r - 1] * (int64_t)pare_dtype_size(t->dtype) };

    f.line = (f.w + f.left + f.right) * f.pixel;
    f.lines = f.top + f.h + (r >= 4 ? v->halo[0][1] : 0);
    /* Images, and depth slices of 3-D data, follow each other without gaps. */
    f.all = f.lines * t->shape.dim[0];
    for (int axis = 2; axis < r - 2; axis++)
        f.all *= t->shape.dim[axis];
    return f;
}

/* Line 0 is the first of the border, which begins this far from element [0, 0, ...]. */
static int64_t line_at(const frame *f, int64_t line)
{
    return (line - f->top) * f->line - f->left * f->pixel;
}

void pare_halo_fill(const pare_value *v, const pare_tensor *t, int part, int parts)
{
    const frame f = frame_of(v, t);
    const int   byte = t->q && t->q->zero && pare_dtype_size(t->dtype) == 1 ? (uint8_t)t->q->zero[0] : 0;
    long        first, last;

    pare_pool_split((long)f.all, 1, part, parts, &first, &last);
    for (long i = first; i < last; i++) {
        const int64_t y = i % f.lines - f.top;
        char *const   at = (char *)t->data + line_at(&f, i);

        if (y < 0 || y >= f.h) {
            fill_pixels(at, f.w + f.left + f.right, f.pixel, byte);
        } else {
            fill_pixels(at, f.left, f.pixel, byte);
            fill_pixels(at + (f.left + f.w) * f.pixel, f.right, f.pixel, byte);
        }
    }
}

/* Slices have the border of their home, which is there before the first of them. */
const pare_value *pare_halo_owner(const pare_plan *p, int step, int output)
{
    const pare_value *v = p->steps[step].node->out[output];

    while (v && v->home)
        v = v->home;
    return v && p->places[v->id].first == step ? v : NULL;
}

pare_span pare_halo_span(const pare_value *v, const pare_tensor *t, int part, int parts)
{
    const frame f = frame_of(v, t);
    long        first, last;

    pare_pool_split((long)f.all, 1, part, parts, &first, &last);
    return first < last ? (pare_span){ line_at(&f, first), line_at(&f, last) } : (pare_span){ 0, 0 };
}
