/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_thin_avx512vnni.c - u8 outputs line by line: 4 pixels x 64 or 48 columns, 8 pixels x 32 or 16
 *
 * Where k is small, requantization takes as long as the products. So the tiles are low, that processors may begin the
 * products of the next while the last one is requantized, and they follow each other along a line in one loop, without
 * lists of pixels and calls between them. The pixels of lines without gaps are one line.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qconv_plan.h"
#include "kernels/qconv/qconv_thin.h"
#include "kernels/qconv/qepilogue_avx512.h"

enum { LITTLE = 16 * PARE_QCONV_ROW /* bytes of a packed column tile */ };

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

/* Neighbouring pixels of one line and one panel. */
typedef struct job {
    const pare_qconv_plan  *plan;
    const pare_qconv_panel *panel;
    pare_q512_constants     constants;
    __mmask64               mask; /* of the panel's columns                          */
    const uint8_t          *x;    /* of the bundle, at the first pixel               */
    uint8_t                *y;    /* of column 0                                     */
    ptrdiff_t               x_step, y_step;
    int                     n; /* pixels */
} job;

/* What the compiler knows. */
typedef struct form {
    int  rows, tiles;
    bool bare;    /* neither zero point nor bounds to apply                             */
    bool partial; /* fewer pixels than rows: the last one is repeated, and stored once */
} form;

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
PARE_AVX512_INLINE void finish_pack(const job *g, form f, uint8_t *y, int i, pare_q512x4 acc)
{
    const __m512i   q = pare_q512_codes(&g->constants, acc, false, f.bare);
    const __mmask64 mask = g->mask;
    uint8_t *const  at = y + i * g->y_step;
    const int       n = f.partial ? g->n - i : 4;

    if (n <= 0)
        return;
    if (f.tiles > 2) {
        _mm512_mask_storeu_epi8(at, mask, q);
    } else if (f.tiles == 2) {
        _mm256_mask_storeu_epi8(at, (__mmask32)mask, _mm512_castsi512_si256(q));
        if (n > 1)
            _mm256_mask_storeu_epi8(at + g->y_step, (__mmask32)mask, _mm512_extracti64x4_epi64(q, 1));
    } else {
        _mm_mask_storeu_epi8(at, (__mmask16)mask, _mm512_castsi512_si128(q));
        if (n > 1)
            _mm_mask_storeu_epi8(at + g->y_step, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 1));
        if (n > 2)
            _mm_mask_storeu_epi8(at + 2 * g->y_step, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 2));
        if (n > 3)
            _mm_mask_storeu_epi8(at + 3 * g->y_step, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 3));
    }
}

PARE_AVX512_INLINE void finish_two(const job *g, form f, uint8_t *y, int i, const pare_q512x4 *a, const pare_q512x4 *b)
{
    if (f.tiles == 2) {
        finish_pack(g, f, y, i, (pare_q512x4){ a->v0, a->v1, b->v0, b->v1 });
    } else {
        finish_pack(g, f, y, i, *a);
        finish_pack(g, f, y, i + 1, *b);
    }
}

PARE_AVX512_INLINE void finish(const job *g, form f, uint8_t *y, const block *acc)
{
    if (f.tiles == 1) {
        finish_pack(g, f, y, 0, (pare_q512x4){ acc->r0.v0, acc->r1.v0, acc->r2.v0, acc->r3.v0 });
        if (f.rows > 4)
            finish_pack(g, f, y, 4, (pare_q512x4){ acc->r4.v0, acc->r5.v0, acc->r6.v0, acc->r7.v0 });
        return;
    }
    finish_two(g, f, y, 0, &acc->r0, &acc->r1);
    if (f.rows > 2)
        finish_two(g, f, y, 2, &acc->r2, &acc->r3);
    if (f.rows > 4) {
        finish_two(g, f, y, 4, &acc->r4, &acc->r5);
        finish_two(g, f, y, 6, &acc->r6, &acc->r7);
    }
}

/* All whole tiles of a run of pixels. */
PARE_AVX512_INLINE void whole(const job *arg, int rows, int tiles, bool bare)
{
    const job copy = *arg, *const g = &copy; /* so that stores cannot alias it */
    const form        f = { rows, tiles, bare, false };
    const pare_q512x4 bias = load_tiles(g->plan->bias + g->panel->packed, PARE_QCONV_ROW, tiles);
    const uint8_t    *x = g->x;
    uint8_t          *y = g->y;

    for (int n = g->n; n >= rows; n -= rows, x += rows * g->x_step, y += rows * g->y_step) {
        block acc = { bias, bias, bias, bias, bias, bias, bias, bias };
        products(g, f, x, &acc);
        finish(g, f, y, &acc);
    }
}

