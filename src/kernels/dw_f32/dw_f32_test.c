/* SPDX-License-Identifier: Apache-2.0 */
/* dw_f32_test.c - every version of dw_f32 against pare_conv_f32_ref: shapes, strides, parts, extremes, guard pages */
#include "kernels/conv_f32/conv_f32_cases.h"
#include "kernels/dw_f32/dw_f32.h"

enum { MAX_KERNELS = 8, MAX_MACS = 100000, SLACK = 15 };

static const int part_counts[] = { 1, 2, 3, 7 };

/* Runs the plan in every number of parts and compares. */
static void check_plan(runner *r, conv_case *t, const pare_dw_f32_plan *plan)
{
    for (size_t p = 0; p < sizeof(part_counts) / sizeof(part_counts[0]); p++) {
        memset(t->got, 0xA5, t->y_size * sizeof(float));
        for (int part = part_counts[p] - 1; part >= 0; part--)
            pare_dw_f32_run(plan, t->x + t->x_origin, t->got, t->with_r ? t->r : NULL, part, part_counts[p]);
        check_output(r, t, pare_dw_f32_plan_kernel(plan)->name, part_counts[p]);
    }
}

static void check_case(runner *r, pare_rng *rng, pare_conv_f32_desc d, bool extremes)
{
    const pare_dw_f32_kernel *kernels[MAX_KERNELS];
    conv_case t = { .d = d, .slack = SLACK, .with_r = pare_rng_below(rng, 2), .with_bias = pare_rng_below(rng, 4) > 0 };
    const int n = pare_dw_f32_candidates(&d, pare_cpu_features(), kernels, MAX_KERNELS);

    allocate(&t, rng, extremes);
    define(&t);
    CHECK(r, n > 0, "no version at all");
    for (int i = 0; i < n; i++) {
        pare_dw_f32_plan *plan;

        if (!CHECK(r, pare_dw_f32_plan_create(&t.d, t.w, t.with_bias ? t.bias : NULL, kernels[i], &plan) == PARE_OK,
                   "%s: no plan: %s", kernels[i]->name, pare_error()))
            continue;
        check_plan(r, &t, plan);
        pare_dw_f32_plan_destroy(plan);
    }
    release(&t);
}

static pare_conv_f32_desc random_desc(pare_rng *rng)
{
    static const int   sizes[][2] = { { 1, 1 }, { 3, 3 }, { 3, 3 }, { 5, 5 }, { 5, 5 },
                                      { 7, 7 }, { 1, 7 }, { 7, 1 }, { 2, 4 }, { 3, 5 } };
    pare_conv_f32_desc d;

    do {
        const int *const k = sizes[pare_rng_below(rng, sizeof(sizes) / sizeof(sizes[0]))];
        const int        c = between(rng, 1, 70);

        d = (pare_conv_f32_desc){
            .n = between(rng, 1, 3),
            .oh = between(rng, 1, 9),
            .ow = between(rng, 1, 33),
            .c = c,
            .oc = c,
            .group = c,
            .kh = k[0],
            .kw = k[1],
            .stride_h = between(rng, 1, 3),
            .stride_w = between(rng, 1, 3),
            .dilation_h = between(rng, 1, 2),
            .dilation_w = between(rng, 1, 3),
            .clamp = pare_rng_below(rng, 2),
            .lo = -0.25f,
            .hi = 0.75f,
        };
        d.pad_top = between(rng, 0, d.kh - 1);
        d.pad_left = between(rng, 0, d.kw - 1);
    } while ((long)d.n * d.oh * d.ow * d.c * d.kh * d.kw > MAX_MACS);
    return d;
}

static void random_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);

    for (int i = 0; i < 250; i++)
        check_case(r, &rng, random_desc(&rng), false);
}

static void extreme_values(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);

    for (int i = 0; i < 60; i++)
        check_case(r, &rng, random_desc(&rng), true);
}

