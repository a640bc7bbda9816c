/* SPDX-License-Identifier: Apache-2.0 */
/* lane_sum.h - sums over a row in the one order of NUMERICS.md 9: element i to lane i mod 16, then 16 -> 8 -> ... -> 1 */
#ifndef PARE_OPS_LANE_SUM_H
#define PARE_OPS_LANE_SUM_H

#include <stdint.h>

enum { PARE_SUM_LANES = 16 };

/* lane[] is used up. */
static inline float pare_lanes_join(float lane[PARE_SUM_LANES])
{
    for (int half = PARE_SUM_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] = lane[l] + lane[l + half];
    return lane[0];
}

static inline float pare_lane_sum(int64_t n, const float *x)
{
    float   lane[PARE_SUM_LANES] = { 0 };
    int64_t i = 0;

    for (; i + PARE_SUM_LANES <= n; i += PARE_SUM_LANES)
        for (int l = 0; l < PARE_SUM_LANES; l++)
            lane[l] = lane[l] + x[i + l];
    for (int l = 0; i < n; i++, l++)
        lane[l] = lane[l] + x[i];
    return pare_lanes_join(lane);
}

/* Of the products a[i] * b[i], each rounded. */
static inline float pare_lane_dot(int64_t n, const float *a, const float *b)
{
    float   lane[PARE_SUM_LANES] = { 0 };
    int64_t i = 0;

    for (; i + PARE_SUM_LANES <= n; i += PARE_SUM_LANES)
        for (int l = 0; l < PARE_SUM_LANES; l++)
            lane[l] = lane[l] + a[i + l] * b[i + l];
    for (int l = 0; i < n; i++, l++)
        lane[l] = lane[l] + a[i] * b[i];
    return pare_lanes_join(lane);
}

#endif
