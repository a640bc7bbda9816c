/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c - four lanes of multiply and rotate over 8-byte words, mixed at the end */
#include "base/hash.h"

#include <stdbool.h>
#include <string.h>

#include <pare/status.h>

#if defined(__linux__)
#include <elf.h>
#include <link.h>
#endif

static const uint64_t ODD = 0x9e3779b97f4a7c15u; /* 2^64 divided by the golden ratio */

/* The finalizer of splitmix64: every bit of x reaches every bit of the result. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t turn(uint64_t h, uint64_t word)
{
    h = (h ^ word) * ODD;
    return h << 29 | h >> 35;
}

/* Up to 8 bytes as they lie in memory, zeros behind them. */
static uint64_t word_at(const uint8_t *at, size_t n)
{
    uint64_t word = 0;

    memcpy(&word, at, n);
    return word;
}

uint64_t pare_hash(uint64_t seed, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    uint64_t       lane[4] = { seed, seed + ODD, seed + 2 * ODD, seed + 3 * ODD }, left = n;

    for (; left >= 32; left -= 32, at += 32)
        for (int i = 0; i < 4; i++)
            lane[i] = turn(lane[i], word_at(at + 8 * i, 8));
    for (int i = 0; left > 0; i++) {
        const size_t take = left < 8 ? (size_t)left : 8;

        lane[i] = turn(lane[i], word_at(at, take));
        at += take;
        left -= take;
    }
    return mix(mix(lane[0] + n) ^ mix(lane[1] + 1) * 3 ^ mix(lane[2] + 2) * 5 ^ mix(lane[3] + 3) * 7);
}

#if defined(__linux__)

typedef struct search {
    uintptr_t code; /* an address inside of what is looked for */
    uint64_t  hash;
} search;

/* The note with the linker's build id among those of one segment. */
static void read_notes(const char *at, const char *end, search *s)
{
    while (end - at >= (ptrdiff_t)sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;

        memcpy(&note, at, sizeof(note));
        const char *const name = at + sizeof(note), *const text = name + (note.n_namesz + 3u) / 4 * 4;

        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(name, "GNU", 4) == 0)
            s->hash = pare_hash(s->hash, text, note.n_descsz);
        at = text + (note.n_descsz + 3u) / 4 * 4;
    }
}

static int look_into(struct dl_phdr_info *info, size_t size, void *arg)
{
    search *const s = arg;
    bool          here = false;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const uintptr_t begin = (uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);

        here |=
            info->dlpi_phdr[i].p_type == PT_LOAD && s->code >= begin && s->code - begin < info->dlpi_phdr[i].p_memsz;
    }
    for (int i = 0; here && i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_NOTE) {
            const char *const at = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);

            read_notes(at, at + info->dlpi_phdr[i].p_memsz, s);
        }
    return here;
}

uint64_t pare_hash_build(void)
{
    search s = { (uintptr_t)&pare_hash_build, pare_hash(0, pare_version(), strlen(pare_version())) };

    dl_iterate_phdr(look_into, &s);
    return s.hash;
}

#else

uint64_t pare_hash_build(void)
{
    return pare_hash(0, pare_version(), strlen(pare_version()));
}

#endif
