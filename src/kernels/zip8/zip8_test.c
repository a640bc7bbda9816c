/* SPDX-License-Identifier: Apache-2.0 */
/* zip8_test.c - every version of zip8 against its reference: every width to 200, before a forbidden page, gaps kept */
#include "kernels/zip8/zip8.h"

#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "runner.h"

enum { MAX_KERNELS = 8, MAX_CHANNELS = 200, MAX_PIXELS = 4 };

static uint8_t *random_bytes(pare_rng *rng, size_t n)
{
    uint8_t *const x = runner_guarded(n, 1);

    for (size_t i = 0; i < n; i++)
        x[i] = (uint8_t)pare_rng_u64(rng);
    return x;
}

/* `pixels` of `width` bytes each; the last ends where the memory does. */
static size_t extent(long pixels, ptrdiff_t step, long width)
{
    return pixels ? (size_t)((pixels - 1) * step + width) : 0;
}

static void one(runner *r, const pare_zip8_kernel *kernel, pare_rng *rng, long channels, long pixels)
{
    pare_zip8_args g = { .a_pixel = channels + (ptrdiff_t)pare_rng_below(rng, 70),
                         .b_pixel = channels + (ptrdiff_t)pare_rng_below(rng, 70),
                         .y_pixel = 2 * channels + (ptrdiff_t)pare_rng_below(rng, 70),
                         .pixels = pixels,
                         .channels = channels };
    const size_t   na = extent(pixels, g.a_pixel, channels), nb = extent(pixels, g.b_pixel, channels);
    const size_t   ny = extent(pixels, g.y_pixel, 2 * channels);
    uint8_t *const a = random_bytes(rng, na), *const b = random_bytes(rng, nb);
    uint8_t *const y = random_bytes(rng, ny), *const want = runner_guarded(ny, 1);

    memcpy(want, y, ny);
    g.a = a;
    g.b = b;
    g.y = want;
    pare_zip8_ref(&g);
    g.y = y;
    kernel->zip(&g);
    CHECK(r, !memcmp(y, want, ny), "%s: channels=%ld pixels=%ld", kernel->name, channels, pixels);
    runner_guarded_free(a, na, 1);
    runner_guarded_free(b, nb, 1);
    runner_guarded_free(y, ny, 1);
    runner_guarded_free(want, ny, 1);
}

static void back(runner *r, const pare_zip8_kernel *kernel, pare_rng *rng, long channels, long pixels)
{
    pare_unzip8_args g = { .x_pixel = 2 * channels + (ptrdiff_t)pare_rng_below(rng, 70),
                           .y_pixel = channels + (ptrdiff_t)pare_rng_below(rng, 70),
                           .pixels = pixels,
                           .channels = channels,
                           .second = pare_rng_below(rng, 2) };
    const size_t     nx = extent(pixels, g.x_pixel, 2 * channels), ny = extent(pixels, g.y_pixel, channels);
    uint8_t *const x = random_bytes(rng, nx), *const y = random_bytes(rng, ny), *const want = runner_guarded(ny, 1);

    memcpy(want, y, ny);
    g.x = x;
    g.y = want;
    pare_unzip8_ref(&g);
    g.y = y;
    kernel->unzip(&g);
    CHECK(r, !memcmp(y, want, ny), "%s: back, channels=%ld pixels=%ld second=%d", kernel->name, channels, pixels,
          g.second);
    runner_guarded_free(x, nx, 1);
    runner_guarded_free(y, ny, 1);
    runner_guarded_free(want, ny, 1);
}

static void every_width(runner *r)
{
    const pare_zip8_kernel *kernels[MAX_KERNELS];
    const int               n = pare_zip8_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                rng = pare_rng_seed(r->seed);

    for (long channels = 0; channels <= MAX_CHANNELS; channels++)
        for (long pixels = 0; pixels <= MAX_PIXELS; pixels++)
            for (int k = 0; k < n; k++) {
                one(r, kernels[k], &rng, channels, pixels);
                back(r, kernels[k], &rng, channels, pixels);
            }
}

/* What the reference does, spelt out. */
static void takes_turns(runner *r)
{
    const uint8_t a[] = { 0, 255, 7, 128 }, b[] = { 1, 254, 8, 127 };
    uint8_t       y[9] = { [8] = 99 };

    pare_zip8_ref(&(pare_zip8_args){ a, b, y, 2, 2, 4, 2, 2 });
    CHECK(r, !memcmp(y, ((const uint8_t[]){ 0, 1, 255, 254, 7, 8, 128, 127, 99 }), 9), "zip8_ref: 2 x 2");
    pare_unzip8_ref(&(pare_unzip8_args){ a, y, 4, 2, 1, 2, true });
    CHECK(r, y[0] == 255 && y[1] == 128 && y[2] == 255, "unzip8_ref: 1 x 2");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = { { "every_width", every_width }, { "takes_turns", takes_turns } };

    return runner_main(argc, argv, cases, 2);
}
