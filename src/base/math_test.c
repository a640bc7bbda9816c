/* SPDX-License-Identifier: Apache-2.0 */
/* math_test.c - the error bounds that base/math.h states, against long double, and the special cases */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/math_gates.h"
#include "base/math_pow.h"
#include "base/math_trig.h"
#include "runner.h"

static float exp_ours(float x)
{
    return pare_expf(x);
}
static float expm1_ours(float x)
{
    return pare_expm1f(x);
}
static float log_ours(float x)
{
    return pare_logf(x);
}
static float sigmoid_ours(float x)
{
    return pare_sigmoidf(x);
}
static float tanh_ours(float x)
{
    return pare_tanhf(x);
}
static float softplus_ours(float x)
{
    return pare_softplusf(x);
}
static float erf_ours(float x)
{
    return pare_erff(x);
}
static float sin_ours(float x)
{
    return pare_sinf(x);
}
static float cos_ours(float x)
{
    return pare_cosf(x);
}
static float sqrt_ours(float x)
{
    return pare_sqrtf(x);
}

static long double sigmoidl(long double x)
{
    return 1 / (1 + expl(-x));
}
static long double softplusl(long double x)
{
    return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)));
}
static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

typedef struct subject {
    const char *name;
    double      bound; /* in ulp of float */
    float (*ours)(float);
    double (*near)(double); /* quick, good to 2^-28 ulp of float */
    long double (*exact)(long double);
} subject;

static const subject subjects[] = {
    { "exp", 1.00, exp_ours, exp, expl },     { "expm1", 0.51, expm1_ours, expm1, expm1l },
    { "log", 0.51, log_ours, log, logl },     { "sigmoid", 0.51, sigmoid_ours, sigmoid, sigmoidl },
    { "tanh", 0.51, tanh_ours, tanh, tanhl }, { "softplus", 0.51, softplus_ours, softplus, softplusl },
    { "erf", 0.54, erf_ours, erf, erfl },     { "sin", 0.51, sin_ours, sin, sinl },
    { "cos", 0.51, cos_ours, cos, cosl },     { "sqrt", 0.50, sqrt_ours, sqrt, sqrtl },
};
enum { N_SUBJECTS = sizeof(subjects) / sizeof(subjects[0]) };

/* |y - want| in ulp of the float format at `want`; infinity counts as 2^128, where rounding reaches it. */
static double ulps(float y, long double want)
{
    if (isnan(want))
        return pare_bits_of_f32(y) == PARE_NAN_BITS ? 0 : INFINITY;
    if (isnan(y) || (y != 0 && want != 0 && !signbit(y) != !signbit(want)))
        return INFINITY;

    int               exponent;
    const long double size = fabsl(want) > 0x1p128L ? 0x1p128L : fabsl(want);
    const long double got = isinf(y) ? 0x1p128L : fabsl((long double)y);
    frexpl(size, &exponent);
    if (exponent > 128)
        exponent = 128;
    return (double)ldexpl(fabsl(got - size), 24 - (exponent < -125 ? -125 : exponent));
}

/* The same from a double, quickly; infinity where it is not clear, which asks for the above. */
static double quick_ulps(float y, double want)
{
    const double size = fabs(want) < 0x1p-126 ? 0x1p-126 : fabs(want);

    if (pare_bits_of_f32(y) == PARE_NAN_BITS && isnan(want))
        return 0;
    if (isinf(y) && size >= 0x1p128)
        return signbit(want) == signbit((double)y) ? 0 : INFINITY;
    if (!(size < 0x1p127) || !(fabsf(y) < INFINITY) || (double)y * want < 0)
        return INFINITY;
    const double two_to_exponent = pare_f64_of_bits(pare_bits_of_f64(size) & 0x7ff0000000000000u);
    return fabs((double)y - want) * 0x1p23 / two_to_exponent;
}

/* Every `stride`-th float; the long double reference is asked only where the worst case so far may be beaten. */
static void sweep(runner *r, const subject *s, uint64_t first, uint64_t stride)
{
    double worst = 0;
    float  at = 0;

    for (uint64_t i = first; i < (uint64_t)1 << 32; i += stride) {
        const float x = pare_f32_of_bits((uint32_t)i);
        const float y = s->ours(x);
        if (quick_ulps(y, s->near(x)) < worst - 0x1p-16)
            continue;
        const double e = ulps(y, s->exact(x));
        if (e > worst) {
            worst = e;
            at = x;
        }
    }
    CHECK(r, worst <= s->bound, "%s: %.4f ulp at %a (bound %.2f)", s->name, worst, at, s->bound);
    if (getenv("PARE_TEST_VERBOSE"))
        printf("%-8s %.4f ulp at %a\n", s->name, worst, at);
}

