/* SPDX-License-Identifier: Apache-2.0 */
/* pool_f32_test.c - every version of pool_f32 against the references: clipping, divisors, lanes, parts, extremes */
#include "kernels/pool_f32/pool_f32.h"

#include <math.h>
#include <string.h>

#include <runner.h>

#include "base/rng.h"

enum { MAX_KERNELS = 8, SLACK = 15 };

static const int part_counts[] = { 1, 2, 3, 7 };

typedef void run_fn(const pare_pool_f32_kernel *, const pare_pool_f32_desc *, const float *, float *, int, int);
typedef void ref_fn(const pare_pool_f32_desc *, const float *, float *);

static const struct kind {
    const char *name;
    run_fn     *run;
    ref_fn     *ref;
} kinds[] = {
    { "max", pare_pool_f32_max, pare_pool_f32_max_ref },
    { "average", pare_pool_f32_average, pare_pool_f32_average_ref },
    { "global", pare_pool_f32_global, pare_pool_f32_global_ref },
};
enum { MAX, AVERAGE, GLOBAL };

static int between(pare_rng *rng, int lo, int hi)
{
    return lo + (int)pare_rng_below(rng, (uint32_t)(hi - lo + 1));
}

static void fill(pare_rng *rng, float *dst, size_t n, bool extremes)
{
    static const float odd[] = { 0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 1e-40f };

    for (size_t i = 0; i < n; i++)
        dst[i] = extremes && !pare_rng_below(rng, 4) ? odd[pare_rng_below(rng, 8)] : pare_rng_uniform(rng, -1, 1);
}

/* Equal bits, or NaN in both. Returns the first difference, or -1. */
static long difference(const float *want, const float *got, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&want[i], &got[i], sizeof(float)) && !(isnan(want[i]) && isnan(got[i])))
            return (long)i;
    return -1;
}

/* Random strides, dense or with gaps; then every version in every number of parts. All of y's memory is compared. */
static void check_case(runner *r, pare_rng *rng, const struct kind *kind, pare_pool_f32_desc d, bool extremes)
{
    const pare_pool_f32_kernel *kernels[MAX_KERNELS];
    const bool                  gaps = pare_rng_below(rng, 2);

    d.x_pixel = gaps ? d.c + between(rng, 0, 20) : d.c;
    d.x_row = d.w * d.x_pixel + (gaps ? between(rng, 0, 20) : 0);
    d.x_image = d.h * d.x_row + (gaps ? between(rng, 0, 20) : 0);
    d.y_pixel = gaps ? d.c + between(rng, 0, 20) : d.c;
    d.y_row = d.ow * d.y_pixel + (gaps ? between(rng, 0, 20) : 0);
    d.y_image = d.oh * d.y_row + (gaps ? between(rng, 0, 20) : 0);
    const size_t x_size = (size_t)((d.n - 1) * d.x_image + (d.h - 1) * d.x_row + (d.w - 1) * d.x_pixel + d.c) + SLACK;
    const size_t y_size = (size_t)((d.n - 1) * d.y_image + (d.oh - 1) * d.y_row + (d.ow - 1) * d.y_pixel + d.c);
    float       *x = runner_guarded(x_size * sizeof(float), 4);
    float       *want = runner_guarded(y_size * sizeof(float), 4);
    float       *got = runner_guarded(y_size * sizeof(float), 4);
    const int    n = pare_pool_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);

    fill(rng, x, x_size, extremes);
    memset(want, 0xA5, y_size * sizeof(float));
    kind->ref(&d, x, want);
    CHECK(r, n > 0, "no version at all");
    for (int i = 0; i < n; i++)
        for (size_t p = 0; p < sizeof(part_counts) / sizeof(part_counts[0]); p++) {
            memset(got, 0xA5, y_size * sizeof(float));
            for (int part = part_counts[p] - 1; part >= 0; part--)
                kind->run(kernels[i], &d, x, got, part, part_counts[p]);
            const long at = difference(want, got, y_size);

            CHECK(r, at < 0,
                  "%s %s n=%d %dx%d -> %dx%d c=%d k=%dx%d stride=%dx%d pad=%d,%d,%d,%d count_pad=%d "
                  "parts=%d: y[%ld] want %a, got %a",
                  kernels[i]->name, kind->name, d.n, d.h, d.w, d.oh, d.ow, d.c, d.kh, d.kw, d.stride_h, d.stride_w,
                  d.pad_top, d.pad_left, d.pad_bottom, d.pad_right, d.count_pad, part_counts[p], at,
                  at < 0 ? 0.0 : (double)want[at], at < 0 ? 0.0 : (double)got[at]);
        }
    runner_guarded_free(x, x_size * sizeof(float), 4);
    runner_guarded_free(want, y_size * sizeof(float), 4);
    runner_guarded_free(got, y_size * sizeof(float), 4);
}

