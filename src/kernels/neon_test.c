/* SPDX-License-Identifier: Apache-2.0 */
/*
 * neon_test.c - on 64-bit ARM every family offers its versions at each level, best first; elsewhere none is offered
 *
 * Candidates depend on the word they are given, not on the machine, so this runs everywhere. That the versions give the
 * bits of their references is what the families' own tests say, but for sums too long for a word.
 */
#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "kernels/dw_f32/dw_f32.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/lut8/lut8.h"
#include "kernels/pool_f32/pool_f32.h"
#include "kernels/qadd/qadd.h"
#include "kernels/qdw/qdw.h"
#include "kernels/qmul/qmul.h"
#include "kernels/qpool/qpool.h"
#include "kernels/quantize/quantize.h"
#include "kernels/rows_f32/rows_f32.h"
#include "kernels/unary_f32/unary_f32.h"
#include "kernels/zip8/zip8.h"
#include "runner.h"

enum { MAX = 16 };

/* The names of a family's versions for the word `cpu`, best first; returns how many. */
typedef int names_fn(unsigned cpu, const char *names[MAX]);

#define FILL(names, kernels, count)      \
    const int n = count;                 \
    for (int i = 0; i < n; i++)          \
        (names)[i] = (kernels)[i]->name; \
    return n
#define NAMES(family)                                            \
    static int family(unsigned cpu, const char *names[MAX])      \
    {                                                            \
        const pare_##family##_kernel *k[MAX];                    \
        FILL(names, k, pare_##family##_candidates(cpu, k, MAX)); \
    }
NAMES(gemm_f32)
NAMES(lut8)
NAMES(pool_f32)
NAMES(qadd)
NAMES(qmul)
NAMES(quantize)
NAMES(rows_f32)
NAMES(unary_f32)
NAMES(zip8)

static int qconv(unsigned cpu, const char *names[MAX])
{
    const pare_qconv_desc    d = { .in_c = 64, .out_c = 64, .out_h = 7, .out_w = 7, .kernel_h = 3, .kernel_w = 3 };
    const pare_qconv_kernel *k[MAX];
    const int                n = pare_qconv_candidates(&d, cpu, k, MAX);

    for (int i = 0; i < n; i++)
        names[i] = pare_qconv_kernel_name(k[i]);
    return n;
}

static int qdw(unsigned cpu, const char *names[MAX])
{
    const pare_qconv_desc  d = { .in_c = 64, .out_c = 64, .groups = 64, .out_h = 7, .out_w = 7 };
    const pare_qdw_kernel *k[MAX];
    const int              n = pare_qdw_candidates(&d, cpu, k, MAX);

    for (int i = 0; i < n; i++)
        names[i] = pare_qdw_kernel_name(k[i]);
    return n;
}

static int qpool(unsigned cpu, const char *names[MAX])
{
    const pare_qpool_kernel *k[MAX];
    const int                n = pare_qpool_candidates(cpu, k, MAX);

    for (int i = 0; i < n; i++)
        names[i] = pare_qpool_kernel_name(k[i]);
    return n;
}

static int dw_f32(unsigned cpu, const char *names[MAX])
{
    const pare_conv_f32_desc  d = { .c = 8, .oc = 8, .group = 8 };
    const pare_dw_f32_kernel *k[MAX];
    const int                 n = pare_dw_f32_candidates(&d, cpu, k, MAX);

    for (int i = 0; i < n; i++)
        names[i] = k[i]->name;
    return n;
}

/* conv_f32 runs on the versions of gemm_f32. */
static const struct {
    const char *name;
    names_fn   *names;
    const char *best[3]; /* the end of the first name at neon, neondot, i8mm */
} families[] = {
    { "qconv", qconv, { "_neon", "_neondot", "_i8mm" } },
    { "qdw", qdw, { "_neon", "_neondot", "_i8mm" } },
    { "qadd", qadd, { "neon", "neon", "neon" } },
    { "qmul", qmul, { "neon", "neon", "neon" } },
    { "lut8", lut8, { "neon", "neon", "neon" } },
    { "qpool", qpool, { "neon", "neon", "neon" } },
    { "zip8", zip8, { "neon", "neon", "neon" } },
    { "quantize", quantize, { "neon", "neon", "neon" } },
    { "gemm_f32", gemm_f32, { "_neon", "_neon", "_neon" } },
    { "dw_f32", dw_f32, { "_neon", "_neon", "_neon" } },
    { "pool_f32", pool_f32, { "_neon", "_neon", "_neon" } },
    { "unary_f32", unary_f32, { "_neon", "_neon", "_neon" } },
    { "rows_f32", rows_f32, { "_neon", "_neon", "_neon" } },
};
enum { N_FAMILIES = sizeof(families) / sizeof(families[0]) };

static bool ends_with(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);

    return n >= m && !strcmp(name + n - m, end);
}

