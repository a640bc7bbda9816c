/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_plan.h - what the versions of qconv share: the packed form and the walk over output pixels
 *
 * Packed weights. Groups are merged into bundles until a bundle has at least 16 columns (block-diagonal, zeros
 * elsewhere). Each bundle's output channels are cut into column tiles of 16. A column tile is the
 * concatenation, over the k-steps, of [k/4][column 16][k%4] bytes: 64 bytes per 4 k, 1 KB per 64 k, so one
 * row is a zmm register and 16 rows are one AMX tile. With k_round 8 they are [k/8][column 16][k%8]: 128 bytes per 8 k.
 * With k_round 64 whole tiles are multiplied: a k-step is at most 64 bytes of k, a panel is the concatenation over its
 * k-steps of `panel_tiles` column tiles of 1 KB, and there are only full panels (qconv_tiles.c). Otherwise
 * a k-step is a tap, or several taps whose channels are neighbours in memory; k is rounded up to `k_round` within each
 * tap, and the weights there are zero.
 */
#ifndef PARE_KERNELS_QCONV_PLAN_H
#define PARE_KERNELS_QCONV_PLAN_H

#include <stdbool.h>
#include <string.h>

#include "cpu/cpu.h"
#include "kernels/amx/tile.h"
#include "kernels/qconv/qconv.h"

enum {
    PARE_QCONV_COLUMNS = 16,
    PARE_QCONV_ROW = 64,
    PARE_QCONV_SLAB = 4, /* k-steps: 8 KB of pixels and as much of weights leave room in L1 for sums */
};

/* Consecutive k: `fours` * 4 bytes at `offset` from the output pixel's first byte of x. */
typedef struct pare_qconv_step {
    ptrdiff_t offset;
    int       fours;
} pare_qconv_step;

/* Up to `panel_tiles` neighbouring column tiles of one bundle: what one call of a tile function computes. */
typedef struct pare_qconv_panel {
    const int8_t *w;        /* first tile; the others follow at tile_bytes                   */
    ptrdiff_t     x_offset; /* of the bundle's first channel in a pixel                      */
    int           tiles;
    int           columns; /* valid ones, <= 16 * tiles                                     */
    int           channel; /* output channel of column 0                                    */
    int           packed;  /* index of column 0 in bias and in the arrays of the epilogue   */
} pare_qconv_panel;

/*
 * A convolution as products of tiles. A tile row is an output pixel: `rows` pixels at one distance in x make a tile.
 * Border pixels between the rows of the output, and pixels that two tiles share, are computed and not stored.
 */
typedef struct pare_qconv_tiles {
    pare_tile_config config;
    int              rows;       /* of a tile: 16 or, where pixels are few or lines short, fewer                */
    int              n;          /* tiles of an image, rounded up to whole blocks of 4 / panel_tiles            */
    int              n_steps;    /* k-steps                                                                     */
    bool             linear;     /* rows are images: x, y and residual are made in each run                     */
    bool             rows_outer; /* all panels pass over one block of tiles before the next; else tiles over a panel */
    int              slabs;      /* into which the k-steps are cut: sums of some blocks wait for the next; 1: not  */
    ptrdiff_t        row_step;   /* bytes between the rows of a tile                                            */
    ptrdiff_t       *steps;      /* [n_steps] offset of each k-step from a tile                                 */
    int32_t         *x;          /* [n] offset of each tile from the image's x                                  */
    int32_t         *y;          /* [n][16] offset of each row from the image's y; -1: not stored               */
    int32_t         *residual;   /* [n][16]                                                                     */
    /* Lines so short that tiles would be half empty are gathered first, into [n][n_steps] tiles of 1 KB. */
    bool       gather;
    ptrdiff_t *from_steps; /* [n_steps] */
    int32_t   *from;       /* [n][16] offset of each row from the image's x; -1: none */
} pare_qconv_tiles;

/* Makes tiles of so many pixels of a configuration for 16. */
void pare_qconv_tiles_shorten(pare_tile_config *config, int panel_tiles, int rows);

struct pare_qconv_plan {
    const pare_qconv_kernel *kernel;
    pare_qconv_strides       x, y, residual;
    ptrdiff_t                x_step, x_line; /* bytes between neighbouring outputs in x: along, across */
    int                      out_h, out_w;
    int                      n_steps, n_panels;
    pare_qconv_step         *steps;      /* [n_steps]                                              */
    pare_qconv_panel        *panels;     /* [n_panels], each group's in order                      */
    size_t                   tile_bytes; /* of one packed column tile                              */
    pare_store              *store;      /* where w and bias lie; NULL: heap memory                */
    int8_t                  *w;          /* packed                                                 */
    int32_t                 *bias;       /* [packed columns]: bias - zx * sum(w)                   */
    pare_qepilogue           epilogue;
    pare_qconv_tiles         tiles; /* where k_round is 64                                         */
};

/* Output pixels first..last-1 (over batch, row, column) of panels panel0..panel1-1. */
typedef struct pare_qconv_range {
    const pare_qconv_plan *plan;
    const pare_qconv_args *args;
    long                   first, last;
    int                    panel0, panel1;
} pare_qconv_range;

typedef struct pare_qconv_blocks pare_qconv_blocks; /* qconv_amx.h */

/* What comes round first where whole tiles are multiplied. */
typedef enum pare_qconv_loop {
    PARE_QCONV_OVER_PIXELS,  /* all pixels pass over one panel, then over the next              */
    PARE_QCONV_OVER_COLUMNS, /* all panels pass over few pixels, then over the next             */
    PARE_QCONV_OVER_SLABS,   /* all pixels pass over a slab of a panel: both operands stay near */
} pare_qconv_loop;