/* One tile of which only the first n pixels exist. */
PARE_AVX512_INLINE void partial(const job *g, int rows, int tiles)
{
    const form        f = { rows, tiles, false, true };
    const pare_q512x4 bias = load_tiles(g->plan->bias + g->panel->packed, PARE_QCONV_ROW, tiles);
    block             acc = { bias, bias, bias, bias, bias, bias, bias, bias };

    products(g, f, g->x, &acc);
    finish(g, f, g->y, &acc);
}

PARE_AVX512_INLINE void rest(const job *arg, int tiles)
{
    const job copy = *arg;

    if (copy.n > 2)
        partial(&copy, 4, tiles);
    else
        partial(&copy, 2, tiles);
}

#define TILES(rows, tiles)                      \
    ISA static void bare_##tiles(const job *g)  \
    {                                           \
        whole(g, rows, tiles, true);            \
    }                                           \
    ISA static void plain_##tiles(const job *g) \
    {                                           \
        whole(g, rows, tiles, false);           \
    }                                           \
    ISA static void rest_##tiles(const job *g)  \
    {                                           \
        rest(g, tiles);                         \
    }
TILES(8, 1)
TILES(8, 2)
TILES(4, 3)
TILES(4, 4)

static const struct {
    int rows;
    void (*bare)(const job *), (*plain)(const job *), (*rest)(const job *);
} forms[5] = {
    [1] = { 8, bare_1, plain_1, rest_1 },
    [2] = { 8, bare_2, plain_2, rest_2 },
    [3] = { 4, bare_3, plain_3, rest_3 },
    [4] = { 4, bare_4, plain_4, rest_4 },
};

/* n pixels of one line. */
static void run(job *g, bool bare, int n)
{
    const int tiles = g->panel->tiles, rows = forms[tiles].rows, all = n / rows * rows;

    if (all) {
        g->n = all;
        (bare ? forms[tiles].bare : forms[tiles].plain)(g);
    }
    for (int i = all; i < n; i += 4) {
        job left = *g;
        left.x += i * g->x_step;
        left.y += i * g->y_step;
        left.n = n - i < 4 ? n - i : 4;
        forms[tiles].rest(&left);
    }
}

bool pare_qconv_thin_fits(const pare_qconv_plan *p)
{
    const pare_qepilogue *e = &p->epilogue;
    const bool            little = p->tile_bytes <= LITTLE && p->out_w >= 8;

    return e->kind == PARE_QKIND_U8 && !e->add && !e->table && (little || p->out_w % 4 == 0);
}

/* How many pixels follow without a gap, the walk's included. */
static long neighbours(const pare_qconv_plan *p, const pare_qconv_walk *w)
{
    const bool flat = p->x_line == p->out_w * p->x_step && p->y.row == p->out_w * p->y.pixel;

    return (flat ? (long)(p->out_h - w->oy) * p->out_w : p->out_w) - w->ox;
}

ISA void pare_qconv_thin_avx512vnni(const pare_qconv_range *r)
{
    const pare_qconv_plan *const p = r->plan;
    const bool                   bare = pare_q512_is_bare(&p->epilogue);

    for (int i = r->panel0; i < r->panel1; i++) {
        const pare_qconv_panel *panel = &p->panels[i];
        job                     g = { .plan = p,
                                      .panel = panel,
                                      .constants = pare_q512_load(&p->epilogue, panel->packed, panel->tiles),
                                      .mask = pare_q512_mask(panel->columns),
                                      .x_step = p->x_step,
                                      .y_step = p->y.pixel };
        pare_qconv_range        left = *r;

        while (left.first < left.last) {
            pare_qconv_walk walk;
            pare_qconv_walk_start(&left, &walk);
            const long n = neighbours(p, &walk), all = left.last - left.first;
            g.x = walk.x + panel->x_offset;
            g.y = walk.y + panel->channel;
            run(&g, bare, (int)(n < all ? n : all));
            left.first += n;
        }
    }
}
#else
typedef int not_x86;
#endif
