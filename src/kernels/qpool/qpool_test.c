/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_test.c - every version of qpool against its reference, and the reference against examples */
#include "kernels/qpool/qpool.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "runner.h"

enum { MAX_KERNELS = 8 };

static int between(pare_rng *rng, int lo, int hi)
{
    return lo + (int)pare_rng_below(rng, (uint32_t)(hi - lo + 1));
}

static pare_qpool_desc make(pare_rng *rng)
{
    static const int channels[] = { 1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 130, 300 };
    pare_qpool_desc  d = { .kind = (pare_qpool_kind)between(rng, 0, 2), .channels = channels[between(rng, 0, 15)] };

    d.in_h = between(rng, 1, 9);
    d.in_w = between(rng, 1, 9);
    d.kernel_h = between(rng, 1, 3);
    d.kernel_w = between(rng, 1, 4);
    if (d.kind == PARE_QPOOL_MEAN) { /* global */
        d.kernel_h = d.in_h;
        d.kernel_w = d.in_w;
        d.out_h = d.out_w = 1;
    } else {
        d.stride_h = between(rng, 0, 3);
        d.stride_w = between(rng, 0, 2);
        d.dilation_w = between(rng, 0, 2);
        d.pad_top = between(rng, 0, d.kernel_h - 1);
        d.pad_left = between(rng, 0, d.kernel_w - 1);
        d.pad_bottom = between(rng, 0, d.kernel_h - 1);
        d.pad_right = between(rng, 0, d.kernel_w - 1);
        d.out_h = between(rng, 1, 4);
        d.out_w = between(rng, 1, 4);
    }
    d.count_padding = between(rng, 0, 1);
    d.sx = between(rng, 0, 2) ? pare_rng_uniform(rng, 0.001f, 0.1f) : 0.5f;
    d.sy = between(rng, 0, 2) ? pare_rng_uniform(rng, 0.001f, 0.1f) : 0.25f;
    d.zx = between(rng, 0, 255);
    d.zy = between(rng, 0, 255);
    d.lo = between(rng, 0, 2) ? 0 : 40;
    d.hi = between(rng, 0, 2) ? 0 : 200;
    d.x.pixel = d.channels + between(rng, 0, 40);
    d.x.row = d.x.pixel * d.in_w + between(rng, 0, 40);
    d.x.image = d.x.row * d.in_h;
    d.y.pixel = d.channels + between(rng, 0, 40);
    d.y.row = d.y.pixel * d.out_w;
    d.y.image = d.y.row * d.out_h + 5;
    return d;
}

static void random_shapes(runner *r)
{
    const pare_qpool_kernel *kernels[MAX_KERNELS];
    const int                n = pare_qpool_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                 rng = pare_rng_seed(r->seed);
    int                      ran = 0;

    for (int t = 0; t < 1500; t++) {
        pare_qpool_desc d = make(&rng);
        const int       batch = between(&rng, 1, 2), parts = between(&rng, 1, 7);
        const size_t    nx =
            (size_t)((batch - 1) * d.x.image + (d.in_h - 1) * d.x.row + (d.in_w - 1) * d.x.pixel + d.channels);
        const size_t ny =
            (size_t)((batch - 1) * d.y.image + (d.out_h - 1) * d.y.row + (d.out_w - 1) * d.y.pixel + d.channels);

        if (pare_qpool_check(&d) != PARE_OK)
            continue;
        ran++;
        uint8_t *const x = runner_guarded(nx, 1), *const y = runner_guarded(ny, 1), *const want = malloc(ny);
        const bool ends = between(&rng, 0, 2) == 0;
        for (size_t i = 0; i < nx; i++)
            x[i] = ends ? (uint8_t)(between(&rng, 0, 1) * 255) : (uint8_t)pare_rng_u64(&rng);
        memset(want, 0xa5, ny);
        pare_qpool_run(kernels[n - 1], &d, &(pare_qpool_args){ x, want, batch }, 0, 1);
        pare_qpool_plan_sums(&d);
        for (int k = 0; k < n; k++) {
            memset(y, 0xa5, ny);
            for (int part = 0; part < parts; part++)
                pare_qpool_run(kernels[k], &d, &(pare_qpool_args){ x, y, batch }, part, parts);
            CHECK(r, !memcmp(y, want, ny), "%s kind=%d c=%d in=%dx%d k=%dx%d parts=%d",
                  pare_qpool_kernel_name(kernels[k]), d.kind, d.channels, d.in_h, d.in_w, d.kernel_h, d.kernel_w,
                  parts);
        }
        runner_guarded_free(x, nx, 1);
        runner_guarded_free(y, ny, 1);
        free(want);
    }
    CHECK(r, ran > 400, "only %d of 1500 ran", ran);
}

