/* SPDX-License-Identifier: Apache-2.0 */
/* unary_f32_test.c - every version of every function gives the bits of the reference */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/rng.h"
#include "kernels/unary_f32/unary_f32.h"
#include "runner.h"

/* Parameters for the functions that have some: ordinary ones, then ones that overflow, vanish or are not numbers. */
static const float params[][2] = {
    { 0.2f, 0.5f },      { 1.6732632f, 1.0507010f }, { -1.5f, 6.0f },
    { 3.0f, -INFINITY }, { 0.0f, 0x1.fffffep+127f }, { NAN, 1.0f },
};
enum { N_PARAMS = sizeof(params) / sizeof(params[0]), N_SPECIAL = 1 << 16 };

typedef void case_fn(runner *r, const pare_unary_f32_kernel *kernel, pare_unary_f32 f, const float *param);

static void compare(runner *r, const pare_unary_f32_kernel *kernel, pare_unary_f32 f, long n, const float *x,
                    const float *y, const float *param)
{
    float *const want = malloc((size_t)n * sizeof(float) + 1);
    long         i = 0;

    pare_unary_f32_ref(f, n, x, want, param);
    while (i < n && memcmp(want + i, y + i, sizeof(float)) == 0)
        i++;
    CHECK(r, i == n, "%s %s n=%ld a=%a b=%a: f(%a) [%ld]: want %a, got %a", kernel->name, pare_unary_f32_name(f), n,
          param[0], param[1], i < n ? x[i] : 0, i, i < n ? want[i] : 0, i < n ? y[i] : 0);
    free(want);
}

static void every(runner *r, case_fn *run)
{
    const pare_unary_f32_kernel *kernels[8];
    const int                    n = pare_unary_f32_candidates(pare_cpu_features(), kernels, 8);

    CHECK(r, n > 0 && kernels[n - 1]->isa == 0, "no version that needs nothing");
    for (int k = 0; k < n; k++)
        for (int f = 0; f < PARE_UNARY_F32_COUNT; f++)
            for (int p = 0; p < (pare_unary_f32_params((pare_unary_f32)f) ? N_PARAMS : 1); p++)
                run(r, kernels[k], (pare_unary_f32)f, params[p]);
}

/* A sample of all bit patterns; every 16th value is near one where a rule changes. */
static float value(uint32_t i, pare_rng *rng)
{
    static const uint32_t edges[16] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234,
        0x7f7fffff, 0x00800000, 0x49800000, 0xc9800000, 0x42b17218, 0xc2cff1b5, 0x4b000000, 1,
    };
    const uint32_t bits = (uint32_t)pare_rng_u64(rng);

    if (i % 16 == 0)
        return pare_f32_of_bits(edges[i / 16 % 16] + bits % 5 - 2);
    return pare_f32_of_bits(i % 2 ? bits : 0x3c000000 + (bits & 0x87ffffff));
}

static void one_sample(runner *r, const pare_unary_f32_kernel *kernel, pare_unary_f32 f, const float *param)
{
    pare_rng     rng = pare_rng_seed(r->seed);
    float *const x = malloc(N_SPECIAL * sizeof(float));
    float *const y = malloc(N_SPECIAL * sizeof(float));

    for (uint32_t i = 0; i < N_SPECIAL; i++)
        x[i] = value(i, &rng);
    kernel->rows[f](N_SPECIAL, x, y, param);
    compare(r, kernel, f, N_SPECIAL, x, y, param);
    free(x);
    free(y);
}

/* Lengths around the vectors, between guard pages, once beside x and once over it. */
static void one_length(runner *r, const pare_unary_f32_kernel *kernel, pare_unary_f32 f, const float *param)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);

    for (long n = 0; n <= 70; n += n < 34 ? 1 : 9) {
        const size_t size = (size_t)n * sizeof(float);
        float *const x = runner_guarded(size, sizeof(float));
        float *const y = runner_guarded(size, sizeof(float));
        for (long i = 0; i < n; i++)
            x[i] = value((uint32_t)(i * 17 + n), &rng);
        kernel->rows[f](n, x, y, param);
        compare(r, kernel, f, n, x, y, param);
        memcpy(y, x, size);
        kernel->rows[f](n, y, y, param);
        compare(r, kernel, f, n, x, y, param);
        runner_guarded_free(x, size, sizeof(float));
        runner_guarded_free(y, size, sizeof(float));
    }
}

