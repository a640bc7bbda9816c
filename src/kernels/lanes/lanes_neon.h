/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_neon.h - lanes in four registers of 128 bits; see lanes_c.h for what each function means */
#ifndef PARE_KERNELS_LANES_NEON_H
#define PARE_KERNELS_LANES_NEON_H

#include <string.h>

#include "base/math.h"
#include "kernels/neon.h"

#undef ISA
#define ISA
#define INLINE static inline __attribute__((always_inline, unused))

typedef struct lanes {
    float32x4_t a, b, c, d; /* elements 0..3, 4..7, 8..11, 12..15 */
} lanes;

INLINE lanes lanes_load(const float *x, long n)
{
    float of[16] = { 0 };

    if (n < 16) {
        memcpy(of, x, (size_t)n * sizeof(float));
        x = of;
    }
    return (lanes){ vld1q_f32(x), vld1q_f32(x + 4), vld1q_f32(x + 8), vld1q_f32(x + 12) };
}

INLINE void lanes_put(float y[16], lanes v)
{
    vst1q_f32(y, v.a);
    vst1q_f32(y + 4, v.b);
    vst1q_f32(y + 8, v.c);
    vst1q_f32(y + 12, v.d);
}

INLINE void lanes_store(float *y, lanes v, long n)
{
    float of[16];

    if (n >= 16) {
        lanes_put(y, v);
        return;
    }
    lanes_put(of, v);
    memcpy(y, of, (size_t)n * sizeof(float));
}

INLINE lanes lanes_set(float x)
{
    const float32x4_t v = vdupq_n_f32(x);

    return (lanes){ v, v, v, v };
}

INLINE lanes lanes_first(lanes v, long n, float other)
{
    float of[16];

    if (n >= 16)
        return v;
    lanes_put(of, v);
    for (long l = n; l < 16; l++)
        of[l] = other;
    return lanes_load(of, 16);
}

/* The same of each of the four, with functions of four. */
#define LANES_UNARY(name, four)                                       \
    INLINE lanes name(lanes v)                                        \
    {                                                                 \
        return (lanes){ four(v.a), four(v.b), four(v.c), four(v.d) }; \
    }
#define LANES_BINARY(name, four)                                                          \
    INLINE lanes name(lanes v, lanes w)                                                   \
    {                                                                                     \
        return (lanes){ four(v.a, w.a), four(v.b, w.b), four(v.c, w.c), four(v.d, w.d) }; \
    }

/* Where v is larger; else w. */
INLINE float32x4_t lanes4_max(float32x4_t w, float32x4_t v)
{
    return vbslq_f32(vcgtq_f32(v, w), v, w);
}

/* w where it is larger or NaN. */
INLINE float32x4_t lanes4_larger(float32x4_t v, float32x4_t w)
{
    return vbslq_f32(vornq_u32(vcgtq_f32(w, v), vceqq_f32(w, w)), w, v);
}

INLINE float32x4_t lanes4_at_least(float32x4_t v, float32x4_t bound)
{
    return vbslq_f32(vcltq_f32(v, bound), bound, v);
}

INLINE float32x4_t lanes4_at_most(float32x4_t v, float32x4_t bound)
{
    return vbslq_f32(vcgtq_f32(v, bound), bound, v);
}

INLINE float32x4_t lanes4_copysign(float32x4_t v, float32x4_t s)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), s, v);
}

INLINE float32x4_t lanes4_quiet(float32x4_t v)
{
    return vbslq_f32(vceqq_f32(v, v), v, vreinterpretq_f32_u32(vdupq_n_u32(PARE_NAN_BITS)));
}

/* 2^n */
INLINE float32x4_t lanes4_power(int32x4_t n)
{
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}

/* pare_scalef */
INLINE float32x4_t lanes4_scale(float32x4_t p, float32x4_t t)
{
    const int32x4_t n = vsubq_s32(vreinterpretq_s32_f32(t), vdupq_n_s32(0x4b400000)), half = vshrq_n_s32(n, 1);

    return vmulq_f32(vmulq_f32(p, lanes4_power(half)), lanes4_power(vsubq_s32(n, half)));
}

LANES_BINARY(lanes_add, vaddq_f32)
LANES_BINARY(lanes_sub, vsubq_f32)
LANES_BINARY(lanes_mul, vmulq_f32)
LANES_BINARY(lanes_div, vdivq_f32)
LANES_BINARY(lanes_max, lanes4_max)
LANES_BINARY(lanes_larger, lanes4_larger)
LANES_BINARY(lanes_copysign, lanes4_copysign)
LANES_BINARY(lanes_scale, lanes4_scale)
LANES_BINARY(lanes_bound_below, lanes4_at_least)
LANES_BINARY(lanes_bound_above, lanes4_at_most)
LANES_UNARY(lanes_abs, vabsq_f32)
LANES_UNARY(lanes_quiet, lanes4_quiet)
#undef LANES_UNARY
#undef LANES_BINARY

INLINE lanes lanes_at_least(lanes v, float bound)
{
    return lanes_bound_below(v, lanes_set(bound));
}

INLINE lanes lanes_at_most(lanes v, float bound)
{
    return lanes_bound_above(v, lanes_set(bound));
}

INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return (lanes){ vfmaq_f32(c.a, a.a, b.a), vfmaq_f32(c.b, a.b, b.b), vfmaq_f32(c.c, a.c, b.c),
                    vfmaq_f32(c.d, a.d, b.d) };
}

INLINE lanes lanes_pick_at_least(lanes v, float bound, float yes, lanes no)
{
    const float32x4_t least = vdupq_n_f32(bound), y = vdupq_n_f32(yes);

    return (lanes){ vbslq_f32(vcgeq_f32(v.a, least), y, no.a), vbslq_f32(vcgeq_f32(v.b, least), y, no.b),
                    vbslq_f32(vcgeq_f32(v.c, least), y, no.c), vbslq_f32(vcgeq_f32(v.d, least), y, no.d) };
}

INLINE lanes lanes_across(lanes v, int half)
{
    switch (half) {
    case 8:
        return (lanes){ v.c, v.d, v.a, v.b };
    case 4:
        return (lanes){ v.b, v.a, v.d, v.c };
    case 2:
        return (lanes){ vextq_f32(v.a, v.a, 2), vextq_f32(v.b, v.b, 2), vextq_f32(v.c, v.c, 2),
                        vextq_f32(v.d, v.d, 2) };
    default:
        return (lanes){ vrev64q_f32(v.a), vrev64q_f32(v.b), vrev64q_f32(v.c), vrev64q_f32(v.d) };
    }
}

INLINE lanes lanes_sum(lanes v)
{
    float32x4_t s = vaddq_f32(vaddq_f32(v.a, v.c), vaddq_f32(v.b, v.d));

    s = vaddq_f32(s, vextq_f32(s, s, 2));
    s = vaddq_f32(s, vrev64q_f32(s));
    return (lanes){ s, s, s, s };
}

INLINE lanes lanes_most(lanes v)
{
    float32x4_t s = lanes4_max(lanes4_max(v.a, v.c), lanes4_max(v.b, v.d));

    s = lanes4_max(s, vextq_f32(s, s, 2));
    s = lanes4_max(s, vrev64q_f32(s));
    return (lanes){ s, s, s, s };
}

INLINE float lanes_one(lanes v)
{
    return vgetq_lane_f32(v.a, 0);
}

#endif
