/* SPDX-License-Identifier: Apache-2.0 */
/* math.c - the part of sine and cosine that no loop wants: arguments of a million and more */
#include "base/math_trig.h"

/* 2/pi in binary, 32 bits a word, after a word of zeros for the arguments whose first useful bit is above the point. */
static const uint32_t two_over_pi[9] = {
    0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
};

/*
 * |x| = m 2^e with m of 24 bits. Bits of 2/pi that make multiples of 4 with 2^e do not matter, so the product starts
 * at the bit worth 2 and takes 96 bits: p is x 2/pi modulo 4 in units of 2^-62, its error a few units. No float is
 * nearer to a multiple of pi/2 than 2^-31, so r is good to 2^-29 in the worst case and nearly always to 2^-53.
 */
float pare_sin_far(float x, uint64_t quadrant)
{
    const uint32_t bits = pare_bits_of_f32(x) & 0x7fffffffu;
    if (bits >= PARE_INF_BITS)
        return pare_f32_of_bits(PARE_NAN_BITS);

    const uint64_t m = (bits & 0x7fffffu) | 0x800000u;
    const uint32_t first = (bits >> 23) - 150 + 30;
    const uint32_t shift = first & 31;
    uint64_t       w[3];
    for (int i = 0; i < 3; i++) {
        const uint32_t *const at = two_over_pi + (first >> 5) + i;
        w[i] = (uint32_t)((((uint64_t)at[0] << 32 | at[1]) << shift) >> 32);
    }

    const uint64_t p = (m * w[0] << 32) + m * w[1] + (m * w[2] >> 32);
    const uint64_t k = (p + ((uint64_t)1 << 61)) >> 62;
    const double   r = (double)(int64_t)(p - (k << 62)) * 0x1.921fb54442d18p-62;
    const int      back = x < 0;
    return pare_sin_quadrant(back ? -r : r, (back ? 0 - k : k) + quadrant);
}
