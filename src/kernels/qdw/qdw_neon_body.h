/* SPDX-License-Identifier: Apache-2.0 */
/* qdw_neon_body.h - the text of the versions with products of four bytes: the walk along a line; see qdw_neon_job_body.h */
#include "kernels/qdw/qdw_neon_job_body.h"

/* The weights of a line of a filter three wide and at most four rows high. */
typedef struct three {
    tap a, b, c;
} three;

INLINE three load_three(const int8_t *w)
{
    return (three){ load_tap(w), load_tap(w + STEP), load_tap(w + 2 * STEP) };
}

INLINE sums apply_three(const job *g, const three *w, column a, column b, column c)
{
    sums sum = g->bias;

    apply(&sum, a, w->a);
    apply(&sum, b, w->b);
    apply(&sum, c, w->c);
    return sum;
}

/* Stride 1, two lines: each pair of outputs needs one new column. */
INLINE void slide_lines(const job *g, bool plain)
{
    const three     upper = load_three(g->w0), lower = load_three(g->w1);
    const ptrdiff_t step = g->p->x_step;
    const uint8_t  *x = g->line->x;
    column          a = first_rows(g, x), b = first_rows(g, x + step);

    x += 2 * step;
    for (int ox = 0; ox < g->p->out_w; ox++, x += step) {
        const column c = first_rows(g, x);

        store(g, 2, plain, ox, apply_three(g, &upper, a, b, c), apply_three(g, &lower, a, b, c));
        a = b;
        b = c;
    }
}

/* One line, stride 1: a pair of outputs needs two new columns. Behind the taps of the last output nothing is read. */
INLINE void slide_1(const job *g, bool plain)
{
    const three     w = load_three(g->w0);
    const ptrdiff_t step = g->p->x_step;
    const uint8_t  *x = g->line->x;
    column          a = first_rows(g, x), b = first_rows(g, x + step);

    x += 2 * step;
    for (int ox = 0; ox < g->p->out_w; ox += 2, x += 2 * step) {
        const column c = first_rows(g, x), d = first_rows(g, ox + 1 < g->p->out_w ? x + step : x);

        store(g, 1, plain, ox, apply_three(g, &w, a, b, c), apply_three(g, &w, b, c, d));
        a = c;
        b = d;
    }
}

/* One line, stride 2: four new columns. */
INLINE void slide_2(const job *g, bool plain)
{
    const three     w = load_three(g->w0);
    const ptrdiff_t tap_x = g->p->tap_x;
    const uint8_t  *x = g->line->x;
    column          a = first_rows(g, x);

    for (int ox = 0; ox < g->p->out_w; ox += 2, x += 4 * tap_x) {
        const uint8_t *next = ox + 1 < g->p->out_w ? x + 2 * tap_x : x;
        const column   b = first_rows(g, x + tap_x), c = first_rows(g, x + 2 * tap_x);
        const column   d = first_rows(g, next + tap_x), e = first_rows(g, next + 2 * tap_x);

        store(g, 1, plain, ox, apply_three(g, &w, a, b, c), apply_three(g, &w, c, d, e));
        a = e;
    }
}

/* Row group `group`: its first row, and the others from there. */
typedef struct rows {
    ptrdiff_t at, r1, r2, r3;
} rows;

INLINE rows rows_of(const job *g, int group)
{
    const ptrdiff_t at = pare_qdw_row(g->line, 4 * group);

    return (rows){ at, pare_qdw_row(g->line, 4 * group + 1) - at, pare_qdw_row(g->line, 4 * group + 2) - at,
                   pare_qdw_row(g->line, 4 * group + 3) - at };
}

/* Any filter, from output ox: nothing is kept between outputs. */
INLINE void general(const job *g, int lines, bool plain, int ox)
{
    const pare_qdw_plan *p = g->p;

    for (; ox < p->out_w; ox += lines == 2 ? 1 : 2) {
        const ptrdiff_t next = ox + 1 < p->out_w ? p->x_step : 0;
        const int8_t   *w0 = g->w0, *w1 = g->w1;
        sums            a = g->bias, b = g->bias;

        for (int i = 0; i < p->groups; i++) {
            const rows     r = rows_of(g, i);
            const uint8_t *x = g->line->x + ox * p->x_step + r.at;

            for (int kx = 0; kx < p->kernel_w; kx++, x += p->tap_x, w0 += STEP, w1 += STEP) {
                const column v = interleave(x, r.r1, r.r2, r.r3);

                apply(&a, v, load_tap(w0));
                if (lines == 2)
                    apply(&b, v, load_tap(w1));
                else
                    apply(&b, interleave(x + next, r.r1, r.r2, r.r3), load_tap(w0));
            }
        }
        store(g, lines, plain, ox, a, b);
    }
}