static bool is_neon(const char *name)
{
    return ends_with(name, "neon") || ends_with(name, "neondot") || ends_with(name, "i8mm");
}

static void each_level_has_its_versions(runner *r)
{
    static const char *const levels[] = { "c", "neon", "neondot", "i8mm" };

    for (int f = 0; f < N_FAMILIES; f++)
        for (int l = 0; l < 4; l++) {
            const char *names[MAX];
            unsigned    cpu;
            int         found = 0;

            CHECK(r, pare_cpu_level(levels[l], &cpu), "%s is a level", levels[l]);
            const int n = families[f].names(cpu, names);
            for (int i = 0; i < n; i++)
                found += is_neon(names[i]);
            if (!CHECK(r, n > 0, "%s at %s has no version", families[f].name, levels[l]))
                continue;
            CHECK(r, !is_neon(names[n - 1]), "%s at %s: the last, %s, is not for all", families[f].name, levels[l],
                  names[n - 1]);
            if (!PARE_ARM64 || l == 0) {
                CHECK(r, found == 0, "%s at %s offers %s", families[f].name, levels[l], names[0]);
                continue;
            }
            const char *const best = families[f].best[l - 1];
            const int         least = ends_with(best, "neon") ? 1 : l; /* those of lower levels too */
            CHECK(r, ends_with(names[0], best), "%s at %s: the best is %s, not %s", families[f].name, levels[l],
                  names[0], best);
            CHECK(r, found >= least, "%s at %s: %d versions", families[f].name, levels[l], found);
        }
}

/* A mean over more codes than a word holds the sum of: 40 x 40 of 255, and random ones. */
static void long_means(runner *r)
{
    enum { SIDE = 40, CHANNELS = 35, PIXELS = SIDE * SIDE };
    const pare_qpool_kernel *k[MAX];
    const int                n = pare_qpool_candidates(pare_cpu_features(), k, MAX);
    const pare_qpool_strides out = { CHANNELS, CHANNELS, CHANNELS };
    pare_qpool_desc          d = { .kind = PARE_QPOOL_MEAN,
                                   .channels = CHANNELS,
                                   .in_h = SIDE,
                                   .in_w = SIDE,
                                   .out_h = 1,
                                   .out_w = 1,
                                   .kernel_h = SIDE,
                                   .kernel_w = SIDE,
                                   .x = { CHANNELS, CHANNELS * SIDE, CHANNELS * PIXELS },
                                   .y = out,
                                   .sx = 0.5f,
                                   .sy = 0.5f,
                                   .zx = 3,
                                   .zy = 3 };
    uint8_t *const           x = runner_guarded(CHANNELS * PIXELS, 1);
    pare_rng                 rng = pare_rng_seed(r->seed);

    CHECK(r, pare_qpool_check(&d) == PARE_OK, "refused");
    for (int random = 0; random < 2; random++) {
        uint8_t want[CHANNELS], got[CHANNELS];

        for (int i = 0; i < CHANNELS * PIXELS; i++)
            x[i] = random ? (uint8_t)pare_rng_u64(&rng) : 255;
        pare_qpool_run(k[n - 1], &d, &(pare_qpool_args){ x, want, 1 }, 0, 1);
        CHECK(r, random || want[0] == 255, "the reference gives %d", want[0]);
        for (int i = 0; i < n; i++) {
            memset(got, 0, sizeof(got));
            pare_qpool_run(k[i], &d, &(pare_qpool_args){ x, got, 1 }, 0, 1);
            CHECK(r, !memcmp(got, want, sizeof(got)), "%s random=%d", pare_qpool_kernel_name(k[i]), random);
        }
    }
    runner_guarded_free(x, CHANNELS * PIXELS, 1);
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "each_level_has_its_versions", each_level_has_its_versions },
        { "long_means", long_means },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
