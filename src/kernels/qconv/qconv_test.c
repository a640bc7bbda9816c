/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_test.c - every version of qconv against its reference, byte for byte */
#include "base/alloc.h"
#include "kernels/qconv/qconv_problem.h"

static void make_shape(pare_rng *rng, pare_qconv_desc *d, int *batch)
{
    const int kind = between(rng, 0, 9);
    const int wide[] = {
        1, 2, 3, 4, 5, 8, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 100, 128, 144, 193, 300
    };
    const int n_wide = (int)(sizeof(wide) / sizeof(wide[0]));

    d->in_c = pick(rng, wide, n_wide);
    d->out_c = pick(rng, wide, n_wide);
    *batch = between(rng, 1, 2);
    d->out_h = d->out_w = 1;
    if (kind == 0) { /* Linear */
        *batch = PICK(rng, 1, 2, 3, 5, 6, 7, 13, 50);
        return;
    }
    if (kind <= 2) {
        d->groups = PICK(rng, 2, 3, 4, 8, 20, 32);
        d->in_c = d->groups * PICK(rng, 1, 2, 4, 5, 8, 16);
        d->out_c = d->groups * PICK(rng, 1, 2, 4, 7, 8, 16, 20);
    }
    d->kernel_h = PICK(rng, 0, 1, 1, 3, 3, 3, 5, 7);
    d->kernel_w = PICK(rng, d->kernel_h, d->kernel_h, 7, 1);
    d->stride_h = PICK(rng, 0, 1, 2, 3);
    d->stride_w = PICK(rng, d->stride_h, 2);
    d->dilation_h = PICK(rng, 0, 1, 1, 2);
    d->dilation_w = PICK(rng, 1, 1, 3);
    d->pad_top = between(rng, 0, d->kernel_h);
    d->pad_left = between(rng, 0, d->kernel_w);
    d->out_h = between(rng, 1, 7);
    d->out_w = PICK(rng, 1, 2, 5, 6, 7, 8, 9, 12, 13, 14, 27);
}

/* Every version against the reference; false when the planner refused, which it must do for all alike. */
static bool compare_all(runner *r, problem *p, int parts)
{
    const pare_qconv_kernel *kernels[MAX_KERNELS];
    const int                n = pare_qconv_candidates(&p->d, pare_cpu_features(), kernels, MAX_KERNELS);
    int                      refused = 0;

    for (int i = 0; i < n; i++) {
        pare_qconv_plan  *plan;
        const pare_status status = pare_qconv_create(&p->d, kernels[i], &plan);

        if (status == PARE_ERR_UNSUPPORTED) {
            refused++;
            continue;
        }
        if (!CHECK(r, status == PARE_OK, "create: %s", pare_error()))
            continue;
        if (i == 0)
            run_reference(p);
        pare_qconv_args args = start_run(p, p->y);
        args.scratch = pare_malloc_aligned(pare_qconv_scratch(plan) + 64);
        for (int part = 0; part < parts; part++)
            pare_qconv_run(plan, &args, part, parts);
        check_output(r, p, pare_qconv_kernel_name(kernels[i]), parts);
        pare_free_aligned(args.scratch);
        pare_qconv_destroy(plan);
    }
    CHECK(r, refused == 0 || refused == n, "%d of %d versions refused", refused, n);
    return refused == 0;
}

static void random_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);
    int      ran = 0;

    for (int i = 0; i < 600; i++) {
        problem p = { .in_place = false };

        make_shape(&rng, &p.d, &p.args.batch);
        make_constants(&rng, &p);
        make_memory(&rng, &p);
        ran += compare_all(r, &p, PICK(&rng, 1, 1, 2, 3, 7));
        problem_free(&p);
    }
    CHECK(r, ran > 500, "only %d of 600 convolutions ran", ran);
}

/*
 * What versions with tiles have several forms for: one to 26 k-steps, whole and partial panels, lines longer and
 * shorter than a tile, rows that are gathered, tiles that end with the line, Linear layers of more rows than one chunk.
 */
static void make_tiled_shape(pare_rng *rng, pare_qconv_desc *d, int *batch)
{
    d->in_c = PICK(rng, 3, 24, 32, 64, 64, 128, 192, 256, 320);
    d->out_c = PICK(rng, 16, 32, 64, 64, 96, 128, 144, 192);
    d->out_h = d->out_w = 1;
    *batch = PICK(rng, 1, 1, 2, 3);
    switch (between(rng, 0, 5)) {
    case 0:
        *batch = PICK(rng, 15, 16, 17, 33, 64, 128, 600);
        d->in_c = PICK(rng, 64, 100, 256, 768, 1100);
        return;
    case 1: /* 64 channels in several groups, and groups of 64 */
        d->groups = PICK(rng, 4, 8, 16);
        d->in_c = d->out_c = d->groups * PICK(rng, 8, 16, 32, 64);
        d->kernel_h = d->kernel_w = 3;
        break;
    case 2:
        d->kernel_h = d->kernel_w = PICK(rng, 1, 3);
        d->stride_h = d->stride_w = 2;
        break;
    case 3:
        d->kernel_h = d->kernel_w = 3;
        d->in_c = PICK(rng, 3, 16, 64, 100);
        break;
    case 4: /* sums over so many k that they are cut */
        d->in_c = PICK(rng, 640, 1000, 1024, 1664);
        d->out_c = PICK(rng, 30, 32, 100);
        break;
    default:
        break;
    }
    d->pad_top = d->pad_left = d->kernel_h / 2;
    d->out_h = between(rng, 1, 9);
    d->out_w = PICK(rng, 4, 7, 14, 16, 20, 28, 33);
}

