/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_any_avx512vnni.c - any filter and stride, and the epilogues with table, add or float output
 *
 * A stretch of the line is interleaved into a buffer on the stack, every input column once; then two neighbouring
 * outputs of two lines at a time use each weight and each column that was loaded. Filters too large for the buffer
 * and strides that are no multiple of the dilation keep nothing between outputs.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qdw/qdw_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

typedef pare_qdw512_job  job;
typedef pare_qdw512_form form;

enum { STEP = PARE_QDW512_STEP, COLUMNS = 64 /* 16 KB: half of the smallest first-level cache */, OUTPUTS = 2 };

/* The residual of one output of each part. */
PARE_AVX512_INLINE __m512i load_residual(const job *g, int parts, const uint8_t *r)
{
    uint8_t q[64] = { 0 };

    if (parts == 1)
        return _mm512_maskz_loadu_epi8(g->mask, r);
    for (int i = 0; i < parts; i++)
        _mm512_mask_storeu_epi8(q + i * (64 / parts), g->mask, _mm512_maskz_loadu_epi8(g->mask, r + i * g->r_part));
    return _mm512_loadu_si512(q);
}

ISA void pare_qdw512_store_other(const job *g, int parts, int line, int ox, const pare_q512x4 *acc)
{
    const pare_qdw_line  *l = g->line;
    const pare_qepilogue *e = &g->p->epilogue;
    uint8_t *const        y = g->y + ox * g->y_pixel + line * g->y_row;

    if (e->kind != PARE_QKIND_U8) {
        pare_q512_store_f32_lanes(e, g->first, *acc, g->mask, (float *)y, l->row_scale);
        return;
    }
    __m512i r = _mm512_setzero_si512();
    if (e->add)
        r = load_residual(g, parts, l->residual + ox * g->p->residual.pixel + line * g->p->residual.row + g->skip);
    pare_qdw512_save(y, g->mask, parts, g->y_part, pare_q512_codes_any(e, &g->constants, *acc, true, r));
}

/* Interleaves n columns of row group i; `x` is the first pixel of row 0. */
PARE_AVX512_INLINE void fill_parts(const job *g, int parts, int i, const uint8_t *x, int n, uint8_t *columns)
{
    const pare_qdw512_rows r = pare_qdw512_find_rows(g, i);

    for (int j = 0; j < n; j++, columns += STEP) {
        const pare_q512x4 v = pare_qdw512_column(x + j * g->p->tap_x, &r, parts, g->x_part);
        _mm512_store_si512(columns, v.v0);
        _mm512_store_si512(columns + 64, v.v1);
        _mm512_store_si512(columns + 128, v.v2);
        _mm512_store_si512(columns + 192, v.v3);
    }
}

ISA static void fill(const job *g, int parts, int i, const uint8_t *x, int n, uint8_t *columns)
{
    if (parts == 1)
        fill_parts(g, 1, i, x, n, columns);
    else if (parts == 2)
        fill_parts(g, 2, i, x, n, columns);
    else
        fill_parts(g, 4, i, x, n, columns);
}

/* One vector of two outputs. */
typedef struct pair {
    __m512i a, b;
} pair;

/* Accumulators of two outputs, by vector, of two lines. */
typedef struct block {
    pair upper0, upper1, upper2, upper3, lower0, lower1, lower2, lower3;
} block;

/* One filter column of one vector; the column of output b lies b bytes behind that of a. */
PARE_AVX512_INLINE void apply(form f, const uint8_t *x, ptrdiff_t b, const int8_t *w0, const int8_t *w1, pair *upper,
                              pair *lower)
{
    const __m512i u = pare_qdw512_load(w0), xa = pare_qdw512_load(x), xb = pare_qdw512_load(x + b);

    upper->a = _mm512_dpbusd_epi32(upper->a, xa, u);
    upper->b = _mm512_dpbusd_epi32(upper->b, xb, u);
    if (f.lines == 2) {
        const __m512i l = pare_qdw512_load(w1);
        lower->a = _mm512_dpbusd_epi32(lower->a, xa, l);
        lower->b = _mm512_dpbusd_epi32(lower->b, xb, l);
    }
}

