/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_math_body.h - functions of base/math.h and math_gates.h on lanes: the same operations, so the same bits */
#ifndef PARE_KERNELS_LANES_MATH_BODY_H
#define PARE_KERNELS_LANES_MATH_BODY_H

/* pare_expf of x <= 89, but that a NaN is any NaN */
INLINE lanes lanes_exp_low(lanes x)
{
    const lanes z = lanes_at_least(x, -104.0f);
    const lanes t = lanes_fma(z, lanes_set(0x1.715476p+0f), lanes_set(0x1.8p23f));
    const lanes k = lanes_sub(t, lanes_set(0x1.8p23f));
    const lanes high = lanes_fma(k, lanes_set(-0x1.62e4p-1f), z);
    const lanes low = lanes_mul(k, lanes_set(-0x1.7f7d1cp-20f));
    const lanes r = lanes_add(high, low);
    lanes       p = lanes_fma(lanes_set(0x1.6ac6acp-10f), r, lanes_set(0x1.123ddcp-7f));

    p = lanes_fma(p, r, lanes_set(0x1.555858p-5f));
    p = lanes_fma(p, r, lanes_set(0x1.55548cp-3f));
    p = lanes_fma(p, r, lanes_set(0x1.fffffcp-2f));
    p = lanes_add(lanes_add(high, lanes_fma(lanes_mul(r, r), p, low)), lanes_set(1.0f));
    return lanes_scale(p, t);
}

/* pare_expf, likewise */
INLINE lanes lanes_exp(lanes x)
{
    return lanes_exp_low(lanes_at_most(x, 89.0f));
}

/* pare_gate_sigmoidf, but that a NaN is any NaN */
INLINE lanes lanes_sigmoid(lanes x)
{
    const lanes one = lanes_set(1.0f);

    return lanes_div(one, lanes_add(one, lanes_exp(lanes_mul(x, lanes_set(-1.0f)))));
}

/* pare_gate_tanhf, likewise */
INLINE lanes lanes_tanh(lanes x)
{
    const lanes z = lanes_mul(lanes_set(2.0f), lanes_at_most(lanes_abs(x), 10.0f));
    const lanes t = lanes_fma(z, lanes_set(0x1.715476p+0f), lanes_set(0x1.8p23f));
    const lanes k = lanes_sub(t, lanes_set(0x1.8p23f));
    const lanes high = lanes_fma(k, lanes_set(-0x1.62e4p-1f), z);
    const lanes low = lanes_mul(k, lanes_set(-0x1.7f7d1cp-20f));
    const lanes r = lanes_add(high, low);
    const lanes power = lanes_scale(lanes_set(1.0f), t);
    lanes       p = lanes_fma(lanes_set(0x1.6ac6acp-10f), r, lanes_set(0x1.123ddcp-7f));

    p = lanes_fma(p, r, lanes_set(0x1.555858p-5f));
    p = lanes_fma(p, r, lanes_set(0x1.55548cp-3f));
    p = lanes_fma(p, r, lanes_set(0x1.fffffcp-2f));
    p = lanes_add(high, lanes_fma(lanes_mul(r, r), p, low));
    p = lanes_fma(p, power, lanes_sub(power, lanes_set(1.0f)));
    return lanes_copysign(lanes_div(p, lanes_add(p, lanes_set(2.0f))), x);
}

/* pare_geluf */
INLINE lanes lanes_gelu(lanes x)
{
    const lanes size = lanes_mul(lanes_abs(x), lanes_set(0x1.6a09e6p-1f));
    const lanes a = lanes_at_most(size, 3.93f);
    const lanes z = lanes_mul(a, a);
    lanes       p = lanes_fma(lanes_set(-0x1.b9be58p-27f), z, lanes_set(0x1.36069ep-18f));
    lanes       q = lanes_fma(lanes_set(0x1.06229cp-14f), z, lanes_set(0x1.556a5cp-10f));

    p = lanes_fma(p, z, lanes_set(0x1.8b7a3cp-12f));
    p = lanes_fma(p, z, lanes_set(0x1.f75b1ep-9f));
    p = lanes_fma(p, z, lanes_set(0x1.bc7428p-5f));
    p = lanes_fma(p, z, lanes_set(0x1.7b2f3fp-3f));
    p = lanes_fma(p, z, lanes_set(0x1.20dd75p+0f));
    q = lanes_fma(q, z, lanes_set(0x1.f9c4a0p-7f));
    q = lanes_fma(q, z, lanes_set(0x1.d27b50p-4f));
    q = lanes_fma(q, z, lanes_set(0x1.fd5aeep-2f));
    q = lanes_fma(q, z, lanes_set(1.0f));
    const lanes erf = lanes_pick_at_least(size, 3.93f, 1.0f, lanes_div(lanes_mul(a, p), q));
    return lanes_quiet(lanes_mul(lanes_mul(lanes_set(0.5f), x), lanes_add(lanes_set(1.0f), lanes_copysign(erf, x))));
}

#endif
