/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_bf16_avx512bf16.c - 14x32 tile: vdpbf16ps adds two products to each of 16 sums
 *
 * The loop of gemm_f32's 14x32 tile with a pair of k in place of one: 28 sums, 2 registers of weights, and a broadcast
 * of two neighbouring numbers of a row.
 */
#include "kernels/conv_bf16/conv_bf16.h"

#if PARE_X86
#include <immintrin.h>
#include <string.h>

#define ISA    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define INLINE __attribute__((always_inline)) static inline
#define UNROLL _Pragma("GCC unroll 16")

enum { MR = 14, LANE = 16, POINTERS = (MR + 2) / 3 };

void pare_bf16_tile_avx512bf16(const pare_bf16_tile *t);
void pare_bf16_round_avx512bf16(long n, const float *x, uint16_t *y);

/* The lanes of vector `v` that are columns below n. */
ISA INLINE __mmask16 mask_of(int n, int v)
{
    const int left = n - v * LANE;

    return left >= LANE ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
}

ISA INLINE __m512bh pairs_of(const void *p)
{
    return (__m512bh)_mm512_loadu_si512(p);
}

ISA INLINE __m512bh broadcast(const char *p)
{
    int32_t pair;

    memcpy(&pair, p, sizeof(pair));
    return (__m512bh)_mm512_set1_epi32(pair);
}

ISA INLINE void tile(const pare_bf16_tile *t, const int rows)
{
    const ptrdiff_t step = t->x_row * (ptrdiff_t)sizeof(*t->x);
    const uint16_t *w = t->w;
    const __mmask16 lanes[2] = { mask_of(t->n, 0), mask_of(t->n, 1) };
    const char     *x[POINTERS];
    __m512          acc[MR][2], init[2];

    UNROLL for (int v = 0; v < 2; v++) init[v] =
        t->init ? _mm512_maskz_loadu_ps(lanes[v], t->init + v * LANE) : _mm512_setzero_ps();
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < 2; v++) acc[i][v] = init[v];
    UNROLL for (int i = 0; i < rows; i += 3) x[i / 3] = (const char *)t->x + i * step;
    for (int p = t->pairs; p > 0; p--, w += 4 * LANE) {
        const __m512bh b[2] = { pairs_of(w), pairs_of(w + 2 * LANE) };

        UNROLL for (int i = 0; i < rows; i++)
        {
            const __m512bh a = broadcast(x[i / 3] + i % 3 * step);

            UNROLL for (int v = 0; v < 2; v++) acc[i][v] = _mm512_dpbf16_ps(acc[i][v], a, b[v]);
        }
        UNROLL for (int i = 0; i < rows; i += 3) x[i / 3] += 2 * sizeof(*t->x);
    }

    /* v < lo ? lo : v is MAX(lo, v), which gives v when one of them is NaN. */
    const __m512 lo = _mm512_set1_ps(t->lo), hi = _mm512_set1_ps(t->hi);
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < 2; v++) _mm512_mask_storeu_ps(
        t->y[i] + t->column + v * LANE, lanes[v], _mm512_min_ps(hi, _mm512_max_ps(lo, acc[i][v])));
}

#define TILE(rows)                                          \
    ISA static void tile_##rows(const pare_bf16_tile *args) \
    {                                                       \
        tile(args, rows);                                   \
    }
#define TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
TILES(TILE)

void pare_bf16_tile_avx512bf16(const pare_bf16_tile *t)
{
#define ENTRY(rows) tile_##rows,
    static void (*const tiles[MR])(const pare_bf16_tile *) = { TILES(ENTRY) };
#undef ENTRY

    tiles[t->m - 1](t);
}

ISA void pare_bf16_round_avx512bf16(long n, const float *x, uint16_t *y)
{
    for (long i = 0; i < n; i += LANE) {
        const __mmask16 lanes = mask_of(n - i < LANE ? (int)(n - i) : LANE, 0);
        const __m256bh  rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, x + i));

        _mm256_mask_storeu_epi16(y + i, lanes, (__m256i)rounded);
    }
}
#endif