/* Padding in memory, which holds the zero point, and padding that is only counted give the same averages. */
static void halo_counts_as_padding(runner *r)
{
    const pare_qpool_kernel *kernels[MAX_KERNELS];
    const int                n = pare_qpool_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                 rng = pare_rng_seed(r->seed);
    int                      ran = 0;

    for (int t = 0; t < 600; t++) {
        pare_qpool_desc d = make(&rng);

        d.kind = PARE_QPOOL_AVERAGE;
        d.count_padding = true;
        if (pare_qpool_check(&d) != PARE_OK)
            continue;
        ran++;
        d.x.row = d.x.pixel * (d.pad_left + d.in_w + d.pad_right);
        const size_t   nx = (size_t)((d.pad_top + d.in_h + d.pad_bottom) * d.x.row);
        const size_t   ny = (size_t)((d.out_h - 1) * d.y.row + (d.out_w - 1) * d.y.pixel + d.channels);
        uint8_t *const x = runner_guarded(nx, 1), *const y = runner_guarded(ny, 1), *const want = malloc(ny);
        uint8_t *const first = x + d.pad_top * d.x.row + d.pad_left * d.x.pixel;

        memset(x, d.zx, nx);
        for (int i = 0; i < d.in_h; i++)
            for (int j = 0; j < d.in_w; j++)
                for (int c = 0; c < d.channels; c++)
                    first[i * d.x.row + j * d.x.pixel + c] = (uint8_t)pare_rng_u64(&rng);
        memset(want, 0xa5, ny);
        pare_qpool_run(kernels[n - 1], &d, &(pare_qpool_args){ first, want, 1 }, 0, 1);
        d.halo = true;
        CHECK(r, pare_qpool_check(&d) == PARE_OK, "%s", pare_error());
        pare_qpool_plan_sums(&d);
        for (int k = 0; k < n; k++) {
            memset(y, 0xa5, ny);
            pare_qpool_run(kernels[k], &d, &(pare_qpool_args){ first, y, 1 }, 0, 1);
            CHECK(r, !memcmp(y, want, ny), "%s halo: c=%d in=%dx%d k=%dx%d", pare_qpool_kernel_name(kernels[k]),
                  d.channels, d.in_h, d.in_w, d.kernel_h, d.kernel_w);
        }
        runner_guarded_free(x, nx, 1);
        runner_guarded_free(y, ny, 1);
        free(want);
    }
    CHECK(r, ran > 200, "only %d of 600 ran", ran);
    pare_qpool_desc d = make(&rng);
    d.kind = PARE_QPOOL_MAX;
    d.halo = true;
    CHECK(r, pare_qpool_check(&d) != PARE_OK, "accepted a maximum over the halo");
}

