/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_avx512vnni.c - 64 channels, four rows at a time, two output lines from the same loads
 *
 * The bytes of four vertically neighbouring pixels are interleaved (8 unpacks for 64 channels) so that each dword
 * holds four rows of one channel; one vpdpbusd then applies one filter column. With weights (w0, w1, w2, 0) it gives
 * line y of a 3x3 filter, with (0, w0, w1, w2) line y + 1. Filters three wide slide along the line and interleave
 * every input column once.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qepilogue_avx512.h"
#include "kernels/qdw/qdw_plan.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

enum { BLOCK = 64, STEP = 256 /* packed bytes of one step */ };

/* What stays the same along a line. */
typedef struct job {
    const pare_qdw_line *line;
    const pare_qdw_plan *p;
    const int8_t        *w0, *w1;    /* packed weights of both lines           */
    ptrdiff_t            r1, r2, r3; /* rows of the first group                */
    pare_q512_constants  constants;
    __mmask64            mask;
    int                  first; /* column and channel of the block        */
    int                  skip;  /* bytes from an output pixel to its block */
    bool                 plain, bare;
} job;

typedef struct sums {
    pare_q512x4 upper, lower;
} sums;

PARE_AVX512_INLINE pare_q512x4 interleave(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d)
{
    const __m512i va = _mm512_loadu_si512(a), vb = _mm512_loadu_si512(b);
    const __m512i vc = _mm512_loadu_si512(c), vd = _mm512_loadu_si512(d);
    const __m512i ab_lo = _mm512_unpacklo_epi8(va, vb), ab_hi = _mm512_unpackhi_epi8(va, vb);
    const __m512i cd_lo = _mm512_unpacklo_epi8(vc, vd), cd_hi = _mm512_unpackhi_epi8(vc, vd);

    return (pare_q512x4){ _mm512_unpacklo_epi16(ab_lo, cd_lo), _mm512_unpackhi_epi16(ab_lo, cd_lo),
                          _mm512_unpacklo_epi16(ab_hi, cd_hi), _mm512_unpackhi_epi16(ab_hi, cd_hi) };
}

/* One input column of the first row group. */
PARE_AVX512_INLINE pare_q512x4 column(const job *g, const uint8_t *x)
{
    return interleave(x, x + g->r1, x + g->r2, x + g->r3);
}

PARE_AVX512_INLINE void apply(pare_q512x4 *acc, const pare_q512x4 *x, const int8_t *w)
{
    acc->v0 = _mm512_dpbusd_epi32(acc->v0, x->v0, _mm512_loadu_si512(w));
    acc->v1 = _mm512_dpbusd_epi32(acc->v1, x->v1, _mm512_loadu_si512(w + 64));
    acc->v2 = _mm512_dpbusd_epi32(acc->v2, x->v2, _mm512_loadu_si512(w + 128));
    acc->v3 = _mm512_dpbusd_epi32(acc->v3, x->v3, _mm512_loadu_si512(w + 192));
}

PARE_AVX512_INLINE sums start(const job *g)
{
    const int32_t    *b = g->p->bias + g->first;
    const pare_q512x4 v = { _mm512_loadu_si512(b), _mm512_loadu_si512(b + 16), _mm512_loadu_si512(b + 32),
                            _mm512_loadu_si512(b + 48) };

    return (sums){ v, v };
}

/* With table, add or float output: out of line, so that the plain epilogue keeps its registers. */
ISA __attribute__((noinline)) static void store_other(const job *g, const pare_q512x4 *acc, uint8_t *y,
                                                      const uint8_t *r)
{
    const pare_qepilogue *e = &g->p->epilogue;

    if (e->kind == PARE_QKIND_U8) {
        const __m512i residual = e->add ? _mm512_maskz_loadu_epi8(g->mask, r) : _mm512_setzero_si512();
        _mm512_mask_storeu_epi8(y, g->mask, pare_q512_codes_any(e, &g->constants, *acc, true, residual));
        return;
    }
    pare_q512_store_f32_lanes(e, g->first, *acc, g->mask, (float *)y, g->line->row_scale);
}

/* Output ox of one or two lines. */
PARE_AVX512_INLINE void store_lines(const job *g, const sums *acc, int lines, int ox)
{
    const pare_qdw_line *l = g->line;
    uint8_t *const       y = l->y + ox * g->p->y.pixel + g->skip;
    const bool           second = lines == 2 && l->n == 2;

    if (g->plain) {
        _mm512_mask_storeu_epi8(y, g->mask, pare_q512_codes(&g->constants, acc->upper, true, g->bare));
        if (second)
            _mm512_mask_storeu_epi8(y + g->p->y.row, g->mask,
                                    pare_q512_codes(&g->constants, acc->lower, true, g->bare));
    } else {
        const uint8_t *const r = l->residual ? l->residual + ox * g->p->residual.pixel + g->skip : y;
        store_other(g, &acc->upper, y, r);
        if (second)
            store_other(g, &acc->lower, y + g->p->y.row, r + g->p->residual.row);
    }
}

