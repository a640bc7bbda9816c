/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_amx.c - sharing out blocks of tiles; tables of Linear layers; gathering short lines */
#include "kernels/qconv/qconv_amx.h"

#if PARE_X86
#include <immintrin.h>

#include "base/pool.h"

enum {
    ROWS = 16,
    TILE = 1024,
    AHEAD = 256 << 10,       /* weights are fetched into L2 this far ahead              */
    CHUNK_BYTES = 768 << 10, /* of x: what all panels pass over before more is taken, to stay in L2 */
    CHUNK_TILES = 32,        /* of a Linear layer                                          */
};

/* The share of one call: blocks first..last-1 over all images, of panels panel0..panel1-1. */
typedef struct share {
    long first, last, panel0, panel1;
    bool by_columns;
} share;

static long ceil_div(long n, long by)
{
    return (n + by - 1) / by;
}

static int tiles_per_block(const pare_qconv_plan *p)
{
    return 4 / p->kernel->panel_tiles;
}

/* Blocks of an image, or of all rows of a Linear layer. */
static long blocks_of(const pare_qconv_plan *p, long batch)
{
    if (p->tiles.linear)
        return ceil_div(ceil_div(batch, ROWS), tiles_per_block(p));
    return p->tiles.n / tiles_per_block(p);
}

/* How full the parts are when n things are shared out: 1 when all get the same. */
static double balance(long n, int parts)
{
    return (double)n / (double)(ceil_div(n, parts) * parts);
}

/* Rows are shared out where there are more bytes of pixels than of weights, and enough of them; else columns. */
static share share_of(const pare_qconv_plan *p, long batch, int part, int parts)
{
    const long images = p->tiles.linear ? 1 : batch, blocks = images * blocks_of(p, batch);
    const long weights = p->n_panels * p->kernel->panel_tiles * (long)p->tile_bytes;
    const long pixels = blocks * tiles_per_block(p) * ROWS * (p->tiles.linear ? p->x.image : p->x_step + p->y.pixel);
    share      s = { 0, blocks, 0, p->n_panels, false };

    s.by_columns = balance(blocks, parts) * (weights > pixels ? 0.8 : 1.25) < balance(p->n_panels, parts);
    if (s.by_columns)
        pare_pool_split(p->n_panels, 1, part, parts, &s.panel0, &s.panel1);
    else
        pare_pool_split(blocks, 1, part, parts, &s.first, &s.last);
    return s;
}

/* Weights to fetch meanwhile: those of this share and, as they lie in the order of their use, of the next layer. */
static void look_ahead(const pare_qconv_plan *p, const share *s, pare_qconv_blocks *b)
{
    const size_t panel = p->tile_bytes * (size_t)p->kernel->panel_tiles;
    const bool   to_next = !s->by_columns || s->panel1 == p->n_panels;
    const size_t begin = (size_t)s->panel0 * panel + AHEAD, end = (size_t)s->panel1 * panel + (to_next ? AHEAD : 0);

    b->ahead = (const char *)((uintptr_t)p->w + begin);
    b->ahead_end = end > begin ? (const char *)((uintptr_t)p->w + end) : b->ahead;
}

static void compute(pare_qconv_blocks *b)
{
    b->plan->kernel->run_tiles(b);
    b->ahead = b->ahead_end;
}

/* Rows of a Linear layer, a chunk at a time: their tables are made here, because the batch is not known before. */
static void run_linear(pare_qconv_blocks *b, const pare_qconv_args *args, const share *s)
{
    const pare_qconv_plan *p = b->plan;
    const pare_qconv_args  a = *args;
    const int              per = tiles_per_block(p), rows = b->rows;
    const long             fit = CHUNK_BYTES / (p->x.image > 0 ? p->x.image * ROWS * per : 1);
    const long             chunk = fit < 1 ? 1 : fit * per < CHUNK_TILES ? fit : CHUNK_TILES / per;
    int32_t                x[CHUNK_TILES], y[CHUNK_TILES * ROWS], r[CHUNK_TILES * ROWS];
    float                  scale[CHUNK_TILES * ROWS];

    b->x_tiles = x;
    b->y_rows = y;
    b->r_rows = r;
    b->row_scale_step = a.row_scales ? 1 : 0;
    b->n_images = 1;
    for (long block = s->first; block < s->last; block += chunk) {
        const long n = s->last - block < chunk ? s->last - block : chunk, first = block * per * ROWS;
        /* Of the rows from `first` on; those before are computed again by the last tile, which ends with the batch. */
        const uint8_t *const x0 = a.x + first * p->x.image;

        for (long t = 0; t < n * per; t++) {
            const long wanted = first + t * ROWS, begin = wanted > a.batch - rows ? a.batch - rows : wanted;

            x[t] = (int32_t)((begin - first) * p->x.image);
            for (int i = 0; i < ROWS; i++) {
                const long row = begin + i, at = t * ROWS + i;
                const bool stored = row >= wanted && i < rows;

                y[at] = stored ? (int32_t)((row - first) * p->y.image) : -1;
                r[at] = stored ? (int32_t)((row - first) * p->residual.image) : -1;
                scale[at] = stored && a.row_scales ? a.row_scales[row] : 1;
            }
        }
        b->x = x0;
        b->y = (uint8_t *)a.y + first * p->y.image;
        b->residual = a.residual ? a.residual + first * p->residual.image : NULL;
        b->row_scale = scale;
        b->n_blocks = (int)n;
        compute(b);
    }
}

