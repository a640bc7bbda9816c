/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_neon_job_body.h - the text of the versions with products of four bytes: 8 channels, four rows, two output lines
 *
 * The bytes of four vertically neighbouring pixels are interleaved (4 zips for 8 channels) so that each dword holds four
 * rows of one channel; one product per line and four channels then applies a filter column. With weights
 * (w0, w1, w2, 0) it gives line y of a 3x3 filter, with (0, w0, w1, w2) line y + 1. Filters three wide slide along the
 * line, all their weights in registers, and interleave every input column once. Eight channels of two outputs,
 * one below or beside the other, are requantized together.
 *
 * The file that includes this and qdw_neon_body.h defines ISA (the target attribute), RUN (the name of the version),
 * codes (a vector of 16 codes as its products take them), as_codes (from bytes) and product (sum + codes * weights).
 */
#include "kernels/qconv/qepilogue_neon.h"
#include "kernels/qdw/qdw_plan.h"

#define INLINE ISA PARE_NEON_INLINE

enum { BLOCK = 8, STEP = 32 /* packed bytes of one step */, PIXELS = 4, WIDE = 5 };

/* Four rows of channels 0..3 and 4..7 of one input column. */
typedef struct column {
    codes lo, hi;
} column;

/* The weights of one filter column for one line. */
typedef struct tap {
    int8x16_t lo, hi;
} tap;

/* 8 channels of one output. */
typedef struct sums {
    int32x4_t lo, hi;
} sums;

/* What stays the same along a line. */
typedef struct job {
    const pare_qdw_line *line;
    const pare_qdw_plan *p;
    ptrdiff_t            r1, r2, r3; /* rows of the first group                */
    const int8_t        *w0, *w1;    /* packed weights of both lines                */
    pare_q128_constants  constants;  /* of 8 channels, twice                    */
    sums                 bias;
    int                  first;    /* column and channel of the block             */
    int                  channels; /* from there; 8 or more in all but the last   */
    int                  skip;     /* bytes from an output pixel to its block     */
} job;

INLINE uint8x16_t load_8(const uint8_t *x)
{
    return vcombine_u8(vld1_u8(x), vdup_n_u8(0));
}

/* Rows at distances r1, r2, r3 of the first. */
INLINE column interleave(const uint8_t *x, ptrdiff_t r1, ptrdiff_t r2, ptrdiff_t r3)
{
    const uint16x8_t ab = vreinterpretq_u16_u8(vzip1q_u8(load_8(x), load_8(x + r1)));
    const uint16x8_t cd = vreinterpretq_u16_u8(vzip1q_u8(load_8(x + r2), load_8(x + r3)));

    return (column){ as_codes(vreinterpretq_u8_u16(vzip1q_u16(ab, cd))),
                     as_codes(vreinterpretq_u8_u16(vzip2q_u16(ab, cd))) };
}

/* One input column of the first row group. */
INLINE column first_rows(const job *g, const uint8_t *x)
{
    return interleave(x, g->r1, g->r2, g->r3);
}

INLINE tap load_tap(const int8_t *w)
{
    return (tap){ vld1q_s8(w), vld1q_s8(w + 16) };
}

INLINE void apply(sums *sum, column x, tap w)
{
    sum->lo = product(sum->lo, x.lo, w.lo);
    sum->hi = product(sum->hi, x.hi, w.hi);
}

INLINE pare_q128x4 both(sums a, sums b)
{
    return (pare_q128x4){ a.lo, a.hi, b.lo, b.hi };
}

/* The first bytes of q. */
INLINE void store_8(const job *g, uint8_t *y, uint8x16_t q)
{
    if (g->channels >= BLOCK)
        vst1_u8(y, vget_low_u8(q));
    else
        pare_q128_save(y, g->channels, q);
}

INLINE uint8x8_t load_residual(const job *g, const uint8_t *r)
{
    return g->channels >= BLOCK ? vld1_u8(r) : vget_low_u8(pare_q128_load(r, g->channels));
}

/* One of two neighbouring outputs: its place in y and in the residual. */
typedef struct place {
    uint8_t       *y;
    const uint8_t *r;
} place;

ISA static void store_f32(const job *g, sums a, uint8_t *y)
{
    const pare_qepilogue *e = &g->p->epilogue;

    pare_neon_save_f32((float *)y, g->channels, pare_q128_f32(e, g->first, a.lo, g->line->row_scale));
    pare_neon_save_f32((float *)y + 4, g->channels - 4, pare_q128_f32(e, g->first + 4, a.hi, g->line->row_scale));
}

/* With table or add: out of line, so that the plain epilogue keeps its registers. `second` may have no y. */
ISA __attribute__((noinline)) static void store_other(const job *g, sums a, sums b, place first, place second)
{
    const pare_qepilogue *e = &g->p->epilogue;

    if (e->kind != PARE_QKIND_U8) {
        store_f32(g, a, first.y);
        if (second.y)
            store_f32(g, b, second.y);
        return;
    }
    uint8x16_t q = pare_q128_codes(&g->constants, both(a, b));
    if (e->table)
        pare_q128_lookup(e->table, &q, 1);
    if (e->add) {
        const uint8x8_t r0 = load_residual(g, first.r), r1 = second.y ? load_residual(g, second.r) : r0;
        q = pare_q128_add(e, q, vcombine_u8(r0, r1));
    }
    store_8(g, first.y, q);
    if (second.y)
        store_8(g, second.y, vextq_u8(q, q, 8));
}

/* Output ox, and the one below it (two lines) or beside it, where there is one. */
INLINE void store(const job *g, int lines, bool plain, int ox, sums a, sums b)
{
    const pare_qdw_plan *p = g->p;
    const pare_qdw_line *l = g->line;
    const bool           second = lines == 2 ? l->n == 2 : ox + 1 < p->out_w;
    const ptrdiff_t      y_step = lines == 2 ? p->y.row : p->y.pixel;
    uint8_t *const       y = l->y + ox * p->y.pixel + g->skip;

    if (plain) {
        const pare_q128_constants c = { g->constants.s0,   g->constants.s1, g->constants.s0, g->constants.s1,
                                        g->constants.zero, g->constants.lo, g->constants.hi };
        const uint8x16_t          q = pare_q128_codes(&c, both(a, b));
        store_8(g, y, q);
        if (second)
            store_8(g, y + y_step, vextq_u8(q, q, 8));
    } else {
        const uint8_t *const r = l->residual ? l->residual + ox * p->residual.pixel + g->skip : y;
        store_other(g, a, b, (place){ y, r },
                    (place){ second ? y + y_step : NULL, r + (lines == 2 ? p->residual.row : p->residual.pixel) });
    }
}
