/* SPDX-License-Identifier: Apache-2.0 */
/*
 * math.h - Pare's own float functions: the same bits on every machine, compiler and vector width
 *
 * Each is a straight line of IEEE operations that round once (+ - * / and, in expf, fmaf), of integer
 * operations on the bits, and of selects; nothing comes from libm. So a loop over one of them is vectorised
 * by the compiler as it stands, and every version of it gives equal bits. Where float would need extra words
 * to be accurate the inside is double: also IEEE, never contracted, and rounded to float once, at the end.
 *
 * Every NaN that comes out is PARE_NAN_BITS: IEEE leaves sign and payload of a NaN open, and machines differ.
 * Error bounds are against the exact value, in units of the last place of a float result (ulp). Every run of
 * base/math_test.c asserts them on a sample (about every thousandth float); --only=exhaustive on all 2^32,
 * which has been done for expf and expm1f so far.
 * Coefficients without another source are minimax fits (Remez exchange) for the interval named beside them.
 */
#ifndef PARE_BASE_MATH_H
#define PARE_BASE_MATH_H

#include <stdint.h>
#include <string.h>

#define PARE_NAN_BITS 0x7fc00000u
#define PARE_INF_BITS 0x7f800000u

/* Expanded even into functions for a wider instruction set, so that the loop around them vectorises. */
#define PARE_MATH static inline __attribute__((always_inline, unused))

PARE_MATH uint32_t pare_bits_of_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

PARE_MATH float pare_f32_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

