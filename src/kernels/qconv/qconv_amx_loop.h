/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_amx_loop.h - the loop over blocks of tiles, for every form, kind of output and number of k-steps
 *
 * Three blocks are under way. While block i is multiplied, the sums of block i-1 leave the tiles, each just before its
 * tile is reused, and block i-2 is requantized item by item between the products:
 *
 *     k-step 0:   load, load, [sum 0 of i-1 out, bias in], product 0, item of i-2, load, [sum 1 ...], product 1, ...
 *     k-step 1:   load, load, product 0, item, load, product 1, item, ...
 *
 * so neither stores nor requantization come in bunches, and the tile unit waits for neither. Up to four k-steps are
 * unrolled, with their share of the 16 items at each product; beyond, an item comes at every n-th product.
 */
#ifndef PARE_KERNELS_QCONV_AMX_LOOP_H
#define PARE_KERNELS_QCONV_AMX_LOOP_H

#include "kernels/qconv/qconv_amx_steps.h"

/* Which block is multiplied. */
typedef struct amx_walk {
    int image, block, panel;
} amx_walk;

/* To the next block: of the same panel, or the same block of the next panel. */
static inline void amx_walk_on(const pare_qconv_blocks *b, amx_walk *w)
{
    if (b->plan->tiles.rows_outer) {
        if (++w->panel < b->panel1)
            return;
        w->panel = b->panel0;
    }
    if (++w->block < b->n_blocks)
        return;
    w->block = 0;
    if (++w->image < b->n_images)
        return;
    w->image = 0;
    w->panel++;
}

/* Notes where a block goes. */
static inline void amx_slot_fill(const pare_qconv_blocks *b, const amx_walk *w, int nt, amx_slot *slot)
{
    const pare_qconv_panel *panel = &b->plan->panels[w->panel];
    const ptrdiff_t         item = b->plan->epilogue.kind == PARE_QKIND_U8 ? 1 : (ptrdiff_t)sizeof(float);
    const int               row = w->block * (4 / nt) * 16;

    slot->panel = panel;
    slot->y = b->y + w->image * b->y_image + panel->channel * item;
    slot->residual = b->residual ? b->residual + w->image * b->r_image + panel->channel : slot->y;
    slot->y_rows = b->y_rows + row;
    slot->r_rows = b->r_rows + row;
    slot->row_scale = b->row_scale + (b->row_scale_step                               ? row
                                      : b->plan->epilogue.kind == PARE_QKIND_F32_ROWS ? w->image
                                                                                      : 0);
}

/* What the multiplication of a block reads. */
PARE_AMX_INLINE void amx_begin(const pare_qconv_blocks *b, const amx_walk *w, int nt, amx_state *s)
{
    const pare_qconv_panel *panel = &b->plan->panels[w->panel];
    const uint8_t *const    x = b->x + w->image * b->x_image + panel->x_offset;
    const int32_t *const    tile = b->x_tiles + w->block * (4 / nt);

    s->x0 = x + tile[0];
    s->x1 = nt < 4 ? x + tile[1] : x;
    s->x2 = nt < 2 ? x + tile[2] : x;
    s->x3 = nt < 2 ? x + tile[3] : x;
    s->k = b->plan->tiles.steps;
    s->w = panel->w;
    s->bias = b->plan->bias + panel->packed;
}

/* Constants of all blocks. */
PARE_AMX_INLINE void amx_items_start(const pare_qconv_blocks *b, uint8_t *nowhere, amx_items *c)
{
    const pare_qepilogue *e = &b->plan->epilogue;

    c->nowhere = nowhere;
    c->row_scale_step = b->row_scale_step;
    c->clamp_lo = _mm512_set1_ps(e->clamp_lo);
    c->clamp_hi = _mm512_set1_ps(e->clamp_hi);
    c->zero = _mm512_set1_epi16((short)e->zero);
    c->lo = _mm512_set1_epi8((char)e->lo);
    c->hi = _mm512_set1_epi8((char)e->hi);
    c->table = e->table;
    c->add = e->add;
    c->conv_is_second = e->conv_is_second;
    c->round = _mm512_set1_ps(12582912);
    c->round_zero = _mm512_set1_ps(12582912 - (float)e->zero);
    c->lo_f32 = _mm512_set1_ps((float)e->lo);
    c->hi_f32 = _mm512_set1_ps((float)e->hi);
    c->rate_conv = _mm512_set1_ps(e->rate_conv);
    c->rate_r = _mm512_set1_ps(e->rate_r);
    c->constant = _mm512_set1_ps(e->constant);
    c->add_lo = _mm512_set1_epi8((char)e->add_lo);
    c->add_hi = _mm512_set1_epi8((char)e->add_hi);
}

