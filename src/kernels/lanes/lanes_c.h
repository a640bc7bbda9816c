/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanes_c.h - sixteen floats that are computed together, for any processor; lanes_avx2.h, lanes_avx512.h are the same
 *
 * A row function is written once on `lanes`; the including file picks the version. Every function does to each element
 * what the function of base/math.h of that name does, so all versions give equal bits but for the sign and payload of
 * a NaN, which lanes_quiet settles. Vectors of four are what compilers have for every processor.
 */
#ifndef PARE_KERNELS_LANES_C_H
#define PARE_KERNELS_LANES_C_H

#include <string.h>

#include "base/math.h"

#undef ISA
#define ISA
#define INLINE  static inline __attribute__((always_inline, unused))
#define EACH(x) ((lanes){ { x(0), x(1), x(2), x(3) } })

typedef float   lanes4 __attribute__((vector_size(16)));
typedef int32_t lanes4_bits __attribute__((vector_size(16)));

typedef struct lanes {
    lanes4 of[4];
} lanes;

/* n <= 16 elements, or the first 16 of more; zeros where there are none. */
INLINE lanes lanes_load(const float *x, long n)
{
    lanes v = { 0 };

    if (n >= 16)
        memcpy(&v, x, sizeof(v));
    else
        memcpy(&v, x, (size_t)n * sizeof(float));
    return v;
}

INLINE void lanes_store(float *y, lanes v, long n)
{
    if (n >= 16)
        memcpy(y, &v, sizeof(v));
    else
        memcpy(y, &v, (size_t)n * sizeof(float));
}

INLINE lanes lanes_set(float x)
{
    const lanes4 four = { x, x, x, x };

    return (lanes){ { four, four, four, four } };
}

/* The first n of v, then `other`. */
INLINE lanes lanes_first(lanes v, long n, float other)
{
    float of[16];

    if (n >= 16)
        return v;
    memcpy(of, &v, sizeof(of));
    for (long l = n; l < 16; l++)
        of[l] = other;
    return lanes_load(of, 16);
}

#define ADD(i) a.of[i] + b.of[i]
INLINE lanes lanes_add(lanes a, lanes b)
{
    return EACH(ADD);
}

#define SUB(i) a.of[i] - b.of[i]
INLINE lanes lanes_sub(lanes a, lanes b)
{
    return EACH(SUB);
}

#define MUL(i) a.of[i] * b.of[i]
INLINE lanes lanes_mul(lanes a, lanes b)
{
    return EACH(MUL);
}

#define DIV(i) a.of[i] / b.of[i]
INLINE lanes lanes_div(lanes a, lanes b)
{
    return EACH(DIV);
}

/* a * b + c, rounded once */
INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    for (int i = 0; i < 4; i++)
        for (int l = 0; l < 4; l++)
            c.of[i][l] = __builtin_fmaf(a.of[i][l], b.of[i][l], c.of[i][l]);
    return c;
}

/* yes where the mask is -1, no where it is 0 */
INLINE lanes4 lanes4_pick(lanes4_bits mask, lanes4 yes, lanes4 no)
{
    return (lanes4)(((lanes4_bits)yes & mask) | ((lanes4_bits)no & ~mask));
}

#define ABS(i) (lanes4)((lanes4_bits)v.of[i] & 0x7fffffff)
INLINE lanes lanes_abs(lanes v)
{
    return EACH(ABS);
}

#define COPYSIGN(i) (lanes4)(((lanes4_bits)v.of[i] & 0x7fffffff) | ((lanes4_bits)s.of[i] & (-0x7fffffff - 1)))
INLINE lanes lanes_copysign(lanes v, lanes s)
{
    return EACH(COPYSIGN);
}

#define AT_LEAST(i) lanes4_pick(v.of[i] < b.of[i], b.of[i], v.of[i])
INLINE lanes lanes_at_least(lanes v, float bound)
{
    const lanes b = lanes_set(bound);

    return EACH(AT_LEAST);
}

#define AT_MOST(i) lanes4_pick(v.of[i] > b.of[i], b.of[i], v.of[i])
INLINE lanes lanes_at_most(lanes v, float bound)
{
    const lanes b = lanes_set(bound);

    return EACH(AT_MOST);
}

/* b where it is larger or NaN */
#define LARGER(i) lanes4_pick((b.of[i] > a.of[i]) | (b.of[i] != b.of[i]), b.of[i], a.of[i])
INLINE lanes lanes_larger(lanes a, lanes b)
{
    return EACH(LARGER);
}

/* The larger; which one is open where they are zeros or one is NaN. */
#define MAX(i) lanes4_pick(b.of[i] > a.of[i], b.of[i], a.of[i])
INLINE lanes lanes_max(lanes a, lanes b)
{
    return EACH(MAX);
}

/* v >= bound ? yes : no */
#define PICK_AT_LEAST(i) lanes4_pick(v.of[i] >= b.of[i], y.of[i], no.of[i])
INLINE lanes lanes_pick_at_least(lanes v, float bound, float yes, lanes no)
{
    const lanes b = lanes_set(bound), y = lanes_set(yes);

    return EACH(PICK_AT_LEAST);
}

#define QUIET(i) lanes4_pick(v.of[i] == v.of[i], v.of[i], nan.of[i])
INLINE lanes lanes_quiet(lanes v)
{
    const lanes nan = lanes_set(pare_f32_of_bits(PARE_NAN_BITS));

    return EACH(QUIET);
}

/* pare_scalef */
INLINE lanes lanes_scale(lanes p, lanes t)
{
    for (int i = 0; i < 4; i++) {
        const lanes4_bits k = (lanes4_bits)t.of[i] - 0x4b400000, half = k >> 1;

        p.of[i] = p.of[i] * (lanes4)((half + 127) << 23) * (lanes4)((k - half + 127) << 23);
    }
    return p;
}

/* Lane l of v with lane l ^ half. */
INLINE lanes lanes_across(lanes v, int half)
{
    float from[16], to[16];

    memcpy(from, &v, sizeof(from));
    for (int l = 0; l < 16; l++)
        to[l] = from[l ^ half];
    return lanes_load(to, 16);
}

/*
 * The sum of the lanes in the order of docs/NUMERICS.md 9: 8, 4, 2, 1. It is in every lane: where two add each other
 * they get the same, and so do the larger of two that are not NaN.
 */
INLINE lanes lanes_sum(lanes v)
{
    for (int half = 8; half > 0; half /= 2)
        v = lanes_add(v, lanes_across(v, half));
    return v;
}

/* The largest of the lanes, in every lane; a NaN does not count or is the result. */
INLINE lanes lanes_most(lanes v)
{
    for (int half = 8; half > 0; half /= 2)
        v = lanes_max(v, lanes_across(v, half));
    return v;
}

/* Lane 0. */
INLINE float lanes_one(lanes v)
{
    return v.of[0][0];
}

#undef EACH
#endif
