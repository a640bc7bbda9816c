/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_test.c - every version of qmul against its reference: all pairs of codes, all short lengths, in place */
#include "kernels/qmul/qmul.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "runner.h"

enum { MAX_KERNELS = 8, N = 65536 };

static pare_qmul_desc make(pare_rng *rng)
{
    static const int zeros[] = { 0, 1, 128, 255 };
    pare_qmul_desc   d = { pare_rng_uniform(rng, 0.001f, 0.1f),
                           pare_rng_uniform(rng, 0.001f, 0.1f),
                           pare_rng_uniform(rng, 0.001f, 0.1f),
                           zeros[pare_rng_below(rng, 4)],
                           zeros[pare_rng_below(rng, 4)],
                           zeros[pare_rng_below(rng, 4)],
                           0,
                           0 };

    if (pare_rng_below(rng, 3) == 0) /* many ties */
        d.sa = 1, d.sb = pare_rng_below(rng, 2) ? 1.0f : 0.5f, d.sy = 64;
    if (pare_rng_below(rng, 3) == 0)
        d.lo = 17, d.hi = 201;
    if (pare_rng_below(rng, 8) == 0) /* near the limit */
        d.sa = 1, d.sb = 1, d.sy = 3.1e-5f;
    return d;
}

static void all_pairs(runner *r)
{
    const pare_qmul_kernel *kernels[MAX_KERNELS];
    const int               n = pare_qmul_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                rng = pare_rng_seed(r->seed);
    uint8_t                *a = malloc(N), *b = malloc(N), *want = malloc(N), *got = malloc(N);

    for (int i = 0; i < N; i++) {
        a[i] = (uint8_t)i;
        b[i] = (uint8_t)(i >> 8);
    }
    for (int t = 0; t < 60; t++) {
        const pare_qmul_desc d = make(&rng);
        pare_qmul_params     p;

        if (!CHECK(r, pare_qmul_init(&d, &p) == PARE_OK, "%s", pare_error()))
            continue;
        pare_qmul_ref(&p, a, b, 1, want, N);
        for (int k = 0; k < n; k++) {
            memset(got, 0, N);
            kernels[k]->row(&p, a, b, 1, got, N);
            CHECK(r, !memcmp(got, want, N), "%s: sa=%g sb=%g sy=%g", kernels[k]->name, (double)d.sa, (double)d.sb,
                  (double)d.sy);
        }
    }
    free(a);
    free(b);
    free(want);
    free(got);
}

/* Each length in exactly as much memory, before a forbidden page; y is a, b or neither; b may be one code. */
static void short_rows(runner *r)
{
    const pare_qmul_kernel *kernels[MAX_KERNELS];
    const int               n = pare_qmul_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                rng = pare_rng_seed(r->seed);

    for (int length = 0; length < 200; length++)
        for (int k = 0; k < n; k++) {
            const int      step = (int)pare_rng_below(&rng, 2), where = (int)pare_rng_below(&rng, step ? 3 : 2);
            const size_t   nb = step ? (size_t)length : 1;
            uint8_t *const a = runner_guarded((size_t)length, 1), *const b = runner_guarded(nb, 1);
            uint8_t *const       other = runner_guarded((size_t)length, 1);
            uint8_t *const       y = where == 0 ? other : where == 1 ? a : b;
            uint8_t              want[200];
            const pare_qmul_desc d = make(&rng);
            pare_qmul_params     p;

            for (int i = 0; i < length; i++)
                a[i] = (uint8_t)pare_rng_u64(&rng);
            for (size_t i = 0; i < nb; i++)
                b[i] = (uint8_t)pare_rng_u64(&rng);
            CHECK(r, pare_qmul_init(&d, &p) == PARE_OK, "%s", pare_error());
            pare_qmul_ref(&p, a, b, step, want, length);
            kernels[k]->row(&p, a, b, step, y, length);
            CHECK(r, !memcmp(y, want, (size_t)length), "%s: n=%d b_step=%d y=%d", kernels[k]->name, length, step,
                  where);
            runner_guarded_free(a, (size_t)length, 1);
            runner_guarded_free(b, nb, 1);
            runner_guarded_free(other, (size_t)length, 1);
        }
}

static void refuses(runner *r)
{
    pare_qmul_params p;

    CHECK(r, pare_qmul_init(&(pare_qmul_desc){ .sa = 1, .sb = 1, .sy = 1e-6f }, &p) == PARE_ERR_UNSUPPORTED, "2^31");
    CHECK(r, pare_qmul_init(&(pare_qmul_desc){ .sa = 0, .sb = 1, .sy = 1 }, &p) == PARE_ERR_ARG, "scale 0");
    CHECK(r, pare_qmul_init(&(pare_qmul_desc){ .sa = 1, .sb = 1, .sy = 1, .zb = 256 }, &p) == PARE_ERR_ARG, "zero 256");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "all_pairs", all_pairs },
        { "short_rows", short_rows },
        { "refuses", refuses },
    };
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])));
}