static void tiled_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);
    int      ran = 0;

    for (int i = 0; i < 120; i++) {
        problem p = { .in_place = false };

        make_tiled_shape(&rng, &p.d, &p.args.batch);
        p.d.batch = p.args.batch;
        make_constants(&rng, &p);
        make_memory(&rng, &p);
        ran += compare_all(r, &p, PICK(&rng, 1, 1, 2, 3, 7));
        problem_free(&p);
    }
    CHECK(r, ran > 90, "only %d of 120 convolutions ran", ran);
}

/* Accumulators are handed in as biases, so each version requantizes chosen values: dense near 0, and ties. */
static void requantize_dense(runner *r)
{
    enum { N = 4096 };
    const float scales[] = { 0.5f, 0.25f, 1.5f, 0.0078125f, 0.1f, 0.0009765f, 3.7e-5f, 0.99999994f, 1e-7f };

    for (size_t s = 0; s < sizeof(scales) / sizeof(scales[0]); s++)
        for (int spread = 1; spread <= 1 << 18; spread *= 64) {
            problem p = { .d = { .in_c = 1, .out_c = N, .out_h = 1, .out_w = 1 }, .args = { .batch = 1 } };

            p.w = calloc(N, 1);
            p.sw = malloc(sizeof(float));
            p.bias = malloc(N * sizeof(int32_t));
            p.sw[0] = scales[s];
            p.d.w = p.w;
            p.d.channels = (pare_qchannels){ .sw = p.sw, .n_sw = 1, .bias = p.bias, .sx = 1, .zx = 7 };
            p.d.out = (pare_qoutput){ .scale = 1, .zero = 100 };
            pare_rng rng = pare_rng_seed(r->seed + s);
            for (int i = 0; i < N; i++)
                p.bias[i] = (i - N / 2) * spread + (spread > 1 ? between(&rng, 0, spread - 1) : 0);
            make_memory(&rng, &p);
            CHECK(r, compare_all(r, &p, 1), "scale %g was refused", (double)scales[s]);
            problem_free(&p);
        }
}

/* What cannot be exact must be refused with a sentence; what just fits must not. */
static void refuses_overflow(runner *r)
{
    const float      sw = 1;
    int32_t          bias = INT32_MAX;
    int8_t           w = 1;
    pare_qconv_plan *plan;
    pare_qconv_desc  d = { .in_c = 1,
                           .out_c = 1,
                           .out_h = 1,
                           .out_w = 1,
                           .w = &w,
                           .x = { 64, 64, 64 },
                           .y = { 64, 64, 64 },
                           .channels = { .sw = &sw, .n_sw = 1, .bias = &bias, .sx = 1 },
                           .out = { .scale = 1 } };

    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_ERR_UNSUPPORTED, "accepted a sum of 2^31 + 254");
    CHECK(r, strstr(pare_error(), "channel 0") != NULL, "the sentence is '%s'", pare_error());
    bias = INT32_MAX - 255;
    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_ERR_UNSUPPORTED, "accepted a product that rounds to 2^31");
    d.out.scale = 1.01f;
    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_OK, "refused 2^31 / 1.01: %s", pare_error());
    pare_qconv_destroy(plan);
    d.groups = 2;
    CHECK(r, pare_qconv_create(&d, NULL, &plan) == PARE_ERR_SHAPE, "accepted one channel in two groups");
}

/* Each allocation of create fails in turn: a status, no crash and nothing left behind. */
static void survives_no_memory(runner *r)
{
    pare_rng   rng = pare_rng_seed(r->seed);
    const long live = pare_alloc_live();
    problem    p = { .d = { .in_c = 5, .out_c = 20, .out_h = 3, .out_w = 3, .kernel_h = 3, .kernel_w = 3 } };

    p.args.batch = 1;
    make_constants(&rng, &p);
    make_memory(&rng, &p);
    p.d.out.table = p.d.out.kind == PARE_QKIND_U8 ? p.table : NULL;
    for (long n = 1; n < 20; n++) {
        pare_qconv_plan *plan;
        pare_alloc_fail_after(n);
        const pare_status status = pare_qconv_create(&p.d, NULL, &plan);
        pare_alloc_fail_after(0);
        CHECK(r, status == PARE_ERR_MEMORY || (n > 5 && status == PARE_OK), "allocation %ld: status %d", n, status);
        pare_qconv_destroy(plan);
        CHECK(r, pare_alloc_live() == live, "allocation %ld: %ld blocks leaked", n, pare_alloc_live() - live);
    }
    problem_free(&p);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },           { "tiled_shapes", tiled_shapes },
        { "requantize_dense", requantize_dense },     { "refuses_overflow", refuses_overflow },
        { "survives_no_memory", survives_no_memory },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
