/* SPDX-License-Identifier: Apache-2.0 */
/* math_trig.h - sine and cosine of every finite float */
#ifndef PARE_BASE_MATH_TRIG_H
#define PARE_BASE_MATH_TRIG_H

#include "base/math.h"

/* Up to here the _near forms hold; they are the straight lines that vectorise. */
#define PARE_TRIG_NEAR 0x1p20f

/* sin(r + quadrant pi/2) for |r| <= pi/4 (and a little more): the polynomials are good to 2^-37. */
PARE_MATH float pare_sin_quadrant(double r, uint64_t quadrant)
{
    const double z = r * r;
    const double s =
        -0x1.5555554c58431p-3 + z * (0x1.11110857ee5d4p-7 + z * (-0x1.a00f70609817fp-13 + z * 0x1.6cce6f8d62271p-19));
    const double c =
        0x1.5555554f3f232p-5 + z * (-0x1.6c16b88836138p-10 + z * (0x1.a011150deca62p-16 + z * -0x1.242883b359988p-22));
    const uint64_t sin = pare_bits_of_f64(r * (1.0 + z * s));
    const uint64_t cos = pare_bits_of_f64(1.0 - z * (0.5 - z * c));
    const uint64_t odd = 0u - (quadrant & 1);
    return (float)pare_f64_of_bits(((cos & odd) | (sin & ~odd)) ^ ((quadrant & 2) << 62));
}

/*
 * sin(x + quadrant pi/2) for |x| <= PARE_TRIG_NEAR. k is below 2^20 and the first part of pi/2 has 33 bits, so that
 * product and difference are exact; the second part leaves an absolute error of 2^-66, and r is never below 2^-31.
 */
PARE_MATH float pare_sin_near(float x, uint64_t quadrant)
{
    const double t = (double)x * 0x1.45f306dc9c883p-1 + 0x1.8p52;
    const double k = t - 0x1.8p52;
    const double r = ((double)x - k * 0x1.921fb544p+0) - k * 0x1.0b4611a626331p-34;
    return pare_quietf(pare_sin_quadrant(r, pare_bits_of_f64(t) + quadrant));
}

PARE_MATH float pare_sinf_near(float x)
{
    return pare_sin_near(x, 0);
}

PARE_MATH float pare_cosf_near(float x)
{
    return pare_sin_near(x, 1);
}

/* The same for all other x, by Payne and Hanek's reduction; NaN for infinities and NaN. Defined in math.c. */
float pare_sin_far(float x, uint64_t quadrant);

/* Sine and cosine, within 0.51 ulp. */
static inline float pare_sinf(float x)
{
    return pare_absf(x) <= PARE_TRIG_NEAR ? pare_sinf_near(x) : pare_sin_far(x, 0);
}

static inline float pare_cosf(float x)
{
    return pare_absf(x) <= PARE_TRIG_NEAR ? pare_cosf_near(x) : pare_sin_far(x, 1);
}

#endif
