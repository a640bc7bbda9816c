/* SPDX-License-Identifier: Apache-2.0 */
/* tile.c - the tile configuration of each thread */
#include "kernels/amx/tile.h"

#if PARE_X86
const pare_tile_config pare_tile_full = {
    .palette = 1,
    .colsb = { 64, 64, 64, 64, 64, 64, 64, 64 },
    .rows = { 16, 16, 16, 16, 16, 16, 16, 16 },
};

static _Thread_local const pare_tile_config *in_use; /* NULL: none */

static void load(const pare_tile_config *config)
{
#if PARE_EMULATE
    pare_tile_emulate_config(config);
#else
    if (config)
        __asm__ volatile("ldtilecfg %0" ::"m"(*config));
    else
        __asm__ volatile("tilerelease" ::);
#endif
}

void pare_tile_use(const pare_tile_config *config)
{
    if (in_use == config)
        return;
    load(config);
    in_use = config;
}

void pare_tile_end(void)
{
    if (!in_use)
        return;
    load(NULL);
    in_use = NULL;
}
#else
typedef int not_x86;
#endif
