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

#define INLINE    ISA static inline __attribute__((always_inline))
#define EACH_LANE for (int l = 0; l < 16; l++)
#define BYTES(n)  ((size_t)(n) * sizeof(float))

/* Some function of an element and of arg. */
typedef float map_fn(float x, float arg);

INLINE float map_same(float x, float arg)
{
    (void)arg;
    return x;
}

INLINE float map_abs(float x, float arg)
{
    (void)arg;
    return pare_absf(x);
}

INLINE float map_square(float x, float arg)
{
    (void)arg;
    return x * x;
}

INLINE float map_deviation(float x, float mean)
{
    return (x - mean) * (x - mean);
}

INLINE float map_exp(float x, float m)
{
    return pare_expf(x - m);
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

/* n <= 16 elements to read as a block: where they are, or filled up with zeros in `rest`. */
INLINE const float *take(float *restrict rest, const float *x, long n)
{
    if (n >= 16)
        return x;
    memset(rest, 0, BYTES(16));
    memcpy(rest, x, BYTES(n));
    return rest;
}

/* Stores a block of n <= 16. */
INLINE void give(float *y, const float *restrict v, long n)
{
    if (n < 16)
        memcpy(y, v, BYTES(n));
    else
        memcpy(y, v, BYTES(16));
}

/* The sum of map over the row. */
INLINE float sum_of(long n, const float *x, map_fn *map, float arg)
{
    float lane[16] = { 0 }, v[16], rest[16];

    for (; n >= 16; n -= 16, x += 16)
        EACH_LANE lane[l] += map(x[l], arg);
    if (n == 0)
        return add_up(lane);
    x = take(rest, x, n);
    EACH_LANE v[l] = map(x[l], arg);
    for (int l = 0; l < n; l++)
        lane[l] += v[l];
    return add_up(lane);
}

/* The same, and the values of map are stored at y[n]. */
INLINE float sum_and_store(long n, const float *x, float *y, map_fn *map, float arg)
{
    float lane[16] = { 0 }, v[16], rest[16];

    for (; n >= 16; n -= 16, x += 16, y += 16) {
        EACH_LANE v[l] = map(x[l], arg);
        EACH_LANE lane[l] += v[l];
        give(y, v, 16);
    }
    if (n == 0)
        return add_up(lane);
    x = take(rest, x, n);
    EACH_LANE v[l] = map(x[l], arg);
    for (int l = 0; l < n; l++)
        lane[l] += v[l];
    give(y, v, n);
    return add_up(lane);
}

/* b where it is larger or NaN */
INLINE float larger(float a, float b)
{
    return pare_pickf(b != b, b, pare_pickf(b > a, b, a));
}

INLINE float max_of(long n, const float *x, map_fn *map, float least)
{
    float lane[16];

    EACH_LANE lane[l] = least;
    for (; n >= 16; n -= 16, x += 16)
        EACH_LANE lane[l] = larger(lane[l], map(x[l], 0));
    for (int l = 0; l < n; l++)
        lane[l] = larger(lane[l], map(x[l], 0));
    for (int l = 0; l < 8; l++)
        lane[l] = larger(lane[l], lane[l + 8]);
    for (int l = 0; l < 4; l++)
        lane[l] = larger(lane[l], lane[l + 4]);
    return pare_quietf(larger(larger(lane[0], lane[2]), larger(lane[1], lane[3])));
}

INLINE long block_at(long i, long n)
{
    return n - i < 16 ? n - i : 16;
}

#endif
