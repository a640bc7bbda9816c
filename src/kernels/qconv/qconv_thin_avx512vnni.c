/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_thin_avx512vnni.c - u8 outputs line by line: 4 pixels x 64 or 48 columns, 8 pixels x 32 or 16
 *
 * Where k is small, or an add or a table follows, requantization takes as long as the products. So the tiles are low,
 * that processors may begin the products of the next while the last one is requantized, and they follow each other
 * along a line in one loop, without lists of pixels and calls between them. The pixels of lines without gaps are one
 * line.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qconv_thin.h"

enum { LITTLE = 16 * PARE_QCONV_ROW /* bytes of a packed column tile */ };

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

typedef pare_thin_job  job;
typedef pare_thin_form form;

/* Where a tile's first pixel goes, and its residual. */
typedef struct place {
    uint8_t       *y;
    const uint8_t *residual;
} place;

/* Accumulators: rN are the column tiles of pixel N. */
typedef struct block {
    pare_q512x4 r0, r1, r2, r3, r4, r5, r6, r7;
} block;

/* Four k of one pixel. */
PARE_AVX512_INLINE void row_four_k(const uint8_t *x, int tiles, const pare_q512x4 *b, pare_q512x4 *acc)
{
    const __m512i a = _mm512_set1_epi32(pare_qconv_four(x));

    acc->v0 = _mm512_dpbusd_epi32(acc->v0, a, b->v0);
    if (tiles > 1)
        acc->v1 = _mm512_dpbusd_epi32(acc->v1, a, b->v1);
    if (tiles > 2)
        acc->v2 = _mm512_dpbusd_epi32(acc->v2, a, b->v2);
    if (tiles > 3)
        acc->v3 = _mm512_dpbusd_epi32(acc->v3, a, b->v3);
}

/* `tiles` vectors at a distance of `step` bytes. */
PARE_AVX512_INLINE pare_q512x4 load_tiles(const void *at, size_t step, int tiles)
{
    const __m512i v0 = _mm512_loadu_si512(at);
    pare_q512x4   v = { v0, v0, v0, v0 };

    if (tiles > 1)
        v.v1 = _mm512_loadu_si512((const char *)at + step);
    if (tiles > 2)
        v.v2 = _mm512_loadu_si512((const char *)at + 2 * step);
    if (tiles > 3)
        v.v3 = _mm512_loadu_si512((const char *)at + 3 * step);
    return v;
}

/* Bytes from the first pixel to pixel i. */
PARE_AVX512_INLINE ptrdiff_t pixel(const job *g, form f, int i)
{
    return (f.partial && i >= g->n ? g->n - 1 : i) * g->x_step;
}

PARE_AVX512_INLINE void four_k(const job *g, form f, const uint8_t *x, const int8_t *w, size_t tile_bytes, block *acc)
{
    const pare_q512x4 b = load_tiles(w, tile_bytes, f.tiles);

    row_four_k(x, f.tiles, &b, &acc->r0);
    row_four_k(x + pixel(g, f, 1), f.tiles, &b, &acc->r1);
    if (f.rows > 2) {
        row_four_k(x + pixel(g, f, 2), f.tiles, &b, &acc->r2);
        row_four_k(x + pixel(g, f, 3), f.tiles, &b, &acc->r3);
    }
    if (f.rows > 4) {
        row_four_k(x + pixel(g, f, 4), f.tiles, &b, &acc->r4);
        row_four_k(x + pixel(g, f, 5), f.tiles, &b, &acc->r5);
        row_four_k(x + pixel(g, f, 6), f.tiles, &b, &acc->r6);
        row_four_k(x + pixel(g, f, 7), f.tiles, &b, &acc->r7);
    }
}

PARE_AVX512_INLINE void products(const job *g, form f, const uint8_t *x, block *acc)
{
    const pare_qconv_plan *const p = g->plan;
    const size_t                 tile_bytes = p->tile_bytes;
    const int8_t                *w = g->panel->w;

    for (int s = 0; s < p->n_steps; s++) {
        const uint8_t *a = x + p->steps[s].offset;
        int            fours = p->steps[s].fours;

        do {
            four_k(g, f, a, w, tile_bytes, acc);
            a += 4;
            w += PARE_QCONV_ROW;
        } while (--fours);
    }
}