/* Windows with every sum that there can be, at scales of all kinds: most are told from sums, all equal the definition. */
static void every_sum(runner *r)
{
    enum { SIDE = 3, TAPS = SIDE * SIDE, CHANNELS = 255 * TAPS + 1 };
    const pare_qpool_kernel *kernels[MAX_KERNELS];
    const int                n = pare_qpool_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                 rng = pare_rng_seed(r->seed);
    uint8_t *const x = malloc(TAPS * CHANNELS), *const y = malloc(CHANNELS), *const want = calloc(CHANNELS, 1);
    int on = 0;

    for (int t = 0; t < 300; t++) {
        pare_qpool_desc d = { .kind = PARE_QPOOL_AVERAGE,
                              .channels = CHANNELS,
                              .in_h = SIDE,
                              .in_w = SIDE,
                              .out_h = 1,
                              .out_w = 1,
                              .kernel_h = SIDE,
                              .kernel_w = SIDE,
                              .x = { CHANNELS, SIDE * CHANNELS, TAPS * CHANNELS },
                              .y = { CHANNELS, CHANNELS, CHANNELS },
                              .sy = pare_rng_uniform(&rng, 0.001f, 0.1f),
                              .zx = between(&rng, 0, 255),
                              .zy = between(&rng, 0, 255) };

        d.sx = t % 4 == 0 ? d.sy : d.sy * pare_rng_uniform(&rng, 0.2f, 1.5f);
        if (t % 16 == 1)
            d.sy = d.sx / 4.5f; /* sums at, or next to, the middle between two codes */
        for (int s = 0; s < CHANNELS; s++) {
            int left = s;

            for (int i = 0; i < TAPS; i++) { /* s, shared out at random */
                const int rest = 255 * (TAPS - 1 - i), least = left > rest ? left - rest : 0;
                const int code = between(&rng, least, left < 255 ? left : 255);

                x[i * CHANNELS + s] = (uint8_t)code;
                left -= code;
            }
        }
        CHECK(r, pare_qpool_check(&d) == PARE_OK, "%s", pare_error());
        pare_qpool_run(kernels[n - 1], &d, &(pare_qpool_args){ x, want, 1 }, 0, 1);
        pare_qpool_plan_sums(&d);
        on += d.sums.on;
        for (int k = 0; k < n; k++) {
            pare_qpool_run(kernels[k], &d, &(pare_qpool_args){ x, y, 1 }, 0, 1);
            CHECK(r, !memcmp(y, want, CHANNELS), "%s sums: sx=%a sy=%a zx=%d zy=%d", pare_qpool_kernel_name(kernels[k]),
                  d.sx, d.sy, d.zx, d.zy);
        }
    }
    CHECK(r, on > 200 && on < 300, "%d of 300 were told from sums", on);
    free(x);
    free(y);
    free(want);
}

/* A 2x2 picture under 2x2 windows with a border of one: which taps count. */
static void examples(runner *r)
{
    const pare_qpool_kernel *kernels[MAX_KERNELS];
    const int                n = pare_qpool_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    const uint8_t            x[] = { 10, 20, 30, 40 };
    uint8_t                  y[9];
    pare_qpool_desc          d = { .channels = 1,
                                   .in_h = 2,
                                   .in_w = 2,
                                   .out_h = 3,
                                   .out_w = 3,
                                   .kernel_h = 2,
                                   .kernel_w = 2,
                                   .pad_top = 1,
                                   .pad_left = 1,
                                   .pad_bottom = 1,
                                   .pad_right = 1,
                                   .x = { 1, 2, 4 },
                                   .y = { 1, 3, 9 },
                                   .sx = 1,
                                   .sy = 1 };
    static const uint8_t     want[4][9] = {
            { 10, 20, 20, 30, 40, 40, 30, 40, 40 }, /* max                            */
            { 10, 15, 20, 20, 25, 30, 30, 35, 40 }, /* average                        */
            { 2, 8, 5, 10, 25, 15, 8, 18, 10 },     /* average, padding counts: /4; 2.5, 7.5 and 17.5 round to even */
            { 10, 15, 20, 20, 25, 30, 30, 35, 40 }, /* mean                           */
    };

    for (int t = 0; t < 4; t++) {
        d.kind = t == 0 ? PARE_QPOOL_MAX : t == 3 ? PARE_QPOOL_MEAN : PARE_QPOOL_AVERAGE;
        d.count_padding = t == 2;
        CHECK(r, pare_qpool_check(&d) == PARE_OK, "%s", pare_error());
        pare_qpool_run(kernels[n - 1], &d, &(pare_qpool_args){ x, y, 1 }, 0, 1);
        for (int i = 0; i < 9; i++)
            CHECK(r, y[i] == want[t][i], "example %d, output %d: want %d, got %d", t, i, want[t][i], y[i]);
    }
    d.pad_top = 3;
    CHECK(r, pare_qpool_check(&d) == PARE_ERR_SHAPE, "accepted a window without a tap");
    d.pad_top = 1;
    d.sy = 1e-8f;
    CHECK(r, pare_qpool_check(&d) == PARE_ERR_UNSUPPORTED, "accepted 255 / 1e-8");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = { { "random_shapes", random_shapes },
                                         { "halo_counts_as_padding", halo_counts_as_padding },
                                         { "every_sum", every_sum },
                                         { "examples", examples } };

    return runner_main(argc, argv, cases, 4);
}
