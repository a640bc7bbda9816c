/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_conv_f32.c - GFLOP/s of float convolution, each version, against the FMA peak measured beside it
 *
 * One thread. Each number is the fastest tenth of many runs, because other programs share the machine; the peak is
 * measured again beside every layer, because clocks move. Usage: bench_conv_f32 [part of a layer's name]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "kernels/conv_f32/conv_f32.h"
#include "kernels/dw_f32/dw_f32.h"

#if PARE_X86
#include <immintrin.h>
#endif

enum { MAX_RUNS = 200, MAX_KERNELS = 8 };

typedef struct layer {
    const char *name;
    int         size; /* output rows and pixels */
    int         c;
    int         oc;
    int         kernel;
    int         stride;
    int         group;
} layer;

static const layer layers[] = {
    { "stem 7x7 s2 3->64 112", 112, 3, 64, 7, 2, 1 },  { "stem 3x3 s2 3->32 112", 112, 3, 32, 3, 2, 1 },
    { "3x3 64->64 56", 56, 64, 64, 3, 1, 1 },          { "3x3 128->128 28", 28, 128, 128, 3, 1, 1 },
    { "3x3 128->128 28 s2", 28, 128, 128, 3, 2, 1 },   { "3x3 256->256 14", 14, 256, 256, 3, 1, 1 },
    { "3x3 512->512 7", 7, 512, 512, 3, 1, 1 },        { "1x1 64->256 56", 56, 64, 256, 1, 1, 1 },
    { "1x1 256->64 56", 56, 256, 64, 1, 1, 1 },        { "1x1 256->256 28", 28, 256, 256, 1, 1, 1 },
    { "1x1 1024->256 14", 14, 1024, 256, 1, 1, 1 },    { "1x1 512->2048 7", 7, 512, 2048, 1, 1, 1 },
    { "1x1 2048->512 7", 7, 2048, 512, 1, 1, 1 },      { "1x1 32->16 112", 112, 32, 16, 1, 1, 1 },
    { "1x1 16->96 112", 112, 16, 96, 1, 1, 1 },        { "1x1 144->24 56", 56, 144, 24, 1, 1, 1 },
    { "1x1 192->64 14", 14, 192, 64, 1, 1, 1 },        { "1x1 320->1280 7", 7, 320, 1280, 1, 1, 1 },
    { "3x3 g32 128->128 56", 56, 128, 128, 3, 1, 32 }, { "linear 1280->1000", 1, 1280, 1000, 1, 1, 1 },
    { "linear 4096->1000", 1, 4096, 1000, 1, 1, 1 },   { "dw 3x3 32 112", 112, 32, 32, 3, 1, 32 },
    { "dw 3x3 96 s2 56", 56, 96, 96, 3, 2, 96 },       { "dw 3x3 144 56", 56, 144, 144, 3, 1, 144 },
    { "dw 3x3 384 14", 14, 384, 384, 3, 1, 384 },      { "dw 3x3 960 7", 7, 960, 960, 3, 1, 960 },
    { "dw 5x5 672 14", 14, 672, 672, 5, 1, 672 },      { "dw 3x3 32 7 (in L1)", 7, 32, 32, 3, 1, 32 },
    { "dw 3x3 32 14 (in L1)", 14, 32, 32, 3, 1, 32 },  { "dw 5x5 240 s2 14", 14, 240, 240, 5, 2, 240 },
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* GFLOP/s of independent products in registers, in the widest vectors of this machine. */
#if PARE_X86
__attribute__((target("avx512f"))) static double peak_512(long n)
{
    const __m512 a = _mm512_set1_ps(0.5f);
    __m512       acc[16];

    for (int i = 0; i < 16; i++)
        acc[i] = _mm512_set1_ps((float)i);
    const double start = now();
    for (long k = 0; k < n; k++)
        _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) acc[i] = _mm512_fmadd_ps(acc[i], a, a);
    const double seconds = now() - start;
    for (int i = 1; i < 16; i++)
        acc[0] = _mm512_add_ps(acc[0], acc[i]);
    volatile float keep = _mm512_reduce_add_ps(acc[0]);
    (void)keep;
    return 2.0 * 16 * 16 * (double)n / seconds * 1e-9;
}

__attribute__((target("avx2,fma"))) static double peak_256(long n)
{
    const __m256 a = _mm256_set1_ps(0.5f);
    __m256       acc[12];
    float        keep[8];

    for (int i = 0; i < 12; i++)
        acc[i] = _mm256_set1_ps((float)i);
    const double start = now();
    for (long k = 0; k < n; k++)
        _Pragma("GCC unroll 16") for (int i = 0; i < 12; i++) acc[i] = _mm256_fmadd_ps(acc[i], a, a);
    const double seconds = now() - start;
    for (int i = 1; i < 12; i++)
        acc[0] = _mm256_add_ps(acc[0], acc[i]);
    _mm256_storeu_ps(keep, acc[0]);
    volatile float sink = keep[0];
    (void)sink;
    return 2.0 * 12 * 8 * (double)n / seconds * 1e-9;
}
#endif

static double peak(void)
{
    double best = NAN;

    for (int i = 0; i < 20; i++) {
        double flops = NAN;
#if PARE_X86
        if (pare_cpu_features() & PARE_ISA_AVX512VNNI)
            flops = peak_512(20000);
        else if (pare_cpu_features() & PARE_ISA_AVX2)
            flops = peak_256(20000);
#endif
        best = i && best > flops ? best : flops;
    }
    return best;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static float *random_floats(size_t n)
{
    pare_rng rng = pare_rng_seed(n);
    float   *dst = pare_malloc_aligned(n * sizeof(float));

    for (size_t i = 0; dst && i < n; i++)
        dst[i] = pare_rng_uniform(&rng, -1, 1);
    return dst;
}

/* Seconds of `run` at the fastest tenth, tried for about a fifth of a second. */
static double measure(void (*run)(void *plan, const float *x, float *y), void *plan, const float *x, float *y)
{
    double seconds[MAX_RUNS];
    int    n = 0;
    double begin = now();

    run(plan, x, y);
    while (n < MAX_RUNS && (n < 5 || now() - begin < 0.2)) {
        const double start = now();

        run(plan, x, y);
        seconds[n++] = now() - start;
    }
    qsort(seconds, (size_t)n, sizeof(double), by_value);
    return seconds[n / 10];
}

static void run_conv(void *plan, const float *x, float *y)
{
    pare_conv_f32_run(plan, x, y, NULL, 0, 1);
}

static void run_dw(void *plan, const float *x, float *y)
{
    pare_dw_f32_run(plan, x, y, NULL, 0, 1);
}

static void report(const char *layer_name, const char *kernel, double seconds, double flops)
{
    const double most = peak();

    printf("%-24s %-28s %9.1f us %7.1f GFLOP/s %5.1f %% of %.0f\n", layer_name, kernel, seconds * 1e6,
           flops / seconds * 1e-9, 100 * flops / seconds * 1e-9 / most, most);
    fflush(stdout);
}

static void bench(const layer *l)
{
    const int                in = (l->size - 1) * l->stride + l->kernel;
    const int                xs = (l->c + 15) / 16 * 16, ys = (l->oc + 15) / 16 * 16;
    const int                pad = l->kernel / 2;
    const double             flops = 2.0 * l->size * l->size * l->oc * (l->c / l->group) * l->kernel * l->kernel;
    const pare_conv_f32_desc d = {
        .n = 1,
        .oh = l->size,
        .ow = l->size,
        .c = l->c,
        .oc = l->oc,
        .group = l->group,
        .kh = l->kernel,
        .kw = l->kernel,
        .stride_h = l->stride,
        .stride_w = l->stride,
        .dilation_h = 1,
        .dilation_w = 1,
        .pad_top = pad,
        .pad_left = pad,
        .x = { (ptrdiff_t)in * in * xs, (ptrdiff_t)in * xs, xs },
        .y = { (ptrdiff_t)l->size * l->size * ys, (ptrdiff_t)l->size * ys, ys },
        .clamp = true,
        .hi = 6,
    };
    float       *x = random_floats((size_t)d.x.image + 16);
    float       *y = random_floats((size_t)d.y.image + 16);
    float       *w = random_floats((size_t)l->oc * (size_t)(l->c / l->group * l->kernel * l->kernel));
    const float *origin = x + pad * (d.x.row + d.x.pixel);

    if (l->group == l->c && l->c == l->oc) {
        const pare_dw_f32_kernel *kernels[MAX_KERNELS];
        const int                 n = pare_dw_f32_candidates(&d, pare_cpu_features(), kernels, MAX_KERNELS);

        for (int i = 0; i < n; i++) {
            pare_dw_f32_plan *plan;

            if (n > 1 && !kernels[i]->isa)
                continue; /* the portable version calls a library for every fmaf here */
            if (pare_dw_f32_plan_create(&d, w, w, kernels[i], &plan) != PARE_OK)
                continue;
            report(l->name, kernels[i]->name, measure(run_dw, plan, origin, y), flops);
            pare_dw_f32_plan_destroy(plan);
        }
    } else {
        const pare_gemm_f32_kernel *kernels[MAX_KERNELS];
        const int                   n = pare_conv_f32_candidates(&d, pare_cpu_features(), kernels, MAX_KERNELS);

        for (int i = 0; i < n; i++) {
            pare_conv_f32_plan *plan;

            if (n > 1 && !kernels[i]->isa)
                continue;
            if (pare_conv_f32_plan_create(&d, w, w, kernels[i], &plan) != PARE_OK)
                continue;
            report(l->name, kernels[i]->name, measure(run_conv, plan, origin, y), flops);
            pare_conv_f32_plan_destroy(plan);
        }
    }
    pare_free_aligned(x);
    pare_free_aligned(y);
    pare_free_aligned(w);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (argc < 2 || strstr(layers[i].name, argv[1]))
            bench(&layers[i]);
    return 0;
}
