/* SPDX-License-Identifier: Apache-2.0 */
/* tile_count.c - counts of emulated tile instructions, and where a processor would have found what they read */
#include "kernels/amx/tile.h"

#if PARE_X86 && PARE_EMULATE
#include <stdbool.h>
#include <string.h>

enum { LINE = 64, L1_SETS = 64, L1_WAYS = 12, L2_SETS = 2048, L2_WAYS = 16 };

static _Thread_local pare_tile_counts *counts; /* NULL: nobody counts */

/* Number of each line plus 1, the last used first; 0: empty. */
static uintptr_t l1[L1_SETS][L1_WAYS], l2[L2_SETS][L2_WAYS];

/* Puts a line first; false: it was not there, and the one not used for longest is gone. */
static bool use(uintptr_t *set, int ways, uintptr_t line)
{
    int at = 0;

    while (at < ways - 1 && set[at] != line)
        at++;
    const bool found = set[at] == line;
    memmove(set + 1, set, (size_t)at * sizeof(*set));
    set[0] = line;
    return found;
}

static void use_line(uintptr_t number, bool count)
{
    if (use(l1[number % L1_SETS], L1_WAYS, number + 1))
        return;
    const bool found = use(l2[number % L2_SETS], L2_WAYS, number + 1);

    counts->from_l2 += count && found;
    counts->from_l3 += count && !found;
}

static void count_rows(const void *at, ptrdiff_t stride, int rows, int bytes)
{
    for (int row = 0; row < rows; row++) {
        const uintptr_t first = (uintptr_t)at + (uintptr_t)(row * stride), last = first + (uintptr_t)bytes - 1;

        use_line(first / LINE, true);
        if (first / LINE != last / LINE) {
            counts->crossings++;
            use_line(last / LINE, true);
        }
    }
}

void pare_tile_count(pare_tile_counts *to)
{
    counts = to;
}

void pare_tile_count_touch(const void *at, size_t bytes)
{
    if (!counts || bytes == 0)
        return;
    for (uintptr_t n = (uintptr_t)at / LINE; n <= ((uintptr_t)at + bytes - 1) / LINE; n++)
        use_line(n, false);
}

void pare_tile_count_load(const void *at, ptrdiff_t stride, int rows, int bytes)
{
    if (!counts)
        return;
    counts->loads++;
    count_rows(at, stride, rows, bytes);
}

void pare_tile_count_store(const void *at, ptrdiff_t stride, int rows, int bytes)
{
    if (!counts)
        return;
    counts->stores++;
    count_rows(at, stride, rows, bytes);
}

void pare_tile_count_product(void)
{
    if (counts)
        counts->products++;
}
#else
typedef int not_emulated;
#endif
