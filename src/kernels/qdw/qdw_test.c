/* SPDX-License-Identifier: Apache-2.0 */
/* qdw_test.c - every version of qdw against the definition of qconv, byte for byte */
#include "kernels/qconv/qconv_problem.h"
#include "kernels/qdw/qdw.h"

static void make_shape(pare_rng *rng, pare_qconv_desc *d, int *batch)
{
    d->in_c = PICK(rng, 1, 2, 3, 4, 7, 8, 15, 16, 17, 24, 31, 32, 32, 33, 48, 63, 64, 65, 80, 96, 128, 144, 193, 300);
    d->out_c = d->in_c;
    d->groups = d->in_c == 1 ? between(rng, 0, 1) : d->in_c;
    *batch = between(rng, 1, 2);
    d->kernel_h = PICK(rng, 0, 1, 2, 3, 3, 3, 3, 4, 5, 5, 7, 9, 17);
    d->kernel_w = PICK(rng, d->kernel_h, d->kernel_h, d->kernel_h, 1, 3);
    d->stride_h = PICK(rng, 0, 1, 1, 2, 2, 3);
    d->stride_w = PICK(rng, d->stride_h, d->stride_h, 1, 2);
    d->dilation_h = PICK(rng, 0, 1, 1, 1, 2);
    d->dilation_w = PICK(rng, 1, 1, 1, 2);
    d->pad_top = between(rng, 0, d->kernel_h);
    d->pad_left = between(rng, 0, d->kernel_w);
    d->out_h = between(rng, 1, 7);
    d->out_w = PICK(rng, 1, 2, 3, 4, 5, 7, 8, 9, 12, 14, 28, 33);
}

/* Every version against the reference; false when the planner refused, which it must do for all alike. */
static bool compare_all(runner *r, problem *p, int parts)
{
    const pare_qdw_kernel *kernels[MAX_KERNELS];
    const int              n = pare_qdw_candidates(&p->d, pare_cpu_features(), kernels, MAX_KERNELS);
    int                    refused = 0;

    for (int i = 0; i < n; i++) {
        pare_qdw_plan    *plan;
        const pare_status status = pare_qdw_create(&p->d, kernels[i], &plan);

        if (status == PARE_ERR_UNSUPPORTED) {
            refused++;
            continue;
        }
        if (!CHECK(r, status == PARE_OK, "create: %s", pare_error()))
            continue;
        if (i == 0)
            run_reference(p);
        const pare_qconv_args args = start_run(p, p->y);
        for (int part = 0; part < parts; part++)
            pare_qdw_run(plan, &args, part, parts);
        check_output(r, p, pare_qdw_kernel_name(kernels[i]), parts);
        pare_qdw_destroy(plan);
    }
    CHECK(r, refused == 0 || refused == n, "%d of %d versions refused", refused, n);
    return refused == 0;
}

static void random_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);
    int      ran = 0;

    for (int i = 0; i < 1000; i++) {
        problem p = { .in_place = false };

        make_shape(&rng, &p.d, &p.args.batch);
        make_constants(&rng, &p);
        make_memory(&rng, &p);
        ran += compare_all(r, &p, PICK(&rng, 1, 1, 2, 3, 7));
        problem_free(&p);
    }
    CHECK(r, ran > 900, "only %d of 1000 convolutions ran", ran);
}

static void refuses_other_groups(runner *r)
{
    const float            sw = 1;
    const int8_t           w[4] = { 1, 1, 1, 1 };
    const pare_qdw_kernel *kernels[MAX_KERNELS];
    pare_qdw_plan         *plan;
    const pare_qconv_desc  d = { .in_c = 2,
                                 .out_c = 2,
                                 .out_h = 1,
                                 .out_w = 1,
                                 .w = w,
                                 .out = { .scale = 1 },
                                 .channels = { .sw = &sw, .n_sw = 1, .sx = 1 } };

    CHECK(r, pare_qdw_candidates(&d, pare_cpu_features(), kernels, MAX_KERNELS) == 0, "offers versions");
    CHECK(r, pare_qdw_create(&d, NULL, &plan) == PARE_ERR_SHAPE, "accepted one group of two channels");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },
        { "refuses_other_groups", refuses_other_groups },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
