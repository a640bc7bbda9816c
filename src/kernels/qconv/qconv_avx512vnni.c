/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_avx512vnni.c - 6 pixels x 64 columns, and 8 pixels x 48, 32 or 16 columns
 *
 * vpdpbusd multiplies four unsigned by four signed bytes in each of 16 int32 columns and does not saturate. Per
 * four k: one load of 64 packed bytes per column tile, one 4-byte broadcast per pixel, and their outer product in
 * up to 24 accumulators, which start at the folded bias and are requantized without leaving the registers.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qconv_plan.h"
#include "kernels/qconv/qconv_thin.h"
#include "kernels/qconv/qepilogue_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

/* Neither zero point nor bounds to apply; those; table or add. */
typedef enum finish_kind { BARE, PLAIN, OTHER } finish_kind;

/* One tile to compute. */
typedef struct job {
    const pare_qconv_plan  *plan;
    const pare_qconv_panel *panel;
    const pare_qconv_tile  *tile;
    __mmask64               mask; /* of the panel's columns */
    int                     n;    /* pixels to store        */
} job;

/* Accumulators: rN are the four column tiles of pixel N. */
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

/* Four k of `rows` pixels and `tiles` column tiles; `offset` from each pixel's x. */
PARE_AVX512_INLINE void four_k(const pare_qconv_tile *t, int rows, int tiles, ptrdiff_t offset, const int8_t *w,
                               size_t tile_bytes, block *acc)
{
    const pare_q512x4 b = load_tiles(w, tile_bytes, tiles);

    row_four_k(t->x[0] + offset, tiles, &b, &acc->r0);
    if (rows > 1)
        row_four_k(t->x[1] + offset, tiles, &b, &acc->r1);
    if (rows > 2) {
        row_four_k(t->x[2] + offset, tiles, &b, &acc->r2);
        row_four_k(t->x[3] + offset, tiles, &b, &acc->r3);
    }
    if (rows > 4) {
        row_four_k(t->x[4] + offset, tiles, &b, &acc->r4);
        row_four_k(t->x[5] + offset, tiles, &b, &acc->r5);
    }
    if (rows > 6) {
        row_four_k(t->x[6] + offset, tiles, &b, &acc->r6);
        row_four_k(t->x[7] + offset, tiles, &b, &acc->r7);
    }
}

PARE_AVX512_INLINE void products(const job *g, int rows, int tiles, block *acc)
{
    const pare_qconv_plan *p = g->plan;
    const pare_qconv_tile *t = g->tile;
    const size_t           tile_bytes = p->tile_bytes;
    const int8_t          *w = g->panel->w;

    for (int s = 0; s < p->n_steps; s++) {
        ptrdiff_t offset = p->steps[s].offset + g->panel->x_offset;
        int       fours = p->steps[s].fours;

        for (; fours >= 4; fours -= 4, offset += 16, w += 4 * PARE_QCONV_ROW) {
            four_k(t, rows, tiles, offset, w, tile_bytes, acc);
            four_k(t, rows, tiles, offset + 4, w + PARE_QCONV_ROW, tile_bytes, acc);
            four_k(t, rows, tiles, offset + 8, w + 2 * PARE_QCONV_ROW, tile_bytes, acc);
            four_k(t, rows, tiles, offset + 12, w + 3 * PARE_QCONV_ROW, tile_bytes, acc);
        }
        for (; fours > 0; fours--, offset += 4, w += PARE_QCONV_ROW)
            four_k(t, rows, tiles, offset, w, tile_bytes, acc);
    }
}

/* The residual of the pixels of one pack that begins at pixel i. */
PARE_AVX512_INLINE __m512i load_residual(const job *g, int i, int tiles)
{
    const uint8_t *const *r = g->tile->residual + i;
    const __mmask64       mask = g->mask;
    const int             c = g->panel->channel;

    if (tiles == 1) {
        __m512i v = _mm512_castsi128_si512(_mm_maskz_loadu_epi8((__mmask16)mask, r[0] + c));
        v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi8((__mmask16)mask, r[1] + c), 1);
        v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi8((__mmask16)mask, r[2] + c), 2);
        return _mm512_inserti32x4(v, _mm_maskz_loadu_epi8((__mmask16)mask, r[3] + c), 3);
    }
    if (tiles == 2) {
        const __m256i first = _mm256_maskz_loadu_epi8((__mmask32)mask, r[0] + c);
        return _mm512_inserti64x4(_mm512_castsi256_si512(first), _mm256_maskz_loadu_epi8((__mmask32)mask, r[1] + c), 1);
    }
    return _mm512_maskz_loadu_epi8(mask, r[0] + c);
}

