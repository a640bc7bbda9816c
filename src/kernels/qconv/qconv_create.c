/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_create.c - checking a convolution and packing its weights */
#include <string.h>

#include "base/alloc.h"
#include "kernels/qconv/qconv_layout.h"

static int or1(int value)
{
    return value ? value : 1;
}

static bool is_tiled(const pare_qconv_kernel *kernel)
{
    return kernel->k_round == 64;
}

/*
 * Merges groups to one column tile. Where whole tiles are multiplied, to a panel if its k still is one k-step: the
 * number of products is the same, but rows of x are longer.
 */
static void merge_groups(pare_qconv_layout *l, const pare_qconv_kernel *kernel, int groups)
{
    const int wanted = is_tiled(kernel) ? kernel->panel_tiles * PARE_QCONV_COLUMNS : PARE_QCONV_COLUMNS;

    l->bundle_groups = 1;
    for (int n = 2; n <= groups && l->bundle_groups * l->group_out < wanted; n++)
        if (groups % n == 0 && (l->bundle_groups * l->group_out < PARE_QCONV_COLUMNS ||
                                (n * l->group_out <= wanted && n * l->group_in <= PARE_QCONV_ROW)))
            l->bundle_groups = n;
}

static pare_status lay_out(const pare_qconv_desc *d, const pare_qconv_kernel *kernel, pare_qconv_layout *l)
{
    const int groups = or1(d->groups);

    *l = (pare_qconv_layout){
        .d = d,
        .kernel_h = or1(d->kernel_h),
        .kernel_w = or1(d->kernel_w),
        .stride_h = or1(d->stride_h),
        .stride_w = or1(d->stride_w),
        .dilation_h = or1(d->dilation_h),
        .dilation_w = or1(d->dilation_w),
    };
    if (d->in_c < 1 || d->out_c < 1 || groups < 1 || d->in_c % groups || d->out_c % groups)
        return pare_fail(PARE_ERR_SHAPE, "qconv: %d input and %d output channels in %d groups", d->in_c, d->out_c,
                         groups);
    if (d->out_h < 1 || d->out_w < 1 || l->kernel_h < 1 || l->kernel_w < 1 || l->stride_h < 1 || l->stride_w < 1 ||
        l->dilation_h < 1 || l->dilation_w < 1)
        return pare_fail(PARE_ERR_SHAPE, "qconv: output %dx%d, kernel %dx%d, stride %dx%d, dilation %dx%d", d->out_h,
                         d->out_w, l->kernel_h, l->kernel_w, l->stride_h, l->stride_w, l->dilation_h, l->dilation_w);
    if (d->out.kind == PARE_QKIND_F32_ROWS && d->channels.zx != 128)
        return pare_fail(PARE_ERR_ARG, "qconv: dynamic rows are stored as q + 128, but the zero point is %d",
                         d->channels.zx);
    l->group_in = d->in_c / groups;
    l->group_out = d->out_c / groups;
    merge_groups(l, kernel, groups);
    l->bundles = groups / l->bundle_groups;
    l->bundle_in = l->group_in * l->bundle_groups;
    l->bundle_out = l->group_out * l->bundle_groups;
    l->bundle_tiles = (l->bundle_out + PARE_QCONV_COLUMNS - 1) / PARE_QCONV_COLUMNS;
    if (is_tiled(kernel))
        l->bundle_tiles = (l->bundle_tiles + kernel->panel_tiles - 1) / kernel->panel_tiles * kernel->panel_tiles;
    l->tap_fours = (l->bundle_in + kernel->k_round - 1) / kernel->k_round * kernel->k_round / 4;
    if (is_tiled(kernel))
        pare_qconv_layout_tiles(l, kernel);
    return PARE_OK;
}

/* Taps whose rounded channels follow each other in memory become one step. */
static void fill_steps(const pare_qconv_layout *l, pare_qconv_plan *p)
{
    const pare_qconv_desc *d = l->d;

    for (int ky = 0; ky < l->kernel_h; ky++)
        for (int kx = 0; kx < l->kernel_w; kx++) {
            const ptrdiff_t offset =
                (ky * l->dilation_h - d->pad_top) * d->x.row + (kx * l->dilation_w - d->pad_left) * d->x.pixel;
            pare_qconv_step *last = p->n_steps ? &p->steps[p->n_steps - 1] : NULL;

            if (last && last->offset + 4 * last->fours == offset)
                last->fours += l->tap_fours;
            else
                p->steps[p->n_steps++] = (pare_qconv_step){ offset, l->tap_fours };
        }
}

