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

/* Blocks whose sums wait for the next slab: as many as about L1 holds beside a slab. */
enum { AMX_WAITING = 8 };

/* Which block is multiplied, and in which of the slabs of k-steps. */
typedef struct amx_walk {
    int image, block, panel;
    int first_image, first_block, slab; /* of the blocks that pass over the slabs together */
    int at, group;                      /* which of them, and how many they are            */
} amx_walk;

/* To the next block of the panel; false: there was none, and it is the first again. */
static inline bool amx_next_block(const pare_qconv_blocks *b, amx_walk *w)
{
    if (++w->block < b->n_blocks)
        return true;
    w->block = 0;
    if (++w->image < b->n_images)
        return true;
    w->image = 0;
    return false;
}

/* The blocks from here on that pass over the slabs together: the rest of the panel's in equal shares. */
static inline void amx_group_start(const pare_qconv_blocks *b, amx_walk *w)
{
    const int left = b->n_images * b->n_blocks - (w->image * b->n_blocks + w->block);
    const int groups = (left + AMX_WAITING - 1) / AMX_WAITING;

    w->first_image = w->image;
    w->first_block = w->block;
    w->group = (left + groups - 1) / groups;
    w->at = w->slab = 0;
}

/* All blocks of a group pass over each slab of the panel; then the next group, then the next panel. */
static inline void amx_walk_slabs(const pare_qconv_blocks *b, int slabs, amx_walk *w)
{
    const bool more = amx_next_block(b, w);

    if (++w->at < w->group)
        return;
    if (++w->slab < slabs) {
        w->image = w->first_image;
        w->block = w->first_block;
        w->at = 0;
        return;
    }
    w->panel += !more;
    amx_group_start(b, w);
}

/* To the next block: of the same panel, or the same block of the next panel. */
static inline void amx_walk_on(const pare_qconv_blocks *b, int slabs, amx_walk *w)
{
    if (slabs > 1) {
        amx_walk_slabs(b, slabs, w);
        return;
    }
    if (b->plan->tiles.rows_outer) {
        if (++w->panel < b->panel1)
            return;
        w->panel = b->panel0;
    }
    w->panel += !amx_next_block(b, w) && !b->plan->tiles.rows_outer;
}

/* Where 16 rows are, or `nowhere` for those that are not stored. */
PARE_AMX_INLINE void amx_rows_at(const void *from, const int32_t *rows, const uint8_t *nowhere, uint8_t **to)
{
    for (int half = 0; half < 16; half += 8) {
        const __m512i at = _mm512_cvtepi32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(rows + half)));
        const __m512i there = _mm512_add_epi64(at, _mm512_set1_epi64((int64_t)(intptr_t)from));

        _mm512_storeu_si512(to + half, _mm512_mask_mov_epi64(there, _mm512_movepi64_mask(at),
                                                             _mm512_set1_epi64((int64_t)(intptr_t)nowhere)));
    }
}

/* Notes where a block goes. `waiting`: the sums of the group, for the next slab; NULL where there is none. */
PARE_AMX_INLINE void amx_slot_fill(const pare_qconv_blocks *b, const amx_walk *w, int nt, amx_kind kind,
                                   const uint8_t *nowhere, int32_t *waiting, amx_slot *slot)
{
    const pare_qconv_panel *panel = &b->plan->panels[w->panel];
    const ptrdiff_t         item = kind == AMX_F32 ? (ptrdiff_t)sizeof(float) : 1;
    const int               row = w->block * (4 / nt) * 16;

    slot->out = waiting ? waiting : slot->acc[0][0];
    slot->n_items = waiting ? 0 : b->rows;
    if (waiting)
        return;
    slot->panel = panel;
    for (int m = 0; m < 4 / nt; m++)
        amx_rows_at(b->y + w->image * b->y_image + panel->channel * item, b->y_rows + row + 16 * m, nowhere,
                    slot->rows[0][m]);
    if (b->residual)
        for (int m = 0; m < 4 / nt; m++)
            amx_rows_at(b->residual + w->image * b->r_image + panel->channel, b->r_rows + row + 16 * m, nowhere,
                        slot->rows[1][m]);
    slot->row_scale = b->row_scale + (b->row_scale_step                               ? row
                                      : b->plan->epilogue.kind == PARE_QKIND_F32_ROWS ? w->image
                                                                                      : 0);
}

/* Sums start with what is at `from`; tile 1 lies `next` further on, tile 2 `next2`. */
PARE_AMX_INLINE void amx_start(amx_state *s, const int32_t *from, int next, int next2, ptrdiff_t step)
{
    s->start0 = from;
    s->start1 = from + next;
    s->start2 = from + next2;
    s->start3 = from + next + next2;
    s->start_step = step;
}