/* Output ox of a filter three wide and at most four rows high, from its three interleaved columns. */
PARE_AVX512_INLINE void three(const job *g, int lines, int ox, const pare_q512x4 *a, const pare_q512x4 *b,
                              const pare_q512x4 *c)
{
    sums acc = start(g);

    apply(&acc.upper, a, g->w0);
    apply(&acc.upper, b, g->w0 + STEP);
    apply(&acc.upper, c, g->w0 + 2 * STEP);
    if (lines == 2) {
        apply(&acc.lower, a, g->w1);
        apply(&acc.lower, b, g->w1 + STEP);
        apply(&acc.lower, c, g->w1 + 2 * STEP);
    }
    store_lines(g, &acc, lines, ox);
}

/* Stride 1: each output needs one new column. */
PARE_AVX512_INLINE void slide_1(const job *g, int lines)
{
    const ptrdiff_t step = g->p->x_step;
    const uint8_t  *x = g->line->x;
    const int       n = g->p->out_w;
    pare_q512x4     a = column(g, x), b = column(g, x + step), c;
    int             ox = 0;

    for (x += 2 * step; ox + 3 <= n; ox += 3, x += 3 * step) {
        c = column(g, x);
        three(g, lines, ox, &a, &b, &c);
        a = column(g, x + step);
        three(g, lines, ox + 1, &b, &c, &a);
        b = column(g, x + 2 * step);
        three(g, lines, ox + 2, &c, &a, &b);
    }
    for (; ox < n; ox++, x += step) {
        c = column(g, x);
        three(g, lines, ox, &a, &b, &c);
        a = b;
        b = c;
    }
}

/* Stride 2: each output needs two new columns. */
PARE_AVX512_INLINE void slide_2(const job *g, int lines)
{
    const ptrdiff_t tap = g->p->tap_x;
    const uint8_t  *x = g->line->x;
    pare_q512x4     a = column(g, x);

    for (int ox = 0; ox < g->p->out_w; ox++, x += 2 * tap) {
        const pare_q512x4 b = column(g, x + tap), c = column(g, x + 2 * tap);
        three(g, lines, ox, &a, &b, &c);
        a = c;
    }
}

/* Any filter: nothing is kept between outputs. */
PARE_AVX512_INLINE void general(const job *g, int lines)
{
    const pare_qdw_plan *p = g->p;

    for (int ox = 0; ox < p->out_w; ox++) {
        const int8_t *w0 = g->w0, *w1 = g->w1;
        sums          acc = start(g);

        for (int i = 0; i < p->groups; i++) {
            const uint8_t  *x = g->line->x + ox * p->x_step + pare_qdw_row(g->line, 4 * i);
            const ptrdiff_t at = pare_qdw_row(g->line, 4 * i);
            const ptrdiff_t r1 = pare_qdw_row(g->line, 4 * i + 1) - at, r2 = pare_qdw_row(g->line, 4 * i + 2) - at;
            const ptrdiff_t r3 = pare_qdw_row(g->line, 4 * i + 3) - at;

            for (int kx = 0; kx < p->kernel_w; kx++, x += p->tap_x, w0 += STEP, w1 += STEP) {
                const pare_q512x4 v = interleave(x, x + r1, x + r2, x + r3);
                apply(&acc.upper, &v, w0);
                if (lines == 2)
                    apply(&acc.lower, &v, w1);
            }
        }
        store_lines(g, &acc, lines, ox);
    }
}

PARE_AVX512_INLINE void any_filter(const job *g, int lines)
{
    const pare_qdw_plan *p = g->p;

    if (p->kernel_w == 3 && p->groups == 1 && p->x_step == p->tap_x)
        slide_1(g, lines);
    else if (p->kernel_w == 3 && p->groups == 1 && p->x_step == 2 * p->tap_x)
        slide_2(g, lines);
    else
        general(g, lines);
}

ISA static void run_plain(const job *g)
{
    job copy = *g;
    copy.plain = true;
    copy.bare = false;
    if (g->p->lines == 2)
        any_filter(&copy, 2);
    else
        any_filter(&copy, 1);
}

ISA static void run_bare(const job *g)
{
    job copy = *g;
    copy.plain = true;
    copy.bare = true;
    if (g->p->lines == 2)
        any_filter(&copy, 2);
    else
        any_filter(&copy, 1);
}

ISA static void run_other(const job *g)
{
    job copy = *g;
    copy.plain = false;
    if (g->p->lines == 2)
        any_filter(&copy, 2);
    else
        any_filter(&copy, 1);
}

ISA void pare_qdw_64_avx512vnni(const pare_qdw_line *line)
{
    const pare_qdw_plan  *p = line->plan;
    const pare_qepilogue *e = &p->epilogue;
    const int8_t         *w = p->w + (size_t)(line->block * p->lines) * p->line_bytes;
    const job             g = {
                    .line = line,
                    .p = p,
                    .w0 = w,
                    .w1 = p->lines == 2 ? w + p->line_bytes : w,
                    .r1 = pare_qdw_row(line, 1),
                    .r2 = pare_qdw_row(line, 2),
                    .r3 = pare_qdw_row(line, 3),
                    .constants = pare_q512_load(e, line->block * BLOCK, 4),
                    .mask = pare_q512_mask(p->channels - line->block * BLOCK),
                    .first = line->block * BLOCK,
                    .skip = line->block * BLOCK * (e->kind == PARE_QKIND_U8 ? 1 : (int)sizeof(float)),
    };

    if (e->kind != PARE_QKIND_U8 || e->add || e->table)
        run_other(&g);
    else if (pare_q512_is_bare(e))
        run_bare(&g);
    else
        run_plain(&g);
}
#else
typedef int not_x86;
#endif
