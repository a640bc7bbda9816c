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
#include "kernels/qconv/qepilogue_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

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
    pare_q512x4   v  = { v0, v0, v0, v0 };

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

PARE_AVX512_INLINE void products(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                                 int rows, int tiles, block *acc)
{
    const size_t  tile_bytes = p->tile_bytes;
    const int8_t *w          = panel->w;

    for (int s = 0; s < p->n_steps; s++) {
        ptrdiff_t offset = p->steps[s].offset + panel->x_offset;
        int       fours  = p->steps[s].fours;

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

/* Requantizes and stores pixel i, unless it only repeats the last one. */
PARE_AVX512_INLINE void finish(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t, int i,
                               int tiles, pare_q512x4 acc)
{
    const __mmask64 mask = pare_q512_mask(panel->columns);

    if (i >= t->n)
        return;
    if (p->epilogue.kind == PARE_QKIND_U8)
        pare_q512_store_u8(&p->epilogue, panel->packed, acc, tiles, false, mask, t->y[i] + panel->channel,
                           t->residual[i] + panel->channel);
    else
        pare_q512_store_f32x4(&p->epilogue, panel->packed, acc, tiles, mask, (float *)t->y[i] + panel->channel,
                              t->row_scale[i]);
}

/* Computes `rows` pixels and stores the first t->n of them. */
PARE_AVX512_INLINE void compute(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                                int rows, int tiles)
{
    const pare_q512x4 bias = load_tiles(p->bias + panel->packed, PARE_QCONV_ROW, tiles);
    block             acc  = { bias, bias, bias, bias, bias, bias, bias, bias };

    products(p, panel, t, rows, tiles, &acc);
    finish(p, panel, t, 0, tiles, acc.r0);
    if (rows > 1)
        finish(p, panel, t, 1, tiles, acc.r1);
    if (rows > 2) {
        finish(p, panel, t, 2, tiles, acc.r2);
        finish(p, panel, t, 3, tiles, acc.r3);
    }
    if (rows > 4) {
        finish(p, panel, t, 4, tiles, acc.r4);
        finish(p, panel, t, 5, tiles, acc.r5);
    }
    if (rows > 6) {
        finish(p, panel, t, 6, tiles, acc.r6);
        finish(p, panel, t, 7, tiles, acc.r7);
    }
}

typedef void tile_fn(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t);

#define TILE(rows, tiles)                                                                                              \
    ISA static void tile_##rows##_##tiles(const pare_qconv_plan *p, const pare_qconv_panel *panel,                     \
                                          const pare_qconv_tile *t)                                                    \
    { compute(p, panel, t, rows, tiles); }

TILE(1, 1) TILE(2, 1) TILE(4, 1) TILE(8, 1)
TILE(1, 2) TILE(2, 2) TILE(4, 2) TILE(8, 2)
TILE(1, 3) TILE(2, 3) TILE(4, 3) TILE(8, 3)
TILE(1, 4) TILE(2, 4) TILE(4, 4) TILE(6, 4)

/* By column tiles, then by the smallest height that is enough. */
static const struct {
    int      rows[4];
    tile_fn *run[4];
} tiles_of[5] = {
    [1] = { { 1, 2, 4, 8 }, { tile_1_1, tile_2_1, tile_4_1, tile_8_1 } },
    [2] = { { 1, 2, 4, 8 }, { tile_1_2, tile_2_2, tile_4_2, tile_8_2 } },
    [3] = { { 1, 2, 4, 8 }, { tile_1_3, tile_2_3, tile_4_3, tile_8_3 } },
    [4] = { { 1, 2, 4, 6 }, { tile_1_4, tile_2_4, tile_4_4, tile_6_4 } },
};

void pare_qconv_6x64_avx512vnni(const pare_qconv_range *r)
{
    for (int i = r->panel0; i < r->panel1; i++) {
        const pare_qconv_panel *panel = &r->plan->panels[i];
        const int              *rows  = tiles_of[panel->tiles].rows;
        pare_qconv_walk         walk;

        pare_qconv_walk_start(r, &walk);
        for (long m = r->first; m < r->last;) {
            const int       n      = r->last - m < rows[3] ? (int)(r->last - m) : rows[3];
            const int       height = n > rows[2] ? 3 : n > rows[1] ? 2 : n > rows[0] ? 1 : 0;
            pare_qconv_tile t;

            pare_qconv_tile_take(r, &walk, n, rows[height], &t);
            tiles_of[panel->tiles].run[height](r->plan, panel, &t);
            m += n;
        }
    }
}
#else
typedef int not_x86;
#endif
