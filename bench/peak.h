/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peak.h - how many integer products this core can do a second, with the instruction that a kernel version uses
 *
 * Eight independent chains on registers; the best of 60 tries, processor time.
 */
#ifndef PARE_BENCH_PEAK_H
#define PARE_BENCH_PEAK_H

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "cpu/cpu.h"
#include "kernels/amx/tile.h"

enum { PEAK_ROUNDS = 300000, PEAK_TRIES = 60 };

static double peak_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if PARE_X86
#include <immintrin.h>

/* Seconds of eight instructions, repeated. */
__attribute__((target("avx512f,avx512vnni"))) static double peak_dpbusd_512(void)
{
    __m512i      a = _mm512_setzero_si512(), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    const double begin = peak_now();

    for (int i = 0; i < PEAK_ROUNDS; i++)
        __asm__ volatile("vpdpbusd %8, %8, %0\n vpdpbusd %8, %8, %1\n vpdpbusd %8, %8, %2\n vpdpbusd %8, %8, %3\n"
                         "vpdpbusd %8, %8, %4\n vpdpbusd %8, %8, %5\n vpdpbusd %8, %8, %6\n vpdpbusd %8, %8, %7"
                         : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f), "+v"(g), "+v"(h)
                         : "v"(_mm512_set1_epi8(1)));
    return peak_now() - begin;
}

/* VEX encoded; EVEX in builds with PARE_EMULATE. */
#if PARE_EMULATE
#define PEAK_DPBUSD "vpdpbusd "
#else
#define PEAK_DPBUSD "%{vex%} vpdpbusd "
#endif
__attribute__((target("avx2"))) static double peak_dpbusd_256(void)
{
    __m256i      a = _mm256_setzero_si256(), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    const double begin = peak_now();

    for (int i = 0; i < PEAK_ROUNDS; i++)
        __asm__ volatile(PEAK_DPBUSD "%8, %8, %0\n" PEAK_DPBUSD "%8, %8, %1\n" PEAK_DPBUSD "%8, %8, %2\n" PEAK_DPBUSD
                                     "%8, %8, %3\n" PEAK_DPBUSD "%8, %8, %4\n" PEAK_DPBUSD "%8, %8, %5\n" PEAK_DPBUSD
                                     "%8, %8, %6\n" PEAK_DPBUSD "%8, %8, %7"
                         : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h)
                         : "x"(_mm256_set1_epi8(1)));
    return peak_now() - begin;
}

/* The exact form without VNNI: vpmaddwd and vpaddd. */
__attribute__((target("avx2"))) static double peak_maddwd_256(void)
{
    __m256i      a = _mm256_setzero_si256(), b = a, c = a, d = a, t = a, u = a, v = a, w = a;
    const double begin = peak_now();

    for (int i = 0; i < 2 * PEAK_ROUNDS; i++)
        __asm__ volatile("vpmaddwd %8, %8, %4\n vpmaddwd %8, %8, %5\n vpmaddwd %8, %8, %6\n vpmaddwd %8, %8, %7\n"
                         "vpaddd %4, %0, %0\n vpaddd %5, %1, %1\n vpaddd %6, %2, %2\n vpaddd %7, %3, %3"
                         : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "=&x"(t), "=&x"(u), "=&x"(v), "=&x"(w)
                         : "x"(_mm256_set1_epi8(1)));
    return peak_now() - begin;
}

/* Of tiles, one thirty-second as many instructions: each takes 16 cycles and multiplies 16 x 16 x 64. */
__attribute__((target("avx512f," PARE_TILE_TARGET))) static double peak_tiles(void)
{
    pare_tile_use(&pare_tile_full);
    const double begin = peak_now();

    for (int i = 0; i < PEAK_ROUNDS / 16; i++) {
        PARE_TILE_DPBUSD(0, 4, 6);
        PARE_TILE_DPBUSD(1, 4, 7);
        PARE_TILE_DPBUSD(2, 5, 6);
        PARE_TILE_DPBUSD(3, 5, 7);
    }
    return peak_now() - begin;
}

static const struct {
    const char *isa;
    double (*seconds)(void);
    double products; /* in those seconds */
} peak_ways[] = {
    { "_amx", peak_tiles, PEAK_ROUNDS / 16 * 4 * 16384.0 },
    { "_avx512vnni", peak_dpbusd_512, PEAK_ROUNDS * 8 * 64.0 },
    { "_avxvnni", peak_dpbusd_256, PEAK_ROUNDS * 8 * 32.0 },
    { "_avx2", peak_maddwd_256, PEAK_ROUNDS * 8 * 16.0 },
};
enum { PEAK_WAYS = sizeof(peak_ways) / sizeof(peak_ways[0]) };

/* Products a second of a kernel version ("6x16_avx2"), measured once; 0 where none is known. */
static double peak_of(const char *version)
{
    static double best[PEAK_WAYS];
    const char   *isa = strrchr(version, '_');
    int           way = 0;

    while (way < PEAK_WAYS && (!isa || strcmp(isa, peak_ways[way].isa)))
        way++;
    if (way == PEAK_WAYS)
        return 0;
    const int tries = best[way] > 0 ? 0 : PEAK_TRIES;
    for (int i = 0; i < tries; i++) {
        const double rate = peak_ways[way].products / peak_ways[way].seconds();
        best[way] = rate > best[way] ? rate : best[way];
    }
    return best[way];
}
#else
static double peak_of(const char *version)
{
    (void)version;
    return 0;
}
#endif

#endif