/* Copies the rows of tiles first..last-1 of one image side by side. */
__attribute__((target("avx512f"))) static void gather(const pare_qconv_plan *p, const uint8_t *x, int first, int last,
                                                      uint8_t *to)
{
    const pare_qconv_tiles *t = &p->tiles;

    for (int i = first; i < last; i++)
        for (int r = 0; r < t->rows; r++) {
            const int32_t from = t->from[i * ROWS + r];

            for (int k = 0; from >= 0 && k < t->n_steps; k++)
                _mm512_storeu_si512(to + ((ptrdiff_t)i * t->n_steps + k) * TILE + r * PARE_QCONV_ROW,
                                    _mm512_loadu_si512(x + from + t->from_steps[k]));
        }
    PARE_TILE_FENCE();
}

/* Blocks first..last-1 of each of `n` images. */
static void run_images(pare_qconv_blocks *b, const pare_qconv_args *args, long image, long n, long first, long last)
{
    const pare_qconv_plan  *p = b->plan;
    const pare_qconv_tiles *t = &p->tiles;
    const long              tile = first * tiles_per_block(p);

    b->x = args->x + image * p->x.image;
    b->y = (uint8_t *)args->y + image * p->y.image;
    b->residual = args->residual ? args->residual + image * p->residual.image : NULL;
    b->x_tiles = t->x + tile;
    b->y_rows = t->y + tile * ROWS;
    b->r_rows = t->residual + tile * ROWS;
    b->row_scale = args->row_scales ? args->row_scales + image : b->row_scale;
    b->n_images = (int)n;
    b->n_blocks = (int)(last - first);
    if (t->gather) {
        gather(p, b->x, (int)tile, (int)(last * tiles_per_block(p)), args->scratch);
        b->x = args->scratch;
    }
    compute(b);
}

/* The share as parts of images and whole images, as many at a time as fit into L2. */
static void run_blocks(pare_qconv_blocks *b, const pare_qconv_args *args, const share *s)
{
    const pare_qconv_plan *p = b->plan;
    const long             per = blocks_of(p, args->batch), bytes = p->out_h * p->x_line;
    const long             most = p->tiles.gather || bytes >= CHUNK_BYTES ? 1 : bytes > 0 ? CHUNK_BYTES / bytes : 1;

    for (long at = s->first; at < s->last;) {
        const long image = at / per, first = at % per, left = s->last - at;

        if (first || left < per) {
            const long n = left < per - first ? left : per - first;
            run_images(b, args, image, 1, first, first + n);
            at += n;
        } else {
            const long n = left / per < most ? left / per : most;
            run_images(b, args, image, n, 0, per);
            at += n * per;
        }
    }
}

/* Output pixels before block `at`, counted over all images. */
static long pixels_before(const pare_qconv_plan *p, long batch, long at)
{
    const long blocks = blocks_of(p, batch), rows = tiles_per_block(p) * ROWS, pixels = (long)p->out_h * p->out_w;

    if (p->tiles.linear)
        return at * rows < batch ? at * rows : batch;
    long n = at / blocks * pixels;
    for (long i = 0; i < at % blocks * rows; i++)
        n += p->tiles.y[i] >= 0;
    return n;
}

bool pare_qconv_share_tiles(const pare_qconv_plan *plan, int batch, int part, int parts, long *first, long *last)
{
    const share s = share_of(plan, batch, part, parts);

    *first = s.by_columns ? 0 : pixels_before(plan, batch, s.first);
    *last = s.by_columns ? (long)batch * plan->out_h * plan->out_w : pixels_before(plan, batch, s.last);
    return !s.by_columns;
}

void pare_qconv_run_tiles(const pare_qconv_plan *plan, const pare_qconv_args *args, int part, int parts)
{
    static const float one = 1;
    const share        s = share_of(plan, args->batch, part, parts);
    pare_tile_config   config = plan->tiles.config;
    pare_qconv_blocks  b = {
         .plan = plan,
         .x_image = plan->x.image,
         .y_image = plan->y.image,
         .r_image = plan->residual.image,
         .row_scale = &one,
         .rows = plan->tiles.linear && args->batch < ROWS ? args->batch : plan->tiles.rows,
         .panel0 = (int)s.panel0,
         .panel1 = (int)s.panel1,
    };

    if (s.first == s.last || s.panel0 == s.panel1)
        return;
    look_ahead(plan, &s, &b);
    if (b.rows < plan->tiles.rows)
        pare_qconv_tiles_shorten(&config, plan->kernel->panel_tiles, b.rows);
    pare_tile_use(&config);
    if (plan->tiles.linear)
        run_linear(&b, args, &s);
    else
        run_blocks(&b, args, &s);
}
#endif
