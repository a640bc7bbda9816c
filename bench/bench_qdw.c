/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_qdw.c - the depthwise layers of MobileNet, one thread: time, outputs per nanosecond, and products as a share of
 * what the version's product instruction does on registers alone in the same run; median of nine. Usage: bench_qdw
 * [version]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/cpu.h"
#include "kernels/qdw/qdw.h"
#include "peak.h"

typedef struct layer {
    int channels, size, kernel, stride, times; /* output height and width; how often MobileNetV2 has it */
} layer;

static const layer layers[] = {
    { 32, 112, 3, 1, 1 }, { 96, 56, 3, 2, 1 },  { 144, 56, 3, 1, 1 }, { 144, 28, 3, 2, 1 },
    { 192, 28, 3, 1, 2 }, { 192, 14, 3, 2, 1 }, { 384, 14, 3, 1, 4 }, { 576, 14, 3, 1, 2 },
    { 576, 7, 3, 2, 1 },  { 960, 7, 3, 1, 3 },  { 240, 14, 5, 1, 0 }, { 120, 28, 5, 1, 0 },
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double time_layer(const pare_qdw_plan *plan, const pare_qconv_args *args, double outputs)
{
    const int repeat = (int)(4e6 / outputs) + 1;
    double    times[9];

    for (int i = 0; i < 9; i++) {
        const double begin = peak_now();
        for (int j = 0; j < repeat; j++)
            pare_qdw_run(plan, args, 0, 1);
        times[i] = (peak_now() - begin) / repeat;
    }
    qsort(times, 9, sizeof(times[0]), by_value);
    return times[4];
}

/* Seconds of one run of the layer; below 0 after a failure. */
static double bench(const layer *l, const char *version)
{
    const int             c = l->channels, pad = l->kernel / 2, in = l->size * l->stride + 2 * pad;
    const int             pixel = c <= 32 ? 32 : (c + 63) / 64 * 64;
    uint8_t              *x = pare_malloc_aligned((size_t)in * (size_t)in * (size_t)pixel + 64);
    uint8_t              *y = pare_malloc_aligned((size_t)l->size * (size_t)l->size * (size_t)pixel);
    int8_t               *w = pare_malloc_aligned((size_t)c * (size_t)(l->kernel * l->kernel));
    const float           sw = 1e-3f;
    const pare_qconv_desc d = {
        .in_c = c,
        .out_c = c,
        .groups = c,
        .out_h = l->size,
        .out_w = l->size,
        .kernel_h = l->kernel,
        .kernel_w = l->kernel,
        .stride_h = l->stride,
        .stride_w = l->stride,
        .pad_top = pad,
        .pad_left = pad,
        .x = { pixel, (ptrdiff_t)pixel * in, (ptrdiff_t)pixel * in * in },
        .y = { pixel, (ptrdiff_t)pixel * l->size, (ptrdiff_t)pixel * l->size * l->size },
        .w = w,
        .channels = { .sw = &sw, .n_sw = 1, .sx = 1, .zx = 128 },
        .out = { .scale = 1 },
    };
    const pare_qdw_kernel *kernels[8], *chosen = NULL;
    const int              n = pare_qdw_candidates(&d, pare_cpu_features(), kernels, 8);
    pare_qdw_plan         *plan;

    for (int i = n - 1; i >= 0; i--)
        if (!version || !strcmp(version, pare_qdw_kernel_name(kernels[i])))
            chosen = kernels[i];
    if (!chosen || pare_qdw_create(&d, chosen, &plan) != PARE_OK) {
        fprintf(stderr, "bench_qdw: no version %s: %s\n", version ? version : "", pare_error());
        return -1;
    }
    const double outputs = (double)l->size * l->size * c;
    const double t =
        time_layer(plan, &(pare_qconv_args){ .x = x + pad * d.x.row + pad * pixel, .y = y, .batch = 1 }, outputs);
    const double peak = peak_of(pare_qdw_kernel_name(chosen)), macs = outputs * l->kernel * l->kernel;
    printf("%4d channels %3dx%-3d %dx%d stride %d  %-14s %8.1f us %6.2f outputs/ns %4.0f %%\n", c, l->size, l->size,
           l->kernel, l->kernel, l->stride, pare_qdw_kernel_name(chosen), t * 1e6, 1e-9 * outputs / t,
           peak > 0 ? 100 * macs / t / peak : 0);
    pare_qdw_destroy(plan);
    pare_free_aligned(x);
    pare_free_aligned(y);
    pare_free_aligned(w);
    return t;
}

int main(int argc, char **argv)
{
    double sum = 0;

    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        const double t = bench(&layers[i], argc > 1 ? argv[1] : NULL);
        if (t < 0)
            return 1;
        sum += t * layers[i].times;
    }
    printf("all depthwise layers of MobileNetV2: %.0f us\n", sum * 1e6);
    return 0;
}