/* Stores the pixels of one pack that begins at pixel i, except those from n up, which only repeat the last one. */
PARE_AVX512_INLINE void store_pack(const job *g, int i, int tiles, __m512i q)
{
    uint8_t *const *y = g->tile->y + i;
    const __mmask64 mask = g->mask;
    const int       c = g->panel->channel;

    if (tiles == 1) {
        _mm_mask_storeu_epi8(y[0] + c, (__mmask16)mask, _mm512_castsi512_si128(q));
        if (i + 1 < g->n)
            _mm_mask_storeu_epi8(y[1] + c, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 1));
        if (i + 2 < g->n)
            _mm_mask_storeu_epi8(y[2] + c, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 2));
        if (i + 3 < g->n)
            _mm_mask_storeu_epi8(y[3] + c, (__mmask16)mask, _mm512_extracti32x4_epi32(q, 3));
    } else if (tiles == 2) {
        _mm256_mask_storeu_epi8(y[0] + c, (__mmask32)mask, _mm512_castsi512_si256(q));
        if (i + 1 < g->n)
            _mm256_mask_storeu_epi8(y[1] + c, (__mmask32)mask, _mm512_extracti64x4_epi64(q, 1));
    } else {
        _mm512_mask_storeu_epi8(y[0] + c, mask, q);
    }
}

/* With table or add: out of line, so that the plain epilogue keeps its registers. */
ISA __attribute__((noinline)) static __m512i codes_any(const pare_qepilogue *e, const pare_q512_constants *c,
                                                       const pare_q512x4 *acc, __m512i residual)
{
    return pare_q512_codes_any(e, c, *acc, false, residual);
}

/* Requantizes one pack, first pixel i, from the accumulators of its pixels. */
PARE_AVX512_INLINE void finish_pack(const job *g, int i, int tiles, finish_kind kind, const pare_q512_constants *c,
                                    pare_q512x4 acc)
{
    const pare_qepilogue *e = &g->plan->epilogue;

    if (i >= g->n)
        return;
    if (kind != OTHER) {
        store_pack(g, i, tiles, pare_q512_codes(c, acc, false, kind == BARE));
    } else {
        const __m512i r = e->add ? load_residual(g, i, tiles) : _mm512_setzero_si512();
        store_pack(g, i, tiles, codes_any(e, c, &acc, r));
    }
}

/* Two pixels' accumulators: one pack where they fit, else two. */
PARE_AVX512_INLINE void finish_two(const job *g, int i, int tiles, finish_kind kind, const pare_q512_constants *c,
                                   const pare_q512x4 *a, const pare_q512x4 *b)
{
    if (tiles == 2) {
        finish_pack(g, i, tiles, kind, c, (pare_q512x4){ a->v0, a->v1, b->v0, b->v1 });
    } else {
        finish_pack(g, i, tiles, kind, c, *a);
        finish_pack(g, i + 1, tiles, kind, c, *b);
    }
}

PARE_AVX512_INLINE void finish_u8(const job *g, int rows, int tiles, finish_kind kind, const block *acc)
{
    const pare_q512_constants c = pare_q512_load(&g->plan->epilogue, g->panel->packed, tiles);

    if (tiles == 1) {
        finish_pack(g, 0, 1, kind, &c, (pare_q512x4){ acc->r0.v0, acc->r1.v0, acc->r2.v0, acc->r3.v0 });
        if (rows > 4)
            finish_pack(g, 4, 1, kind, &c, (pare_q512x4){ acc->r4.v0, acc->r5.v0, acc->r6.v0, acc->r7.v0 });
        return;
    }
    finish_two(g, 0, tiles, kind, &c, &acc->r0, &acc->r1);
    if (rows > 2)
        finish_two(g, 2, tiles, kind, &c, &acc->r2, &acc->r3);
    if (rows > 4)
        finish_two(g, 4, tiles, kind, &c, &acc->r4, &acc->r5);
    if (rows > 6)
        finish_two(g, 6, tiles, kind, &c, &acc->r6, &acc->r7);
}