/* Full panels first: of the last, narrow one several pixels are requantized together. */
static void fill_panels(const pare_qconv_layout *l, pare_qconv_plan *p)
{
    const int per_bundle = (l->bundle_tiles + p->kernel->panel_tiles - 1) / p->kernel->panel_tiles;

    for (int b = 0; b < l->bundles; b++)
        for (int i = 0; i < per_bundle; i++) {
            const int tile0 = i * p->kernel->panel_tiles, rest = l->bundle_tiles - tile0;
            const int tiles = rest < p->kernel->panel_tiles ? rest : p->kernel->panel_tiles;
            const int left = l->bundle_out - tile0 * PARE_QCONV_COLUMNS, width = tiles * PARE_QCONV_COLUMNS;

            p->panels[p->n_panels++] = (pare_qconv_panel){
                .w = p->w + (size_t)(b * l->bundle_tiles + tile0) * p->tile_bytes,
                .x_offset = (ptrdiff_t)b * l->bundle_in,
                .tiles = tiles,
                .columns = left < width ? left : width,
                .channel = b * l->bundle_out + tile0 * PARE_QCONV_COLUMNS,
                .packed = (b * l->bundle_tiles + tile0) * PARE_QCONV_COLUMNS,
            };
        }
}

/* Where the weight of channel `c` of a bundle in tap (ky, kx) and packed column `column` lies. */
static size_t place_of(const pare_qconv_layout *l, const pare_qconv_plan *p, int column, int ky, int kx, int c)
{
    const int    near = p->kernel->k_round == 8 ? 8 : 4; /* neighbouring k of a column */
    const int    tile = column / PARE_QCONV_COLUMNS, in_tile = column % PARE_QCONV_COLUMNS;
    const size_t tap = (size_t)(ky * l->kernel_w + kx);

    if (is_tiled(p->kernel)) {
        const int per = p->kernel->panel_tiles;
        int       byte;
        const int step = pare_qconv_layout_k(l, ky, kx, c, &byte);

        return (size_t)(tile / per * per) * p->tile_bytes + (size_t)(step * per + tile % per) * 16 * PARE_QCONV_ROW +
               (size_t)(byte / 4 * PARE_QCONV_ROW + in_tile * 4 + byte % 4);
    }
    return (size_t)tile * p->tile_bytes + tap * (size_t)l->tap_fours * PARE_QCONV_ROW +
           (size_t)(c / near * near * PARE_QCONV_COLUMNS + in_tile * near + c % near);
}

/* The packed column of an output channel: in order, or in the lane order of its panel of 64. */
static int column_of(const pare_qconv_layout *l, int oc)
{
    const int first = oc / l->bundle_out * l->bundle_tiles * PARE_QCONV_COLUMNS, i = oc % l->bundle_out;

    if (!l->lanes)
        return first + i;
    return first + i / 64 * 64 + i % 16 / 4 * PARE_QCONV_COLUMNS + i % 64 / 16 * 4 + i % 4;
}

/*
 * Packs output channel `oc` into column `column` (over all tiles). Where the version takes x_zero off each code, the
 * bias makes up for it: that is the accumulator for codes of x_zero, which fits 32 bits as every accumulator does.
 */
static void pack_channel(const pare_qconv_layout *l, int oc, int column, pare_qconv_plan *p)
{
    const int     taps = l->kernel_h * l->kernel_w;
    const int     first = oc / l->group_out % l->bundle_groups * l->group_in; /* in the bundle */
    const int8_t *w = l->d->w + (size_t)oc * (size_t)(l->group_in * taps);

    for (int t = 0; t < taps; t++)
        for (int c = 0; c < l->group_in; c++) {
            p->w[place_of(l, p, column, t / l->kernel_w, t % l->kernel_w, first + c)] = w[c * taps + t];
            p->bias[column] += p->kernel->x_zero * w[c * taps + t];
        }
}

