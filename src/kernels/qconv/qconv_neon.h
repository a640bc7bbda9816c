/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_neon.h - what the NEON versions of qconv share: finishing a tile of 16 columns, and the walk over the pixels */
#ifndef PARE_KERNELS_QCONV_NEON_H
#define PARE_KERNELS_QCONV_NEON_H

#include "kernels/qconv/qconv_plan.h"
#include "kernels/qconv/qepilogue_neon.h"

enum { PARE_QCONV_NEON_ROWS = 6 };

/* Computes and stores one tile. */
typedef void pare_qconv_neon_tile(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t);

/* The tile functions by pixels: entry n - 1 computes `rows` >= n. */
typedef struct pare_qconv_neon_height {
    int                   rows;
    pare_qconv_neon_tile *run;
} pare_qconv_neon_height;

/* Table and add: out of line, so that the plain epilogue keeps its registers. */
__attribute__((noinline, unused)) static void
pare_qconv_neon_then(const pare_qepilogue *e, const pare_qconv_panel *panel, const pare_qconv_tile *t, uint8x16_t *q)
{
    if (e->table)
        pare_q128_lookup(e->table, q, t->n);
    for (int i = 0; i < t->n; i++) {
        if (e->add)
            q[i] = pare_q128_add(e, q[i], pare_q128_load(t->residual[i] + panel->channel, panel->columns));
        pare_q128_save(t->y[i] + panel->channel, panel->columns, q[i]);
    }
}

/* Requantizes and stores the first t->n pixels. */
PARE_NEON_INLINE void pare_qconv_neon_finish(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                             const pare_qconv_tile *t, const int rows, const pare_q128x4 *acc)
{
    const pare_qepilogue *e = &p->epilogue;

    if (e->kind != PARE_QKIND_U8) {
        PARE_NEON_UNROLL for (int i = 0; i < rows; i++) if (i < t->n) pare_q128_store_f32(
            e, panel->packed, acc[i], panel->columns, (float *)t->y[i] + panel->channel, t->row_scale[i]);
        return;
    }
    const pare_q128_constants c = pare_q128_constants_of(e, panel->packed);
    if (e->table || e->add) {
        uint8x16_t q[PARE_QCONV_NEON_ROWS];
        PARE_NEON_UNROLL for (int i = 0; i < rows; i++) q[i] = pare_q128_codes(&c, acc[i]);
        pare_qconv_neon_then(e, panel, t, q);
        return;
    }
    PARE_NEON_UNROLL for (int i = 0; i < rows; i++) if (i < t->n)
        pare_q128_save(t->y[i] + panel->channel, panel->columns, pare_q128_codes(&c, acc[i]));
}

/* Every panel of the range over all its pixels, `most` at a time. */
static inline void pare_qconv_neon_run(const pare_qconv_range *r, const pare_qconv_neon_height *heights, int most)
{
    for (int i = r->panel0; i < r->panel1; i++) {
        pare_qconv_walk walk;

        pare_qconv_walk_start(r, &walk);
        for (long m = r->first; m < r->last;) {
            const int       n = r->last - m < most ? (int)(r->last - m) : most;
            pare_qconv_tile t;

            pare_qconv_tile_take(r, &walk, n, heights[n - 1].rows, &t);
            heights[n - 1].run(r->plan, &r->plan->panels[i], &t);
            m += n;
        }
    }
}

#endif
