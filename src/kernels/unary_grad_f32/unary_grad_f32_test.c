/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_f32_test.c - every version of every function gives the bits of the reference, and the slopes are slopes */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/rng.h"
#include "kernels/unary_grad_f32/unary_grad_f32.h"
#include "runner.h"

static const float params[][2] = {
    { 0.2f, 0.5f }, { 1.6732632f, 1.0507010f }, { -1.5f, 6.0f }, { 0.0f, INFINITY }, { NAN, 1.0f }
};
enum { N_PARAMS = sizeof(params) / sizeof(params[0]), N_SPECIAL = 1 << 13 };

/* A sample of all bit patterns; every 16th value is near one where a rule changes. */
static float value(uint32_t i, pare_rng *rng)
{
    static const uint32_t edges[16] = {
        0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234,
        0x7f7fffff, 0x00800000, 0x40400000, 0xc0400000, 0x42b17218, 0xc2cff1b5, 0x4b000000, 1,
    };
    const uint32_t bits = (uint32_t)pare_rng_u64(rng);

    if (i % 16 == 0)
        return pare_f32_of_bits(edges[i / 16 % 16] + bits % 5 - 2);
    return pare_f32_of_bits(i % 2 ? bits : 0x3c000000 + (bits & 0x87ffffff));
}

static void compare(runner *r, const pare_unary_grad_f32_kernel *kernel, int f, long n, const float *param)
{
    const size_t size = (size_t)n * sizeof(float);
    pare_rng     rng = pare_rng_seed(r->seed + (uint64_t)n);
    float *const dy = runner_guarded(size, sizeof(float)), *const of = runner_guarded(size, sizeof(float));
    float *const dx = runner_guarded(size, sizeof(float)), *const want = malloc(size + 1);
    long i = 0;

    for (long k = 0; k < n; k++) {
        dy[k] = value((uint32_t)(3 * k + 1), &rng);
        of[k] = value((uint32_t)k, &rng);
    }
    pare_unary_grad_f32_ref((pare_unary_grad_f32)f, n, dy, of, want, param);
    kernel->rows[f](n, dy, of, dx, param);
    while (i < n && memcmp(want + i, dx + i, sizeof(float)) == 0)
        i++;
    CHECK(r, i == n, "%s %s n=%ld a=%a b=%a: g(%a, %a) [%ld]: want %a, got %a", kernel->name,
          pare_unary_grad_f32_name((pare_unary_grad_f32)f), n, (double)param[0], (double)param[1],
          i < n ? (double)dy[i] : 0, i < n ? (double)of[i] : 0, i, i < n ? (double)want[i] : 0,
          i < n ? (double)dx[i] : 0);
    kernel->rows[f](n, dy, of, dy, param);
    CHECK(r, n == 0 || memcmp(want, dy, size) == 0, "%s %s n=%ld: over dy", kernel->name,
          pare_unary_grad_f32_name((pare_unary_grad_f32)f), n);
    runner_guarded_free(dy, size, sizeof(float));
    runner_guarded_free(of, size, sizeof(float));
    runner_guarded_free(dx, size, sizeof(float));
    free(want);
}

static void versions_are_equal(runner *r)
{
    const pare_unary_grad_f32_kernel *kernels[8];
    const int                         n = pare_unary_grad_f32_candidates(pare_cpu_features(), kernels, 8);

    CHECK(r, n > 0 && kernels[n - 1]->isa == 0, "no version that needs nothing");
    for (int k = 0; k < n; k++)
        for (int f = 0; f < PARE_UNARY_GRAD_F32_COUNT; f++)
            for (int p = 0; p < N_PARAMS; p++) {
                compare(r, kernels[k], f, N_SPECIAL, params[p]);
                for (long length = 0; length <= 50; length += length < 34 ? 1 : 9)
                    compare(r, kernels[k], f, length, params[p]);
            }
}

static float slope(pare_unary_grad_f32 f, float dy, float of, float a, float b)
{
    float dx;

    pare_unary_grad_f32_ref(f, 1, &dy, &of, &dx, (const float[]){ a, b });
    return dx;
}

/* That the formulas are the slopes they are named after, at points worked out by hand. */
static void formulas(runner *r)
{
    CHECK(r, slope(PARE_UNARY_GRAD_F32_relu, 3, 0, 0, 0) == 0 && slope(PARE_UNARY_GRAD_F32_relu, 3, 0.1f, 0, 0) == 3,
          "relu");
    CHECK(r, slope(PARE_UNARY_GRAD_F32_sigmoid, 4, 0.5f, 0, 0) == 1, "sigmoid");
    CHECK(r, slope(PARE_UNARY_GRAD_F32_tanh, 4, 0.5f, 0, 0) == 3, "tanh");
    CHECK(r, slope(PARE_UNARY_GRAD_F32_gelu, 2, 0, 0, 0) == 1, "gelu");
    CHECK(r, slope(PARE_UNARY_GRAD_F32_hard_swish, 2, 3, 0, 0) == 2, "hard_swish");
    CHECK(r, slope(PARE_UNARY_GRAD_F32_leaky_relu, 2, -1, 0.25f, 0) == 0.5f, "leaky_relu");
    CHECK(r, slope(PARE_UNARY_GRAD_F32_clamp, 2, 1, 0, 1) == 0 && slope(PARE_UNARY_GRAD_F32_clamp, 2, 0.5f, 0, 1) == 2,
          "clamp");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = { { "versions_are_equal", versions_are_equal }, { "formulas", formulas } };

    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