PARE_AVX512_INLINE void finish_f32(const job *g, int i, int tiles, pare_q512x4 acc)
{
    if (i < g->n)
        pare_q512_store_f32x4(&g->plan->epilogue, g->panel->packed, acc, tiles, g->mask,
                              (float *)g->tile->y[i] + g->panel->channel, g->tile->row_scale[i]);
}

/* Computes `rows` pixels and stores the first n of them. */
PARE_AVX512_INLINE void compute(const job *arg, int rows, int tiles)
{
    const job copy = *arg, *const g = &copy; /* so that stores cannot alias it */
    const pare_q512x4 bias = load_tiles(g->plan->bias + g->panel->packed, PARE_QCONV_ROW, tiles);
    block             acc = { bias, bias, bias, bias, bias, bias, bias, bias };

    products(g, rows, tiles, &acc);
    if (g->plan->epilogue.kind == PARE_QKIND_U8) {
        const pare_qepilogue *e = &g->plan->epilogue;
        if (e->add || e->table)
            finish_u8(g, rows, tiles, OTHER, &acc);
        else if (pare_q512_is_bare(e))
            finish_u8(g, rows, tiles, BARE, &acc);
        else
            finish_u8(g, rows, tiles, PLAIN, &acc);
        return;
    }
    finish_f32(g, 0, tiles, acc.r0);
    finish_f32(g, 1, tiles, acc.r1);
    if (rows > 2) {
        finish_f32(g, 2, tiles, acc.r2);
        finish_f32(g, 3, tiles, acc.r3);
    }
    if (rows > 4) {
        finish_f32(g, 4, tiles, acc.r4);
        finish_f32(g, 5, tiles, acc.r5);
    }
    if (rows > 6) {
        finish_f32(g, 6, tiles, acc.r6);
        finish_f32(g, 7, tiles, acc.r7);
    }
}

#define TILE(rows, tiles)                               \
    ISA static void tile_##rows##_##tiles(const job *g) \
    {                                                   \
        compute(g, rows, tiles);                        \
    }
/* clang-format off */
TILE(1, 1) TILE(2, 1) TILE(4, 1) TILE(8, 1)
TILE(1, 2) TILE(2, 2) TILE(4, 2) TILE(8, 2)
TILE(1, 3) TILE(2, 3) TILE(4, 3) TILE(8, 3)
TILE(1, 4) TILE(2, 4) TILE(4, 4) TILE(6, 4)

/* By column tiles, then by the smallest height that is enough. */
static const struct {
    int rows[4];
    void (*run[4])(const job *g);
} tiles_of[5] = {
    [1] = { { 1, 2, 4, 8 }, { tile_1_1, tile_2_1, tile_4_1, tile_8_1 } },
    [2] = { { 1, 2, 4, 8 }, { tile_1_2, tile_2_2, tile_4_2, tile_8_2 } },
    [3] = { { 1, 2, 4, 8 }, { tile_1_3, tile_2_3, tile_4_3, tile_8_3 } },
    [4] = { { 1, 2, 4, 6 }, { tile_1_4, tile_2_4, tile_4_4, tile_6_4 } },
};
/* clang-format on */

void pare_qconv_6x64_avx512vnni(const pare_qconv_range *r)
{
    if (pare_qconv_thin_fits(r->plan)) {
        pare_qconv_thin_avx512vnni(r);
        return;
    }
    for (int i = r->panel0; i < r->panel1; i++) {
        const pare_qconv_panel *panel = &r->plan->panels[i];
        const int              *rows = tiles_of[panel->tiles].rows;
        const __mmask64         mask = pare_q512_mask(panel->columns);
        pare_qconv_walk         walk;

        pare_qconv_walk_start(r, &walk);
        for (long m = r->first; m < r->last;) {
            const int       n = r->last - m < rows[3] ? (int)(r->last - m) : rows[3];
            const int       height = n > rows[2] ? 3 : n > rows[1] ? 2 : n > rows[0] ? 1 : 0;
            pare_qconv_tile t;

            pare_qconv_tile_take(r, &walk, n, rows[height] < 4 ? 4 : rows[height], &t); /* a pack may hold 4 */
            tiles_of[panel->tiles].run[height](&(job){ r->plan, panel, &t, mask, n });
            m += n;
        }
    }
}
#else
typedef int not_x86;
#endif
