/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_wgrad_f32.c - the order in which tiles of weights and images come
 *
 * All tiles of a part need all images. Images come in groups that fit into the second-level cache, and the tiles in
 * blocks whose sums do, so that neither is fetched from further away more often than needed. Pixels of many channels lie
 * a multiple of the first-level cache's lines apart and would push each other out of it: such images are copied first,
 * the channels of each tile side by side.
 */
#include "kernels/conv_wgrad_f32/conv_wgrad_f32_grid.h"

#include <string.h>

#include "base/pool.h"

#define CONV_WGRAD_F32(name) extern const pare_conv_wgrad_f32_kernel pare_conv_wgrad_f32_##name;
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.def"
#undef CONV_WGRAD_F32

/* Best first; the last one needs nothing. */
static const pare_conv_wgrad_f32_kernel *const kernels[] = {
#define CONV_WGRAD_F32(name) &pare_conv_wgrad_f32_##name,
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.def"
#undef CONV_WGRAD_F32
};

enum {
    LANES = PARE_CONV_WGRAD_F32_LANES,
    SUMS = PARE_CONV_WGRAD_F32_SUMS,
    N_KERNELS = sizeof(kernels) / sizeof(kernels[0]),
    BLOCK = 128,               /* tiles whose sums are 256 KB                                     */
    LONG_BLOCK = 2048,         /* where images are copied for each block                          */
    GROUP_FLOATS = 128 * 1024, /* of x and dy: half of a second-level cache of 1 MB               */
};

/* A group of images, as the caller has it or copied: the first pixel of the first window, and of dy. */
typedef struct images {
    int          n;
    const float *x, *dy;
    ptrdiff_t    x_image, x_row, x_pixel, x_block; /* from block to block of channels; 0: side by side in the pixel */
    ptrdiff_t    dy_image, dy_row, dy_pixel, dy_block;
} images;

static pare_conv_wgrad_f32_tile make_tile(const pare_wgrad_grid *g, const pare_wgrad_place *p, const images *im,
                                          float *sums)
{
    const pare_conv_f32_desc *d = g->d;
    const int                 row = g->depthwise ? p->item : p->row;
    const int                 channel = g->depthwise ? p->column : p->group * g->c + p->item;

    return (pare_conv_wgrad_f32_tile){
        .x = im->x + row * d->dilation_h * im->x_row + p->tap * d->dilation_w * im->x_pixel +
             (im->x_block ? p->x_block * im->x_block : channel),
        .x_image = im->x_image,
        .x_row = d->stride_h * im->x_row,
        .x_step = d->stride_w * im->x_pixel,
        .x_item = g->depthwise ? d->dilation_h * im->x_row : 1,
        .dy = im->dy + (im->dy_block ? p->dy_block * im->dy_block : p->group * g->oc + p->column),
        .dy_image = im->dy_image,
        .dy_row = im->dy_row,
        .dy_pixel = im->dy_pixel,
        .images = im->n,
        .oh = d->oh,
        .ow = d->ow,
        .taps = p->taps,
        .items = p->items,
        .n = p->n,
        .depthwise = g->depthwise,
        .sums = sums,
    };
}

static images as_they_are(const pare_conv_f32_desc *d, const float *x, const float *dy, int n)
{
    return (images){
        .n = n,
        .x = x - d->pad_top * d->x.row - d->pad_left * d->x.pixel,
        .dy = dy,
        .x_image = d->x.image,
        .x_row = d->x.row,
        .x_pixel = d->x.pixel,
        .dy_image = d->y.image,
        .dy_row = d->y.row,
        .dy_pixel = d->y.pixel,
    };
}

/* The usual numbers without a loop. */
static inline void copy_pixel(float *dst, const float *src, int count)
{
    if (count == 8)
        memcpy(dst, src, 8 * sizeof(float));
    else if (count == 16)
        memcpy(dst, src, 16 * sizeof(float));
    else
        for (int c = 0; c < count; c++)
            dst[c] = src[c];
}

/* `count` channels of all pixels [n][h][w] go to dst, `width` floats each. */
static void copy_block(float *dst, int width, const float *src, const pare_conv_f32_strides *s, const int size[3],
                       int count)
{
    for (int n = 0; n < size[0]; n++)
        for (int i = 0; i < size[1]; i++) {
            const float *from = src + n * s->image + i * s->row;

            for (int j = 0; j < size[2]; j++, from += s->pixel, dst += width)
                copy_pixel(dst, from, count);
        }
}

/* Pixels of x that the windows of an image reach over; strides are 1. */
static int x_lines(const pare_conv_f32_desc *d)
{
    return d->oh + (d->kh - 1) * d->dilation_h;
}

static int x_columns(const pare_conv_f32_desc *d)
{
    return d->ow + (d->kw - 1) * d->dilation_w;
}

static size_t copied_floats(const pare_wgrad_grid *g, int n)
{
    const pare_conv_f32_desc *d = g->d;

    return (size_t)n * (size_t)g->groups *
           ((size_t)(x_lines(d) * x_columns(d)) * (size_t)(g->items * g->most_items) +
            (size_t)(d->oh * d->ow) * (size_t)(g->columns * g->width));
}

