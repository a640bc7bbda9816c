/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - what this processor can do, limited by PARE_CPU */
#ifndef PARE_CPU_CPU_H
#define PARE_CPU_CPU_H

#include <pare/cpu.h>

/* Feature bits. A kernel entry names all it needs: Zen 4 has AVX512VNNI, but not AVXVNNI. */
enum {
    PARE_ISA_AVX2 = 1 << 0,       /* AVX2 and FMA                        */
    PARE_ISA_AVXVNNI = 1 << 1,    /* 256-bit vpdpbusd, VEX encoded       */
    PARE_ISA_AVX512VNNI = 1 << 2, /* AVX-512 F, BW, VL, DQ, VNNI         */
    PARE_ISA_AMX_INT8 = 1 << 3,   /* tiles, which the system lets us use; AVX-512 VBMI */
    PARE_ISA_NEON = 1 << 8,
    PARE_ISA_NEON_DOT = 1 << 9,
    PARE_ISA_NEON_I8MM = 1 << 10,
};

#if defined(__x86_64__)
#define PARE_X86 1
#else
#define PARE_X86 0
#endif
#if defined(__aarch64__)
#define PARE_ARM64 1
#else
#define PARE_ARM64 0
#endif

/*
 * A build for tests (CMake option PARE_EMULATE): where there is AVX512-VNNI, the feature word also has AVX-VNNI and AMX,
 * and kernels/amx/tile.h and kernels/avxvnni.h run them in software.
 */
#ifndef PARE_EMULATE
#define PARE_EMULATE 0
#endif

/*
 * The feature word of this process: what the hardware has, cut down to the level that the environment
 * variable PARE_CPU names (c avx2 avxvnni avx512vnni amx, neon neondot i8mm). Read once, at the first call.
 * A level the machine lacks is cut to what it has; an unknown word is ignored with PARE_OK and reported by
 * pare_cpu_describe.
 */
unsigned pare_cpu_features(void);

/*
 * Whether there are products of bfloat16 (AVX512-BF16) beside AVX-512 in `features`. No bit of the word: what uses them is
 * asked for, and gives other bits than anything else.
 */
bool pare_cpu_bf16(unsigned features);

/*
 * Test hook: replaces the word for the whole process, without the bits that the hardware lacks; (unsigned)-1 restores
 * the word of the first call.
 */
void pare_cpu_override(unsigned features);

/* The word of a level by name, e.g. "avx2"; false when there is no such level on any machine. */
bool pare_cpu_level(const char *name, unsigned *features);

#endif
