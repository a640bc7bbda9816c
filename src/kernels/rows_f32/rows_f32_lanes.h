/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_f32_lanes.h - walking a row in blocks of 16 elements, one per lane, which the compiler makes vectors
 *
 * Part of rows_f32_body.h. A block that is not full is filled up with zeros to be computed, and only its real elements
 * are added or stored. Loops of 16 fixed turns over blocks of their own need no checks at run time, so gcc vectorises
 * them at -O2 too.
 */
#ifndef PARE_KERNELS_ROWS_F32_LANES_H
#define PARE_KERNELS_ROWS_F32_LANES_H

#include <stddef.h>

#include "base/math.h"

#define INLINE      ISA static inline __attribute__((always_inline))
#define EACH_LANE   for (int l = 0; l < 16; l++)
#define BYTES(n)    ((size_t)(n) * sizeof(float))

/* v = some function of the 16 elements at x and of arg */
typedef void map_fn(const float *x, float *restrict v, float arg);

INLINE void map_same(const float *x, float *restrict v, float arg)
{
    (void)arg;
    EACH_LANE v[l] = x[l];
}

INLINE void map_abs(const float *x, float *restrict v, float arg)
{
    (void)arg;
    EACH_LANE v[l] = pare_absf(x[l]);
}

INLINE void map_square(const float *x, float *restrict v, float arg)
{
    (void)arg;
    EACH_LANE v[l] = x[l] * x[l];
}

INLINE void map_deviation(const float *x, float *restrict v, float mean)
{
    EACH_LANE v[l] = (x[l] - mean) * (x[l] - mean);
}

INLINE void map_exp(const float *x, float *restrict v, float m)
{
    EACH_LANE v[l] = pare_expf(x[l] - m);
}

/* The 16 lanes in the order 8, 4, 2, 1. */
INLINE float add_up(float *lane)
{
    for (int l = 0; l < 8; l++)
        lane[l] += lane[l + 8];
    for (int l = 0; l < 4; l++)
        lane[l] += lane[l + 4];
    return pare_quietf((lane[0] + lane[2]) + (lane[1] + lane[3]));
}

/* The sum of map over the row; where y is given, the values are stored there as well. */
INLINE float sum_of(long n, const float *x, float *y, map_fn *map, float arg)
{
    float lane[16] = { 0 }, v[16];

    for (; n >= 16; n -= 16, x += 16) {
        map(x, v, arg);
        EACH_LANE lane[l] += v[l];
        if (y) {
            memcpy(y, v, sizeof(v));
            y += 16;
        }
    }
    if (n > 0) {
        float rest[16] = { 0 };
        memcpy(rest, x, BYTES(n));
        map(rest, v, arg);
        for (int l = 0; l < n; l++)
            lane[l] += v[l];
        if (y)
            memcpy(y, v, BYTES(n));
    }
    return add_up(lane);
}

/* b where it is larger or NaN */
INLINE float larger(float a, float b)
{
    return pare_pickf(b != b, b, pare_pickf(b > a, b, a));
}

INLINE float max_of(long n, const float *x, map_fn *map, float least)
{
    float lane[16], v[16];

    EACH_LANE lane[l] = least;
    for (; n >= 16; n -= 16, x += 16) {
        map(x, v, 0);
        EACH_LANE lane[l] = larger(lane[l], v[l]);
    }
    if (n > 0) {
        float rest[16] = { 0 };
        memcpy(rest, x, BYTES(n));
        map(rest, v, 0);
        for (int l = 0; l < n; l++)
            lane[l] = larger(lane[l], v[l]);
    }
    for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] = larger(lane[l], lane[l + half]);
    return pare_quietf(lane[0]);
}

/* A block of n <= 16 elements in and out. */
INLINE void take(float *restrict v, const float *x, long n)
{
    if (n < 16) {
        memset(v, 0, BYTES(16));
        memcpy(v, x, BYTES(n));
    } else {
        memcpy(v, x, BYTES(16));
    }
}

INLINE void give(float *y, const float *restrict v, long n)
{
    if (n < 16)
        memcpy(y, v, BYTES(n));
    else
        memcpy(y, v, BYTES(16));
}

INLINE long block_at(long i, long n)
{
    return n - i < 16 ? n - i : 16;
}

#endif
