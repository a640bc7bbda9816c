/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.c - what this processor and its operating system can do, limited by PARE_CPU */
#include "cpu/cpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if PARE_X86
#include <cpuid.h>
#elif PARE_ARM64
#include <sys/auxv.h>
#endif

typedef struct level {
    const char *name;
    unsigned    own;   /* the bit that makes this level            */
    unsigned    below; /* what it may also use where there is any  */
} level;

/* Per processor family the lowest first. */
static const level levels[] = {
    { "c", 0, 0 },
    { "avx2", PARE_ISA_AVX2, 0 },
    { "avxvnni", PARE_ISA_AVXVNNI, PARE_ISA_AVX2 },
    { "avx512vnni", PARE_ISA_AVX512VNNI, PARE_ISA_AVX2 | PARE_ISA_AVXVNNI },
    { "amx", PARE_ISA_AMX_INT8, PARE_ISA_AVX2 | PARE_ISA_AVXVNNI | PARE_ISA_AVX512VNNI },
    { "neon", PARE_ISA_NEON, 0 },
    { "neondot", PARE_ISA_NEON_DOT, PARE_ISA_NEON },
    { "i8mm", PARE_ISA_NEON_I8MM, PARE_ISA_NEON | PARE_ISA_NEON_DOT },
};
enum { N_LEVELS = sizeof(levels) / sizeof(levels[0]) };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned       hardware;
static unsigned       limited; /* hardware cut down to PARE_CPU */
static char           description[160];
static atomic_uint    in_use;

#if PARE_X86

/* Which registers the operating system saves (XCR0). Needs CPUID's OSXSAVE. */
static unsigned long long saved_state(void)
{
    unsigned lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (unsigned long long)hi << 32 | lo;
}

/* Tile data is large, so Linux wants to be asked once per process (ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static bool tiles_permitted(void)
{
#if defined(__linux__)
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
    return false;
#endif
}

static unsigned detect(void)
{
    enum {
        YMM = 0x6,
        ZMM = 0xe6,
        TILES = 0x60000
    }; /* XCR0: SSE and AVX; those, opmasks and ZMM; tile config and data */
    unsigned a, b, c, d, a7, b7, c7, d7;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7))
        return 0;

    const unsigned long long saved = saved_state();
    if ((saved & YMM) != YMM || !(c & bit_AVX) || !(c & bit_FMA) || !(b7 & bit_AVX2))
        return 0;
    unsigned word = PARE_ISA_AVX2;

    if (a7 >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4))
        word |= PARE_ISA_AVXVNNI;

    const unsigned avx512 = bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ;
    if ((saved & ZMM) != ZMM || (b7 & avx512) != avx512 || !(c7 & bit_AVX512VNNI))
        return word;
    word |= PARE_ISA_AVX512VNNI;

    const unsigned amx = 1u << 24 | 1u << 25, vbmi = 1u << 1; /* AMX-TILE and AMX-INT8 in edx, AVX512-VBMI in ecx */
    if ((d7 & amx) == amx && (c7 & vbmi) && (saved & TILES) == TILES && tiles_permitted())
        word |= PARE_ISA_AMX_INT8;
    return word;
}

#elif PARE_ARM64

static unsigned detect(void)
{
    const unsigned long asimddp = 1ul << 20; /* HWCAP_ASIMDDP, in AT_HWCAP */
    const unsigned long i8mm = 1ul << 13;    /* HWCAP2_I8MM, in AT_HWCAP2  */
    unsigned            word = PARE_ISA_NEON;

    if (getauxval(AT_HWCAP) & asimddp)
        word |= PARE_ISA_NEON_DOT;
    if (getauxval(AT_HWCAP2) & i8mm)
        word |= PARE_ISA_NEON_I8MM;
    return word;
}

#else

static unsigned detect(void)
{
    return 0;
}

#endif

/* What a build with PARE_EMULATE runs: AVX-512 stands in for AVX-VNNI and, beside VBMI, for tiles. */
static unsigned emulated(unsigned word)
{
    word &= ~(unsigned)(PARE_ISA_AVXVNNI | PARE_ISA_AMX_INT8);
#if PARE_X86
    if (word & PARE_ISA_AVX512VNNI)
        word |= PARE_ISA_AVXVNNI | (__builtin_cpu_supports("avx512vbmi") ? PARE_ISA_AMX_INT8 : 0);
#endif
    return word;
}

/* The name of the highest level in `word`. */
static const char *name_of(unsigned word)
{
    const char *name = levels[0].name;

    for (int i = 1; i < N_LEVELS; i++)
        if (word & levels[i].own)
            name = levels[i].name;
    return name;
}

static void start(void)
{
    const char *const wish = getenv("PARE_CPU");
    unsigned          limit = (unsigned)-1;
    const bool        known = !wish || !*wish || pare_cpu_level(wish, &limit);

    hardware = PARE_EMULATE ? emulated(detect()) : detect();
    limited = hardware & limit;
    atomic_store(&in_use, limited);

    const char *const name = name_of(limited);
    if (!known)
        snprintf(description, sizeof(description), "%s (PARE_CPU=%.40s is no level and was ignored)", name, wish);
    else if (wish && *wish && strcmp(wish, name))
        snprintf(description, sizeof(description), "%s (this machine has no %s)", name, wish);
    else
        snprintf(description, sizeof(description), "%s%s", name, PARE_EMULATE ? " (a build that emulates)" : "");
}

unsigned pare_cpu_features(void)
{
    pthread_once(&once, start);
    return atomic_load_explicit(&in_use, memory_order_relaxed);
}

const char *pare_cpu_describe(void)
{
    pthread_once(&once, start);
    return description;
}

const char *pare_cpu_name(void)
{
    return name_of(pare_cpu_features());
}

void pare_cpu_override(unsigned features)
{
    pthread_once(&once, start);
    atomic_store(&in_use, features == (unsigned)-1 ? limited : features & hardware);
}

bool pare_cpu_bf16(unsigned features)
{
#if PARE_X86
    unsigned a, b, c, d;

    return (features & PARE_ISA_AVX512VNNI) && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 5);
#else
    (void)features;
    return false;
#endif
}

bool pare_cpu_level(const char *name, unsigned *features)
{
    for (int i = 0; i < N_LEVELS; i++)
        if (!strcmp(name, levels[i].name)) {
            *features = levels[i].own | levels[i].below;
            return true;
        }
    return false;
}
