/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32_avx512vnni.c - 14x32 tile (AVX-512 F).
 *
 * 28 accumulators, 2 weight registers and a broadcast fill the 32 registers; 14 rows, because the widths of image
 * networks are multiples of 7. Each broadcast feeds two products, so loads stay at 16 for 28 products. Row pointers
 * are kept for every third row only and the two rows after it are reached by [p + s] and [p + 2 s], so that fourteen
 * rows need six general registers. The function is expanded once for each number of rows and of vectors.
 */
#include "kernels/gemm_f32/gemm_f32.h"

#if PARE_X86
#include <immintrin.h>

#define ISA    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
#define INLINE __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 16")

enum { MR = 14, NR = 32, LANE = 16, POINTERS = (MR + 2) / 3, ROW_PANELS = 4 };

void pare_gemm_f32_tile_avx512vnni(const pare_gemm_f32_tile *t);
void pare_gemm_f32_row_avx512vnni(const pare_gemm_f32_tile *t);

/* The lanes of vector `v` that are columns below n. */
ISA INLINE __mmask16 mask_of(int n, int v)
{
    const int left = n - v * LANE;

    return left >= LANE ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
}

/* v < lo ? lo : v is MAX(lo, v), which gives v when one of them is NaN; v > hi ? hi : v is MIN(hi, v). */
ISA INLINE __m512 clamp(__m512 lo, __m512 hi, __m512 v)
{
    return _mm512_min_ps(hi, _mm512_max_ps(lo, v));
}

ISA INLINE void tile(const pare_gemm_f32_tile *t, const int rows, const int vecs)
{
    const ptrdiff_t step = t->x_row * (ptrdiff_t)sizeof(float);
    const float    *w = t->w;
    const __mmask16 lanes[2] = { mask_of(t->n, 0), mask_of(t->n, 1) };
    __m512          acc[MR][2];

    const float *init = t->init;
    UNROLL for (int i = 0; i < rows; i++, init += t->init_row) UNROLL for (int v = 0; v < vecs; v++) acc[i][v] =
        t->init ? _mm512_maskz_loadu_ps(lanes[v], init + v * LANE) : _mm512_setzero_ps();

    for (int tap = 0; tap < t->n_taps; tap++) {
        const char *x[POINTERS];

        UNROLL for (int i = 0; i < rows; i += 3) x[i / 3] = (const char *)(t->x + t->taps[tap]) + i * step;
        for (int p = t->k; p > 0; p--) {
            __m512 b[2];

            UNROLL for (int v = 0; v < vecs; v++) b[v] = _mm512_loadu_ps(w + v * LANE);
            UNROLL for (int i = 0; i < rows; i++)
            {
                const __m512 a = _mm512_set1_ps(*(const float *)(x[i / 3] + i % 3 * step));

                UNROLL for (int v = 0; v < vecs; v++) acc[i][v] = _mm512_fmadd_ps(a, b[v], acc[i][v]);
            }
            UNROLL for (int i = 0; i < rows; i += 3) x[i / 3] += sizeof(float);
            w += vecs * LANE;
        }
    }

    const __m512    lo = _mm512_set1_ps(t->lo), hi = _mm512_set1_ps(t->hi);
    const ptrdiff_t y_row = t->y_row;
    const float    *add = t->add;
    float          *y = t->y;
    if (add)
        UNROLL for (int i = 0; i < rows; i++, add += t->add_row) UNROLL for (int v = 0; v < vecs; v++) acc[i][v] =
            _mm512_add_ps(acc[i][v], _mm512_maskz_loadu_ps(lanes[v], add + v * LANE));
    UNROLL for (int i = 0; i < rows; i++, y += y_row) UNROLL for (int v = 0; v < vecs; v++)
        _mm512_mask_storeu_ps(y + v * LANE, lanes[v], clamp(lo, hi, acc[i][v]));
}

#define TILE(rows)                                                \
    ISA static void tile_##rows##x32(const pare_gemm_f32_tile *t) \
    {                                                             \
        tile(t, rows, 2);                                         \
    }                                                             \
    ISA static void tile_##rows##x16(const pare_gemm_f32_tile *t) \
    {                                                             \
        tile(t, rows, 1);                                         \
    }
#define TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
TILES(TILE)

void pare_gemm_f32_tile_avx512vnni(const pare_gemm_f32_tile *t)
{
#define ENTRY(rows) { tile_##rows##x16, tile_##rows##x32 },
    static void (*const tiles[MR][2])(const pare_gemm_f32_tile *) = { TILES(ENTRY) };
#undef ENTRY

    tiles[t->m - 1][t->n > LANE](t);
}

/* One row times four panels: eight chains in flight hide the latency of the product; weights are read once. */
ISA static void row_128(const pare_gemm_f32_tile *t)
{
    const size_t panel = (size_t)t->n_taps * t->k * NR;
    const float *w = t->w;
    __m512       acc[2 * ROW_PANELS];

    UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++) acc[v] =
        t->init ? _mm512_loadu_ps(t->init + v * LANE) : _mm512_setzero_ps();
    for (int tap = 0; tap < t->n_taps; tap++) {
        const float *x = t->x + t->taps[tap];

        for (int p = 0; p < t->k; p++, w += NR) {
            const __m512 a = _mm512_set1_ps(x[p]);

            UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++) acc[v] =
                _mm512_fmadd_ps(a, _mm512_loadu_ps(w + v / 2 * panel + v % 2 * LANE), acc[v]);
        }
    }
    const __m512 lo = _mm512_set1_ps(t->lo), hi = _mm512_set1_ps(t->hi);
    UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++)
    {
        if (t->add)
            acc[v] = _mm512_add_ps(acc[v], _mm512_loadu_ps(t->add + v * LANE));
        _mm512_storeu_ps(t->y + v * LANE, clamp(lo, hi, acc[v]));
    }
}

void pare_gemm_f32_row_avx512vnni(const pare_gemm_f32_tile *t)
{
    pare_gemm_f32_tile part = *t;

    for (int j = 0; j < t->n; j += part.n) {
        const int left = t->n - j;

        part.n = left >= ROW_PANELS * NR ? ROW_PANELS * NR : left < NR ? left : NR;
        part.w = t->w + (size_t)j * t->n_taps * t->k;
        part.init = t->init ? t->init + j : NULL;
        part.add = t->add ? t->add + j : NULL;
        part.y = t->y + j;
        if (part.n > NR)
            row_128(&part);
        else
            pare_gemm_f32_tile_avx512vnni(&part);
    }
}
#endif
