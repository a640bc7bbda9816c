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

/* Products a second of a kernel version ("6x16_avx2"), measured once; 0 where none is known. */
static double peak_of(const char *version)
{
    static char   known[16];
    static double best;
    const char   *isa = strrchr(version, '_');

    if (isa && !strcmp(isa, known))
        return best;
    if (!isa || (strcmp(isa, "_avx512vnni") && strcmp(isa, "_avxvnni") && strcmp(isa, "_avx2")))
        return 0;
    best = 0;
    strcpy(known, isa);
    for (int i = 0; i < PEAK_TRIES; i++) {
        const double t = isa[4] == '5' ? peak_dpbusd_512() : isa[4] == '2' ? peak_maddwd_256() : peak_dpbusd_256();
        const double rate = PEAK_ROUNDS * 8.0 * (isa[4] == '5' ? 64 : isa[4] == '2' ? 16 : 32) / t;
        best = rate > best ? rate : best;
    }
    return best;
}
#else
static double peak_of(const char *version)
{
    (void)version;
    return 0;
}
#endif

#endif