PARE_AVX512_INLINE pair same(__m512i v)
{
    return (pair){ v, v };
}

/* Output ox of one line from its accumulators. */
PARE_AVX512_INLINE void finish(const job *g, form f, int line, int ox, pare_q512x4 acc)
{
    const pare_q512x4 q = { pare_qdw512_round(g, f, 0, acc.v0), pare_qdw512_round(g, f, 1, acc.v1),
                            pare_qdw512_round(g, f, 2, acc.v2), pare_qdw512_round(g, f, 3, acc.v3) };

    pare_qdw512_store(g, f, line, ox, q);
}

/* The first n <= 2 outputs from ox on, from the buffer: `x` is the column of the first, `group` bytes behind it lies
 * that of the next row group. */
PARE_AVX512_INLINE void two_outputs(const job *g, form f, int ox, int n, const uint8_t *x, ptrdiff_t group)
{
    const pare_qdw_plan *const p = g->p;
    const ptrdiff_t            step = p->x_step / p->tap_x * STEP;
    const ptrdiff_t            b = n > 1 ? step : 0;
    const int8_t              *w0 = g->w0, *w1 = g->w1;
    const pair                 b0 = same(_mm512_loadu_si512(g->bias)), b1 = same(_mm512_loadu_si512(g->bias + 16));
    const pair                 b2 = same(_mm512_loadu_si512(g->bias + 32)), b3 = same(_mm512_loadu_si512(g->bias + 48));
    const ptrdiff_t            next = group - (p->kernel_w - 1) * STEP;
    int                        left = p->groups * p->kernel_w, kx = 0;
    block                      acc = { b0, b1, b2, b3, b0, b1, b2, b3 };

    do { /* one loop: of two nested ones compilers spill the accumulators */
        apply(f, x, b, w0, w1, &acc.upper0, &acc.lower0);
        apply(f, x + 64, b, w0 + 64, w1 + 64, &acc.upper1, &acc.lower1);
        apply(f, x + 128, b, w0 + 128, w1 + 128, &acc.upper2, &acc.lower2);
        apply(f, x + 192, b, w0 + 192, w1 + 192, &acc.upper3, &acc.lower3);
        x += ++kx == p->kernel_w ? next : STEP;
        kx = kx == p->kernel_w ? 0 : kx;
        w0 += STEP;
        w1 += STEP;
    } while (--left);
    finish(g, f, 0, ox, (pare_q512x4){ acc.upper0.a, acc.upper1.a, acc.upper2.a, acc.upper3.a });
    if (f.lines == 2)
        finish(g, f, 1, ox, (pare_q512x4){ acc.lower0.a, acc.lower1.a, acc.lower2.a, acc.lower3.a });
    if (n == 1)
        return;
    finish(g, f, 0, ox + 1, (pare_q512x4){ acc.upper0.b, acc.upper1.b, acc.upper2.b, acc.upper3.b });
    if (f.lines == 2)
        finish(g, f, 1, ox + 1, (pare_q512x4){ acc.lower0.b, acc.lower1.b, acc.lower2.b, acc.lower3.b });
}

/* One filter column of one output, all four vectors. */
PARE_AVX512_INLINE pare_q512x4 apply_4(pare_q512x4 acc, const pare_q512x4 *x, const int8_t *w)
{
    return (pare_q512x4){ _mm512_dpbusd_epi32(acc.v0, x->v0, _mm512_loadu_si512(w)),
                          _mm512_dpbusd_epi32(acc.v1, x->v1, _mm512_loadu_si512(w + 64)),
                          _mm512_dpbusd_epi32(acc.v2, x->v2, _mm512_loadu_si512(w + 128)),
                          _mm512_dpbusd_epi32(acc.v3, x->v3, _mm512_loadu_si512(w + 192)) };
}

