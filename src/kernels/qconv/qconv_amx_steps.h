/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_amx_steps.h - one k-step of each form: four tile products, and what runs between them (qconv_amx_loop.h) */
#ifndef PARE_KERNELS_QCONV_AMX_STEPS_H
#define PARE_KERNELS_QCONV_AMX_STEPS_H

#include "kernels/qconv/qconv_amx_items.h"

/* The block that is multiplied, and the items beside it. */
typedef struct amx_state {
    amx_items items;
    ptrdiff_t e; /* the next item, and how many are left */
    int       left;
    /* In loops that are not unrolled: pairs of products until items come, pairs between them, and how many come. */
    int              wait, every, most;
    const uint8_t   *x0, *x1, *x2, *x3; /* tiles of pixels              */
    ptrdiff_t        row_step;          /* bytes between their rows     */
    const ptrdiff_t *k;                 /* offset of the next k-step    */
    const int8_t    *w;                 /* its tiles of weights         */
    /* What the sums start with, at `start_step` bytes per row; where those of the block before go. */
    const void *start0, *start1, *start2, *start3;
    ptrdiff_t   start_step;
    int32_t    *out;
    const char *ahead; /* what is fetched into L2, so many bytes per k-step */
    ptrdiff_t   fetch;
} amx_state;

/* The items that come after product `slot` of a block; `steps` k-steps are unrolled, 0: none. */
PARE_AMX_INLINE void amx_between(amx_state *s, int nt, amx_kind kind, int steps, int slot)
{
    if (!steps) {
        if (slot % 2 == 0 || --s->wait)
            return;
        s->wait = s->every;
        for (int n = s->most; n && s->left; n--, s->left--)
            amx_item(&s->items, nt, kind, s->e++);
        return;
    }
    const int e = (slot * 4 + steps - 1) / steps, end = (slot * 4 + 4 + steps - 1) / steps;

    if (e < end && __builtin_expect(e < s->left, 1))
        amx_item(&s->items, nt, kind, e);
    if (e + 1 < end && __builtin_expect(e + 1 < s->left, 1))
        amx_item(&s->items, nt, kind, e + 1);
    if (e + 2 < end && __builtin_expect(e + 2 < s->left, 1))
        amx_item(&s->items, nt, kind, e + 2);
    if (e + 3 < end && __builtin_expect(e + 3 < s->left, 1))
        amx_item(&s->items, nt, kind, e + 3);
}

/*
 * In the first k-step: sum `tile` of the block before goes out, and what this block's starts with comes in: the bias, the
 * same in all rows, or the sums of the k-steps before.
 */
