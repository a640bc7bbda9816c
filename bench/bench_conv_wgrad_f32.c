/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_conv_wgrad_f32.c - GFLOP/s of weight gradients, each version, batch 128, beside the FMA peak
 *
 * One thread; the fastest of several runs, processor time. Usage: bench_conv_wgrad_f32 [part of a layer's name]
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"

#if PARE_X86
#include <immintrin.h>
#endif

enum { BATCH = 128, RUNS = 7, MAX_KERNELS = 8 };

static const struct layer {
    const char *name;
    int         size, c, oc, kernel, stride, group;
} layers[] = {
    { "3x3 3->16 32", 32, 3, 16, 3, 1, 1 },       { "3x3 16->16 32", 32, 16, 16, 3, 1, 1 },
    { "3x3 16->32 16 s2", 16, 16, 32, 3, 2, 1 },  { "3x3 32->32 16", 16, 32, 32, 3, 1, 1 },
    { "3x3 32->64 8 s2", 8, 32, 64, 3, 2, 1 },    { "3x3 64->64 8", 8, 64, 64, 3, 1, 1 },
    { "1x1 16->32 16 s2", 16, 16, 32, 1, 2, 1 },  { "3x3 64->64 32", 32, 64, 64, 3, 1, 1 },
    { "3x3 128->128 16", 16, 128, 128, 3, 1, 1 }, { "3x3 256->256 8", 8, 256, 256, 3, 1, 1 },
    { "3x3 512->512 4", 4, 512, 512, 3, 1, 1 },   { "1x1 256->64 8", 8, 256, 64, 1, 1, 1 },
    { "1x1 64->256 32", 32, 64, 256, 1, 1, 1 },   { "5x5 16->32 16", 16, 16, 32, 5, 1, 1 },
    { "dw 3x3 64 16", 16, 64, 64, 3, 1, 64 },     { "dw 3x3 128 s2 8", 8, 128, 128, 3, 2, 128 },
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if PARE_X86
/* GFLOP/s of independent products in registers. */
__attribute__((target("avx512f"))) static double peak(void)
{
    const __m512 a = _mm512_set1_ps(0.5f);
    __m512       acc[16];
    double       best = 0;

    for (int run = 0; run < 20; run++) {
        for (int i = 0; i < 16; i++)
            acc[i] = _mm512_set1_ps((float)i);
        const double start = now();
        for (long k = 0; k < 20000; k++)
            _Pragma("GCC unroll 16") for (int i = 0; i < 16; i++) acc[i] = _mm512_fmadd_ps(acc[i], a, a);
        const double rate = 2.0 * 16 * 16 * 20000 / (now() - start) * 1e-9;
        for (int i = 1; i < 16; i++)
            acc[0] = _mm512_add_ps(acc[0], acc[i]);
        volatile float keep = _mm512_reduce_add_ps(acc[0]);
        (void)keep;
        best = rate > best ? rate : best;
    }
    return best;
}
#endif

static double highest(void)
{
#if PARE_X86
    if (pare_cpu_features() & PARE_ISA_AVX512VNNI)
        return peak();
#endif
    return 0;
}

static float *random_floats(size_t n)
{
    pare_rng rng = pare_rng_seed(n);
    float   *dst = pare_malloc_aligned(n * sizeof(float));

    for (size_t i = 0; dst && i < n; i++)
        dst[i] = pare_rng_uniform(&rng, -1, 1);
    return dst;
}

static void bench(const struct layer *l)
{
    const int                         pad = l->kernel / 2, in = l->size * l->stride + 2 * pad;
    const int                         xs = l->c <= 4 ? l->c : (l->c + 15) / 16 * 16, ys = (l->oc + 15) / 16 * 16;
    const pare_conv_f32_desc          d = { .n = BATCH,
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
                                            .y = { (ptrdiff_t)l->size * l->size * ys, (ptrdiff_t)l->size * ys, ys } };
    const double                      weights = (double)l->oc * (l->c / l->group) * l->kernel * l->kernel;
    float                            *x = random_floats((size_t)(BATCH * d.x.image));
    float                            *dy = random_floats((size_t)(BATCH * d.y.image));
    float                            *dw = random_floats((size_t)weights);
    const pare_conv_wgrad_f32_kernel *kernels[MAX_KERNELS];
    const int                         n = pare_conv_wgrad_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);

    for (int i = 0; i < n; i++) {
        float *scratch = pare_malloc_aligned(pare_conv_wgrad_f32_scratch(kernels[i], &d));
        double best = 1e9;

        for (int run = 0; run < RUNS && (kernels[i]->isa || n == 1); run++) {
            const double start = now();

            pare_conv_wgrad_f32_run(kernels[i], &d, x + pad * (d.x.row + d.x.pixel), dy, dw, 0, 1, scratch);
            best = now() - start < best ? now() - start : best;
        }
        const double rate = 2 * weights * BATCH * l->size * l->size / best * 1e-9, most = highest();
        if (best < 1e9)
            printf("%-18s %-28s %8.2f ms %7.1f GFLOP/s %5.1f %% of %.0f\n", l->name, kernels[i]->name, best * 1e3, rate,
                   100 * rate / most, most);
        fflush(stdout);
        pare_free_aligned(scratch);
    }
    pare_free_aligned(x);
    pare_free_aligned(dy);
    pare_free_aligned(dw);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        if (argc < 2 || strstr(layers[i].name, argv[1]))
            bench(&layers[i]);
    return 0;
}
