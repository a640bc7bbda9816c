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

/*
 * A picture with its border; distances in bytes. In memory the border is what lies between its lines: before the first,
 * after the last, and from the end of one to the begin of the next.
 */
typedef struct frame {
    int64_t h, line, width; /* of the picture: lines, from one to the next, bytes of one */
    int64_t before, after;  /* of the first line, up to the end of the last line's border */
    int64_t picture;        /* from one picture to the next                              */
    int64_t gaps;           /* of all pictures, h + 1 each; 0: no border                 */
} frame;

static frame frame_of(const pare_value *v, const pare_tensor *t)
{
    const int r = t->shape.rank;

    if (v->format != PARE_CHANNELS_LAST || r < 3 || !(v->halo[0][0] | v->halo[0][1] | v->halo[1][0] | v->halo[1][1]))
        return (frame){ .gaps = 0 };
    const int64_t pixel = t->stride[r - 1] * (int64_t)pare_dtype_size(t->dtype);
    const int64_t left = v->halo[1][0] * pixel, right = v->halo[1][1] * pixel;
    const int64_t top = r >= 4 ? v->halo[0][0] : 0, bottom = r >= 4 ? v->halo[0][1] : 0;
    frame         f = { .h = r >= 4 ? t->shape.dim[r - 2] : 1, .width = t->shape.dim[r - 1] * pixel };

    f.line = left + f.width + right;
    f.before = left + top * f.line;
    f.after = right + bottom * f.line;
    f.picture = (top + f.h + bottom) * f.line;
    /* Images, and depth slices of 3-D data, follow each other without gaps. */
    f.gaps = (f.h + 1) * t->shape.dim[0];
    for (int axis = 2; axis < r - 2; axis++)
        f.gaps *= t->shape.dim[axis];
    return f;
}

/* Gap number i, from element [0, 0, ...]. */
static pare_span gap(const frame *f, int64_t i)
{
    const int64_t picture = i / (f->h + 1) * f->picture, y = i % (f->h + 1);
    const int64_t begin = y == 0 ? -f->before : (y - 1) * f->line + f->width;

    return (pare_span){ picture + begin,
                        picture + (y < f->h ? y * f->line : (f->h - 1) * f->line + f->width + f->after) };
}

void pare_halo_fill(const pare_value *v, const pare_tensor *t, int part, int parts)
{
    const frame f = frame_of(v, t);
    /* The byte pattern of a float zero and of any 8-bit number is one repeated byte. */
    const int byte = t->q && t->q->zero && pare_dtype_size(t->dtype) == 1 ? (uint8_t)t->q->zero[0] : 0;
    long      first, last;

    pare_pool_split((long)f.gaps, 1, part, parts, &first, &last);
    for (long i = first; i < last; i++) {
        const pare_span at = gap(&f, i);
        memset((char *)t->data + at.begin, byte, (size_t)(at.end - at.begin));
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

    pare_pool_split((long)f.gaps, 1, part, parts, &first, &last);
    return first < last ? (pare_span){ gap(&f, first).begin, gap(&f, last - 1).end } : (pare_span){ 0, 0 };
}