/* Filters five wide, four outputs at a time: each column is interleaved once and goes to all it is a tap of. */
INLINE void wide(const job *g, int lines, bool plain, int stride)
{
    const pare_qdw_plan *p = g->p;
    int                  ox = 0;

    for (; ox + PIXELS <= p->out_w; ox += PIXELS) {
        const int8_t *w0 = g->w0, *w1 = g->w1;
        sums          a[PIXELS] = { g->bias, g->bias, g->bias, g->bias };
        sums          b[PIXELS] = { g->bias, g->bias, g->bias, g->bias };

        for (int group = 0; group < p->groups; group++, w0 += WIDE * STEP, w1 += WIDE * STEP) {
            const rows     r = rows_of(g, group);
            const uint8_t *x = g->line->x + ox * p->x_step + r.at;

            PARE_NEON_UNROLL for (int c = 0; c < (PIXELS - 1) * stride + WIDE; c++, x += p->tap_x)
            {
                PARE_NEON_IN_ORDER();
                const column v = interleave(x, r.r1, r.r2, r.r3);

                PARE_NEON_UNROLL for (int i = 0; i < PIXELS; i++) if (c >= i * stride && c < i * stride + WIDE)
                {
                    apply(&a[i], v, load_tap(w0 + (c - i * stride) * STEP));
                    if (lines == 2)
                        apply(&b[i], v, load_tap(w1 + (c - i * stride) * STEP));
                }
            }
        }
        PARE_NEON_UNROLL for (int i = 0; i < PIXELS; i += lines == 2 ? 1 : 2)
            store(g, lines, plain, ox + i, a[i], lines == 2 ? b[i] : a[i + 1]);
    }
    general(g, lines, plain, ox);
}

INLINE void any_filter(const job *arg, int lines, bool plain)
{
    const job copy = *arg, *const g = &copy; /* so that stores cannot alias it */
    const pare_qdw_plan *p = g->p;
    const int            stride = p->x_step == p->tap_x ? 1 : p->x_step == 2 * p->tap_x ? 2 : 0;
    const bool           three_wide = p->kernel_w == 3 && p->groups == 1;

    if (three_wide && stride == 1 && lines == 2)
        slide_lines(g, plain);
    else if (three_wide && stride == 1)
        slide_1(g, plain);
    else if (three_wide && stride == 2 && lines == 1)
        slide_2(g, plain);
    else if (p->kernel_w == WIDE && stride == 1)
        wide(g, lines, plain, 1);
    else if (p->kernel_w == WIDE && stride == 2)
        wide(g, lines, plain, 2);
    else
        general(g, lines, plain, 0);
}

ISA static void run_plain(const job *g)
{
    if (g->p->lines == 2)
        any_filter(g, 2, true);
    else
        any_filter(g, 1, true);
}

ISA static void run_other(const job *g)
{
    if (g->p->lines == 2)
        any_filter(g, 2, false);
    else
        any_filter(g, 1, false);
}

ISA void RUN(const pare_qdw_line *line)
{
    const pare_qdw_plan  *p = line->plan;
    const pare_qepilogue *e = &p->epilogue;
    const int             first = line->block * BLOCK;
    const int8_t         *w = p->w + (size_t)(line->block * p->lines) * p->line_bytes;
    const float32x4_t     s0 = vld1q_f32(e->scale + first), s1 = vld1q_f32(e->scale + first + 4);
    const job             g = {
                    .line = line,
                    .p = p,
                    .r1 = pare_qdw_row(line, 1),
                    .r2 = pare_qdw_row(line, 2),
                    .r3 = pare_qdw_row(line, 3),
                    .w0 = w,
                    .w1 = p->lines == 2 ? w + p->line_bytes : w,
                    .constants = { s0, s1, s0, s1, vdupq_n_s16((int16_t)e->zero), vdupq_n_u8((uint8_t)e->lo),
                                   vdupq_n_u8((uint8_t)e->hi) },
                    .bias = { vld1q_s32(p->bias + first), vld1q_s32(p->bias + first + 4) },
                    .first = first,
                    .channels = p->channels - first,
                    .skip = first * (e->kind == PARE_QKIND_U8 ? 1 : (int)sizeof(float)),
    };

    (e->kind != PARE_QKIND_U8 || e->add || e->table ? run_other : run_plain)(&g);
}
