/* SPDX-License-Identifier: Apache-2.0 */
/* peak_amx.c - tdpbusd on four sums: 16 x 16 x 64 multiply-adds each; floats as avx512vnni */
#include "kernels/peak/peak.h"

#if PARE_X86
#include "kernels/amx/tile.h"

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi," PARE_TILE_TARGET))) int pare_peak_int8_amx(long n)
{
    int32_t sum[16 * 16] = { 0 };

    for (int i = 0; i < 16 * 16; i++)
        sum[i] = (int32_t)n + i;
    pare_tile_use(&pare_tile_full);
    PARE_TILE_FENCE();
    PARE_TILE_ZERO(0);
    PARE_TILE_ZERO(1);
    PARE_TILE_ZERO(2);
    PARE_TILE_ZERO(3);
    PARE_TILE_LOAD(4, sum, 64);
    PARE_TILE_LOAD(5, sum, 64);
    PARE_TILE_LOAD(6, sum, 64);
    PARE_TILE_LOAD(7, sum, 64);
    for (long round = 0; round < n; round++) {
        PARE_TILE_DPBUSD(0, 4, 6);
        PARE_TILE_DPBUSD(1, 4, 7);
        PARE_TILE_DPBUSD(2, 5, 6);
        PARE_TILE_DPBUSD(3, 5, 7);
    }
    PARE_TILE_STORE(0, sum, 64);
    return sum[17];
}

int pare_peak_f32_amx(long n)
{
    return pare_peak_f32_avx512vnni(n);
}
#endif