#define AMX_RENEW(tile)                                      \
    if (first) {                                             \
        PARE_TILE_STORE(tile, s->out + 256 * (tile), 64);    \
        PARE_TILE_LOAD(tile, s->start##tile, s->start_step); \
    }

PARE_AMX_INLINE void amx_step_16x64(amx_state *s, amx_kind kind, int steps, int slot, bool first)
{
    const uint8_t *const x0 = s->x0 + *s->k;

    PARE_TILE_LOAD(4, x0, s->row_step);
    PARE_TILE_LOAD(5, s->w, 64);
    AMX_RENEW(0)
    PARE_TILE_DPBUSD(0, 4, 5);
    amx_between(s, 4, kind, steps, slot);
    PARE_TILE_LOAD_AT(6, s->w, 1024, 64);
    AMX_RENEW(1)
    PARE_TILE_DPBUSD(1, 4, 6);
    amx_between(s, 4, kind, steps, slot + 1);
    PARE_TILE_LOAD_AT(7, s->w, 2048, 64);
    AMX_RENEW(2)
    PARE_TILE_DPBUSD(2, 4, 7);
    amx_between(s, 4, kind, steps, slot + 2);
    PARE_TILE_LOAD_AT(5, s->w, 3072, 64);
    AMX_RENEW(3)
    PARE_TILE_DPBUSD(3, 4, 5);
    amx_between(s, 4, kind, steps, slot + 3);
    s->w += 4096;
}

PARE_AMX_INLINE void amx_step_32x32(amx_state *s, amx_kind kind, int steps, int slot, bool first)
{
    const uint8_t *const x0 = s->x0 + *s->k, *const x1 = s->x1 + *s->k;

    PARE_TILE_LOAD(6, s->w, 64);
    PARE_TILE_LOAD(4, x0, s->row_step);
    AMX_RENEW(0)
    PARE_TILE_DPBUSD(0, 4, 6);
    amx_between(s, 2, kind, steps, slot);
    PARE_TILE_LOAD_AT(7, s->w, 1024, 64);
    AMX_RENEW(1)
    PARE_TILE_DPBUSD(1, 4, 7);
    amx_between(s, 2, kind, steps, slot + 1);
    PARE_TILE_LOAD(5, x1, s->row_step);
    AMX_RENEW(2)
    PARE_TILE_DPBUSD(2, 5, 6);
    amx_between(s, 2, kind, steps, slot + 2);
    AMX_RENEW(3)
    PARE_TILE_DPBUSD(3, 5, 7);
    amx_between(s, 2, kind, steps, slot + 3);
    s->w += 2048;
}

PARE_AMX_INLINE void amx_step_64x16(amx_state *s, amx_kind kind, int steps, int slot, bool first)
{
    const ptrdiff_t      k = *s->k;
    const uint8_t *const x0 = s->x0 + k, *const x1 = s->x1 + k, *const x2 = s->x2 + k, *const x3 = s->x3 + k;

    PARE_TILE_LOAD(4, s->w, 64);
    PARE_TILE_LOAD(5, x0, s->row_step);
    AMX_RENEW(0)
    PARE_TILE_DPBUSD(0, 5, 4);
    amx_between(s, 1, kind, steps, slot);
    PARE_TILE_LOAD(6, x1, s->row_step);
    AMX_RENEW(1)
    PARE_TILE_DPBUSD(1, 6, 4);
    amx_between(s, 1, kind, steps, slot + 1);
    PARE_TILE_LOAD(7, x2, s->row_step);
    AMX_RENEW(2)
    PARE_TILE_DPBUSD(2, 7, 4);
    amx_between(s, 1, kind, steps, slot + 2);
    PARE_TILE_LOAD(5, x3, s->row_step);
    AMX_RENEW(3)
    PARE_TILE_DPBUSD(3, 5, 4);
    amx_between(s, 1, kind, steps, slot + 3);
    s->w += 1024;
}

/* K-step number `i`, and its share of the bytes that the next panels will need. */
PARE_AMX_INLINE void amx_step(amx_state *s, int nt, amx_kind kind, int steps, int i)
{
    if (nt == 4)
        amx_step_16x64(s, kind, steps, 4 * i, i == 0);
    else if (nt == 2)
        amx_step_32x32(s, kind, steps, 4 * i, i == 0);
    else
        amx_step_64x16(s, kind, steps, 4 * i, i == 0);
    s->k++;
    for (const char *const end = s->ahead + s->fetch; s->ahead < end; s->ahead += 64)
        _mm_prefetch(s->ahead, _MM_HINT_T1);
}

/* All k-steps of a block of n. */
PARE_AMX_INLINE void amx_multiply(amx_state *s, int nt, amx_kind kind, int steps, int n)
{
    amx_step(s, nt, kind, steps, 0);
    if (steps > 1)
        amx_step(s, nt, kind, steps, 1);
    if (steps > 2)
        amx_step(s, nt, kind, steps, 2);
    if (steps > 3)
        amx_step(s, nt, kind, steps, 3);
    for (int i = 1; !steps && i < n; i++)
        amx_step(s, nt, kind, 0, 1);
}

#endif
