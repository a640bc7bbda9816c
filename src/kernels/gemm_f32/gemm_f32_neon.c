/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32_neon.c - 8x8 tile
 *
 * fmla takes one lane of a register as its second factor, so a row's next four k are one load: per four k 8 loads of x
 * and 8 of the panel feed 64 products. 16 accumulators, 8 registers of x and 2 of the panel leave room, and 16 chains
 * hide the latency of two products per cycle.
 */
#include "kernels/gemm_f32/gemm_f32.h"

#if PARE_ARM64
#include "kernels/neon.h"

enum { MR = 8, NR = 8, LANE = 4, ROW_PANELS = 4 };

void pare_gemm_f32_tile_neon(const pare_gemm_f32_tile *t);
void pare_gemm_f32_row_neon(const pare_gemm_f32_tile *t);

/* One k: lane `lane` of the loaded x. */
PARE_NEON_INLINE void one_k(const float *w, const float32x4_t *x, int lane, const int rows, const int vecs,
                            float32x4_t acc[][2])
{
    PARE_NEON_IN_ORDER();
    PARE_NEON_UNROLL for (int v = 0; v < vecs; v++)
    {
        const float32x4_t b = vld1q_f32(w + v * LANE);

        PARE_NEON_UNROLL for (int i = 0; i < rows; i++) acc[i][v] = pare_neon_fma_lane(acc[i][v], b, x[i], lane);
    }
}

PARE_NEON_INLINE void multiply(const pare_gemm_f32_tile *t, const int rows, const int vecs, float32x4_t acc[][2])
{
    const float *w = t->w;

    for (int tap = 0; tap < t->n_taps; tap++) {
        const float *at[MR];
        ptrdiff_t    k = 0;

        PARE_NEON_UNROLL for (int i = 0; i < rows; i++) at[i] = t->x + t->taps[tap] + i * t->x_row;
        for (; k + 4 <= t->k; k += 4, w += 4 * vecs * LANE) {
            float32x4_t x[MR];

            PARE_NEON_UNROLL for (int i = 0; i < rows; i++) x[i] = vld1q_f32(at[i] + k);
            PARE_NEON_UNROLL for (int lane = 0; lane < 4; lane++)
                one_k(w + lane * vecs * LANE, x, lane, rows, vecs, acc);
        }
        for (; k < t->k; k++, w += vecs * LANE) {
            float32x4_t x[MR];

            PARE_NEON_UNROLL for (int i = 0; i < rows; i++) x[i] = vdupq_n_f32(at[i][k]);
            one_k(w, x, 0, rows, vecs, acc);
        }
    }
}

PARE_NEON_INLINE void tile(const pare_gemm_f32_tile *t, const int rows, const int vecs)
{
    const int   n = t->n;
    float32x4_t acc[MR][2];

    PARE_NEON_UNROLL for (int i = 0; i < rows; i++)
    {
        PARE_NEON_UNROLL for (int v = 0; v < vecs; v++) acc[i][v] =
            t->init ? pare_neon_load_f32(t->init + i * t->init_row + v * LANE, n - v * LANE) : vdupq_n_f32(0);
    }
    multiply(t, rows, vecs, acc);

    const float32x4_t lo = vdupq_n_f32(t->lo), hi = vdupq_n_f32(t->hi);
    const ptrdiff_t   y_row = t->y_row, add_row = t->add_row;
    const float      *add = t->add;
    float            *y = t->y;
    PARE_NEON_UNROLL for (int i = 0; i < rows; i++, y += y_row)
    {
        PARE_NEON_UNROLL for (int v = 0; v < vecs; v++)
        {
            if (add)
                acc[i][v] = vaddq_f32(acc[i][v], pare_neon_load_f32(add + i * add_row + v * LANE, n - v * LANE));
            pare_neon_save_f32(y + v * LANE, n - v * LANE, pare_neon_clamp(acc[i][v], lo, hi));
        }
    }
}

#define TILE(rows)                                           \
    static void tile_##rows##x8(const pare_gemm_f32_tile *t) \
    {                                                        \
        tile(t, rows, 2);                                    \
    }                                                        \
    static void tile_##rows##x4(const pare_gemm_f32_tile *t) \
    {                                                        \
        tile(t, rows, 1);                                    \
    }
#define TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
TILES(TILE)

void pare_gemm_f32_tile_neon(const pare_gemm_f32_tile *t)
{
#define ENTRY(rows) { tile_##rows##x4, tile_##rows##x8 },
    static void (*const tiles[MR][2])(const pare_gemm_f32_tile *) = { TILES(ENTRY) };
#undef ENTRY

    tiles[t->m - 1][t->n > LANE](t);
}

/* One k of one row and four panels. */
PARE_NEON_INLINE void row_k(const float *w, size_t panel, float32x4_t x, int lane, float32x4_t acc[2 * ROW_PANELS])
{
    PARE_NEON_UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++) acc[v] =
        pare_neon_fma_lane(acc[v], vld1q_f32(w + v / 2 * panel + v % 2 * LANE), x, lane);
}

/* One row times four panels: eight chains in flight hide the latency of the product; weights are read once. */
static void row_32(const pare_gemm_f32_tile *t)
{
    const size_t panel = (size_t)t->n_taps * (size_t)t->k * NR;
    const float *w = t->w;
    float32x4_t  acc[2 * ROW_PANELS];

    PARE_NEON_UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++) acc[v] =
        t->init ? vld1q_f32(t->init + v * LANE) : vdupq_n_f32(0);
    for (int tap = 0; tap < t->n_taps; tap++) {
        const float *x = t->x + t->taps[tap];
        int          k = 0;

        for (; k + 4 <= t->k; k += 4, w += 4 * NR) {
            const float32x4_t four = vld1q_f32(x + k);
            PARE_NEON_UNROLL for (int lane = 0; lane < 4; lane++) row_k(w + lane * NR, panel, four, lane, acc);
        }
        for (; k < t->k; k++, w += NR)
            row_k(w, panel, vdupq_n_f32(x[k]), 0, acc);
    }
    const float32x4_t lo = vdupq_n_f32(t->lo), hi = vdupq_n_f32(t->hi);
    PARE_NEON_UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++)
    {
        if (t->add)
            acc[v] = vaddq_f32(acc[v], vld1q_f32(t->add + v * LANE));
        vst1q_f32(t->y + v * LANE, pare_neon_clamp(acc[v], lo, hi));
    }
}

void pare_gemm_f32_row_neon(const pare_gemm_f32_tile *t)
{
    pare_gemm_f32_tile part = *t;

    for (int j = 0; j < t->n; j += part.n) {
        const int left = t->n - j;

        part.n = left >= ROW_PANELS * NR ? ROW_PANELS * NR : left < NR ? left : NR;
        part.w = t->w + (size_t)j * (size_t)t->n_taps * (size_t)t->k;
        part.init = t->init ? t->init + j : NULL;
        part.add = t->add ? t->add + j : NULL;
        part.y = t->y + j;
        if (part.n > NR)
            row_32(&part);
        else
            pare_gemm_f32_tile_neon(&part);
    }
}
#endif
