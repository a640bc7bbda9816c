/* SPDX-License-Identifier: Apache-2.0 */
/* math_pow.h - x to the power y, with the special cases of C and ONNX */
#ifndef PARE_BASE_MATH_POW_H
#define PARE_BASE_MATH_POW_H

#include "base/math.h"

/* 1 where y is an odd integer: every float of 2^24 and more is even. */
PARE_MATH int pare_is_oddf(float y)
{
    const float half = y * 0.5f;
    const int   whole = pare_rintf(y) == y, fraction = pare_rintf(half) != half, small = pare_absf(y) < 0x1p24f;
    return whole & fraction & small;
}

/*
 * x^y, within 0.51 ulp: 2^(y log2|x|), the logarithm with a relative error of 2^-44, so that the exponent, at most
 * 160 in size before the result is inf or 0 anyway, is good to 2^-36. The sign of an odd power is that of x.
 *
 * Special cases (C11 F.10.4.4): x^0 = 1^y = 1 even for NaN; (-1)^+-inf = 1; a negative finite x to a fraction is
 * NaN; 0 and inf give 0 or inf by the sign of y.
 */
PARE_MATH float pare_powf(float x, float y)
{
    const float          inf = pare_f32_of_bits(PARE_INF_BITS);
    const float          nan = pare_f32_of_bits(PARE_NAN_BITS);
    const float          size = pare_absf(x);
    const pare_log_parts l = pare_log_split((double)size);
    const double         power = (double)y * (l.k + l.s * l.atanh * 0x1.71547652b82fep+1);
    const double         above = pare_pick(power < -160.0, -160.0, power);
    const double         safe = pare_pick(above > 160.0, 160.0, above);
    float                z = (float)pare_exp_wide(safe * 0x1.62e42fefa39efp-1);

    const float edge = pare_pickf((size == 0.0f) == (y > 0.0f), 0.0f, inf);
    z = pare_pickf(size == 0.0f, edge, z);
    z = pare_pickf(size == inf, edge, z);
    z = pare_pickf(pare_rintf(y) != y, pare_pickf(x < 0.0f, pare_pickf(size != inf, nan, z), z), z);
    z = pare_pickf(pare_absf(y) == inf, pare_pickf(size == 1.0f, 1.0f, z), z);
    z = pare_pickf(pare_is_oddf(y), pare_copysignf(z, x), z);
    z = pare_pickf(x == x, z, nan);
    z = pare_pickf(y == y, z, nan);
    z = pare_pickf(x == 1.0f, 1.0f, z);
    z = pare_pickf(y == 0.0f, 1.0f, z);
    return pare_quietf(z);
}

#endif