PARE_MATH uint64_t pare_bits_of_f64(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

PARE_MATH double pare_f64_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* `yes` where `test` (0 or 1), else `no`: by masks, so that no compiler makes a branch of it. */
PARE_MATH float pare_pickf(int test, float yes, float no)
{
    const uint32_t mask = 0u - (uint32_t)test;
    return pare_f32_of_bits((pare_bits_of_f32(yes) & mask) | (pare_bits_of_f32(no) & ~mask));
}

PARE_MATH double pare_pick(int test, double yes, double no)
{
    const uint64_t mask = 0u - (uint64_t)test;
    return pare_f64_of_bits((pare_bits_of_f64(yes) & mask) | (pare_bits_of_f64(no) & ~mask));
}

/* x, or the one quiet NaN that results may hold. */
PARE_MATH float pare_quietf(float x)
{
    return pare_pickf(x == x, x, pare_f32_of_bits(PARE_NAN_BITS));
}

PARE_MATH float pare_absf(float x)
{
    return pare_f32_of_bits(pare_bits_of_f32(x) & 0x7fffffffu);
}

/* The size of x with the sign of s. */
PARE_MATH float pare_copysignf(float x, float s)
{
    return pare_f32_of_bits((pare_bits_of_f32(x) & 0x7fffffffu) | (pare_bits_of_f32(s) & 0x80000000u));
}

/* The larger and the smaller; x when it is NaN or equal (zeros of both signs are), `bound` is never NaN. */
PARE_MATH float pare_at_leastf(float x, float bound)
{
    return pare_pickf(x < bound, bound, x);
}

PARE_MATH float pare_at_mostf(float x, float bound)
{
    return pare_pickf(x > bound, bound, x);
}

/* x within [lo, hi]; NaN stays, and -0 stays where lo is 0. */
PARE_MATH float pare_clampf(float x, float lo, float hi)
{
    return pare_at_mostf(pare_at_leastf(x, lo), hi);
}

/* To an integer, half to even, sign of zero kept: below 2^23 the addition leaves no room for fractions. */
PARE_MATH float pare_rintf(float x)
{
    const float size = pare_absf(x);
    const float rounded = (size + 0x1p23f) - 0x1p23f;
    return pare_copysignf(pare_pickf(size < 0x1p23f, rounded, size), x);
}

PARE_MATH float pare_floorf(float x)
{
    const float near = pare_rintf(x);
    return pare_copysignf(near - pare_pickf(near > x, 1.0f, 0.0f), x);
}

PARE_MATH float pare_ceilf(float x)
{
    return -pare_floorf(-x);
}

PARE_MATH float pare_truncf(float x)
{
    return pare_copysignf(pare_floorf(pare_absf(x)), x);
}

/* Correctly rounded (IEEE); an instruction where there is one. */
PARE_MATH float pare_sqrtf(float x)
{
    return pare_quietf(__builtin_sqrtf(x));
}

/* p * 2^k where t = k + 1.5 * 2^23 and -150 <= k <= 128: two factors, of which only the last can round. */
PARE_MATH float pare_scalef(float p, float t)
{
    const int32_t k = (int32_t)(pare_bits_of_f32(t) - 0x4b400000u);
    const int32_t half = k >> 1;

    p = p * pare_f32_of_bits((uint32_t)(half + 127) << 23);
    return p * pare_f32_of_bits((uint32_t)(k - half + 127) << 23);
}

/*
 * e^x, within 0.88 ulp; to infinity above 88.72, through the subnormals to 0 below.
 *
 * x = k ln2 + r, |r| <= ln2 / 2, and the product of k and the upper 16 bits of ln2 is exact: so `high` is. The rest of
 * k ln2, `low`, is added late, together with r^2 P(r), where its rounding is small:
 * e^r = 1 + (high + (low + r^2 P(r))), relative error 2^-28. k reaches -150 and 128.
 */
PARE_MATH float pare_expf(float x)
{
    const float z = pare_clampf(x, -104.0f, 89.0f);
    const float t = __builtin_fmaf(z, 0x1.715476p+0f, 0x1.8p23f);
    const float k = t - 0x1.8p23f;
    const float high = __builtin_fmaf(k, -0x1.62e4p-1f, z);
    const float low = k * -0x1.7f7d1cp-20f;
    const float r = high + low;
    float       p = 0x1.6ac6acp-10f;

    p = __builtin_fmaf(p, r, 0x1.123ddcp-7f);
    p = __builtin_fmaf(p, r, 0x1.555858p-5f);
    p = __builtin_fmaf(p, r, 0x1.55548cp-3f);
    p = __builtin_fmaf(p, r, 0x1.fffffcp-2f);
    p = (high + __builtin_fmaf(r * r, p, low)) + 1.0f;
    return pare_quietf(pare_scalef(p, t));
}

/* 2^k and e^r - 1 with k ln2 + r = x, |r| <= ln2 / 2, for |x| <= 700; relative error of the latter 2^-34. */
typedef struct pare_exp_parts {
    double power;
    double rest;
} pare_exp_parts;

PARE_MATH pare_exp_parts pare_exp_split(double x)
{
    const double t = x * 0x1.71547652b82fep+0 + 0x1.8p52;
    const double r = x - (t - 0x1.8p52) * 0x1.62e42fefa39efp-1;
    double       p = 0x1.4431c2d1befb7p-16;

    p = p * r + 0x1.a1517144b8f20p-13;
    p = p * r + 0x1.6c6497fcab49fp-10;
    p = p * r + 0x1.1110c63cdf655p-7;
    p = p * r + 0x1.55552fe163f63p-5;
    p = p * r + 0x1.555555674bce9p-3;
    p = p * r + 0x1.00000008fcea5p-1;
    return (pare_exp_parts){
        .power = pare_f64_of_bits((pare_bits_of_f64(t) << 52) + 0x3ff0000000000000u),
        .rest = r * (1.0 + r * p),
    };
}

/* e^x in double, relative error 2^-34, for |x| <= 700. */
PARE_MATH double pare_exp_wide(double x)
{
    const pare_exp_parts e = pare_exp_split(x);
    return e.power + e.power * e.rest;
}

/* x = 2^k m with m in [sqrt 1/2, sqrt 2): k, and atanh(s) / s as a polynomial in s^2 where s = (m - 1) / (m + 1). */
typedef struct pare_log_parts {
    double k;
    double s;
    double atanh; /* (ln m) / (2 s), relative error 2^-45 */
} pare_log_parts;

/* For finite x > 0 of float range. k is taken from the exponent by way of an exact addition to 2^52. */
PARE_MATH pare_log_parts pare_log_split(double x)
{
    const uint64_t at = pare_bits_of_f64(x) - 0x3fe6a09e667f3bcdu + ((uint64_t)1023 << 52);
    const uint64_t up = at >> 52;
    const double   k = pare_f64_of_bits(0x4330000000000000u | up) - (0x1p52 + 1023);
    const double   m = pare_f64_of_bits(pare_bits_of_f64(x) - ((up - 1023) << 52));
    const double   s = (m - 1.0) / (m + 1.0);
    const double   z = s * s;
    double         p = 0x1.919a24bbcfa0fp-4;

    p = p * z + 0x1.c6206ec9e6c0fp-4;
    p = p * z + 0x1.249439a156ed1p-3;
    p = p * z + 0x1.999996286f11fp-3;
    p = p * z + 0x1.5555555672981p-2;
    p = p * z + 0x1.fffffffffff12p-1;
    return (pare_log_parts){ .k = k, .s = s, .atanh = p };
}

/* Natural logarithm, within 0.51 ulp. log(+-0) = -inf, of a negative number NaN. */
PARE_MATH float pare_logf(float x)
{
    const pare_log_parts l = pare_log_split((double)x);
    const float          y = (float)(l.k * 0x1.62e42fefa39efp-1 + 2.0 * l.s * l.atanh);
    const float          inf = pare_f32_of_bits(PARE_INF_BITS);
    const float          up = pare_pickf(x == inf, inf, y);
    const float          low = pare_pickf(x == 0.0f, -inf, up);
    return pare_pickf(x >= 0.0f, low, pare_f32_of_bits(PARE_NAN_BITS));
}

/* e^x - 1, within 0.51 ulp near 0 too; it is -1 below -17.4 and infinite above 88.72. */
PARE_MATH float pare_expm1f(float x)
{
    const pare_exp_parts e = pare_exp_split((double)pare_clampf(x, -105.0f, 90.0f));
    return pare_quietf(pare_copysignf((float)(e.power * e.rest + (e.power - 1.0)), x));
}

/* 1 / (1 + e^-x), within 0.51 ulp, subnormal results included. At -105 it is below half the smallest float. */
PARE_MATH float pare_sigmoidf(float x)
{
    return pare_quietf((float)(1.0 / (1.0 + pare_exp_wide(-(double)pare_clampf(x, -105.0f, 105.0f)))));
}

/* Hyperbolic tangent, within 0.51 ulp: t / (t + 2) with t = e^2|x| - 1, which keeps its digits near 0. */
PARE_MATH float pare_tanhf(float x)
{
    const pare_exp_parts e = pare_exp_split(2.0 * (double)pare_at_mostf(pare_absf(x), 10.0f));
    const double         t = e.power * e.rest + (e.power - 1.0);
    return pare_quietf(pare_copysignf((float)(t / (t + 2.0)), x));
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), within 0.51 ulp; ln(1 + e) = 2 atanh(e / (2 + e)), s^2 <= 1/9. */
PARE_MATH float pare_softplusf(float x)
{
    const double e = pare_exp_wide(-(double)pare_at_mostf(pare_absf(x), 110.0f));
    const double s = e / (2.0 + e);
    const double z = s * s;
    double       p = 0x1.c016b1d1797edp-4;

    p = p * z + 0x1.5e8ac8d599095p-4;
    p = p * z + 0x1.c8d32946762e0p-4;
    p = p * z + 0x1.2489905dfbd23p-3;
    p = p * z + 0x1.9999c3965d986p-3;
    p = p * z + 0x1.5555552f9376dp-2;
    p = p * z + 0x1.0000000002c41p+0;
    return pare_quietf((float)((double)pare_at_leastf(x, 0.0f) + 2.0 * s * p));
}

/* The error function, within 0.54 ulp: |x| P(x^2) / Q(x^2) on [0, 3.93], relative error 2^-29; beyond it is 1. */
PARE_MATH float pare_erff(float x)
{
    const double a = (double)pare_at_mostf(pare_absf(x), 3.93f);
    const double z = a * a;
    double       p = -0x1.b9be58f5aa4c0p-27;
    double       q = 0x1.06229b65294e7p-14;

    p = p * z + 0x1.36069e03988ccp-18;
    p = p * z + 0x1.8b7a3c94ed49cp-12;
    p = p * z + 0x1.f75b1d67c3563p-9;
    p = p * z + 0x1.bc7427ea4cc2dp-5;
    p = p * z + 0x1.7b2f3f793079bp-3;
    p = p * z + 0x1.20dd750d11259p+0;
    q = q * z + 0x1.556a5b0a91fc8p-10;
    q = q * z + 0x1.f9c49fcbee6c9p-7;
    q = q * z + 0x1.d27b50f820dccp-4;
    q = q * z + 0x1.fd5aedf1e8441p-2;
    q = q * z + 1.0;
    return pare_quietf(pare_copysignf((float)(a * p / q), x));
}

#endif
