/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - seeded random numbers, the same on every machine (splitmix64, Steele et al. 2014) */
#ifndef PARE_BASE_RNG_H
#define PARE_BASE_RNG_H

#include <stdint.h>

typedef struct pare_rng {
    uint64_t state;
} pare_rng;

pare_rng pare_rng_seed(uint64_t seed);
uint64_t pare_rng_u64(pare_rng *rng);
uint32_t pare_rng_below(pare_rng *rng, uint32_t n); /* 0 .. n-1, without bias        */
float    pare_rng_f32(pare_rng *rng);               /* [0, 1), multiples of 2^-24    */
float    pare_rng_uniform(pare_rng *rng, float lo, float hi);
float    pare_rng_normal(pare_rng *rng); /* sum of 12 uniforms minus 6    */

#endif
