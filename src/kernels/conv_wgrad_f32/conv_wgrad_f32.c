/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_wgrad_f32.c - the weights cut into tiles, and the order in which tiles and images come
 *
 * All tiles of a part need all images. Images come in groups that fit into the second-level cache, and the tiles in
 * blocks whose sums do, so that neither is fetched from further away more often than needed.
 */
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"

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
    BLOCK = 128,               /* tiles whose sums are 256 KB                      */
    GROUP_FLOATS = 128 * 1024, /* of x and dy: half of a second-level cache of 1 MB */
};

/* How the weights are cut. A tile: a group (or 16 channels), `width` outputs, a filter row or some, taps, items. */
typedef struct grid {
    const pare_conv_f32_desc *d;
    bool                      depthwise;
    int                       c, oc;                              /* channels of a group; depthwise all, as one group */
    int                       fused;                              /* most taps of a tile                              */
    int                       width;                              /* outputs of a tile                                */
    int                       groups, columns, rows, runs, items; /* tiles along each axis */
    int                       most_items;
} grid;

static int blocks_of(int n, int size)
{
    return (n + size - 1) / size;
}

/* Taps of the next tile when `left` of a filter row are left: threes, and twos rather than a single one. */
static int taps_of(int left, int fused)
{
    if (fused < 3 || left == 1)
        return 1;
    return left == 2 || left == 4 ? 2 : 3;
}

static int n_runs(int kw, int fused)
{
    int n = 0;

    for (int left = kw; left > 0; n++)
        left -= taps_of(left, fused);
    return n;
}

static grid make_grid(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d)
{
    grid g = { .d = d, .depthwise = d->group == d->c && d->group == d->oc && d->c > 1, .width = LANES };

    g.groups = g.depthwise ? 1 : d->group;
    g.c = d->c / g.groups;
    g.oc = d->oc / g.groups;
    /* Neighbouring taps see each other's columns where windows move by as much as taps do. */
    g.fused = d->stride_w == d->dilation_w && d->ow >= kernel->fused - 1 && d->kw > 1 ? kernel->fused : 1;
    if (g.fused == 1 && !g.depthwise && kernel->wide_items && g.oc > LANES)
        g.width = 2 * LANES;
    g.columns = blocks_of(g.oc, g.width);
    g.runs = n_runs(d->kw, g.fused);
    if (g.depthwise) {
        g.most_items = kernel->rows;
        g.rows = 1;
        g.items = blocks_of(d->kh, g.most_items);
    } else {
        /* With fewer taps in the last run, as many items as with most. */
        g.most_items = g.width > LANES ? kernel->wide_items : kernel->items[taps_of(d->kw, g.fused)];
        g.rows = d->kh;
        g.items = blocks_of(g.c, g.most_items);
    }
    return g;
}

static long n_tiles(const grid *g)
{
    return (long)g->groups * g->columns * g->rows * g->runs * g->items;
}

/* Where tile number `index` lies among the weights. */
typedef struct place {
    int group, column, row, tap, taps, item, items, n;
} place;

static place place_of(const grid *g, long index)
{
    const int total = g->depthwise ? g->d->kh : g->c;
    place     p = { 0 };
    const int item = (int)(index % g->items);
    int       run = (int)(index / g->items % g->runs);

    index /= (long)g->items * g->runs;
    p.row = (int)(index % g->rows);
    p.column = (int)(index / g->rows % g->columns) * g->width;
    p.group = (int)(index / g->rows / g->columns);
    p.item = (int)((long)total * item / g->items);
    p.items = (int)((long)total * (item + 1) / g->items) - p.item;
    p.n = g->oc - p.column < g->width ? g->oc - p.column : g->width;
    for (p.taps = taps_of(g->d->kw, g->fused); run > 0; run--) {
        p.tap += p.taps;
        p.taps = taps_of(g->d->kw - p.tap, g->fused);
    }
    return p;
}

static pare_conv_wgrad_f32_tile make_tile(const grid *g, const place *p, const float *x, const float *dy, float *sums)
{
    const pare_conv_f32_desc *d = g->d;
    const int                 row = g->depthwise ? p->item : p->row;
    const int                 channel = g->depthwise ? p->column : p->group * g->c + p->item;

    return (pare_conv_wgrad_f32_tile){
        .x = x + (row * d->dilation_h - d->pad_top) * d->x.row + (p->tap * d->dilation_w - d->pad_left) * d->x.pixel +
             channel,
        .x_image = d->x.image,
        .x_row = d->stride_h * d->x.row,
        .x_step = d->stride_w * d->x.pixel,
        .x_item = g->depthwise ? d->dilation_h * d->x.row : 1,
        .dy = dy + p->group * g->oc + p->column,
        .dy_image = d->y.image,
        .dy_row = d->y.row,
        .dy_pixel = d->y.pixel,
        .oh = d->oh,
        .ow = d->ow,
        .taps = p->taps,
        .items = p->items,
        .n = p->n,
        .depthwise = g->depthwise,
        .sums = sums,
    };
}

/* The sums of a tile go to where its weights are. */
static void store(const grid *g, const place *p, const float *sums, float *dw)
{
    const pare_conv_f32_desc *d = g->d;
    const int                 width = blocks_of(p->n, LANES) * LANES, taps = d->kh * d->kw;
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

static int images_of_group(const pare_conv_f32_desc *d)
{
    const ptrdiff_t floats = (ptrdiff_t)d->oh * d->ow * (d->stride_h * d->stride_w * d->x.pixel + d->y.pixel);
    const ptrdiff_t images = GROUP_FLOATS / (floats > 0 ? floats : 1);

    return images < 1 ? 1 : images > d->n ? d->n : (int)images;
}

/* Tiles first .. last - 1. */
static void run_block(const pare_conv_wgrad_f32_kernel *kernel, const grid *g, const float *x, const float *dy,
                      float *dw, long first, long last, float *scratch)
{
    const pare_conv_f32_desc *d = g->d;
    const int                 group = images_of_group(d);

    memset(scratch, 0, sizeof(float) * SUMS * (size_t)(last - first));
    for (int n = 0; n < d->n; n += group)
        for (long i = first; i < last; i++) {
            const place              p = place_of(g, i);
            pare_conv_wgrad_f32_tile t =
                make_tile(g, &p, x + n * d->x.image, dy + n * d->y.image, scratch + (i - first) * SUMS);

            t.images = d->n - n < group ? d->n - n : group;
            kernel->tile(&t);
        }
    for (long i = first; i < last; i++) {
        const place p = place_of(g, i);

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
    const grid g = make_grid(kernel, d);
    const long tiles = n_tiles(&g);

    return sizeof(float) * SUMS * (size_t)(tiles < BLOCK ? tiles : BLOCK);
}

void pare_conv_wgrad_f32_run(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d, const float *x,
                             const float *dy, float *dw, int part, int parts, float *scratch)
{
    const grid g = make_grid(kernel, d);
    long       begin, end;

    pare_pool_split(n_tiles(&g), 1, part, parts, &begin, &end);
    for (long i = begin; i < end; i += BLOCK)
        run_block(kernel, &g, x, dy, dw, i, end - i < BLOCK ? end : i + BLOCK, scratch);
}