/* Items read the block in `slot` from now on. Without a float bias they add -0, which changes no number. */
PARE_AMX_INLINE void amx_items_take(const pare_qconv_blocks *b, const amx_slot *slot, int nt, amx_items *c)
{
    const float *const scale = b->plan->epilogue.scale + slot->panel->packed;
    const float *const bias = b->plan->epilogue.bias_f32 ? b->plan->epilogue.bias_f32 + slot->panel->packed : NULL;
    const __m512       none = _mm512_set1_ps(-0.0f);

    c->acc = slot->acc[0];
    c->y = slot->y;
    c->residual = slot->residual;
    c->y_rows = slot->y_rows;
    c->r_rows = slot->r_rows;
    c->row_scale = slot->row_scale;
    c->mask = pare_q512_mask(slot->panel->columns);
    c->full = slot->panel->columns == 16 * nt;
    c->s0 = _mm512_loadu_ps(scale);
    c->s1 = nt > 1 ? _mm512_loadu_ps(scale + 16) : none;
    c->s2 = nt > 2 ? _mm512_loadu_ps(scale + 32) : none;
    c->s3 = nt > 2 ? _mm512_loadu_ps(scale + 48) : none;
    c->b0 = bias ? _mm512_loadu_ps(bias) : none;
    c->b1 = bias && nt > 1 ? _mm512_loadu_ps(bias + 16) : none;
    c->b2 = bias && nt > 2 ? _mm512_loadu_ps(bias + 32) : none;
    c->b3 = bias && nt > 2 ? _mm512_loadu_ps(bias + 48) : none;
}

PARE_AMX_INLINE void amx_finish(const pare_qconv_blocks *b, const amx_slot *slot, int nt, amx_kind kind, int n_items,
                                amx_items *c)
{
    amx_items_take(b, slot, nt, c);
    for (int e = 0; e < n_items; e++)
        amx_item(c, nt, kind, e);
}

/* Everything: `nt` column tiles per block, `steps` k-steps unrolled or 0. */
PARE_AMX_INLINE void amx_run(const pare_qconv_blocks *b, int nt, amx_kind kind, int steps)
{
    const pare_qconv_tiles *t = &b->plan->tiles;
    const int               n_steps = steps ? steps : t->n_steps, rows = b->rows;
    const int               n_items = nt == 4 ? rows : nt == 2 ? (rows + 1) / 2 * 2 : (rows + 3) / 4 * 4;
    const long              total = (long)b->n_images * b->n_blocks * (b->panel1 - b->panel0);
    const long              lines = (b->ahead_end - b->ahead) / 64;
    amx_slot                slots[3], *next = &slots[0], *stored = &slots[1], *done = &slots[2];
    uint8_t                 nowhere[256];
    amx_walk                walk = { 0, 0, b->panel0 };
    amx_state               s = { .row_step = t->row_step, .every = n_steps < 8 ? 1 : n_steps / 4, .ahead = b->ahead };

    s.ahead_end = b->ahead_end;
    s.lines = (int)((lines + total * n_steps - 1) / (total * n_steps));
    amx_items_start(b, nowhere, &s.items);
    for (long i = 0; i < total; i++) {
        amx_slot_fill(b, &walk, nt, next);
        amx_begin(b, &walk, nt, &s);
        s.out = stored->acc;
        s.n_items = i >= 2 ? n_items : 0;
        s.e = 0;
        s.wait = i >= 2 ? s.every : INT32_MAX;
        if (i >= 2)
            amx_items_take(b, done, nt, &s.items);
        amx_multiply(&s, nt, kind, steps, n_steps);
        amx_walk_on(b, &walk);
        amx_slot *const free = done;
        done = stored;
        stored = next;
        next = free;
    }
    PARE_TILE_STORE(0, stored->acc[0], 64);
    PARE_TILE_STORE(1, stored->acc[1], 64);
    PARE_TILE_STORE(2, stored->acc[2], 64);
    PARE_TILE_STORE(3, stored->acc[3], 64);
    if (total > 1)
        amx_finish(b, done, nt, kind, n_items, &s.items);
    amx_finish(b, stored, nt, kind, n_items, &s.items);
}

#endif