/* Output ox, without the buffer. */
PARE_AVX512_INLINE void one_output(const job *g, form f, int ox)
{
    const pare_qdw_plan *const p = g->p;
    const pare_q512x4          bias = { _mm512_loadu_si512(g->bias), _mm512_loadu_si512(g->bias + 16),
                                        _mm512_loadu_si512(g->bias + 32), _mm512_loadu_si512(g->bias + 48) };
    const int8_t              *w0 = g->w0, *w1 = g->w1;
    pare_q512x4                upper = bias, lower = bias;

    for (int i = 0; i < p->groups; i++) {
        const uint8_t *x = g->line->x + ox * p->x_step;

        for (int kx = 0; kx < p->kernel_w; kx++, x += p->tap_x, w0 += STEP, w1 += STEP) {
            uint8_t column[STEP] __attribute__((aligned(64)));
            fill(g, f.parts, i, x, 1, column);
            const pare_q512x4 v = { _mm512_load_si512(column), _mm512_load_si512(column + 64),
                                    _mm512_load_si512(column + 128), _mm512_load_si512(column + 192) };
            upper = apply_4(upper, &v, w0);
            if (f.lines == 2)
                lower = apply_4(lower, &v, w1);
        }
    }
    finish(g, f, 0, ox, upper);
    if (f.lines == 2)
        finish(g, f, 1, ox, lower);
}

/* Functions of their own, so that each has all registers. */
#define FORM(name, lines, finish)                                                              \
    ISA static void two_##name(const job *g, int ox, int n, const uint8_t *x, ptrdiff_t group) \
    {                                                                                          \
        two_outputs(g, (form){ lines, g->parts, finish }, ox, n, x, group);                    \
    }
FORM(bare_1, 1, PARE_QDW512_BARE)
FORM(bare_2, 2, PARE_QDW512_BARE)
FORM(plain_1, 1, PARE_QDW512_PLAIN)
FORM(plain_2, 2, PARE_QDW512_PLAIN)
FORM(other_1, 1, PARE_QDW512_OTHER)
FORM(other_2, 2, PARE_QDW512_OTHER)

/* `stretch` outputs at a time from the buffer. */
ISA static void buffered(const job *g, form f, int stretch)
{
    static void (*const forms[3][2])(const job *, int, int, const uint8_t *, ptrdiff_t) = {
        [PARE_QDW512_BARE] = { two_bare_1, two_bare_2 },
        [PARE_QDW512_PLAIN] = { two_plain_1, two_plain_2 },
        [PARE_QDW512_OTHER] = { two_other_1, two_other_2 },
    };
    const pare_qdw_plan *const p = g->p;
    const int                  step = (int)(p->x_step / p->tap_x);
    uint8_t                    columns[COLUMNS * STEP] __attribute__((aligned(64)));

    for (int ox = 0; ox < g->n; ox += stretch) {
        const int n = g->n - ox < stretch ? g->n - ox : stretch, width = (n - 1) * step + p->kernel_w;

        for (int i = 0; i < p->groups; i++)
            fill(g, f.parts, i, g->line->x + ox * p->x_step, width, columns + i * width * STEP);
        for (int j = 0; j < n; j += OUTPUTS)
            forms[f.finish][f.lines - 1](g, ox + j, n - j < OUTPUTS ? n - j : OUTPUTS, columns + j * step * STEP,
                                         width * STEP);
    }
}

/* Nothing is kept between outputs. */
ISA static void unbuffered(const job *g, form f)
{
    for (int ox = 0; ox < g->n; ox++) {
        if (f.lines == 1)
            one_output(g, (form){ 1, f.parts, PARE_QDW512_OTHER }, ox);
        else
            one_output(g, (form){ 2, f.parts, PARE_QDW512_OTHER }, ox);
    }
}

ISA void pare_qdw512_any(const job *g, form f)
{
    const pare_qdw_plan *const p = g->p;
    const int                  step = (int)(p->x_step / p->tap_x);
    const int                  stretch = step ? (COLUMNS / p->groups - p->kernel_w) / step + 1 : 0;

    if (p->x_step % p->tap_x == 0 && step <= p->kernel_w && stretch >= OUTPUTS)
        buffered(g, f, stretch / OUTPUTS * OUTPUTS);
    else
        unbuffered(g, f);
}
#else
typedef int not_x86;
#endif
