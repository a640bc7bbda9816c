/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32_avx2.c - 6x16 tile (AVX2, FMA).
 *
 * 12 accumulators, 2 weight registers and a broadcast are 15 of the 16 registers, and 12 chains hide the latency of
 * two products per cycle. Rows are reached as in gemm_f32_avx512vnni.c. vmaskmov is slow to store on some CPUs and is
 * used only in the panel that has fewer columns than lanes.
 */
#include "kernels/gemm_f32/gemm_f32.h"

#if PARE_X86
#include <immintrin.h>

#define ISA    __attribute__((target("avx2,fma")))
#define INLINE __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 16")

enum { MR = 6, NR = 16, LANE = 8, POINTERS = (MR + 2) / 3, ROW_PANELS = 4 };

void pare_gemm_f32_tile_avx2(const pare_gemm_f32_tile *t);
void pare_gemm_f32_row_avx2(const pare_gemm_f32_tile *t);

/* All ones in the first n lanes. */
ISA INLINE __m256i mask_of(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

ISA INLINE __m256 load(const float *src, int n)
{
    return n >= LANE ? _mm256_loadu_ps(src) : _mm256_maskload_ps(src, mask_of(n));
}

ISA INLINE void store(float *dst, int n, __m256 v)
{
    if (n >= LANE)
        _mm256_storeu_ps(dst, v);
    else
        _mm256_maskstore_ps(dst, mask_of(n), v);
}

/* v < lo ? lo : v is MAX(lo, v), which gives v when one of them is NaN; v > hi ? hi : v is MIN(hi, v). */
ISA INLINE __m256 clamp(__m256 lo, __m256 hi, __m256 v)
{
    return _mm256_min_ps(hi, _mm256_max_ps(lo, v));
}

ISA INLINE void tile(const pare_gemm_f32_tile *t, const int rows, const int vecs)
{
    const ptrdiff_t step = t->x_row * (ptrdiff_t)sizeof(float);
    const int       n = t->n;
    const float    *w = t->w;
    __m256          acc[MR][2];

    const float *init = t->init;
    UNROLL for (int i = 0; i < rows; i++, init += t->init_row) UNROLL for (int v = 0; v < vecs; v++) acc[i][v] =
        t->init ? load(init + v * LANE, n - v * LANE) : _mm256_setzero_ps();

    for (int tap = 0; tap < t->n_taps; tap++) {
        const char *x[POINTERS];

        UNROLL for (int i = 0; i < rows; i += 3) x[i / 3] = (const char *)(t->x + t->taps[tap]) + i * step;
        for (int p = t->k; p > 0; p--) {
            __m256 b[2];

            UNROLL for (int v = 0; v < vecs; v++) b[v] = _mm256_loadu_ps(w + v * LANE);
            UNROLL for (int i = 0; i < rows; i++)
            {
                const __m256 a = _mm256_broadcast_ss((const float *)(x[i / 3] + i % 3 * step));

                UNROLL for (int v = 0; v < vecs; v++) acc[i][v] = _mm256_fmadd_ps(a, b[v], acc[i][v]);
            }
            UNROLL for (int i = 0; i < rows; i += 3) x[i / 3] += sizeof(float);
            w += vecs * LANE;
        }
    }

    const __m256    lo = _mm256_set1_ps(t->lo), hi = _mm256_set1_ps(t->hi);
    const ptrdiff_t y_row = t->y_row;
    const float    *add = t->add;
    float          *y = t->y;
    if (add)
        UNROLL for (int i = 0; i < rows; i++, add += t->add_row) UNROLL for (int v = 0; v < vecs; v++) acc[i][v] =
            _mm256_add_ps(acc[i][v], load(add + v * LANE, n - v * LANE));
    UNROLL for (int i = 0; i < rows; i++, y += y_row) UNROLL for (int v = 0; v < vecs; v++)
        store(y + v * LANE, n - v * LANE, clamp(lo, hi, acc[i][v]));
}

#define TILE(rows)                                                \
    ISA static void tile_##rows##x16(const pare_gemm_f32_tile *t) \
    {                                                             \
        tile(t, rows, 2);                                         \
    }                                                             \
    ISA static void tile_##rows##x8(const pare_gemm_f32_tile *t)  \
    {                                                             \
        tile(t, rows, 1);                                         \
    }
#define TILES(X) X(1) X(2) X(3) X(4) X(5) X(6)
TILES(TILE)

void pare_gemm_f32_tile_avx2(const pare_gemm_f32_tile *t)
{
#define ENTRY(rows) { tile_##rows##x8, tile_##rows##x16 },
    static void (*const tiles[MR][2])(const pare_gemm_f32_tile *) = { TILES(ENTRY) };
#undef ENTRY

    tiles[t->m - 1][t->n > LANE](t);
}

/* One row times four panels: eight chains in flight hide the latency of the product; weights are read once. */
ISA static void row_64(const pare_gemm_f32_tile *t)
{
    const size_t panel = (size_t)t->n_taps * t->k * NR;
    const float *w = t->w;
    __m256       acc[2 * ROW_PANELS];

    UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++) acc[v] =
        t->init ? _mm256_loadu_ps(t->init + v * LANE) : _mm256_setzero_ps();
    for (int tap = 0; tap < t->n_taps; tap++) {
        const float *x = t->x + t->taps[tap];

        for (int p = 0; p < t->k; p++, w += NR) {
            const __m256 a = _mm256_broadcast_ss(x + p);

            UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++) acc[v] =
                _mm256_fmadd_ps(a, _mm256_loadu_ps(w + v / 2 * panel + v % 2 * LANE), acc[v]);
        }
    }
    const __m256 lo = _mm256_set1_ps(t->lo), hi = _mm256_set1_ps(t->hi);
    UNROLL for (int v = 0; v < 2 * ROW_PANELS; v++)
    {
        if (t->add)
            acc[v] = _mm256_add_ps(acc[v], _mm256_loadu_ps(t->add + v * LANE));
        _mm256_storeu_ps(t->y + v * LANE, clamp(lo, hi, acc[v]));
    }
}

void pare_gemm_f32_row_avx2(const pare_gemm_f32_tile *t)
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
            row_64(&part);
        else
            pare_gemm_f32_tile_avx2(&part);
    }
}
#endif