/* What the multiplication of a block reads, from k-step `first` on. */
PARE_AMX_INLINE void amx_begin(const pare_qconv_blocks *b, const amx_walk *w, int nt, int first, amx_state *s)
{
    const pare_qconv_panel *panel = &b->plan->panels[w->panel];
    const uint8_t *const    x = b->x + w->image * b->x_image + panel->x_offset;
    const int32_t *const    tile = b->x_tiles + w->block * (4 / nt);

    s->x0 = x + tile[0];
    s->x1 = nt < 4 ? x + tile[1] : x;
    s->x2 = nt < 2 ? x + tile[2] : x;
    s->x3 = nt < 2 ? x + tile[3] : x;
    s->k = b->plan->tiles.steps + first;
    s->w = panel->w + (ptrdiff_t)first * nt * 1024;
    amx_start(s, b->plan->bias + panel->packed, nt > 1 ? 16 : 0, nt > 2 ? 32 : 0, 0);
    if (b->ahead_end < s->ahead)
        s->fetch = 0;
}

/* Constants of all blocks. */
PARE_AMX_INLINE void amx_items_start(const pare_qconv_blocks *b, amx_items *c)
{
    const pare_qepilogue *e = &b->plan->epilogue;

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

    c->slot = slot;
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

/* A block that is not the one before last of another. */
PARE_AMX_INLINE void amx_finish(const pare_qconv_blocks *b, const amx_slot *slot, int nt, amx_kind kind, amx_items *c)
{
    if (slot->n_items)
        amx_items_take(b, slot, nt, c);
    for (ptrdiff_t e = 0; e < slot->n_items; e++)
        amx_item(c, nt, kind, e);
}

/* How often items come in loops of `n` k-steps: some at each pair of products, or one at every n-th. */
static inline void amx_spread(amx_state *s, int n)
{
    s->every = n < 16 ? 1 : n / 8;
    s->most = (7 + n) / n;
}

/* Everything: `nt` column tiles per block, `steps` k-steps unrolled or 0. */
PARE_AMX_INLINE void amx_run(const pare_qconv_blocks *b, int nt, amx_kind kind, int steps)
{
    const bool              may_wait = nt == 2 && !steps;
    const pare_qconv_tiles *t = &b->plan->tiles;
    const int               slabs = may_wait ? t->slabs : 1, n_steps = steps ? steps : t->n_steps;
    const long              total = (long)b->n_images * b->n_blocks * (b->panel1 - b->panel0) * slabs;
    const long              lines = (b->ahead_end - b->ahead) / 64;
    amx_slot                slots[3], *next = &slots[0], *stored = &slots[1], *done = &slots[2];
    uint8_t                 nowhere[256];
    _Alignas(64) int32_t    waiting[AMX_WAITING][4 * 16 * 16];
    amx_walk                walk = { .panel = b->panel0 };
    amx_state               s = { .row_step = t->row_step, .ahead = b->ahead };

    s.fetch = (lines * slabs + total * n_steps - 1) / (total * n_steps) * 64;
    amx_spread(&s, n_steps / slabs);
    amx_items_start(b, &s.items);
    amx_group_start(b, &walk);
    stored->n_items = done->n_items = 0;
    stored->out = stored->acc[0][0];
    for (long i = 0; i < total; i++) {
        const int      slab = may_wait ? walk.slab : 0;
        const int      first = slab * n_steps / slabs, end = (slab + 1) * n_steps / slabs;
        int32_t *const sums = waiting[may_wait ? walk.at : 0];

        amx_slot_fill(b, &walk, nt, kind, nowhere, slab + 1 < slabs ? sums : NULL, next);
        amx_begin(b, &walk, nt, first, &s);
        if (slab > 0) {
            amx_start(&s, sums, 256, 512, 64);
        }
        s.out = stored->out;
        s.left = done->n_items;
        s.e = 0;
        s.wait = s.left ? s.every : INT32_MAX;
        if (s.left)
            amx_items_take(b, done, nt, &s.items);
        amx_multiply(&s, nt, kind, steps, end - first);
        amx_walk_on(b, slabs, &walk);
        amx_slot *const free = done;
        done = stored;
        stored = next;
        next = free;
    }
    PARE_TILE_STORE(0, stored->acc[0], 64);
    PARE_TILE_STORE(1, stored->acc[1], 64);
    PARE_TILE_STORE(2, stored->acc[2], 64);
    PARE_TILE_STORE(3, stored->acc[3], 64);
    amx_finish(b, done, nt, kind, &s.items);
    amx_finish(b, stored, nt, kind, &s.items);
}

#endif
