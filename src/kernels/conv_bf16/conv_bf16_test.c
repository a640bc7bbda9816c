/* SPDX-License-Identifier: Apache-2.0 */
/* conv_bf16_test.c - every version of conv_bf16 against the reference, within what the order of sums may change */
#include "kernels/conv_bf16/conv_bf16.h"

#include <math.h>
#include <stdlib.h>

#include <runner.h>

#include "base/rng.h"
#include "tensor/tensor.h"

enum { MAX_KERNELS = 4 };

typedef struct problem {
    pare_conv_f32_desc d;
    pare_bf16_weights  w;
    float             *x, *bias, *want, *room; /* x: of the allocation; room: what each output may differ */
    ptrdiff_t          origin;                 /* of the first real pixel in x, floats                    */
    size_t             x_size, y_size, w_size;
} problem;

static int pick(pare_rng *rng, int lo, int hi)
{
    return lo + (int)pare_rng_below(rng, (uint32_t)(hi - lo + 1));
}

static float *numbers(pare_rng *rng, size_t n)
{
    float *const dst = runner_guarded(n * sizeof(float), 4);

    for (size_t i = 0; i < n; i++)
        dst[i] = pare_rng_uniform(rng, -2, 2);
    return dst;
}

/* The sum of the absolute products, rounded up: the reference on absolute values. */
static void make_room(problem *p, const float *w)
{
    pare_conv_f32_desc d = p->d;
    float *const x = malloc(p->x_size * sizeof(float)), *const v = malloc(p->w_size * sizeof(float));
    const int         n_k = d.kh * d.kw * d.c;
    pare_bf16_weights abs_w = p->w;

    for (size_t i = 0; i < p->x_size; i++)
        x[i] = fabsf(p->x[i]);
    for (size_t i = 0; i < p->w_size; i++)
        v[i] = fabsf(w[i]);
    abs_w.data = v;
    d.clamp = false;
    pare_conv_bf16_ref(&d, &abs_w, NULL, x + p->origin, p->room);
    for (size_t i = 0; i < p->y_size; i++)
        p->room[i] = ((float)n_k + 2) * 0x1p-23f * (p->room[i] + 2);
    free(x);
    free(v);
}

static problem make_problem(pare_rng *rng)
{
    const int kernel = pick(rng, 0, 2) ? 1 : pick(rng, 2, 3), halo = kernel / 2,
              gap = pick(rng, 0, 1) * pick(rng, 1, 9);
    problem p = {
        .d = { .n = pick(rng, 1, 3), .group = 1, .kh = kernel, .kw = kernel, .pad_top = halo, .pad_left = halo }
    };
    pare_conv_f32_desc *const d = &p.d;

    d->oh = pick(rng, 1, 9);
    d->ow = pick(rng, 1, 17);
    d->c = pick(rng, 0, 3) ? pick(rng, 1, 40) : pick(rng, 100, 300);
    d->oc = pick(rng, 1, 100);
    d->stride_h = pick(rng, 1, 2);
    d->stride_w = pick(rng, 1, 2);
    d->dilation_h = pick(rng, 1, 2);
    d->dilation_w = pick(rng, 1, 2);
    d->clamp = pick(rng, 0, 1);
    d->lo = -1;
    d->hi = 1.5f;
    const int h = (d->oh - 1) * d->stride_h + (kernel - 1) * d->dilation_h + 1;
    const int w = (d->ow - 1) * d->stride_w + (kernel - 1) * d->dilation_w + 1;

    d->x = (pare_conv_f32_strides){ (ptrdiff_t)h * w * (d->c + gap), (ptrdiff_t)w * (d->c + gap), d->c + gap };
    d->y = (pare_conv_f32_strides){ (ptrdiff_t)d->oh * d->ow * d->oc, (ptrdiff_t)d->ow * d->oc, d->oc };
    p.origin = halo * d->x.row + halo * d->x.pixel;
    p.x_size = (size_t)d->n * (size_t)d->x.image - (size_t)gap;
    p.y_size = (size_t)d->n * (size_t)d->y.image;
    p.x = numbers(rng, p.x_size);

    p.w_size = (size_t)d->oc * (size_t)d->c * (size_t)(kernel * kernel);

    float *const weights = numbers(rng, p.w_size);

    if (kernel == 1 && pick(rng, 0, 1)) /* [c][oc], as MatMul has it */
        p.w = (pare_bf16_weights){ weights, 1, 0, d->oc };
    else
        p.w = (pare_bf16_weights){ weights, (ptrdiff_t)d->c * kernel * kernel, 1, (ptrdiff_t)kernel * kernel };
    p.bias = pick(rng, 0, 1) ? numbers(rng, (size_t)d->oc) : NULL;
    p.want = malloc(p.y_size * sizeof(float));
    p.room = malloc(p.y_size * sizeof(float));
    pare_conv_bf16_ref(d, &p.w, p.bias, p.x + p.origin, p.want);
    make_room(&p, weights);
    return p;
}

