/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_qconv.c - the integer convolution against the multiply peak of this core, one thread
 *
 * Each line is the median of nine timings (processor time) of one layer with its requantization, weights and
 * activations warm.
 * The peak is that of the version's product instruction on registers alone, measured in the same run.
 * Usage: bench_qconv [version], "all" for every version but portable C; none: the one that a plan would take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/cpu.h"
#include "kernels/qconv/qconv.h"
#include "peak.h"

/* What follows the sums. */
typedef enum finish { PLAIN, ADD, TABLE } finish;

typedef struct layer {
    const char *name;
    int         in_c, out_c, size, kernel, stride, groups; /* size: output height and width; -n: Linear of n rows */
    finish      finish;
} layer;

static const layer layers[] = {
    { "3x3 64-64 56", 64, 64, 56, 3, 1, 1, PLAIN },
    { "1x1 64-256 56", 64, 256, 56, 1, 1, 1, PLAIN },
    { "1x1 256-64 56", 256, 64, 56, 1, 1, 1, PLAIN },
    { "1x1 256-256 28", 256, 256, 28, 1, 1, 1, PLAIN },
    { "3x3 128-128 28", 128, 128, 28, 3, 1, 1, PLAIN },
    { "3x3 256-256 14", 256, 256, 14, 3, 1, 1, PLAIN },
    { "3x3 512-512 7", 512, 512, 7, 3, 1, 1, PLAIN },
    { "7x7 s2 3-64 112", 3, 64, 112, 7, 2, 1, PLAIN },
    { "3x3 s2 3-32 112", 3, 32, 112, 3, 2, 1, PLAIN },
    { "1x1 32-16 112", 32, 16, 112, 1, 1, 1, PLAIN },
    { "1x1 16-96 112", 16, 96, 112, 1, 1, 1, PLAIN },
    { "1x1 96-24 56", 96, 24, 56, 1, 1, 1, PLAIN },
    { "1x1 24-144 56", 24, 144, 56, 1, 1, 1, PLAIN },
    { "1x1 144-32 28", 144, 32, 28, 1, 1, 1, PLAIN },
    { "1x1 32-192 28", 32, 192, 28, 1, 1, 1, PLAIN },
    { "1x1 64-384 14", 64, 384, 14, 1, 1, 1, PLAIN },
    { "1x1 384-64 14", 384, 64, 14, 1, 1, 1, PLAIN },
    { "1x1 576-96 14", 576, 96, 14, 1, 1, 1, PLAIN },
    { "1x1 960-160 7", 960, 160, 7, 1, 1, 1, PLAIN },
    { "1x1 320-1280 7", 320, 1280, 7, 1, 1, 1, PLAIN },
    { "3x3 g32 256-256 14", 256, 256, 14, 3, 1, 32, PLAIN },
    { "linear 1280-1000", 1280, 1000, -1, 1, 1, 1, PLAIN },
    { "linear 768-768 x128", 768, 768, -128, 1, 1, 1, PLAIN },
    { "linear 768-3072 x128", 768, 3072, -128, 1, 1, 1, PLAIN },
    { "linear 3072-768 x128", 3072, 768, -128, 1, 1, 1, PLAIN },
    { "3x3 s2 512-512 7", 512, 512, 7, 3, 2, 1, PLAIN },
    { "1x1 256-1024 14", 256, 1024, 14, 1, 1, 1, PLAIN },
    { "1x1 2048-512 7", 2048, 512, 7, 1, 1, 1, PLAIN },
    { "1x1 64-256 56 add", 64, 256, 56, 1, 1, 1, ADD },
    { "1x1 128-512 28 add", 128, 512, 28, 1, 1, 1, ADD },
    { "1x1 256-1024 14 add", 256, 1024, 14, 1, 1, 1, ADD },
    { "1x1 144-32 28 add", 144, 32, 28, 1, 1, 1, ADD },
    { "1x1 80-480 14 table", 80, 480, 14, 1, 1, 1, TABLE },
    { "1x1 40-240 28 table", 40, 240, 28, 1, 1, 1, TABLE },
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double time_layer(const pare_qconv_plan *plan, const pare_qconv_args *args, double macs)
{
    const int repeat = (int)(4e8 / macs) / 9 + 1;
    double    times[9];

    for (int i = 0; i < 9; i++) {
        const double begin = peak_now();
        for (int j = 0; j < repeat; j++)
            pare_qconv_run(plan, args, 0, 1);
        times[i] = (peak_now() - begin) / repeat;
    }
    qsort(times, 9, sizeof(times[0]), by_value);
    return times[4];
}

static int round_up(int value, int step)
{
    return (value + step - 1) / step * step;
}

/* Times one version, or says why not. */
static bool bench_version(const layer *l, const pare_qconv_desc *d, const pare_qconv_kernel *kernel,
                          pare_qconv_args args)
{
    const double     taps = (double)l->kernel * l->kernel, pixels = (double)args.batch * d->out_h * d->out_w;
    const double     macs = pixels * l->out_c * l->in_c / l->groups * taps;
    const char      *name = pare_qconv_kernel_name(kernel);
    pare_qconv_plan *plan;

    if (pare_qconv_create(d, kernel, &plan) != PARE_OK) {
        fprintf(stderr, "bench_qconv: %s\n", pare_error());
        return false;
    }
    args.scratch = pare_malloc_aligned(pare_qconv_scratch(plan) + 64);
    const double peak = peak_of(name), t = time_layer(plan, &args, macs);
    printf("%-20s %-16s %9.1f us %7.3f TOPS %5.0f %%\n", l->name, name, t * 1e6, 2e-12 * macs / t,
           peak > 0 ? 100 * macs / t / peak : 0);
    pare_free_aligned(args.scratch);
    pare_qconv_destroy(plan);
    return true;
}

/* `version`: a name, NULL for what a plan would take, or "all". */
static bool bench(const layer *l, const char *version)
{
    const bool            linear = l->size < 0;
    const int             size = linear ? 1 : l->size, batch = linear ? -l->size : 1;
    const int             pad = l->kernel / 2, in = size * l->stride + 2 * pad;
    const int             px = round_up(l->in_c, l->in_c <= 4 ? 4 : l->in_c <= 32 ? 32 : 64);
    const int             py = round_up(l->out_c, l->out_c <= 32 ? 32 : 64);
    const size_t          n_w = (size_t)l->out_c * (size_t)(l->in_c / l->groups * l->kernel * l->kernel);
    uint8_t              *x = pare_malloc_aligned((size_t)batch * (size_t)(in * in) * (size_t)px + 64);
    uint8_t              *y = pare_malloc_aligned((size_t)batch * (size_t)(size * size) * (size_t)py);
    int8_t               *w = pare_malloc_aligned(n_w);
    const float           sw = 1e-4f;
    uint8_t              *residual = pare_malloc_aligned((size_t)batch * (size_t)(size * size) * (size_t)py);
    uint8_t               table[256];
    const pare_qconv_desc d = {
        .in_c = l->in_c,
        .out_c = l->out_c,
        .groups = l->groups,
        .out_h = size,
        .out_w = size,
        .kernel_h = l->kernel,
        .kernel_w = l->kernel,
        .stride_h = l->stride,
        .stride_w = l->stride,
        .pad_top = pad,
        .pad_left = pad,
        .x = { px, (ptrdiff_t)px * in, (ptrdiff_t)px * in * in },
        .y = { py, (ptrdiff_t)py * size, (ptrdiff_t)py * size * size },
        .w = w,
        .channels = { .sw = &sw, .n_sw = 1, .sx = 1, .zx = 128 },
        .residual = { py, (ptrdiff_t)py * size, (ptrdiff_t)py * size * size },
        .out = { .scale = 1,
                 .zero = l->finish == PLAIN ? 0 : 128,
                 .table = l->finish == TABLE ? table : NULL,
                 .add = { .on = l->finish == ADD, .scale_r = 1, .zero_r = 3, .scale = 2 } },
        .batch = batch,
    };
    const pare_qconv_args    args = { .x = x + pad * d.x.row + pad * px, .y = y, .residual = residual, .batch = batch };
    const pare_qconv_kernel *kernels[16];
    const int                n = pare_qconv_candidates(&d, pare_cpu_features(), kernels, 16);
    const bool               all = version && !strcmp(version, "all");
    int                      timed = 0;

    for (size_t i = 0; i < n_w; i++)
        w[i] = (int8_t)(i * 7 % 255 - 127);
    for (int i = 0; i < 256; i++)
        table[i] = (uint8_t)(255 - i);
    for (int i = 0; i < n && (all || !timed); i++)
        if (all ? i < n - 1 : !version || !strcmp(version, pare_qconv_kernel_name(kernels[i])))
            timed += bench_version(l, &d, kernels[i], args);
    if (!timed)
        fprintf(stderr, "bench_qconv: no version %s\n", version ? version : "");
    pare_free_aligned(x);
    pare_free_aligned(y);
    pare_free_aligned(residual);
    pare_free_aligned(w);
    return timed > 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (!bench(&layers[i], argc > 1 ? argv[1] : NULL))
            return 1;
    return 0;
}
