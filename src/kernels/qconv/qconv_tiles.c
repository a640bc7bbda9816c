/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_tiles.c - plan time of the versions that multiply whole tiles: k-steps, and which pixels make a tile
 *
 * Tiles run over the output as over one long line, border pixels of x included, or line by line where that takes fewer;
 * or over pixels gathered side by side. The last tile of a line ends with its last pixel, so nothing behind it is read.
 */
#include "base/alloc.h"
#include "kernels/qconv/qconv_layout.h"

enum { ROWS = 16, TILE = 1024 };

static int ceil_div(int n, int by)
{
    return (n + by - 1) / by;
}

/* Bytes from the first to the last channel that a filter row reads, gaps between pixels included. */
static int64_t run_bytes(const pare_qconv_layout *l)
{
    return (int64_t)(l->kernel_w - 1) * l->dilation_w * l->d->x.pixel + l->bundle_in;
}

void pare_qconv_layout_tiles(pare_qconv_layout *l, const pare_qconv_kernel *kernel)
{
    const int64_t run = run_bytes(l);

    l->lanes = kernel->panel_tiles == 4 && l->d->out.kind == PARE_QKIND_U8;
    l->tap_steps = ceil_div(l->bundle_in, PARE_QCONV_ROW);
    l->row_steps = 0;
    if (run <= (int64_t)PARE_QCONV_ROW * (l->kernel_w * l->tap_steps - 1))
        l->row_steps = ceil_div((int)run, PARE_QCONV_ROW);
}

/* Whether tile t holds weights, in a form of so many column tiles (qconv_amx_loop.h). Tiles 0 to 3 are sums. */
static bool holds_weights(int panel_tiles, int t)
{
    if (t < 4)
        return false;
    return panel_tiles == 4 ? t >= 5 : panel_tiles == 2 ? t >= 6 : t == 4;
}

static pare_tile_config config_of(int panel_tiles, int rows, int k_bytes)
{
    pare_tile_config c = pare_tile_full;

    for (int t = 4; t < 8; t++)
        if (holds_weights(panel_tiles, t))
            c.rows[t] = (uint8_t)(k_bytes / 4);
        else
            c.colsb[t] = (uint16_t)k_bytes;
    pare_qconv_tiles_shorten(&c, panel_tiles, rows);
    return c;
}

void pare_qconv_tiles_shorten(pare_tile_config *c, int panel_tiles, int rows)
{
    for (int t = 0; t < 8; t++)
        if (!holds_weights(panel_tiles, t))
            c->rows[t] = (uint8_t)rows;
}

static void fill_steps(const pare_qconv_layout *l, ptrdiff_t *steps)
{
    const pare_qconv_desc *d = l->d;
    const int              per = l->row_steps ? l->row_steps : l->kernel_w * l->tap_steps;

    for (int i = 0; i < l->kernel_h * per; i++) {
        const int       ky = i / per, kx = l->row_steps ? 0 : i % per / l->tap_steps;
        const int       s = l->row_steps ? i % per : i % per % l->tap_steps;
        const ptrdiff_t x = kx * l->dilation_w - d->pad_left;

        steps[i] = (ky * l->dilation_h - d->pad_top) * d->x.row + x * d->x.pixel + s * PARE_QCONV_ROW;
    }
}

/* How tiles run over the output: `lines` of `length` pixels, `width` of which (with the border) make one line of x. */
typedef struct walk {
    int lines, length, width, rows;
} walk;

static int tiles_of(const walk *w)
{
    return w->lines * ceil_div(w->length, w->rows);
}

/* Line by line, or as one line of everything. */
static walk choose_walk(const pare_qconv_plan *p)
{
    const ptrdiff_t width = p->x_step > 0 && p->x_line % p->x_step == 0 ? p->x_line / p->x_step : 0;
    const int       out_w = p->out_w, parts = ceil_div(out_w, ROWS);
    const walk      lines = { p->out_h, out_w, out_w, ceil_div(out_w, parts) };

    if (width < out_w || (p->out_h - 1) * width + out_w > INT32_MAX)
        return lines;
    const int  length = (int)((p->out_h - 1) * width + out_w);
    const walk one = { 1, length, (int)width, length < ROWS ? length : ROWS };

    return tiles_of(&one) <= tiles_of(&lines) ? one : lines;
}

/* Whether copying all operands, about 30 cycles per tile, takes less time than the products it saves. */
static bool pays_to_gather(const pare_qconv_layout *l, const walk *now, const walk *gathered)
{
    enum { COPY = 30, PRODUCT = 16 };
    const int more = tiles_of(now) - tiles_of(gathered);

    return l->bundles == 1 && more * l->bundle_tiles * PRODUCT > tiles_of(gathered) * COPY;
}

