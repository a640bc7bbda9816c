/* SPDX-License-Identifier: Apache-2.0 */
/* tile.c - the tile configuration of each thread */
#include "kernels/amx/tile.h"

#include <string.h>

const pare_tile_config pare_tile_full = {
    .palette = 1,
    .colsb = { 64, 64, 64, 64, 64, 64, 64, 64 },
    .rows = { 16, 16, 16, 16, 16, 16, 16, 16 },
};

#if PARE_X86
static _Thread_local pare_tile_config in_use; /* palette 0: none */

void pare_tile_use(const pare_tile_config *config)
{
    if (!memcmp(&in_use, config, sizeof(in_use)))
        return;
    in_use = *config;
#if PARE_EMULATE
    pare_tile_emulate_config(&in_use);
#else
    __asm__ volatile("ldtilecfg %0" ::"m"(in_use));
#endif
}

void pare_tile_end(void)
{
    if (!in_use.palette)
        return;
    memset(&in_use, 0, sizeof(in_use));
#if PARE_EMULATE
    pare_tile_emulate_config(NULL);
#else
    __asm__ volatile("tilerelease" ::);
#endif
}
#else
void pare_tile_end(void)
{
}
#endif