struct pare_qconv_kernel {
    const char *name;
    unsigned    isa;
    int         panel_tiles; /* column tiles of a full panel                                  */
    int         k_round;     /* 4; 8; or 64 where only whole tiles are multiplied             */
    int         x_zero;      /* what the version takes off each code of x: 0 or 128           */
    bool (*fits)(const pare_qconv_desc *d);
    void (*run)(const pare_qconv_range *r);
    void (*run_tiles)(const pare_qconv_blocks *b); /* in place of run, where k_round is 64              */
    pare_qconv_loop loop;
};

/* Puts candidates in the best order for a layer. */
void pare_qconv_order(const pare_qconv_desc *d, const pare_qconv_kernel *kernels[], int n);

/* Declares the version functions: pare_qconv_6x64_avx512vnni ... */
#define PARE_QCONV(tile, isa_name, isa, panel_tiles, k_round) \
    void pare_qconv_##tile##_##isa_name(const pare_qconv_range *r);
#define PARE_QCONV_TILES(name, tile, isa_name, isa, panel_tiles, loop) \
    void pare_qconv_##tile##_##isa_name(const pare_qconv_blocks *b);
#include "kernels/qconv/qconv.def"
#undef PARE_QCONV

/* Where an output pixel lies in x, y and the residual. */
typedef struct pare_qconv_walk {
    const uint8_t *x;
    uint8_t       *y;
    const uint8_t *residual; /* x where there is none, so that it may be advanced */
    float          row_scale;
    int            image, oy, ox;
} pare_qconv_walk;

static inline void pare_qconv_walk_line(const pare_qconv_range *r, pare_qconv_walk *w)
{
    const pare_qconv_plan *p = r->plan;

    w->x = r->args->x + w->image * p->x.image + w->oy * p->x_line;
    w->y = (uint8_t *)r->args->y + w->image * p->y.image + w->oy * p->y.row;
    w->residual = r->args->residual ? r->args->residual + w->image * p->residual.image + w->oy * p->residual.row : w->x;
    /* Behind the last pixel lies what another part may just be writing. */
    w->row_scale =
        r->args->row_scales && (long)w->image * p->out_h * p->out_w < r->last ? r->args->row_scales[w->image] : 1;
}

/* Moves on by n pixels of the same line, or to the begin of the next. */
static inline void pare_qconv_walk_on(const pare_qconv_range *r, pare_qconv_walk *w, int n)
{
    const pare_qconv_plan *p = r->plan;

    w->ox += n;
    w->x += n * p->x_step;
    w->y += n * p->y.pixel;
    w->residual += n * p->residual.pixel;
    if (w->ox < p->out_w)
        return;
    w->ox = 0;
    if (++w->oy == p->out_h) {
        w->oy = 0;
        w->image++;
    }
    pare_qconv_walk_line(r, w);
}

static inline void pare_qconv_walk_start(const pare_qconv_range *r, pare_qconv_walk *w)
{
    const pare_qconv_plan *p = r->plan;
    const long             line = r->first / p->out_w;

    w->ox = 0;
    w->oy = (int)(line % p->out_h);
    w->image = (int)(line / p->out_h);
    pare_qconv_walk_line(r, w);
    pare_qconv_walk_on(r, w, (int)(r->first % p->out_w));
}

/* Pixels that are computed together; entries from `n` up repeat the last one, so that any tile height may run. */
enum { PARE_QCONV_ROWS = 8 };

typedef struct pare_qconv_tile {
    const uint8_t *x[PARE_QCONV_ROWS];
    uint8_t       *y[PARE_QCONV_ROWS];
    const uint8_t *residual[PARE_QCONV_ROWS];
    float          row_scale[PARE_QCONV_ROWS];
    int            n;
} pare_qconv_tile;

/* Entries begin..end-1 from pixels `x_step`, ... apart; steps of 0 repeat. */
static inline void pare_qconv_tile_fill(pare_qconv_tile *t, int begin, int end, const pare_qconv_walk *w,
                                        const pare_qconv_plan *p, bool repeat)
{
    const ptrdiff_t x_step = repeat ? 0 : p->x_step, y_step = repeat ? 0 : p->y.pixel;
    const ptrdiff_t r_step = repeat ? 0 : p->residual.pixel;

    for (int i = begin; i < end; i++) {
        t->x[i] = w->x + (i - begin) * x_step;
        t->y[i] = w->y + (i - begin) * y_step;
        t->residual[i] = w->residual + (i - begin) * r_step;
        t->row_scale[i] = w->row_scale;
    }
}

/* Takes the next `n` >= 1 pixels of the walk and fills up to `rows`. */
static inline void pare_qconv_tile_take(const pare_qconv_range *r, pare_qconv_walk *w, int n, int rows,
                                        pare_qconv_tile *t)
{
    const pare_qconv_plan *p = r->plan;
    int                    done = 0;

    do {
        const int left = p->out_w - w->ox, count = n - done < left ? n - done : left;
        pare_qconv_tile_fill(t, done, done + count, w, p, false);
        done += count;
        pare_qconv_walk_on(r, w, count);
    } while (done < n);
    if (n < rows) {
        const pare_qconv_walk last = { t->x[n - 1], t->y[n - 1], t->residual[n - 1], t->row_scale[n - 1], 0, 0, 0 };
        pare_qconv_tile_fill(t, n, rows, &last, p, true);
    }
    t->n = n;
}

/* Four neighbouring codes as one word, for a broadcast. */
static inline int32_t pare_qconv_four(const uint8_t *x)
{
    int32_t four;

    memcpy(&four, x, sizeof(four));
    return four;
}

#endif
