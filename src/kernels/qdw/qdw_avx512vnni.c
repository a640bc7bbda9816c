/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_avx512vnni.c - filters three wide and at most four rows high; the others are handed on
 *
 * They slide along the line: each input column is interleaved once, and each weight that was loaded is used by two
 * neighbouring outputs. One of the four vectors of a block comes after the other, and is rounded at once, so that 32
 * registers hold the columns of two outputs and everything that becomes of them.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qdw/qdw_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

typedef pare_qdw512_job  job;
typedef pare_qdw512_form form;

enum { BLOCK = PARE_QDW512_BLOCK, STEP = PARE_QDW512_STEP };

/* One vector of two neighbouring outputs of two lines. */
typedef struct four {
    __m512i upper0, upper1, lower0, lower1;
} four;

typedef pare_qdw512_rows rows;

/* One input column of the only row group. */
PARE_AVX512_INLINE pare_q512x4 column(const job *g, form f, const rows *r, const uint8_t *x)
{
    return pare_qdw512_column(x, r, f.parts, g->x_part);
}

PARE_AVX512_INLINE __m512i pick(const pare_q512x4 *x, int v)
{
    return v == 0 ? x->v0 : v == 1 ? x->v1 : v == 2 ? x->v2 : x->v3;
}

/* The filter of vector v on the columns x[0..2] of one output. */
PARE_AVX512_INLINE __m512i three(const job *g, form f, int v, const __m512i w[3], __m512i acc,
                                 const pare_q512x4 *const x[3])
{
    acc = _mm512_dpbusd_epi32(acc, pick(x[0], v), w[0]);
    acc = _mm512_dpbusd_epi32(acc, pick(x[1], v), w[1]);
    acc = _mm512_dpbusd_epi32(acc, pick(x[2], v), w[2]);
    return pare_qdw512_round(g, f, v, acc);
}

/* Vector v of one or two outputs (x1 NULL: one). */
PARE_AVX512_INLINE four quarter(const job *g, form f, const pare_q512x4 *const x0[3], const pare_q512x4 *const x1[3],
                                int v)
{
    const int8_t *const w0 = g->w0 + 64 * v, *const w1 = g->w1 + 64 * v;
    const __m512i bias = _mm512_loadu_si512(g->bias + 16 * v);
    const __m512i upper[3] = { pare_qdw512_load(w0), pare_qdw512_load(w0 + STEP), pare_qdw512_load(w0 + 2 * STEP) };
    four          q = { bias, bias, bias, bias };

    q.upper0 = three(g, f, v, upper, bias, x0);
    if (x1)
        q.upper1 = three(g, f, v, upper, bias, x1);
    if (f.lines == 2) {
        const __m512i lower[3] = { pare_qdw512_load(w1), pare_qdw512_load(w1 + STEP), pare_qdw512_load(w1 + 2 * STEP) };
        q.lower0 = three(g, f, v, lower, bias, x0);
        if (x1)
            q.lower1 = three(g, f, v, lower, bias, x1);
    }
    return q;
}

/* Output ox, and ox + 1 where x1 is given, from their three columns each. */
PARE_AVX512_INLINE void outputs(const job *g, form f, int ox, const pare_q512x4 *const x0[3],
                                const pare_q512x4 *const x1[3])
{
    const four v0 = quarter(g, f, x0, x1, 0), v1 = quarter(g, f, x0, x1, 1);
    const four v2 = quarter(g, f, x0, x1, 2), v3 = quarter(g, f, x0, x1, 3);

    pare_qdw512_store(g, f, 0, ox, (pare_q512x4){ v0.upper0, v1.upper0, v2.upper0, v3.upper0 });
    if (x1)
        pare_qdw512_store(g, f, 0, ox + 1, (pare_q512x4){ v0.upper1, v1.upper1, v2.upper1, v3.upper1 });
    if (f.lines == 2)
        pare_qdw512_store(g, f, 1, ox, (pare_q512x4){ v0.lower0, v1.lower0, v2.lower0, v3.lower0 });
    if (x1 && f.lines == 2)
        pare_qdw512_store(g, f, 1, ox + 1, (pare_q512x4){ v0.lower1, v1.lower1, v2.lower1, v3.lower1 });
}

