/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_f32_test.c - every version of gemm_f32 against the reference: shapes, packing, parts, extremes, guard pages */
#include "kernels/gemm_f32/gemm_f32.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <runner.h>

#include "base/rng.h"

enum { MAX_KERNELS = 8, MAX_MACS = 300000 };

static const int part_counts[] = { 1, 2, 3, 7 };

/* What varies besides the sizes. */
typedef struct variant {
    bool transposed; /* B is [n][k]                          */
    bool bias;       /* init is one row                      */
    bool init;       /* init is a matrix                     */
    bool in_place;   /* ... and y is the same memory         */
    bool add;
    bool clamp;
    bool extremes;
    int  gap; /* floats between rows of a, add and y  */
} variant;

static float *guarded(pare_rng *rng, size_t n, bool extremes)
{
    static const float odd[] = { 0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 1e-40f, 1.0f, 16777216.0f };
    float             *dst = runner_guarded(n * sizeof(float), 4);

    for (size_t i = 0; i < n; i++)
        dst[i] = extremes && pare_rng_below(rng, 16) == 0 ? odd[pare_rng_below(rng, 10)] : pare_rng_uniform(rng, -1, 1);
    return dst;
}

static size_t matrix_size(int rows, int columns, ptrdiff_t stride)
{
    return (size_t)((rows - 1) * stride + columns);
}

/* Equal bits, or NaN in both. Returns the first difference, or -1. */
static long difference(const float *want, const float *got, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&want[i], &got[i], sizeof(float)) && !(isnan(want[i]) && isnan(got[i])))
            return (long)i;
    return -1;
}

/* One version, packed and run in every number of parts; `start` is what y holds before. */
static void check_version(runner *r, const pare_gemm_f32_kernel *kernel, pare_gemm_f32_args g, const pare_gemm_f32_b *b,
                          const float *start, const float *want)
{
    const size_t y_size = matrix_size(g.m, g.n, g.y_row);
    const size_t bytes = pare_gemm_f32_packed_size(kernel, g.n, g.k) * sizeof(float);
    const bool   on_y = g.init == g.y;

    for (size_t p = 0; p < sizeof(part_counts) / sizeof(part_counts[0]); p++) {
        float *packed = runner_guarded(bytes, 4);
        float *got = runner_guarded(y_size * sizeof(float), 4);

        memcpy(got, start, y_size * sizeof(float));
        g.y = got;
        if (on_y)
            g.init = got;
        for (int part = part_counts[p] - 1; part >= 0; part--)
            pare_gemm_f32_pack(kernel, b, packed, part, part_counts[p]);
        for (int part = part_counts[p] - 1; part >= 0; part--)
            pare_gemm_f32_run(kernel, &g, packed, part, part_counts[p]);
        const long at = difference(want, got, y_size);

        CHECK(r, at < 0, "%s m=%d n=%d k=%d y_row=%td parts=%d: y[%ld] want %a, got %a", kernel->name, g.m, g.n, g.k,
              g.y_row, part_counts[p], at, at < 0 ? 0.0 : (double)want[at], at < 0 ? 0.0 : (double)got[at]);
        runner_guarded_free(packed, bytes, 4);
        runner_guarded_free(got, y_size * sizeof(float), 4);
    }
}

static void check_shape(runner *r, pare_rng *rng, const int mnk[3], variant v)
{
    const pare_gemm_f32_kernel *kernels[MAX_KERNELS];
    const int                   m = mnk[0], n = mnk[1], k = mnk[2];
    const size_t                a_size = matrix_size(m, k, k + v.gap), y_size = matrix_size(m, n, n + v.gap);
    float                      *a = guarded(rng, a_size, v.extremes);
    float                      *b = guarded(rng, (size_t)n * (size_t)k, v.extremes);
    float                      *init = guarded(rng, y_size, v.extremes);
    float                      *add = guarded(rng, y_size, v.extremes);
    float                      *start = guarded(rng, y_size, v.extremes);
    float                      *want = runner_guarded(y_size * sizeof(float), 4);
    const pare_gemm_f32_b       packed = { b, v.transposed ? 1 : n, v.transposed ? k : 1, k, n };
    const pare_gemm_f32_args    g = {
           .m = m,
           .n = n,
           .k = k,
           .a = a,
           .a_row = k + v.gap,
           .init = v.in_place         ? want
                   : v.init || v.bias ? init
                                      : NULL,
           .init_row = v.bias && !v.in_place ? 0 : n + v.gap,
           .add = v.add ? add : NULL,
           .add_row = n + v.gap,
           .y = want,
           .y_row = n + v.gap,
           .lo = v.clamp ? -0.5f : -INFINITY,
           .hi = v.clamp ? 0.25f : INFINITY,
    };
    const int n_kernels = pare_gemm_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);

    memcpy(want, start, y_size * sizeof(float));
    pare_gemm_f32_ref(&g, &packed);
    CHECK(r, n_kernels > 0, "no version at all");
    for (int i = 0; i < n_kernels; i++)
        check_version(r, kernels[i], g, &packed, start, want);
    runner_guarded_free(a, a_size * sizeof(float), 4);
    runner_guarded_free(b, (size_t)n * (size_t)k * sizeof(float), 4);
    runner_guarded_free(init, y_size * sizeof(float), 4);
    runner_guarded_free(add, y_size * sizeof(float), 4);
    runner_guarded_free(start, y_size * sizeof(float), 4);
    runner_guarded_free(want, y_size * sizeof(float), 4);
}