/* Requantizes and stores the pixels of one pack from pixel i on. */
PARE_AVX512_INLINE void finish_pack(const job *g, form f, place to, int i, pare_q512x4 acc)
{
    const __mmask64 mask = g->mask;
    uint8_t *const  y = to.y + i * g->y_step;
    const int       n = f.partial ? g->n - i : 4;

    if (n <= 0)
        return;
    const __m512i q = pare_thin_codes(g, f, to.residual, i, acc);
    if (f.tiles > 2) {
        _mm512_mask_storeu_epi8(y, mask, q);
    } else if (f.tiles == 2) {
        _mm256_mask_storeu_epi8(y, (__mmask32)mask, _mm512_castsi512_si256(q));
        if (n > 1)
            _mm256_mask_storeu_epi8(y + g->y_step, (__mmask32)mask, _mm512_extracti64x4_epi64(q, 1));
    } else {
        _mm_mask_storeu_epi8(y, (__mmask16)mask, _mm512_castsi512_si128(q));
        if (n > 1)
            _mm_mask_storeu_epi8(y + g->y_step, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 1));
        if (n > 2)
            _mm_mask_storeu_epi8(y + 2 * g->y_step, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 2));
        if (n > 3)
            _mm_mask_storeu_epi8(y + 3 * g->y_step, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 3));
    }
}

PARE_AVX512_INLINE void finish_two(const job *g, form f, place to, int i, const pare_q512x4 *a, const pare_q512x4 *b)
{
    if (f.tiles == 2) {
        finish_pack(g, f, to, i, (pare_q512x4){ a->v0, a->v1, b->v0, b->v1 });
    } else {
        finish_pack(g, f, to, i, *a);
        finish_pack(g, f, to, i + 1, *b);
    }
}

PARE_AVX512_INLINE void finish(const job *g, form f, place to, const block *acc)
{
    if (f.tiles == 1) {
        finish_pack(g, f, to, 0, (pare_q512x4){ acc->r0.v0, acc->r1.v0, acc->r2.v0, acc->r3.v0 });
        if (f.rows > 4)
            finish_pack(g, f, to, 4, (pare_q512x4){ acc->r4.v0, acc->r5.v0, acc->r6.v0, acc->r7.v0 });
        return;
    }
    finish_two(g, f, to, 0, &acc->r0, &acc->r1);
    if (f.rows > 2)
        finish_two(g, f, to, 2, &acc->r2, &acc->r3);
    if (f.rows > 4) {
        finish_two(g, f, to, 4, &acc->r4, &acc->r5);
        finish_two(g, f, to, 6, &acc->r6, &acc->r7);
    }
}

/* All whole tiles of a run of pixels. */
PARE_AVX512_INLINE void whole(const job *arg, int rows, int tiles, pare_thin_kind kind)
{
    const job copy = *arg, *const g = &copy; /* so that stores cannot alias it */
    const form        f = { rows, tiles, kind, false };
    const pare_q512x4 bias = load_tiles(g->plan->bias + g->panel->packed, PARE_QCONV_ROW, tiles);
    const uint8_t    *x = g->x;
    place             to = { g->y, g->residual };

    for (int n = g->n; n >= rows; n -= rows, x += rows * g->x_step) {
        block acc = { bias, bias, bias, bias, bias, bias, bias, bias };
        products(g, f, x, &acc);
        finish(g, f, to, &acc);
        to.y += rows * g->y_step;
        to.residual += rows * g->r_step;
    }
}

/* One tile of which only the first n pixels exist. */
PARE_AVX512_INLINE void partial(const job *arg, int rows, int tiles, pare_thin_kind kind)
{
    const job copy = *arg, *const g = &copy;
    const form        f = { rows, tiles, kind, true };
    const pare_q512x4 bias = load_tiles(g->plan->bias + g->panel->packed, PARE_QCONV_ROW, tiles);
    block             acc = { bias, bias, bias, bias, bias, bias, bias, bias };

    products(g, f, g->x, &acc);
    finish(g, f, (place){ g->y, g->residual }, &acc);
}

PARE_AVX512_INLINE void rest(const job *g, int tiles, pare_thin_kind kind)
{
    if (g->n > 2)
        partial(g, 4, tiles, kind);
    else
        partial(g, 2, tiles, kind);
}

/* clang-format off */
#define FORM(name, kind, rows, tiles)                                                                \
    ISA static void name##_##tiles(const job *g) { whole(g, rows, tiles, kind); }                     \
    ISA static void name##_rest_##tiles(const job *g) { rest(g, tiles, kind); }
