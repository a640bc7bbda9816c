/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_gemm_f32.c - GFLOP/s of float products, and what packing B costs beside them
 *
 * One thread; each number is the fastest tenth of many runs, because other programs share the machine. Packing is
 * what a product of two activations pays at run time; weights are packed once.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "kernels/gemm_f32/gemm_f32.h"

enum { MAX_RUNS = 200, MAX_KERNELS = 8 };

typedef struct product {
    const char *name;
    int         m;
    int         n;
    int         k;
    bool        transposed; /* B is [n][k] */
} product;

static const product products[] = {
    { "bert projection", 128, 768, 768, true }, { "bert feed-forward", 128, 3072, 768, true },
    { "attention q k'", 128, 128, 64, true },   { "attention p v", 128, 64, 128, false },
    { "lstm step", 1, 2600, 650, true },        { "lstm step, batch 4", 4, 2600, 650, true },
    { "square", 512, 512, 512, false },
};

typedef struct work {
    const pare_gemm_f32_kernel *kernel;
    pare_gemm_f32_args          g;
    pare_gemm_f32_b             b;
    float                      *packed;
} work;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double measure(void (*run)(const work *), const work *w)
{
    double       seconds[MAX_RUNS];
    int          n = 0;
    const double begin = now();

    run(w);
    while (n < MAX_RUNS && (n < 5 || now() - begin < 0.2)) {
        const double start = now();

        run(w);
        seconds[n++] = now() - start;
    }
    qsort(seconds, (size_t)n, sizeof(double), by_value);
    return seconds[n / 10];
}

static void run_pack(const work *w)
{
    pare_gemm_f32_pack(w->kernel, &w->b, w->packed, 0, 1);
}

static void run_product(const work *w)
{
    pare_gemm_f32_run(w->kernel, &w->g, w->packed, 0, 1);
}

static float *random_floats(size_t n)
{
    pare_rng rng = pare_rng_seed(n);
    float   *dst = pare_malloc_aligned(n * sizeof(float));

    for (size_t i = 0; dst && i < n; i++)
        dst[i] = pare_rng_uniform(&rng, -1, 1);
    return dst;
}

static void bench(const product *p)
{
    const pare_gemm_f32_kernel *kernels[MAX_KERNELS];
    const int                   n = pare_gemm_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    float                      *a = random_floats((size_t)p->m * (size_t)p->k);
    float                      *b = random_floats((size_t)p->n * (size_t)p->k);
    float                      *y = random_floats((size_t)p->m * (size_t)p->n);

    for (int i = 0; i < n; i++) {
        work w = {
            .kernel = kernels[i],
            .g = { .m = p->m,
                   .n = p->n,
                   .k = p->k,
                   .a = a,
                   .a_row = p->k,
                   .y = y,
                   .y_row = p->n,
                   .lo = -INFINITY,
                   .hi = INFINITY },
            .b = { b, p->transposed ? 1 : p->n, p->transposed ? p->k : 1, p->k, p->n },
        };

        if (n > 1 && !kernels[i]->isa)
            continue; /* the portable version calls a library for every fmaf here */
        w.packed = random_floats(pare_gemm_f32_packed_size(kernels[i], p->n, p->k));
        const double pack = measure(run_pack, &w), seconds = measure(run_product, &w);

        printf("%-20s %4d x %4d x %4d  %-28s %8.1f us %7.1f GFLOP/s, pack B %7.1f us\n", p->name, p->m, p->n, p->k,
               kernels[i]->name, seconds * 1e6, 2e-9 * p->m * p->n * p->k / seconds, pack * 1e6);
        fflush(stdout);
        pare_free_aligned(w.packed);
    }
    pare_free_aligned(a);
    pare_free_aligned(b);
    pare_free_aligned(y);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++)
        bench(&products[i]);
    return 0;
}