static variant random_variant(pare_rng *rng)
{
    const uint64_t bits = pare_rng_u64(rng);

    return (variant){ .transposed = bits & 1,
                      .bias = bits & 2,
                      .init = bits & 4,
                      .in_place = (bits & 24) == 24,
                      .add = bits & 32,
                      .clamp = bits & 64,
                      .gap = bits & 128 ? (int)(bits >> 8 & 15) : 0 };
}

static void random_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);

    for (int i = 0; i < 200;) {
        const int mnk[3] = { 1 + (int)pare_rng_below(&rng, 70), 1 + (int)pare_rng_below(&rng, 150),
                             1 + (int)pare_rng_below(&rng, 90) };

        if ((long)mnk[0] * mnk[1] * mnk[2] > MAX_MACS)
            continue;
        check_shape(r, &rng, mnk, random_variant(&rng));
        i++;
    }
}

static void extreme_values(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);

    for (int i = 0; i < 60; i++) {
        const int mnk[3] = { 1 + (int)pare_rng_below(&rng, 20), 1 + (int)pare_rng_below(&rng, 70),
                             1 + (int)pare_rng_below(&rng, 20) };
        variant   v = random_variant(&rng);

        v.extremes = true;
        check_shape(r, &rng, mnk, v);
    }
}

/* Matrix times vector: every width around the panels and their groups of four. */
static void single_row(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 2);

    for (int n = 1; n <= 300; n += n < 140 ? 1 : 17)
        check_shape(r, &rng, (int[3]){ 1, n, 1 + n % 9 }, random_variant(&rng));
}

/* Strips: so many rows or such a long k that A does not go through in one strip. */
static void tall_and_long(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 3);

    check_shape(r, &rng, (int[3]){ 700, 9, 100 }, (variant){ .bias = true });
    check_shape(r, &rng, (int[3]){ 31, 40, 5000 }, (variant){ .transposed = true });
    check_shape(r, &rng, (int[3]){ 40000, 2, 1 }, (variant){ .add = true });
}

/* The chain over no k is its start; products without rows or columns touch nothing. */
static void empty(runner *r)
{
    const pare_gemm_f32_kernel *kernels[MAX_KERNELS];
    const int                   n_kernels = pare_gemm_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);

    for (int i = 0; i < n_kernels; i++)
        for (int m = 0; m <= 2; m++)
            for (int n = 0; n <= 2; n++) {
                float       y[6] = { 7, 7, 7, 7, 7, 7 };
                const float bias[2] = { 1, 2 };

                pare_gemm_f32_run(
                    kernels[i],
                    &(pare_gemm_f32_args){
                        .m = m, .n = n, .a = y, .init = bias, .y = y, .y_row = 3, .lo = -INFINITY, .hi = INFINITY },
                    bias, 0, 1);
                for (int j = 0; j < 6; j++) {
                    const float want = j / 3 < m && j % 3 < n ? bias[j % 3] : 7;

                    CHECK(r, y[j] == want, "%s m=%d n=%d y[%d] want %g, got %g", kernels[i]->name, m, n, j,
                          (double)want, (double)y[j]);
                }
            }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },
        { "extreme_values", extreme_values },
        { "single_row", single_row },
        { "tall_and_long", tall_and_long },
        { "empty", empty },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