static pare_status pack(const pare_qconv_layout *l, pare_qconv_plan *p)
{
    const pare_qconv_desc *d = l->d;
    const int              columns = l->bundles * l->bundle_tiles * PARE_QCONV_COLUMNS;
    const long             k = (long)l->group_in * l->kernel_h * l->kernel_w;
    int *const             channel_of = pare_malloc((size_t)columns * sizeof(int));
    pare_status            status = PARE_OK;

    if (!channel_of)
        return pare_fail_memory((size_t)columns * sizeof(int), "qconv columns");
    for (int i = 0; i < columns; i++)
        channel_of[i] = -1;
    for (int oc = 0; oc < d->out_c; oc++) {
        const int column = column_of(l, oc);
        channel_of[column] = oc;
        if (pare_store_is_filled(d->store))
            continue;
        PARE_GOTO(pare_qchannel_fold(&d->channels, &d->out, oc, d->w + (size_t)oc * (size_t)k, k, &p->bias[column]));
        pack_channel(l, oc, column, p);
    }
    p->epilogue.store = d->store;
    PARE_GOTO(pare_qepilogue_init(&p->epilogue, &d->channels, &d->out, channel_of, columns, "qconv"));
out:
    pare_free(channel_of);
    return status;
}

static pare_status fill(const pare_qconv_layout *l, pare_qconv_plan *p)
{
    const pare_qconv_desc *d = l->d;
    const size_t           taps = (size_t)l->kernel_h * (size_t)l->kernel_w;
    const size_t           tiles = (size_t)l->bundles * (size_t)l->bundle_tiles;

    p->x = d->x;
    p->y = d->y;
    p->residual = d->residual;
    p->x_step = l->stride_w * d->x.pixel;
    p->x_line = l->stride_h * d->x.row;
    p->out_h = d->out_h;
    p->out_w = d->out_w;
    p->tile_bytes = taps * (size_t)l->tap_fours * PARE_QCONV_ROW;
    if (is_tiled(p->kernel)) {
        PARE_TRY(pare_qconv_tiles_init(l, p));
        p->tile_bytes = (size_t)p->tiles.n_steps * 16 * PARE_QCONV_ROW;
    }
    const size_t bytes = tiles * p->tile_bytes;

    p->steps = pare_calloc(taps, sizeof(*p->steps));
    p->panels = pare_calloc(tiles, sizeof(*p->panels));
    p->store = d->store;
    p->w = pare_store_take(d->store, bytes);
    p->bias = pare_store_take(d->store, tiles * PARE_QCONV_COLUMNS * sizeof(*p->bias));
    if (!p->steps || !p->panels || !p->w || !p->bias)
        return pare_fail_memory(bytes, "the packed weights of qconv");
    if (!is_tiled(p->kernel))
        fill_steps(l, p);
    fill_panels(l, p);
    return pack(l, p);
}

pare_status pare_qconv_create(const pare_qconv_desc *d, const pare_qconv_kernel *kernel, pare_qconv_plan **out)
{
    pare_qconv_layout l;

    *out = NULL;
    if (!kernel)
        pare_qconv_candidates(d, pare_cpu_features(), &kernel, 1);
    if (!kernel)
        return pare_fail(PARE_ERR_SHAPE, "qconv: no version takes %d input channels", d->in_c);
    PARE_TRY(lay_out(d, kernel, &l));

    pare_qconv_plan *p = pare_calloc(1, sizeof(*p));
    if (!p)
        return pare_fail_memory(sizeof(*p), "a plan of qconv");
    p->kernel = kernel;
    const pare_status status = fill(&l, p);
    if (status != PARE_OK) {
        pare_qconv_destroy(p);
        return status;
    }
    *out = p;
    return PARE_OK;
}

void pare_qconv_destroy(pare_qconv_plan *plan)
{
    if (!plan)
        return;
    pare_free(plan->steps);
    pare_free(plan->panels);
    pare_store_drop(plan->store, plan->w);
    pare_store_drop(plan->store, plan->bias);
    pare_qepilogue_clear(&plan->epilogue);
    pare_qconv_tiles_clear(&plan->tiles);
    pare_free(plan);
}