#define FORMS(name, kind) FORM(name, kind, 8, 1) FORM(name, kind, 8, 2) FORM(name, kind, 4, 3) FORM(name, kind, 4, 4)
FORMS(bare, PARE_THIN_BARE)
FORMS(plain, PARE_THIN_PLAIN)
FORMS(table, PARE_THIN_TABLE)
FORMS(add, PARE_THIN_ADD)
FORMS(add_second, PARE_THIN_ADD_SECOND)

/* By kind and column tiles: whole tiles, and up to four pixels. */
#define ROW(name) \
    { { 0 }, { name##_1, name##_rest_1 }, { name##_2, name##_rest_2 }, { name##_3, name##_rest_3 }, \
      { name##_4, name##_rest_4 } }
static void (*const forms[PARE_THIN_KINDS][5][2])(const job *) = {
    ROW(bare), ROW(plain), ROW(table), ROW(add), ROW(add_second),
};
static const int height_of[5] = { 0, 8, 8, 4, 4 }; /* pixels, by column tiles */
/* clang-format on */

/* n pixels of one line. */
static void run(job *g, pare_thin_kind kind, int n)
{
    const int tiles = g->panel->tiles, rows = height_of[tiles], all = n / rows * rows;

    if (all) {
        g->n = all;
        forms[kind][tiles][0](g);
    }
    for (int i = all; i < n; i += 4) {
        job left = *g;
        left.x += i * g->x_step;
        left.y += i * g->y_step;
        left.residual += i * g->r_step;
        left.n = n - i < 4 ? n - i : 4;
        forms[kind][tiles][1](&left);
    }
}

static pare_thin_kind kind_of(const pare_qepilogue *e)
{
    if (e->add)
        return e->conv_is_second ? PARE_THIN_ADD_SECOND : PARE_THIN_ADD;
    return e->table ? PARE_THIN_TABLE : pare_q512_is_bare(e) ? PARE_THIN_BARE : PARE_THIN_PLAIN;
}

/* Whether an image's lines follow each other without gaps. */
static bool is_flat(const pare_qconv_plan *p)
{
    return p->x_line == p->out_w * p->x_step && p->y.row == p->out_w * p->y.pixel &&
           (!p->epilogue.add || p->residual.row == p->out_w * p->residual.pixel);
}

bool pare_qconv_thin_fits(const pare_qconv_plan *p)
{
    const pare_qepilogue *e = &p->epilogue;
    const bool            little = p->tile_bytes <= LITTLE && p->out_w >= 8, heavy = e->add || e->table;

    if (e->kind != PARE_QKIND_U8 || (e->add && e->table))
        return false;
    return little || p->out_w % 4 == 0 || (heavy && is_flat(p) && p->out_w * p->out_h % 4 == 0);
}

/* How many pixels follow without a gap, the walk's included. */
static long neighbours(const pare_qconv_plan *p, const pare_qconv_walk *w)
{
    return (is_flat(p) ? (long)(p->out_h - w->oy) * p->out_w : p->out_w) - w->ox;
}

ISA void pare_qconv_thin_avx512vnni(const pare_qconv_range *r)
{
    const pare_qconv_plan *const p = r->plan;
    const pare_thin_kind         kind = kind_of(&p->epilogue);
    const pare_thin_add          add = pare_thin_add_load(&p->epilogue);

    for (int i = r->panel0; i < r->panel1; i++) {
        const pare_qconv_panel *panel = &p->panels[i];
        job                     g = { .plan = p,
                                      .panel = panel,
                                      .constants = pare_q512_load(&p->epilogue, panel->packed, panel->tiles),
                                      .add = add,
                                      .mask = pare_q512_mask(panel->columns),
                                      .x_step = p->x_step,
                                      .y_step = p->y.pixel,
                                      .r_step = p->residual.pixel };
        pare_qconv_range        left = *r;

        while (left.first < left.last) {
            pare_qconv_walk walk;
            pare_qconv_walk_start(&left, &walk);
            const long n = neighbours(p, &walk), all = left.last - left.first;
            g.x = walk.x + panel->x_offset;
            g.y = walk.y + panel->channel;
            g.residual = walk.residual + panel->channel;
            run(&g, kind, (int)(n < all ? n : all));
            left.first += n;
        }
    }
}
#else
typedef int not_x86;
#endif
