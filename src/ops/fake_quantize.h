/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_quantize.h - what quantize and dequantize one after the other do to a float, and its slopes
 *
 * With t = x / scale and c = rint(t) + zero: q = clamp(c, lo, hi) and y = (q - zero) * scale (docs/NUMERICS.md 2), so y
 * is what the integer path computes with. The gradient passes straight through where lo <= c <= hi and is 0 elsewhere.
 * For a learned scale (LSQ, Esser et al. 2020) dy/dscale is (q - zero) - t inside and q - zero outside; PACT (Choi et
 * al. 2018), which learns the upper bound, has 0 inside. For a learned zero (LSQ+, Bhalgat et al. 2020) it is 0 inside
 * and -scale outside.
 */
#ifndef PARE_OPS_FAKE_QUANTIZE_H
#define PARE_OPS_FAKE_QUANTIZE_H

#include "base/math.h"
#include "ops/op.h"

typedef struct pare_fake_quantize_attrs {
    int64_t     lo, hi; /* the integers there are: within 32 bits                                     */
    int64_t     axis;   /* scale and zero have one entry per index of it; -1: one entry               */
    const char *learn;  /* what scale and zero are while training: "none": computed; "lsq": the scale is learned;
                         * "lsq+": zero, too; "pact": the scale is, by PACT's slope                                */
} pare_fake_quantize_attrs;

extern const pare_attr pare_fake_quantize_attr_table[];

/* One entry of scale and zero with its bounds, as floats. */
typedef struct pare_fake {
    float scale, zero, lo, hi;
    float inside; /* 1: the slope of a scale inside is (q - zero) - t; 0: it is 0 */
} pare_fake;

/* Checks x, scale and zero, which are inputs first .. first + 2, and the bounds. */
pare_status pare_fake_quantize_check(const pare_call *call, int first);

/* How many entries there are, and entry `e` of them. */
int64_t   pare_fake_entries(const pare_call *call, int first);
pare_fake pare_fake_entry(const pare_call *call, int first, int64_t e);

/* The part of a tensor that entry e is for. */
pare_tensor pare_fake_view(const pare_call *call, const pare_tensor *t, int64_t e);

/* rint, half to even; -0 may become 0. From 2^23 on floats are whole. */
PARE_MATH float pare_fake_round(float t)
{
    const float far = 0x1p23f, shift = pare_pickf(t < 0, -far, far);

    return pare_pickf((t > -far) & (t < far), (t + shift) - shift, t);
}

/* q - zero; NaN counts as lo. */
PARE_MATH float pare_fake_code(const pare_fake *f, float t)
{
    float q = pare_fake_round(t) + f->zero;

    q = pare_pickf(q >= f->lo, q, f->lo);
    return pare_pickf(q > f->hi, f->hi, q) - f->zero;
}

PARE_MATH int pare_fake_inside(const pare_fake *f, float t)
{
    const float c = pare_fake_round(t) + f->zero;

    return (c >= f->lo) & (c <= f->hi);
}

#endif
