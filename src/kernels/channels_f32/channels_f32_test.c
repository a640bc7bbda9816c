/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32_test.c - every version of channels_f32 against the reference: shapes, gaps, extremes, guard pages */
#include "kernels/channels_f32/channels_f32.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <runner.h>

#include "base/rng.h"

enum { MAX_KERNELS = 8, MOST_C = 150, N_FUNCTIONS = 5 };

static const char *const names[N_FUNCTIONS] = { "sum", "stats", "grad_sums", "scale", "grad" };

typedef struct memory {
    size_t size; /* floats of x, dy and y each, which end at a guard page */
    float *x, *dy, *y, *want;
    float *row[4]; /* mean, f, k, shift [c] */
    float *sum[2], *want_sum[2];
} memory;

static void fill(pare_rng *rng, float *dst, size_t n, bool extremes)
{
    static const float odd[] = { 0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 1e-40f, 1.0f, 16777216.0f };

    for (size_t i = 0; i < n; i++)
        dst[i] = extremes && !pare_rng_below(rng, 16) ? odd[pare_rng_below(rng, 10)] : pare_rng_uniform(rng, -1, 1);
}

static float *guarded(size_t n)
{
    return runner_guarded(n * sizeof(float), 4);
}

static void drop(float *p, size_t n)
{
    runner_guarded_free(p, n * sizeof(float), 4);
}

static long difference(const float *want, const float *got, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&want[i], &got[i], sizeof(float)) && !(isnan(want[i]) && isnan(got[i])))
            return (long)i;
    return -1;
}

static void call(const pare_channels_f32_kernel *k, int f, const pare_channels_f32_image *im, float *const s[2])
{
    if (f == 0)
        k->sum(im, s[0]);
    else if (f == 1)
        k->stats(im, s[0], s[1]);
    else if (f == 2)
        k->grad_sums(im, s[0], s[1]);
    else
        (f == 3 ? k->scale : k->grad)(im);
}

/* All bytes of the outputs are compared: those between pixels keep their pattern. */
static void check_kernel(runner *r, const pare_channels_f32_kernel *k, pare_channels_f32_image im, memory *m)
{
    const size_t c = (size_t)im.c;

    for (int f = 0; f < N_FUNCTIONS; f++) {
        for (int i = 0; i < 2; i++) {
            memset(m->sum[i], 0xA5, c * sizeof(float));
            memset(m->want_sum[i], 0xA5, c * sizeof(float));
        }
        memset(m->y, 0xA5, m->size * sizeof(float));
        memset(m->want, 0xA5, m->size * sizeof(float));
        im.y = m->want;
        call(&pare_channels_f32_ref, f, &im, m->want_sum);
        im.y = m->y;
        call(k, f, &im, m->sum);
        CHECK(r,
              difference(m->want, m->y, m->size) < 0 && difference(m->want_sum[0], m->sum[0], c) < 0 &&
                  difference(m->want_sum[1], m->sum[1], c) < 0,
              "%s %s h=%d w=%d c=%d pixel=%td: y[%ld], first[%ld], second[%ld] differ", k->name, names[f], im.h, im.w,
              im.c, im.x_pixel, difference(m->want, m->y, m->size), difference(m->want_sum[0], m->sum[0], c),
              difference(m->want_sum[1], m->sum[1], c));
    }
    /* In place. */
    im.y = m->y;
    memcpy(m->y, m->x, m->size * sizeof(float));
    memcpy(m->want, m->x, m->size * sizeof(float));
    im.x = m->want;
    im.y = m->want;
    pare_channels_f32_ref.grad(&im);
    im.x = im.y = m->y;
    k->grad(&im);
    CHECK(r, difference(m->want, m->y, m->size) < 0, "%s grad in place c=%d", k->name, im.c);
}

static void check_image(runner *r, pare_rng *rng, int h, int w, int c, bool extremes)
{
    const pare_channels_f32_kernel *kernels[MAX_KERNELS];
    const int                       n = pare_channels_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    const ptrdiff_t pixel = c + (ptrdiff_t)pare_rng_below(rng, 3) * 7, row = w * pixel + pare_rng_below(rng, 20);
    memory          m = { .size = (size_t)((h - 1) * row + (w - 1) * pixel + c) };

    m.x = guarded(m.size);
    m.dy = guarded(m.size);
    m.y = guarded(m.size);
    m.want = guarded(m.size);
    fill(rng, m.x, m.size, extremes);
    fill(rng, m.dy, m.size, extremes);
    for (int i = 0; i < 4; i++)
        fill(rng, m.row[i] = guarded((size_t)c), (size_t)c, extremes);
    for (int i = 0; i < 2; i++) {
        m.sum[i] = guarded((size_t)c);
        m.want_sum[i] = guarded((size_t)c);
    }
    const pare_channels_f32_image im = { .h = h,
                                         .w = w,
                                         .c = c,
                                         .x = m.x,
                                         .x_row = row,
                                         .x_pixel = pixel,
                                         .dy = m.dy,
                                         .dy_row = row,
                                         .dy_pixel = pixel,
                                         .y_row = row,
                                         .y_pixel = pixel,
                                         .mean = m.row[0],
                                         .f = m.row[1],
                                         .k = m.row[2],
                                         .shift = m.row[3],
                                         .lo = -0.25f,
                                         .hi = pare_rng_below(rng, 2) ? 0.5f : INFINITY };

    CHECK(r, n > 0 && kernels[n - 1]->isa == 0, "no portable version");
    for (int i = 0; i < n; i++)
        check_kernel(r, kernels[i], im, &m);
    drop(m.x, m.size);
    drop(m.dy, m.size);
    drop(m.y, m.size);
    drop(m.want, m.size);
    for (int i = 0; i < 4; i++)
        drop(m.row[i], (size_t)c);
    for (int i = 0; i < 2; i++) {
        drop(m.sum[i], (size_t)c);
        drop(m.want_sum[i], (size_t)c);
    }
}

static void every_width(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);

    for (int c = 1; c <= MOST_C; c++)
        check_image(r, &rng, 1 + c % 3, 1 + c % 5, c, false);
}

static void extreme_values(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);

    for (int i = 0; i < 60; i++)
        check_image(r, &rng, 1 + i % 4, 1 + i % 7, 1 + (int)pare_rng_below(&rng, MOST_C), true);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = { { "every_width", every_width }, { "extreme_values", extreme_values } };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