/* Windows of a padded image, with the last one hanging over its edge (ceil_mode) half of the time. */
static int outputs(pare_rng *rng, int size, int window, int stride, int pads)
{
    const int floor_mode = (size + pads - window) / stride + 1;
    const int hangs_over = (size + pads - window) % stride && floor_mode * stride < size;

    return floor_mode + (hangs_over && pare_rng_below(rng, 2));
}

static pare_pool_f32_desc random_desc(pare_rng *rng, bool dilated)
{
    pare_pool_f32_desc d = {
        .n = between(rng, 1, 3),
        .h = between(rng, 1, 15),
        .w = between(rng, 1, 15),
        .c = between(rng, 1, 70),
        .stride_h = between(rng, 1, 3),
        .stride_w = between(rng, 1, 3),
        .dilation_h = dilated ? between(rng, 1, 3) : 1,
        .dilation_w = dilated ? between(rng, 1, 2) : 1,
        .count_pad = pare_rng_below(rng, 2),
    };

    do {
        d.kh = between(rng, 1, 5);
        d.kw = between(rng, 1, 5);
        d.pad_top = between(rng, 0, d.kh / 2);
        d.pad_bottom = between(rng, 0, d.kh / 2);
        d.pad_left = between(rng, 0, d.kw / 2);
        d.pad_right = between(rng, 0, d.kw / 2);
    } while ((d.kh - 1) * d.dilation_h + 1 > d.h + d.pad_top + d.pad_bottom ||
             (d.kw - 1) * d.dilation_w + 1 > d.w + d.pad_left + d.pad_right);
    d.oh = outputs(rng, d.h, (d.kh - 1) * d.dilation_h + 1, d.stride_h, d.pad_top + d.pad_bottom);
    d.ow = outputs(rng, d.w, (d.kw - 1) * d.dilation_w + 1, d.stride_w, d.pad_left + d.pad_right);
    return d;
}

static void max_windows(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);

    for (int i = 0; i < 300; i++)
        check_case(r, &rng, &kinds[MAX], random_desc(&rng, true), i % 3 == 0);
}

static void average_windows(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);

    for (int i = 0; i < 300; i++)
        check_case(r, &rng, &kinds[AVERAGE], random_desc(&rng, false), i % 3 == 0);
}

static void global_average(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 2);

    for (int i = 0; i < 300; i++)
        check_case(r, &rng, &kinds[GLOBAL],
                   (pare_pool_f32_desc){ .n = between(&rng, 1, 3),
                                         .h = between(&rng, 1, 20),
                                         .w = between(&rng, 1, 40),
                                         .oh = 1,
                                         .ow = 1,
                                         .c = between(&rng, 1, 70) },
                   i % 3 == 0);
}

/* Known answers, so that the references themselves are held to something. */
static void by_hand(runner *r)
{
    const float        x[9] = { 1, 2, 3, 4, 5, 6, 7, 8, NAN };
    pare_pool_f32_desc d = { .n = 1,
                             .h = 3,
                             .w = 3,
                             .oh = 2,
                             .ow = 2,
                             .c = 1,
                             .kh = 2,
                             .kw = 2,
                             .stride_h = 2,
                             .stride_w = 2,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .pad_top = 1,
                             .pad_left = 1,
                             .x_row = 3,
                             .x_pixel = 1,
                             .y_row = 2,
                             .y_pixel = 1 };
    float              y[4];

    pare_pool_f32_max_ref(&d, x, y);
    CHECK(r, y[0] == 1 && y[1] == 3 && y[2] == 7 && y[3] == 8, "max: %g %g %g %g", (double)y[0], (double)y[1],
          (double)y[2], (double)y[3]);
    pare_pool_f32_average_ref(&d, x, y);
    CHECK(r, y[0] == 1 && y[1] == 2.5f && y[2] == 5.5f && isnan(y[3]), "average: %g %g %g %g", (double)y[0],
          (double)y[1], (double)y[2], (double)y[3]);
    d.count_pad = true;
    pare_pool_f32_average_ref(&d, x, y);
    CHECK(r, y[0] == 0.25f && y[1] == 1.25f && y[2] == 2.75f, "average with padding: %g %g %g", (double)y[0],
          (double)y[1], (double)y[2]);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "max_windows", max_windows },
        { "average_windows", average_windows },
        { "global_average", global_average },
        { "by_hand", by_hand },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
