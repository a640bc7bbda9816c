/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_grid.c - the weights of a convolution cut into tiles */
#include "kernels/conv_wgrad_f32/conv_wgrad_f32_grid.h"

enum {
    LANES = PARE_CONV_WGRAD_F32_LANES,
    FAR_PIXELS = 192, /* floats from pixel to pixel: so few lines of a column fit that copies are faster */
};

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

pare_wgrad_grid pare_wgrad_grid_of(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d)
{
    pare_wgrad_grid g = { .d = d, .depthwise = d->group == d->c && d->group == d->oc && d->c > 1, .width = LANES };

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
        g.copies = (d->x.pixel >= FAR_PIXELS || d->y.pixel >= FAR_PIXELS) && d->stride_h == 1 && g.fused == 3 &&
                   d->dilation_w == 1 && g.columns > 3 && g.items > 3;
    }
    return g;
}

long pare_wgrad_tiles(const pare_wgrad_grid *g)
{
    return (long)g->groups * g->columns * g->rows * g->runs * g->items;
}

pare_wgrad_place pare_wgrad_place_of(const pare_wgrad_grid *g, long index)
{
    const int        total = g->depthwise ? g->d->kh : g->c;
    pare_wgrad_place p = { 0 };
    const int        item = (int)(index % g->items);
    int              run = (int)(index / g->items % g->runs);

    index /= (long)g->items * g->runs;
    p.row = (int)(index % g->rows);
    p.column = (int)(index / g->rows % g->columns) * g->width;
    p.group = (int)(index / g->rows / g->columns);
    p.x_block = p.group * g->items + item;
    p.dy_block = p.group * g->columns + p.column / g->width;
    p.item = (int)((long)total * item / g->items);
    p.items = (int)((long)total * (item + 1) / g->items) - p.item;
    p.n = g->oc - p.column < g->width ? g->oc - p.column : g->width;
    for (p.taps = taps_of(g->d->kw, g->fused); run > 0; run--) {
        p.tap += p.taps;
        p.taps = taps_of(g->d->kw - p.tap, g->fused);
    }
    return p;
}