/* The blocks that tiles first .. last - 1 need. */
static images copied(const pare_wgrad_grid *g, const images *from, float *room, long first, long last)
{
    const pare_conv_f32_desc *d = g->d;
    const int                 x_size[3] = { from->n, x_lines(d), x_columns(d) }, dy_size[3] = { from->n, d->oh, d->ow };
    const pare_conv_f32_strides x_strides = { from->x_image, from->x_row, from->x_pixel };
    const pare_conv_f32_strides dy_strides = { from->dy_image, from->dy_row, from->dy_pixel };
    images                      im = { .n = from->n, .x = room, .x_pixel = g->most_items, .dy_pixel = g->width };
    int                         dy_done = -1;

    im.x_row = x_size[2] * im.x_pixel;
    im.x_image = x_size[1] * im.x_row;
    im.x_block = x_size[0] * im.x_image;
    im.dy_row = dy_size[2] * im.dy_pixel;
    im.dy_image = dy_size[1] * im.dy_row;
    im.dy_block = dy_size[0] * im.dy_image;
    im.dy = room + g->groups * g->items * im.x_block;
    for (long i = first; i < last; i++) {
        const pare_wgrad_place p = pare_wgrad_place_of(g, i);

        /* A block of x comes again with every filter row and column of outputs: its first time is among the first
         * tiles of this group, item by item. */
        if (i - first < g->items || p.group != pare_wgrad_place_of(g, i - g->items).group)
            copy_block(room + p.x_block * im.x_block, g->most_items, from->x + p.group * g->c + p.item, &x_strides,
                       x_size, p.items);
        if (p.dy_block != dy_done)
            copy_block(room + (im.dy - room) + p.dy_block * im.dy_block, g->width,
                       from->dy + p.group * g->oc + p.column, &dy_strides, dy_size, p.n);
        dy_done = p.dy_block;
    }
    return im;
}

/* The sums of a tile go to where its weights are. */
static void store(const pare_wgrad_grid *g, const pare_wgrad_place *p, const float *sums, float *dw)
{
    const pare_conv_f32_desc *d = g->d;
    const int                 width = (p->n + LANES - 1) / LANES * LANES, taps = d->kh * d->kw;
    const int                 inputs = g->depthwise ? 1 : g->c;

    for (int t = 0; t < p->taps; t++)
        for (int i = 0; i < p->items; i++, sums += width)
            for (int o = 0; o < p->n; o++) {
                const ptrdiff_t weight = (ptrdiff_t)(p->group * g->oc + p->column + o) * inputs;
                const int       item = p->item + i;

                if (g->depthwise)
                    dw[weight * taps + item * d->kw + p->tap + t] = sums[o];
                else
                    dw[(weight + item) * taps + p->row * d->kw + p->tap + t] = sums[o];
            }
}

/* Copies are read in order, which the third-level cache is fast enough for. */
static int images_of_group(const pare_wgrad_grid *g)
{
    const pare_conv_f32_desc *d = g->d;
    const ptrdiff_t           floats = (ptrdiff_t)d->oh * d->ow * (d->stride_h * d->stride_w * d->x.pixel + d->y.pixel);
    const ptrdiff_t           n = (g->copies ? 4 : 1) * GROUP_FLOATS / (floats > 0 ? floats : 1);

    return n < 1 ? 1 : n > d->n ? d->n : (int)n;
}

static long tiles_of_block(const pare_wgrad_grid *g)
{
    const long tiles = pare_wgrad_tiles(g), most = g->copies ? LONG_BLOCK : BLOCK;

    return tiles < most ? tiles : most;
}

/* Tiles first .. last - 1. Copies lie in scratch behind the sums. */
static void run_block(const pare_conv_wgrad_f32_kernel *kernel, const pare_wgrad_grid *g, const images *all, float *dw,
                      long first, long last, float *scratch)
{
    const int group = images_of_group(g);

    memset(scratch, 0, sizeof(float) * SUMS * (size_t)(last - first));
    for (int n = 0; n < all->n; n += group) {
        images im = *all;

        im.n = all->n - n < group ? all->n - n : group;
        im.x += n * all->x_image;
        im.dy += n * all->dy_image;
        if (g->copies)
            im = copied(g, &im, scratch + SUMS * tiles_of_block(g), first, last);
        for (long i = first; i < last; i++) {
            const pare_wgrad_place         p = pare_wgrad_place_of(g, i);
            const pare_conv_wgrad_f32_tile t = make_tile(g, &p, &im, scratch + (i - first) * SUMS);

            kernel->tile(&t);
        }
    }
    for (long i = first; i < last; i++) {
        const pare_wgrad_place p = pare_wgrad_place_of(g, i);

        store(g, &p, scratch + (i - first) * SUMS, dw);
    }
}

int pare_conv_wgrad_f32_candidates(unsigned cpu, const pare_conv_wgrad_f32_kernel *out[], int max)
{
    int n = 0;

    for (int i = 0; i < N_KERNELS && n < max; i++)
        if (!(kernels[i]->isa & ~cpu))
            out[n++] = kernels[i];
    return n;
}

size_t pare_conv_wgrad_f32_scratch(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d)
{
    const pare_wgrad_grid g = pare_wgrad_grid_of(kernel, d);

    return sizeof(float) *
           (SUMS * (size_t)tiles_of_block(&g) + (g.copies ? copied_floats(&g, images_of_group(&g)) : 0));
}

void pare_conv_wgrad_f32_run(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d, const float *x,
                             const float *dy, float *dw, int part, int parts, float *scratch)
{
    const pare_wgrad_grid g = pare_wgrad_grid_of(kernel, d);
    const images          all = as_they_are(d, x, dy, d->n);
    const long            block = tiles_of_block(&g);
    long                  begin, end;

    pare_pool_split(pare_wgrad_tiles(&g), 1, part, parts, &begin, &end);
    for (long i = begin; i < end; i += block)
        run_block(kernel, &g, &all, dw, i, end - i < block ? end : i + block, scratch);
}