/* Output pixel of row `r` of tile t; false: none, or another tile's. */
static bool pixel_of(const walk *w, int t, int r, int *oy, int *ox)
{
    const int per = ceil_div(w->length, w->rows), begin = t % per * w->rows;
    const int first = begin > w->length - w->rows ? w->length - w->rows : begin, at = first + r;

    *oy = t / per + at / w->width;
    *ox = at % w->width;
    return r < w->rows && at >= begin;
}

/* Fills the tables; the tiles that round their number up to whole blocks repeat the last one, and store nothing. */
static void fill_tables(const pare_qconv_plan *p, const walk *w, pare_qconv_tiles *t)
{
    const int n = tiles_of(w);

    for (int i = 0; i < t->n; i++) {
        int oy, ox;

        pixel_of(w, i < n ? i : n - 1, 0, &oy, &ox);
        t->x[i] = t->gather ? (i < n ? i : n - 1) * t->n_steps * TILE : (int32_t)(oy * p->x_line + ox * p->x_step);
        for (int r = 0; r < ROWS; r++) {
            const int  at = i * ROWS + r;
            const bool stored = i < n && pixel_of(w, i, r, &oy, &ox) && ox < p->out_w;

            t->y[at] = stored ? (int32_t)(oy * p->y.row + ox * p->y.pixel) : -1;
            t->residual[at] = stored ? (int32_t)(oy * p->residual.row + ox * p->residual.pixel) : -1;
            if (t->gather)
                t->from[at] = stored ? (int32_t)(oy * p->x_line + ox * p->x_step) : -1;
        }
    }
}

static pare_status allocate(pare_qconv_tiles *t)
{
    const size_t rows = (size_t)t->n * ROWS;

    t->steps = pare_calloc((size_t)t->n_steps, sizeof(*t->steps));
    if (!t->linear) {
        t->x = pare_calloc((size_t)t->n, sizeof(*t->x));
        t->y = pare_calloc(rows, sizeof(*t->y));
        t->residual = pare_calloc(rows, sizeof(*t->residual));
    }
    if (t->gather) {
        t->from_steps = pare_calloc((size_t)t->n_steps, sizeof(*t->from_steps));
        t->from = pare_calloc(rows, sizeof(*t->from));
    }
    if (!t->steps || (!t->linear && (!t->x || !t->y || !t->residual)) || (t->gather && (!t->from_steps || !t->from)))
        return pare_fail_memory(rows * 3 * sizeof(int32_t), "the tile tables of qconv");
    return PARE_OK;
}

pare_status pare_qconv_tiles_init(const pare_qconv_layout *l, pare_qconv_plan *p)
{
    pare_qconv_tiles *t = &p->tiles;
    const int         panel_tiles = p->kernel->panel_tiles;
    const int64_t     widest = l->row_steps ? run_bytes(l) : l->bundle_in;
    const int         k_bytes = widest <= PARE_QCONV_ROW / 2 ? ceil_div((int)widest, 4) * 4 : PARE_QCONV_ROW;
    walk              w = { 1, ROWS, 1, ROWS };

    t->n_steps = l->kernel_h * (l->row_steps ? l->row_steps : l->kernel_w * l->tap_steps);
    t->rows_outer = p->kernel->loop == PARE_QCONV_OVER_COLUMNS;
    t->slabs = p->kernel->loop == PARE_QCONV_OVER_SLABS ? ceil_div(t->n_steps, PARE_QCONV_SLAB) : 1;
    t->linear = p->out_h * p->out_w == 1;
    t->row_step = t->linear ? p->x.image : p->x_step;
    if (!t->linear) {
        const int  pixels = p->out_h * p->out_w;
        const walk gathered = { 1, pixels, p->out_w, pixels < ROWS ? pixels : ROWS };

        w = choose_walk(p);
        t->gather = pays_to_gather(l, &w, &gathered);
        w = t->gather ? gathered : w;
        t->row_step = t->gather ? PARE_QCONV_ROW : t->row_step;
        t->n = ceil_div(tiles_of(&w), 4 / panel_tiles) * (4 / panel_tiles);
    }
    t->rows = w.rows;
    t->config = config_of(panel_tiles, t->rows, k_bytes);
    PARE_TRY(allocate(t));
    fill_steps(l, t->gather ? t->from_steps : t->steps);
    for (int i = 0; t->gather && i < t->n_steps; i++)
        t->steps[i] = (ptrdiff_t)i * TILE;
    if (!t->linear)
        fill_tables(p, &w, t);
    return PARE_OK;
}

void pare_qconv_tiles_clear(pare_qconv_tiles *t)
{
    pare_free(t->steps);
    pare_free(t->x);
    pare_free(t->y);
    pare_free(t->residual);
    pare_free(t->from_steps);
    pare_free(t->from);
}
