/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile.h - the tile instructions of AMX, or the same in software (PARE_EMULATE)
 *
 * There are eight tiles of 16 rows of 64 bytes. A product adds to tile `sum` (16 x 16 int32) what rows of 64 bytes of
 * tile `a` and 16 rows [column 16][k 4] of tile `b` give. Tile numbers are literals. Loads have no memory clobber, so
 * that vector code may move across them: after C code that writes what a tile load reads comes PARE_TILE_FENCE.
 */
#ifndef PARE_KERNELS_AMX_TILE_H
#define PARE_KERNELS_AMX_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"

/* The operand of ldtilecfg. Entries of tiles 8 to 15 are zero. */
typedef struct pare_tile_config {
    uint8_t  palette, start_row, reserved[14]; /* 1, 0, 0                       */
    uint16_t colsb[16];                        /* bytes of a row, at most 64    */
    uint8_t  rows[16];                         /* at most 16                    */
} pare_tile_config;
_Static_assert(sizeof(pare_tile_config) == 64, "ldtilecfg reads 64 bytes");

/* All eight tiles of 16 x 64 bytes: what nearly every kernel wants. */
extern const pare_tile_config pare_tile_full;

/* Configures the tiles of this thread, unless they are so already. Kernels call it before their tile instructions. */
void pare_tile_use(const pare_tile_config *config);

/* Gives the tiles of this thread back to the system; exec calls it where a thread has finished its share of a job. */
void pare_tile_end(void);

/* For the target attribute of functions with tile instructions, beside what their vector code needs. */
#if !PARE_EMULATE
#define PARE_TILE_TARGET "amx-tile,amx-int8"

#define PARE_TILE_ZERO(tile) __asm__ volatile("tilezero %%tmm" #tile ::)
#define PARE_TILE_LOAD(tile, at, stride) \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"((const void *)(at)), "r"((ptrdiff_t)(stride)))
/* From `at` plus a literal number of bytes. */
#define PARE_TILE_LOAD_AT(tile, at, bytes, stride) \
    __asm__ volatile("tileloadd " #bytes "(%0,%1,1), %%tmm" #tile ::"r"((const void *)(at)), "r"((ptrdiff_t)(stride)))
#define PARE_TILE_STORE(tile, at, stride) \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"((void *)(at)), "r"((ptrdiff_t)(stride)) : "memory")
/* u8 x s8, and s8 x s8 */
#define PARE_TILE_DPBUSD(sum, a, b) __asm__ volatile("tdpbusd %%tmm" #b ", %%tmm" #a ", %%tmm" #sum ::)
#define PARE_TILE_DPBSSD(sum, a, b) __asm__ volatile("tdpbssd %%tmm" #b ", %%tmm" #a ", %%tmm" #sum ::)
#else
#define PARE_TILE_TARGET "avx512vnni"

#define PARE_TILE_ZERO(tile)                       pare_tile_emulate_zero(tile)
#define PARE_TILE_LOAD(tile, at, stride)           pare_tile_emulate_load(tile, at, stride)
#define PARE_TILE_LOAD_AT(tile, at, bytes, stride) pare_tile_emulate_load(tile, (const uint8_t *)(at) + (bytes), stride)
#define PARE_TILE_STORE(tile, at, stride)          pare_tile_emulate_store(tile, at, stride)
#define PARE_TILE_DPBUSD(sum, a, b)                pare_tile_emulate_dpbusd(sum, a, b)
#define PARE_TILE_DPBSSD(sum, a, b)                pare_tile_emulate_dpbssd(sum, a, b)
#endif
#define PARE_TILE_FENCE() __asm__ volatile("" ::: "memory")

#if PARE_EMULATE
/* The same on a tile file in memory, one per thread (tile_emulate.c). */
void pare_tile_emulate_config(const pare_tile_config *config); /* NULL: releases */
void pare_tile_emulate_zero(int tile);
void pare_tile_emulate_load(int tile, const void *at, ptrdiff_t stride);
void pare_tile_emulate_store(int tile, void *at, ptrdiff_t stride);
void pare_tile_emulate_dpbusd(int sum, int a, int b);
void pare_tile_emulate_dpbssd(int sum, int a, int b);

/*
 * What emulated instructions did. Caches are those of the processors with AMX, each line replacing the one not used for
 * longest: 48 KB that are 12-way associative, and 2 MB, 16-way; prefetches go unseen.
 */
typedef struct pare_tile_counts {
    long products, loads, stores;
    long crossings;        /* rows of loads and stores that lie in two cache lines        */
    long from_l2, from_l3; /* cache lines that loads and stores found no nearer than there */
} pare_tile_counts;

/* Counts what this thread does from now on, one thread at a time; NULL: no more. The caches stay as they are. */
void pare_tile_count(pare_tile_counts *counts);

/* Something else read or wrote these bytes: caches have them. */
void pare_tile_count_touch(const void *at, size_t bytes);

/* For tile_emulate.c: a tile of `rows` of `bytes`, and a product. */
void pare_tile_count_load(const void *at, ptrdiff_t stride, int rows, int bytes);
void pare_tile_count_store(const void *at, ptrdiff_t stride, int rows, int bytes);
void pare_tile_count_product(void);
#endif

#endif
