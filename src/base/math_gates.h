/* SPDX-License-Identifier: Apache-2.0 */
/* math_gates.h - activation functions inside networks, in float: where a few ulp do not matter but time does */
#ifndef PARE_BASE_MATH_GATES_H
#define PARE_BASE_MATH_GATES_H

#include "base/math.h"

/* The gates of recurrent cells: sigmoid in float, within 2.5 ulp. Below -88.8 it is 0. */
PARE_MATH float pare_gate_sigmoidf(float x)
{
    return pare_quietf(1.0f / (1.0f + pare_expf(-x)));
}

/*
 * And tanh, within 2.5 ulp, also near 0: t / (t + 2) with t = e^2|x| - 1 = 2^k (e^r - 1) + (2^k - 1), k and e^r - 1 as in
 * pare_expf. At 10 it is 1.
 */
PARE_MATH float pare_gate_tanhf(float x)
{
    const float z = 2.0f * pare_at_mostf(pare_absf(x), 10.0f);
    const float t = __builtin_fmaf(z, 0x1.715476p+0f, 0x1.8p23f);
    const float k = t - 0x1.8p23f;
    const float high = __builtin_fmaf(k, -0x1.62e4p-1f, z);
    const float low = k * -0x1.7f7d1cp-20f;
    const float r = high + low;
    const float power = pare_scalef(1.0f, t);
    float       p = 0x1.6ac6acp-10f;

    p = __builtin_fmaf(p, r, 0x1.123ddcp-7f);
    p = __builtin_fmaf(p, r, 0x1.555858p-5f);
    p = __builtin_fmaf(p, r, 0x1.55548cp-3f);
    p = __builtin_fmaf(p, r, 0x1.fffffcp-2f);
    p = high + __builtin_fmaf(r * r, p, low);
    p = __builtin_fmaf(p, power, power - 1.0f);
    return pare_quietf(pare_copysignf(p / (p + 2.0f), x));
}

/*
 * x Phi(x) = x / 2 (1 + erf(x / sqrt 2)), the GELU of transformers, within 2^-22 of max(|x|, 1/8): erf as pare_erff in
 * float, which is enough where 1 is added to it. From 3.93 on erf is 1, so that large x are x or 0.
 */
PARE_MATH float pare_geluf(float x)
{
    const float a = pare_at_mostf(pare_absf(x) * 0x1.6a09e6p-1f, 3.93f);
    const float z = a * a;
    float       p = -0x1.b9be58p-27f;
    float       q = 0x1.06229cp-14f;

    p = __builtin_fmaf(p, z, 0x1.36069ep-18f);
    p = __builtin_fmaf(p, z, 0x1.8b7a3cp-12f);
    p = __builtin_fmaf(p, z, 0x1.f75b1ep-9f);
    p = __builtin_fmaf(p, z, 0x1.bc7428p-5f);
    p = __builtin_fmaf(p, z, 0x1.7b2f3fp-3f);
    p = __builtin_fmaf(p, z, 0x1.20dd75p+0f);
    q = __builtin_fmaf(q, z, 0x1.556a5cp-10f);
    q = __builtin_fmaf(q, z, 0x1.f9c4a0p-7f);
    q = __builtin_fmaf(q, z, 0x1.d27b50p-4f);
    q = __builtin_fmaf(q, z, 0x1.fd5aeep-2f);
    q = __builtin_fmaf(q, z, 1.0f);
    const float erf = pare_pickf(a >= 3.93f, 1.0f, (a * p) / q);
    return pare_quietf((0.5f * x) * (1.0f + pare_copysignf(erf, x)));
}

#endif
