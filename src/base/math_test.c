/* SPDX-License-Identifier: Apache-2.0 */
/* math_test.c - the error bounds that base/math.h states, against long double, and the special cases */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/math_pow.h"
#include "base/math_trig.h"
#include "runner.h"

static float exp_ours(float x) { return pare_expf(x); }
static float log_ours(float x) { return pare_logf(x); }
static float sigmoid_ours(float x) { return pare_sigmoidf(x); }
static float tanh_ours(float x) { return pare_tanhf(x); }
static float softplus_ours(float x) { return pare_softplusf(x); }
static float erf_ours(float x) { return pare_erff(x); }
static float sin_ours(float x) { return pare_sinf(x); }
static float cos_ours(float x) { return pare_cosf(x); }
static float sqrt_ours(float x) { return pare_sqrtf(x); }

static long double sigmoidl(long double x) { return 1 / (1 + expl(-x)); }
static long double softplusl(long double x) { return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x))); }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

typedef struct subject {
    const char *name;
    double      bound; /* in ulp of float */
    float       (*ours)(float);
    double      (*near)(double); /* quick, good to 2^-28 ulp of float */
    long double (*exact)(long double);
} subject;

static const subject subjects[] = {
    { "exp",      1.00, exp_ours,      exp,      expl },
    { "log",      0.51, log_ours,      log,      logl },
    { "sigmoid",  0.51, sigmoid_ours,  sigmoid,  sigmoidl },
    { "tanh",     0.51, tanh_ours,     tanh,     tanhl },
    { "softplus", 0.51, softplus_ours, softplus, softplusl },
    { "erf",      0.54, erf_ours,      erf,      erfl },
    { "sin",      0.51, sin_ours,      sin,      sinl },
    { "cos",      0.51, cos_ours,      cos,      cosl },
    { "sqrt",     0.50, sqrt_ours,     sqrt,     sqrtl },
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
    const long double got  = isinf(y) ? 0x1p128L : fabsl((long double)y);
    frexpl(size, &exponent);
    if (exponent > 128)
        exponent = 128;
    return (double)ldexpl(fabsl(got - size), 24 - (exponent < -125 ? -125 : exponent));
}

/* Every `stride`-th float; the long double reference is asked only where the worst case so far may be beaten. */
static void sweep(runner *r, const subject *s, uint64_t first, uint64_t stride)
{
    double worst = 0;
    float  at    = 0;

    for (uint64_t i = first; i < (uint64_t)1 << 32; i += stride) {
        const float x = pare_f32_of_bits((uint32_t)i);
        const float y = s->ours(x);
        if (ulps(y, s->near(x)) < worst - 0x1p-16)
            continue;
        const double e = ulps(y, s->exact(x));
        if (e > worst) {
            worst = e;
            at    = x;
        }
    }
    CHECK(r, worst <= s->bound, "%s: %.4f ulp at %a (bound %.2f)", s->name, worst, at, s->bound);
    if (getenv("PARE_TEST_VERBOSE"))
        printf("%-8s %.4f ulp at %a\n", s->name, worst, at);
}

static void sampled_bounds(runner *r)
{
    for (int i = 0; i < N_SUBJECTS; i++)
        sweep(r, subjects + i, r->seed % 4099, 4099);
}

static void exhaustive_bounds(runner *r)
{
    for (int i = 0; i < N_SUBJECTS; i++)
        sweep(r, subjects + i, 0, 1);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "sampled_bounds", sampled_bounds },
        { "exhaustive_bounds", exhaustive_bounds },
    };
    const int slow = argc > 1 && strncmp(argv[1], "--only=exhaustive", 17) == 0;
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])) - !slow);
}