static void check_version(runner *r, const problem *p, const pare_bf16_kernel *kernel, int parts)
{
    pare_conv_bf16_plan *plan;
    float *const         y = runner_guarded(p->y_size * sizeof(float), 4);
    long                 bad = -1;

    for (size_t i = 0; i < p->y_size; i++)
        y[i] = NAN;
    if (pare_conv_bf16_create(&p->d, &p->w, p->bias, kernel, &plan) != PARE_OK)
        exit(2);
    const size_t scratch_bytes = pare_conv_bf16_scratch(plan);
    void *const  scratch = runner_guarded(scratch_bytes, 64);

    for (int part = 0; part < parts; part++)
        pare_conv_bf16_run(plan, p->x + p->origin, y, (int[]){ part, parts }, scratch);
    for (size_t i = 0; i < p->y_size && bad < 0; i++)
        if (!(fabsf(y[i] - p->want[i]) <= p->room[i]))
            bad = (long)i;
    CHECK(r, bad < 0, "%s n=%d oh=%d ow=%d c=%d oc=%d k=%d parts=%d y[%ld]: want %g, got %g", kernel->name, p->d.n,
          p->d.oh, p->d.ow, p->d.c, p->d.oc, p->d.kh, parts, bad, bad < 0 ? 0 : (double)p->want[bad],
          bad < 0 ? 0 : (double)y[bad]);
    pare_conv_bf16_destroy(plan);
    runner_guarded_free(scratch, scratch_bytes, 64);
    runner_guarded_free(y, p->y_size * sizeof(float), 4);
}

static void random_shapes(runner *r)
{
    static const int        part_counts[] = { 1, 2, 5 };
    pare_rng                rng = pare_rng_seed(r->seed);
    const pare_bf16_kernel *kernel[MAX_KERNELS];
    const int               n = pare_bf16_candidates(pare_cpu_features(), kernel, MAX_KERNELS);

    CHECK(r, n >= 1 && !kernel[n - 1]->native, "portable C is not the last");
    for (int i = 0; i < 300; i++) {
        const problem p = make_problem(&rng);

        for (int k = 0; k < n; k++)
            check_version(r, &p, kernel[k], part_counts[i % 3]);
        runner_guarded_free(p.x, p.x_size * sizeof(float), 4);
        runner_guarded_free((float *)(uintptr_t)p.w.data, p.w_size * sizeof(float), 4);
        if (p.bias)
            runner_guarded_free(p.bias, (size_t)p.d.oc * sizeof(float), 4);
        free(p.want);
        free(p.room);
    }
}

/* Rounding to nearest, ties to even; what cannot be rounded stays what it is. */
static void rounding(runner *r)
{
    static const float      odd[] = { 0.0f,        -0.0f,       INFINITY,     -INFINITY, 3e38f,
                                      1.00390625f, 1.01171875f, -1.00390626f, 0x1p-126f };
    const pare_bf16_kernel *kernel[MAX_KERNELS];
    const int               n = pare_bf16_candidates(pare_cpu_features(), kernel, MAX_KERNELS);
    pare_rng                rng = pare_rng_seed(r->seed);
    float                   x[37];
    uint16_t                y[38];

    for (int i = 0; i < 37; i++)
        x[i] = i < 9 ? odd[i] : pare_rng_uniform(&rng, -1e10f, 1e10f);
    for (int k = 0; k < n; k++)
        for (int count = 0; count <= 37; count++) {
            y[count] = 12345;
            kernel[k]->round(count, x, y);
            CHECK(r, y[count] == 12345, "%s writes behind %d numbers", kernel[k]->name, count);
            for (int i = 0; i < count; i++)
                CHECK(r, y[i] == pare_f32_to_bf16(x[i]), "%s: %g", kernel[k]->name, (double)x[i]);
        }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },
        { "rounding", rounding },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