/* Stride 1: each output needs one new column. */
PARE_AVX512_INLINE void slide_1(const job *g, form f, const rows *r)
{
    const ptrdiff_t step = g->p->x_step;
    const uint8_t  *x = g->line->x;
    const int       n = g->n;
    pare_q512x4     a = column(g, f, r, x), b = column(g, f, r, x + step), c, d;
    int             ox = 0;

    for (x += 2 * step; ox + 2 <= n; ox += 2, x += 2 * step) {
        c = column(g, f, r, x);
        d = column(g, f, r, x + step);
        outputs(g, f, ox, (const pare_q512x4 *const[]){ &a, &b, &c }, (const pare_q512x4 *const[]){ &b, &c, &d });
        a = c;
        b = d;
    }
    if (ox < n) {
        c = column(g, f, r, x);
        outputs(g, f, ox, (const pare_q512x4 *const[]){ &a, &b, &c }, NULL);
    }
}

/* Stride 2: each output needs two new columns. */
PARE_AVX512_INLINE void slide_2(const job *g, form f, const rows *r)
{
    const ptrdiff_t tap = g->p->tap_x;
    const uint8_t  *x = g->line->x;
    const int       n = g->n;
    pare_q512x4     a = column(g, f, r, x), b, c, d, e;
    int             ox = 0;

    for (; ox + 2 <= n; ox += 2, x += 4 * tap) {
        b = column(g, f, r, x + tap);
        c = column(g, f, r, x + 2 * tap);
        d = column(g, f, r, x + 3 * tap);
        e = column(g, f, r, x + 4 * tap);
        outputs(g, f, ox, (const pare_q512x4 *const[]){ &a, &b, &c }, (const pare_q512x4 *const[]){ &c, &d, &e });
        a = e;
    }
    if (ox < n) {
        b = column(g, f, r, x + tap);
        c = column(g, f, r, x + 2 * tap);
        outputs(g, f, ox, (const pare_q512x4 *const[]){ &a, &b, &c }, NULL);
    }
}

PARE_AVX512_INLINE void slide(const job *arg, form f)
{
    const job copy = *arg, *const g = &copy; /* so that stores cannot alias it */
    const pare_qdw_plan *const p = g->p;
    const rows                 r = pare_qdw512_find_rows(g, 0);

    if (p->kernel_w == 3 && p->groups == 1 && p->x_step == p->tap_x)
        slide_1(g, f, &r);
    else if (p->kernel_w == 3 && p->groups == 1 && p->x_step == 2 * p->tap_x)
        slide_2(g, f, &r);
    else
        pare_qdw512_any(g, f);
}

#define LINES(name, parts, finish)                \
    ISA static void name##_##parts(const job *g)  \
    {                                             \
        if (g->line->n == 2)                      \
            slide(g, (form){ 2, parts, finish }); \
        else                                      \
            slide(g, (form){ 1, parts, finish }); \
    }
LINES(bare, 1, PARE_QDW512_BARE)
LINES(bare, 2, PARE_QDW512_BARE)
LINES(bare, 4, PARE_QDW512_BARE)
LINES(plain, 1, PARE_QDW512_PLAIN)
LINES(plain, 2, PARE_QDW512_PLAIN)
LINES(plain, 4, PARE_QDW512_PLAIN)
LINES(other, 1, PARE_QDW512_OTHER)
LINES(other, 2, PARE_QDW512_OTHER)
LINES(other, 4, PARE_QDW512_OTHER)

ISA void pare_qdw_64_avx512vnni(const pare_qdw_line *line)
{
    const pare_qdw_plan  *p = line->plan;
    const pare_qepilogue *e = &p->epilogue;
    const int8_t         *w = p->w + (size_t)(line->block * p->lines) * p->line_bytes;
    const int             parts = line->block == p->blocks - 1 ? p->parts : 1, n = p->out_w / parts;
    const int             first = line->block * BLOCK, skip = e->kind == PARE_QKIND_U8 ? first : 4 * first;
    const job             g = {
                    .line = line,
                    .p = p,
                    .w0 = w,
                    .w1 = w + p->line_bytes,
                    .bias = p->bias + first,
                    .y = line->y + skip,
                    .y_pixel = p->y.pixel,
                    .y_row = p->y.row,
                    .x_part = n * p->x_step,
                    .y_part = n * p->y.pixel,
                    .r_part = n * p->residual.pixel,
                    .n = n,
                    .parts = parts,
                    .constants = pare_q512_load(e, first, 4),
                    .mask = pare_q512_mask(p->channels - first),
                    .first = first,
                    .skip = skip,
    };

    if (e->kind != PARE_QKIND_U8 || e->add || e->table)
        (parts == 1 ? other_1 : parts == 2 ? other_2 : other_4)(&g);
    else if (pare_q512_is_bare(e))
        (parts == 1 ? bare_1 : parts == 2 ? bare_2 : bare_4)(&g);
    else
        (parts == 1 ? plain_1 : parts == 2 ? plain_2 : plain_4)(&g);
}
#else
typedef int not_x86;
#endif