static void sampled_bounds(runner *r)
{
    for (int i = 0; i < N_SUBJECTS; i++)
        sweep(r, subjects + i, r->seed % 1031, 1031);
}

/* Where sigmoid is a normal number; below that its float form gives up. */
static void gate_bounds(runner *r)
{
    double worst[2] = { 0, 0 };

    for (uint32_t bits = (uint32_t)(r->seed % 1031); bits < pare_bits_of_f32(87.0f); bits += 1031)
        for (int sign = 0; sign < 2; sign++) {
            const float  x = pare_f32_of_bits(bits | (uint32_t)sign << 31);
            const double e[2] = { ulps(pare_gate_sigmoidf(x), sigmoidl(x)), ulps(pare_gate_tanhf(x), tanhl(x)) };
            for (int i = 0; i < 2; i++)
                worst[i] = e[i] > worst[i] ? e[i] : worst[i];
        }
    CHECK(r, worst[0] <= 2.5 && worst[1] <= 2.5, "sigmoid: %.3f ulp, tanh: %.3f ulp", worst[0], worst[1]);
    CHECK(r, pare_gate_sigmoidf(-INFINITY) == 0 && pare_gate_sigmoidf(INFINITY) == 1, "sigmoid of infinities");
    CHECK(r, pare_gate_tanhf(-INFINITY) == -1 && pare_gate_tanhf(1e30f) == 1, "tanh of large numbers");
    CHECK(r, pare_bits_of_f32(pare_gate_tanhf(-0.0f)) == 0x80000000u, "tanh of -0");
    CHECK(r, pare_bits_of_f32(pare_gate_tanhf(NAN)) == PARE_NAN_BITS, "tanh of NaN");
    CHECK(r, pare_bits_of_f32(pare_gate_sigmoidf(NAN)) == PARE_NAN_BITS, "sigmoid of NaN");
}

/* The error of GELU is one of the sum 1 + erf: absolute, in proportion to x. */
static void gelu_bound(runner *r)
{
    long double worst = 0;

    for (uint32_t bits = (uint32_t)(r->seed % 1031); bits < 0x7f800000u; bits += 1031)
        for (int sign = 0; sign < 2; sign++) {
            const float       x = pare_f32_of_bits(bits | (uint32_t)sign << 31);
            const long double want = x * 0.5L * erfcl(-x * 0.70710678118654752440L);
            const long double error = fabsl(pare_geluf(x) - want) / fmaxl(fabsl(x), 0.125L);
            worst = error > worst ? error : worst;
        }
    CHECK(r, worst <= 0x1p-22L, "gelu is wrong by up to %Lg of max(|x|, 1/8)", worst);
}

static void exhaustive_bounds(runner *r)
{
    for (int i = 0; i < N_SUBJECTS; i++)
        sweep(r, subjects + i, 0, 1);
}

/* Values where rules change, and their neighbours. */
static const float edges[] = {
    0.0f,
    -0.0f,
    0x1p-149f,
    -0x1p-149f,
    0x1.fffffcp-127f,
    0x1p-126f,
    -0x1p-126f,
    0x1p-24f,
    0.25f,
    1.0f / 3.0f,
    0.5f,
    -0.5f,
    0x1.fffffep-1f,
    1.0f,
    -1.0f,
    0x1.000002p+0f,
    -0x1.000002p+0f,
    1.5f,
    -1.5f,
    2.0f,
    -2.0f,
    2.5f,
    3.0f,
    -3.0f,
    88.72283f,
    88.72284f,
    -103.97f,
    -104.0f,
    127.0f,
    -149.0f,
    -150.0f,
    0x1.fffffep+22f,
    0x1p23f,
    0x1.000002p+23f,
    -0x1.000002p+23f,
    0x1.fffffep+23f,
    0x1p24f,
    0x1p31f,
    -0x1p31f,
    0x1.fffffep+127f,
    -0x1.fffffep+127f,
    INFINITY,
    -INFINITY,
    NAN,
};
enum { N_EDGES = sizeof(edges) / sizeof(edges[0]) };

static void pow_is_right(runner *r, float x, float y)
{
    const double e = ulps(pare_powf(x, y), powl(x, y));
    CHECK(r, e <= 0.51, "pow(%a, %a) = %a, want %La: %.4f ulp", x, y, pare_powf(x, y), powl(x, y), e);
}

