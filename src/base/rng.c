/* SPDX-License-Identifier: Apache-2.0 */
/* rng.c - splitmix64: a counter and a mixing function; constants from Steele, Lea and Flood, 2014 */
#include "base/rng.h"

#include <assert.h>

pare_rng pare_rng_seed(uint64_t seed)
{
    return (pare_rng){ .state = seed };
}

uint64_t pare_rng_u64(pare_rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/*
 * The high word of a 32 x 32 bit product is nearly uniform; the low word tells the few draws that would favour some
 * results, and those are drawn again (Lemire 2019).
 */
uint32_t pare_rng_below(pare_rng *rng, uint32_t n)
{
    assert(n > 0);

    const uint32_t unfair = (0u - n) % n;
    uint64_t       product;
    do {
        product = (pare_rng_u64(rng) >> 32) * n;
    } while ((uint32_t)product < unfair);
    return (uint32_t)(product >> 32);
}

float pare_rng_f32(pare_rng *rng)
{
    return (float)(pare_rng_u64(rng) >> 40) * 0x1p-24f;
}

float pare_rng_uniform(pare_rng *rng, float lo, float hi)
{
    return lo + (hi - lo) * pare_rng_f32(rng);
}

/* Summed as integers, so the only rounding is the last one. */
float pare_rng_normal(pare_rng *rng)
{
    int32_t sum = -6 * (1 << 24);

    for (int i = 0; i < 12; i++)
        sum += (int32_t)(pare_rng_u64(rng) >> 40);
    return (float)sum * 0x1p-24f;
}
