/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_test.c - every version of conv_wgrad_f32 against the reference: shapes, parts, extremes, guard pages */
#include "kernels/conv_f32/conv_f32_cases.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"

enum { MAX_KERNELS = 8, MAX_MACS = 300000 };

static const int part_counts[] = { 1, 2, 3, 7 };

static void check_version(runner *r, const conv_case *t, const pare_conv_wgrad_f32_kernel *kernel, const float *want,
                          float *got, size_t n)
{
    const pare_conv_f32_desc *d = &t->d;
    const size_t              scratch_bytes = pare_conv_wgrad_f32_scratch(kernel, d);
    float *const              scratch = runner_guarded(scratch_bytes, 64);

    for (size_t p = 0; p < sizeof(part_counts) / sizeof(part_counts[0]); p++) {
        memset(got, 0xA5, n * sizeof(float));
        for (int part = part_counts[p] - 1; part >= 0; part--) {
            memset(scratch, 0xFF, scratch_bytes);
            pare_conv_wgrad_f32_run(kernel, d, t->x + t->x_origin, t->got, got, part, part_counts[p], scratch);
        }
        const long at = difference(want, got, n);

        CHECK(r, at < 0,
              "%s n=%d oh=%d ow=%d c=%d oc=%d group=%d k=%dx%d stride=%dx%d dilation=%dx%d parts=%d: dw[%ld] want %a, "
              "got %a",
              kernel->name, d->n, d->oh, d->ow, d->c, d->oc, d->group, d->kh, d->kw, d->stride_h, d->stride_w,
              d->dilation_h, d->dilation_w, part_counts[p], at, at < 0 ? 0.0 : (double)want[at],
              at < 0 ? 0.0 : (double)got[at]);
    }
    runner_guarded_free(scratch, scratch_bytes, 64);
}

/* dy is where conv_f32 would write its result. */
static void check_case(runner *r, pare_rng *rng, pare_conv_f32_desc d, bool extremes)
{
    const pare_conv_wgrad_f32_kernel *kernels[MAX_KERNELS];
    conv_case                         t = { .d = d };
    const int                         n = pare_conv_wgrad_f32_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    const size_t                      n_w = (size_t)d.oc * (size_t)(d.c / d.group) * (size_t)(d.kh * d.kw);
    float *const want = runner_guarded(n_w * sizeof(float), 4), *const got = runner_guarded(n_w * sizeof(float), 4);

    allocate(&t, rng, extremes);
    fill(rng, t.got, t.y_size, extremes);
    pare_conv_wgrad_f32_ref(&t.d, t.x + t.x_origin, t.got, want);
    CHECK(r, n > 0 && kernels[n - 1]->isa == 0, "no portable version");
    for (int i = 0; i < n; i++)
        check_version(r, &t, kernels[i], want, got, n_w);
    runner_guarded_free(want, n_w * sizeof(float), 4);
    runner_guarded_free(got, n_w * sizeof(float), 4);
    release(&t);
}

static pare_conv_f32_desc random_desc(pare_rng *rng)
{
    static const int   sizes[][2] = { { 1, 1 }, { 3, 3 }, { 3, 3 }, { 5, 5 }, { 2, 2 },
                                      { 7, 7 }, { 1, 7 }, { 7, 1 }, { 2, 4 }, { 3, 6 } };
    pare_conv_f32_desc d;

    do {
        const int *const k = sizes[pare_rng_below(rng, sizeof(sizes) / sizeof(sizes[0]))];
        const int        kind = between(rng, 0, 5); /* depthwise, groups, or one group */
        const int        group = kind == 0 ? between(rng, 2, 40) : kind == 1 ? between(rng, 2, 5) : 1;

        d = (pare_conv_f32_desc){
            .n = between(rng, 1, 4),
            .oh = between(rng, 1, 6),
            .ow = between(rng, 1, 12),
            .c = group * (kind == 0 ? 1 : between(rng, 1, 40 / group)),
            .oc = group * (kind == 0 ? 1 : between(rng, 1, 70 / group)),
            .group = group,
            .kh = k[0],
            .kw = k[1],
            .stride_h = between(rng, 1, 3),
            .stride_w = between(rng, 1, 2),
            .dilation_h = between(rng, 1, 2),
            .dilation_w = between(rng, 1, 2),
        };
        d.pad_top = between(rng, 0, d.kh - 1);
        d.pad_left = between(rng, 0, d.kw - 1);
    } while ((long)d.n * d.oh * d.ow * (d.c / d.group) * d.oc * d.kh * d.kw > MAX_MACS);
    return d;
}

static void random_shapes(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed);

    for (int i = 0; i < 400; i++)
        check_case(r, &rng, random_desc(&rng), false);
}

static void extreme_values(runner *r)
{
    pare_rng rng = pare_rng_seed(r->seed + 1);

    for (int i = 0; i < 100; i++)
        check_case(r, &rng, random_desc(&rng), true);
}

/* Every number of input channels and lines shorter than the taps, with and without sharing of columns. */
static void tile_borders(runner *r)
{
    pare_rng           rng = pare_rng_seed(r->seed + 2);
    pare_conv_f32_desc d = { .n = 2, .oh = 1, .group = 1, .kh = 1, .stride_h = 1, .dilation_h = 1, .dilation_w = 1 };

    for (d.kw = 1; d.kw <= 7; d.kw++)
        for (d.ow = 1; d.ow <= 4; d.ow++)
            for (d.c = 1; d.c <= 26; d.c++) {
                d.stride_w = 1 + (d.c + d.ow) % 2;
                d.oc = 1 + (d.c * 5 + d.ow) % 35;
                check_case(r, &rng, d, false);
            }
}

/* So many weights that there are several blocks of tiles, channels that are copied, images larger than a group. */
static void blocks_and_groups(runner *r)
{
    pare_rng           rng = pare_rng_seed(r->seed + 3);
    pare_conv_f32_desc d = { .n = 2,
                             .oh = 1,
                             .ow = 2,
                             .c = 80,
                             .oc = 250,
                             .group = 1,
                             .kh = 3,
                             .kw = 3,
                             .stride_h = 1,
                             .stride_w = 1,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .pad_top = 1,
                             .pad_left = 1 };

    check_case(r, &rng, d, false);
    d.group = 2;
    d.c = 140;
    d.oc = 270;
    d.n = 3;
    check_case(r, &rng, d, false);
    d.group = 1;
    d.c = d.oc = 3;
    d.n = 3;
    d.oh = d.ow = 150;
    check_case(r, &rng, d, false);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "random_shapes", random_shapes },
        { "extreme_values", extreme_values },
        { "tile_borders", tile_borders },
        { "blocks_and_groups", blocks_and_groups },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
