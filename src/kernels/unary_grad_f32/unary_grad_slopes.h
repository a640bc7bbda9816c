/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_slopes.h - slopes of functions that take more than one line (unary_grad_f32.def) */
#ifndef PARE_KERNELS_UNARY_GRAD_SLOPES_H
#define PARE_KERNELS_UNARY_GRAD_SLOPES_H

#include "base/math.h"
#include "base/math_trig.h"

/* d/dx x tanh(softplus(x)) */
PARE_MATH float mish_slope(float x)
{
    const float t = pare_tanhf(pare_softplusf(x));

    return t + x * (pare_sigmoidf(x) * (1.0f - t * t));
}

/* d/dx x clamp(x / 6 + 1/2, 0, 1) */
PARE_MATH float hard_swish_slope(float x)
{
    return pare_pickf(x >= 3.0f, 1.0f, pare_pickf(x <= -3.0f, 0.0f, 0x1.555556p-2f * x + 0.5f));
}

/* d/dx x P(x) = P(x) + x p(x), P the normal distribution. */
PARE_MATH float gelu_slope(float x)
{
    const float below = 0.5f * (1.0f + pare_erff(x * 0x1.6a09e6p-1f));

    return below + x * (0x1.988454p-2f * pare_expf(-0.5f * (x * x)));
}

/* u = sqrt(2 / pi) (x + 0.044715 x^3), y = x (1 + tanh u) / 2 */
PARE_MATH float gelu_tanh_slope(float x)
{
    const float t = pare_tanhf(0x1.988454p-1f * (x + 0.044715f * (x * x * x)));
    const float du = 0x1.988454p-1f * (1.0f + 0.134145f * (x * x));

    return 0.5f * (1.0f + t) + (0.5f * x) * ((1.0f - t * t) * du);
}

#endif