/* Every number of pixels around the blocks, for every expanded kernel, and every width of the last vector. */
static void block_borders(runner *r)
{
    static const int shapes[][3] = { { 3, 1, 1 }, { 3, 2, 1 }, { 5, 1, 1 }, { 5, 2, 1 }, { 3, 2, 2 }, { 4, 1, 1 } };
    pare_rng         rng = pare_rng_seed(r->seed + 2);

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        for (int ow = 1; ow <= 26; ow++)
            for (int c = 1 + (ow + (int)i) % 5; c <= 35; c += 5)
                check_case(r, &rng,
                           (pare_conv_f32_desc){ .n = 1,
                                                 .oh = 1,
                                                 .ow = ow,
                                                 .c = c,
                                                 .oc = c,
                                                 .group = c,
                                                 .kh = 2,
                                                 .kw = shapes[i][0],
                                                 .stride_h = 1,
                                                 .stride_w = shapes[i][1],
                                                 .dilation_h = 1,
                                                 .dilation_w = shapes[i][2],
                                                 .pad_left = 1 },
                           false);
}

/* So many channels that they are done in blocks. */
static void many_channels(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 4);

    for (int c = 190; c <= 300; c += 10)
        check_case(r, &rng,
                   (pare_conv_f32_desc){ .n = 2,
                                         .oh = 3,
                                         .ow = 7,
                                         .c = c,
                                         .oc = c,
                                         .group = c,
                                         .kh = 3,
                                         .kw = 3,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .dilation_h = 1,
                                         .dilation_w = 1,
                                         .pad_top = 1,
                                         .pad_left = 1 },
                   false);
}

/* What is not depthwise has no version here. */
static void not_depthwise(runner *r)
{
    const pare_dw_f32_kernel *kernels[MAX_KERNELS];

    CHECK(r, pare_dw_f32_candidates(&(pare_conv_f32_desc){ .c = 4, .oc = 8, .group = 4 }, 0, kernels, MAX_KERNELS) == 0,
          "a multiplier of 2 was accepted");
    CHECK(r, pare_dw_f32_candidates(&(pare_conv_f32_desc){ .c = 4, .oc = 4, .group = 2 }, 0, kernels, MAX_KERNELS) == 0,
          "two channels per group were accepted");
}

/* A plan for another batch and clamp shares the packed weights, and outlives the plan it came from. */
static void shared_weights(runner *r)
{
    pare_rng                  rng = pare_rng_seed(r->seed + 3);
    const pare_dw_f32_kernel *kernels[MAX_KERNELS];
    const pare_conv_f32_desc  d = { .n = 2,
                                    .oh = 3,
                                    .ow = 5,
                                    .c = 37,
                                    .oc = 37,
                                    .group = 37,
                                    .kh = 3,
                                    .kw = 3,
                                    .stride_h = 1,
                                    .stride_w = 1,
                                    .dilation_h = 1,
                                    .dilation_w = 1,
                                    .pad_top = 1,
                                    .pad_left = 1 };
    const int                 n = pare_dw_f32_candidates(&d, pare_cpu_features(), kernels, MAX_KERNELS);

    for (int i = 0; i < n; i++) {
        conv_case         t = { .d = d, .slack = SLACK, .with_bias = true };
        pare_dw_f32_plan *first, *second;

        t.d.clamp = true;
        t.d.hi = 1;
        allocate(&t, &rng, false);
        pare_conv_f32_desc single = t.d;

        single.n = 1;
        CHECK(r, pare_dw_f32_plan_create(&single, t.w, t.bias, kernels[i], &first) == PARE_OK, "%s", pare_error());
        CHECK(r, pare_dw_f32_plan_share(first, &t.d, &second) == PARE_OK, "%s", pare_error());
        pare_dw_f32_plan_destroy(first);
        define(&t);
        check_plan(r, &t, second);
        pare_dw_f32_plan_destroy(second);
        release(&t);
    }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },   { "extreme_values", extreme_values }, { "block_borders", block_borders },
        { "shared_weights", shared_weights }, { "many_channels", many_channels },   { "not_depthwise", not_depthwise },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