static void samples_equal(runner *r)
{
    every(r, one_sample);
}

static void lengths_equal(runner *r)
{
    every(r, one_length);
}

static float of(const char *name, float x, const float *param)
{
    const int f = pare_unary_f32_find(name);
    float     y = NAN;

    if (f >= 0)
        pare_unary_f32_row((pare_unary_f32)f, pare_cpu_features())(1, &x, &y, param);
    return y;
}

/* That the formulas are the functions they are named after, at points worked out by hand. */
static void formulas(runner *r)
{
    CHECK(r, of("relu", -3.0f, NULL) == 0 && of("relu", 3.0f, NULL) == 3 && isnan(of("relu", NAN, NULL)), "relu");
    CHECK(r, of("sign", -0.5f, NULL) == -1 && of("sign", 0.0f, NULL) == 0 && of("sign", 7.0f, NULL) == 1, "sign");
    CHECK(r, of("leaky_relu", -2.0f, params[0]) == -0.4f && of("leaky_relu", 2.0f, params[0]) == 2, "leaky_relu");
    CHECK(r, of("clip", 9.0f, params[2]) == 6 && of("clip", -9.0f, params[2]) == -1.5f, "clip");
    CHECK(r, of("elu", -1.0f, params[0]) == 0.2f * pare_expm1f(-1.0f) && of("elu", 1.0f, params[0]) == 1, "elu");
    CHECK(r, of("selu", 1.0f, params[1]) == 1.0507010f, "selu");
    CHECK(r, of("hard_sigmoid", 1.0f, params[0]) == 0.7f && of("hard_sigmoid", 9.0f, params[0]) == 1, "hard_sigmoid");
    CHECK(r, of("hard_swish", 3.0f, NULL) == 3 && of("hard_swish", -3.0f, NULL) == 0, "hard_swish");
    CHECK(r, fabsf(of("gelu", 1.0f, NULL) - 0.8413447f) < 1e-6f && of("gelu", 0.0f, NULL) == 0, "gelu");
    CHECK(r, fabsf(of("gelu_tanh", 1.0f, NULL) - 0.8411920f) < 1e-6f, "gelu_tanh");
    CHECK(r, fabsf(of("silu", 1.0f, NULL) - 0.7310586f) < 1e-6f, "silu");
    CHECK(r, fabsf(of("mish", 1.0f, NULL) - 0.8650984f) < 1e-6f, "mish");
    CHECK(r, of("softsign", -3.0f, NULL) == -0.75f && of("pow", 3.0f, params[3]) == 27, "softsign, pow");
    CHECK(r, of("thresholded_relu", 2.0f, params[3]) == 0 && of("thresholded_relu", 4.0f, params[3]) == 4, "threshold");
    CHECK(r, of("rsqrt", 4.0f, NULL) == 0.5f && of("reciprocal", -0.0f, NULL) == -INFINITY, "rsqrt, reciprocal");
    CHECK(r, fabsf(of("sin", 3e6f, NULL) - sinf(3e6f)) < 1e-6f && of("cos", 0.0f, NULL) == 1, "sin, cos");
    CHECK(r, pare_unary_f32_find("no such function") == -1, "find");
}

/*
 * All bits of all functions over a fixed sample (FNV-1a), the same on x86-64 and AArch64, from gcc and clang. A formula
 * that changes changes it; anything else must not.
 */
static void same_on_every_machine(runner *r)
{
    const uint64_t want = 0x1a805120cc333bcau;
    pare_rng       rng = pare_rng_seed(1);
    uint64_t       hash = 0xcbf29ce484222325u;

    for (uint32_t i = 0; i < 4096; i++) {
        const float x = value(i, &rng);
        for (int f = 0; f < PARE_UNARY_F32_COUNT; f++) {
            float y;
            pare_unary_f32_row((pare_unary_f32)f, pare_cpu_features())(1, &x, &y, params[1]);
            hash = (hash ^ pare_bits_of_f32(y)) * 0x100000001b3u;
        }
    }
    CHECK(r, hash == want, "hash of all results: want 0x%016llx, got 0x%016llx", (unsigned long long)want,
          (unsigned long long)hash);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "samples_equal", samples_equal },
        { "lengths_equal", lengths_equal },
        { "formulas", formulas },
        { "same_on_every_machine", same_on_every_machine },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