/* All pairs of edges, random pairs of bits (mostly 0, inf or NaN), and pairs whose power is an ordinary number. */
static void pow_bounds(runner *r)
{
    uint64_t state = r->seed;

    for (int i = 0; i < N_EDGES; i++)
        for (int j = 0; j < N_EDGES; j++)
            pow_is_right(r, edges[i], edges[j]);
    for (int i = 0; i < 1000000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const float x = pare_f32_of_bits((uint32_t)(state >> 32));
        const float y = pare_f32_of_bits((uint32_t)(state >> 11));
        const float z = 150.0f * ((float)(int32_t)(uint32_t)(state >> 13) * 0x1p-31f);
        pow_is_right(r, x, y);
        if (isfinite(x) && x != 0)
            pow_is_right(r, fabsf(x), z / log2f(fabsf(x)));
        pow_is_right(r, 1.0f + x * 0x1p-24f / (1.0f + fabsf(x)), z * 0x1p17f);
        pow_is_right(r, x, (float)(i % 41 - 20) * 0.5f);
    }
}

/* The exact functions against libm's, which are exact too. */
static void rounding_functions(runner *r)
{
    for (uint64_t i = r->seed % 257; i < (uint64_t)1 << 32; i += 257) {
        const float x = pare_f32_of_bits((uint32_t)i);
        if (isnan(x))
            continue;
        const bool same = pare_bits_of_f32(pare_rintf(x)) == pare_bits_of_f32(rintf(x)) &&
                          pare_bits_of_f32(pare_floorf(x)) == pare_bits_of_f32(floorf(x)) &&
                          pare_bits_of_f32(pare_ceilf(x)) == pare_bits_of_f32(ceilf(x)) &&
                          pare_bits_of_f32(pare_truncf(x)) == pare_bits_of_f32(truncf(x));
        if (!same)
            CHECK(r, same, "rounding %a: %a %a %a %a", x, pare_rintf(x), pare_floorf(x), pare_ceilf(x), pare_truncf(x));
    }
    CHECK(r, pare_rintf(0.5f) == 0 && pare_rintf(1.5f) == 2 && pare_rintf(2.5f) == 2, "half to even");
}

/* What a bound in ulp does not say: signs of zero, and which results are exact. */
static void special_values(runner *r)
{
    for (int i = 0; i < N_SUBJECTS; i++) {
        for (int j = 0; j < N_EDGES; j++) {
            const float  x = edges[j];
            const float  y = subjects[i].ours(x);
            const double e = ulps(y, subjects[i].exact(x));
            CHECK(r, e <= subjects[i].bound, "%s(%a) = %a: %.4f ulp", subjects[i].name, x, y, e);
        }
        const float y = subjects[i].ours(-0.0f);
        CHECK(r, y != 0 || signbit(y), "%s(-0) = %a", subjects[i].name, y);
    }
    CHECK(r, pare_expf(0.0f) == 1.0f && pare_expf(-INFINITY) == 0.0f && pare_expf(INFINITY) == INFINITY, "exp");
    CHECK(r, pare_expf(89.0f) == INFINITY && pare_expf(-104.0f) == 0.0f && pare_expf(-103.9f) > 0.0f, "exp ends");
    CHECK(r, pare_logf(1.0f) == 0.0f && pare_logf(0.0f) == -INFINITY && pare_logf(-0.0f) == -INFINITY, "log");
    CHECK(r, pare_tanhf(INFINITY) == 1.0f && pare_tanhf(-20.0f) == -1.0f && pare_erff(-INFINITY) == -1.0f, "ends");
    CHECK(r, pare_sigmoidf(0.0f) == 0.5f && pare_sigmoidf(-INFINITY) == 0.0f && pare_sigmoidf(17.5f) == 1.0f,
          "sigmoid");
    CHECK(r, pare_clampf(NAN, 0, 1) != pare_clampf(NAN, 0, 1) && signbit(pare_clampf(-0.0f, 0, 6)), "clamp");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "sampled_bounds", sampled_bounds },
        { "gelu_bound", gelu_bound },
        { "gate_bounds", gate_bounds },
        { "pow_bounds", pow_bounds },
        { "rounding_functions", rounding_functions },
        { "special_values", special_values },
        { "exhaustive_bounds", exhaustive_bounds },
    };
    const int slow = argc > 1 && strncmp(argv[1], "--only=exhaustive", 17) == 0;
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])) - !slow);
}
