/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile_emulate.c - AMX in software, as the architecture defines it
 *
 * Bytes and rows of a tile beyond its configuration are zero after every instruction that writes it; products read
 * and write only what is configured. int32 sums wrap. What would be an exception on the processor is an assertion.
 */
#include "kernels/amx/tile.h"

#if PARE_X86 && PARE_EMULATE
#include <assert.h>
#include <immintrin.h>
#include <string.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

typedef union tile {
    uint8_t u8[ROWS][ROW_BYTES];
    int32_t s32[ROWS][ROW_BYTES / 4];
} tile;

static _Thread_local pare_tile_config shape; /* palette 0: none */
static _Thread_local tile             tiles[TILES];

/* Tiles that exist and are not empty. */
static void check(int t)
{
    assert(shape.palette == 1 && t >= 0 && t < TILES && shape.rows[t] && shape.colsb[t]);
    (void)t;
}

void pare_tile_emulate_config(const pare_tile_config *config)
{
    memset(tiles, 0, sizeof(tiles));
    if (!config) {
        memset(&shape, 0, sizeof(shape));
        return;
    }
    shape = *config;
    assert(shape.palette == 1 && shape.start_row == 0);
    for (int t = 0; t < TILES; t++)
        assert(shape.rows[t] <= ROWS && shape.colsb[t] <= ROW_BYTES && !shape.rows[t] == !shape.colsb[t]);
}

void pare_tile_emulate_zero(int t)
{
    check(t);
    memset(&tiles[t], 0, sizeof(tiles[t]));
}

void pare_tile_emulate_load(int t, const void *at, ptrdiff_t stride)
{
    pare_tile_emulate_zero(t);
    pare_tile_count_load(at, stride, shape.rows[t], shape.colsb[t]);
    for (int row = 0; row < shape.rows[t]; row++)
        memcpy(tiles[t].u8[row], (const uint8_t *)at + row * stride, shape.colsb[t]);
}

void pare_tile_emulate_store(int t, void *at, ptrdiff_t stride)
{
    check(t);
    pare_tile_count_store(at, stride, shape.rows[t], shape.colsb[t]);
    for (int row = 0; row < shape.rows[t]; row++)
        memcpy((uint8_t *)at + row * stride, tiles[t].u8[row], shape.colsb[t]);
}

/* The three shapes of a product must agree. */
static void check_product(int sum, int a, int b)
{
    check(sum);
    check(a);
    check(b);
    assert(sum != a && sum != b && a != b);
    assert(shape.rows[sum] == shape.rows[a] && shape.colsb[sum] == shape.colsb[b]);
    assert(shape.colsb[a] == 4 * shape.rows[b] && shape.colsb[b] % 4 == 0);
    pare_tile_count_product();
}

/* Columns beyond the configuration are zero in b, hence in the sum; its rows beyond are cleared. */
#define ISA __attribute__((target("avx512f,avx512vnni")))
ISA void pare_tile_emulate_dpbusd(int sum, int a, int b)
{
    check_product(sum, a, b);
    for (int m = 0; m < shape.rows[sum]; m++) {
        __m512i acc = _mm512_loadu_si512(tiles[sum].s32[m]);

        for (int k = 0; k < shape.rows[b]; k++)
            acc = _mm512_dpbusd_epi32(acc, _mm512_set1_epi32(tiles[a].s32[m][k]), _mm512_loadu_si512(tiles[b].s32[k]));
        _mm512_storeu_si512(tiles[sum].s32[m], acc);
    }
    memset(tiles[sum].s32[shape.rows[sum]], 0, (size_t)(ROWS - shape.rows[sum]) * ROW_BYTES);
}

/* a * b = (a + 128) * b - 128 * b, modulo 2^32. */
ISA void pare_tile_emulate_dpbssd(int sum, int a, int b)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __m512i       excess = _mm512_setzero_si512();

    check_product(sum, a, b);
    for (int k = 0; k < shape.rows[b]; k++)
        excess = _mm512_dpbusd_epi32(excess, flip, _mm512_loadu_si512(tiles[b].s32[k]));
    for (int m = 0; m < shape.rows[sum]; m++) {
        __m512i acc = _mm512_sub_epi32(_mm512_loadu_si512(tiles[sum].s32[m]), excess);

        for (int k = 0; k < shape.rows[b]; k++)
            acc = _mm512_dpbusd_epi32(acc, _mm512_xor_si512(_mm512_set1_epi32(tiles[a].s32[m][k]), flip),
                                      _mm512_loadu_si512(tiles[b].s32[k]));
        _mm512_storeu_si512(tiles[sum].s32[m], acc);
    }
    memset(tiles[sum].s32[shape.rows[sum]], 0, (size_t)(ROWS - shape.rows[sum]) * ROW_BYTES);
}
#else
typedef int not_emulated;
#endif
