/* SPDX-License-Identifier: Apache-2.0 */
/* qbinary_cases.h - a rule of two u8 codes against its reference, for the tests of qadd and qmul only */
#ifndef PARE_KERNELS_QBINARY_CASES_H
#define PARE_KERNELS_QBINARY_CASES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <runner.h>

#include "base/rng.h"
#include "base/status.h"

enum { REFERENCE = -1, MAX_KERNELS = 8, ALL_PAIRS = 65536 };

/* The fields of pare_qadd_desc and pare_qmul_desc. */
typedef struct binary_desc {
    float sa, sb, sy;
    int   za, zb, zy, lo, hi;
} binary_desc;

/* What a test has of its own. */
typedef struct binary_rule {
    /* Makes the constants that `row` uses from now on. */
    pare_status (*init)(const binary_desc *d);
    /* Finds the versions that this machine runs and returns how many; `name` and `row` take their index afterwards,
     * `row` also REFERENCE. */
    int (*versions)(void);
    const char *(*name)(int version);
    void (*row)(int version, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n);
    float tie_sy;           /* many ties where sa is 1 and sb 1 or 0.5 */
    float near[3];          /* sa, sb, sy: just within 32 bits         */
    float too_small;        /* sy that is not, where sa and sb are 1   */
    void (*own)(runner *r); /* a case that the other rule has not; NULL: none */
} binary_rule;

static const binary_rule *rule; /* set by binary_main: a case is given the runner only */

static inline binary_desc random_desc(pare_rng *rng)
{
    static const int zeros[] = { 0, 1, 128, 255 };
    binary_desc      d = { pare_rng_uniform(rng, 0.001f, 0.1f),
                           pare_rng_uniform(rng, 0.001f, 0.1f),
                           pare_rng_uniform(rng, 0.001f, 0.1f),
                           zeros[pare_rng_below(rng, 4)],
                           zeros[pare_rng_below(rng, 4)],
                           zeros[pare_rng_below(rng, 4)],
                           0,
                           0 };

    if (pare_rng_below(rng, 3) == 0)
        d.sa = 1, d.sb = pare_rng_below(rng, 2) ? 1.0f : 0.5f, d.sy = rule->tie_sy;
    if (pare_rng_below(rng, 3) == 0)
        d.lo = 17, d.hi = 201;
    if (pare_rng_below(rng, 8) == 0)
        d.sa = rule->near[0], d.sb = rule->near[1], d.sy = rule->near[2];
    return d;
}

static inline void all_pairs(runner *r)
{
    const int n = rule->versions();
    pare_rng  rng = pare_rng_seed(r->seed);
    uint8_t  *a = malloc(ALL_PAIRS), *b = malloc(ALL_PAIRS), *want = malloc(ALL_PAIRS), *got = malloc(ALL_PAIRS);

    for (int i = 0; i < ALL_PAIRS; i++) {
        a[i] = (uint8_t)i;
        b[i] = (uint8_t)(i >> 8);
    }
    for (int t = 0; t < 60; t++) {
        const binary_desc d = random_desc(&rng);

        if (!CHECK(r, rule->init(&d) == PARE_OK, "%s", pare_error()))
            continue;
        rule->row(REFERENCE, a, b, 1, want, ALL_PAIRS);
        for (int k = 0; k < n; k++) {
            memset(got, 0, ALL_PAIRS);
            rule->row(k, a, b, 1, got, ALL_PAIRS);
            CHECK(r, !memcmp(got, want, ALL_PAIRS), "%s: sa=%g sb=%g sy=%g", rule->name(k), (double)d.sa, (double)d.sb,
                  (double)d.sy);
        }
    }
    free(a);
    free(b);
    free(want);
    free(got);
}

/* Each length in exactly as much memory, before a forbidden page; y is a, b or neither; b may be one code. */
static inline void short_rows(runner *r)
{
    const int n = rule->versions();
    pare_rng  rng = pare_rng_seed(r->seed);

    for (int length = 0; length < 200; length++)
        for (int k = 0; k < n; k++) {
            const int      step = (int)pare_rng_below(&rng, 2), where = (int)pare_rng_below(&rng, step ? 3 : 2);
            const size_t   nb = step ? (size_t)length : 1;
            uint8_t *const a = runner_guarded((size_t)length, 1), *const b = runner_guarded(nb, 1);
            uint8_t *const    other = runner_guarded((size_t)length, 1);
            uint8_t *const    y = where == 0 ? other : where == 1 ? a : b;
            uint8_t           want[200];
            const binary_desc d = random_desc(&rng);

            for (int i = 0; i < length; i++)
                a[i] = (uint8_t)pare_rng_u64(&rng);
            for (size_t i = 0; i < nb; i++)
                b[i] = (uint8_t)pare_rng_u64(&rng);
            CHECK(r, rule->init(&d) == PARE_OK, "%s", pare_error());
            rule->row(REFERENCE, a, b, step, want, length);
            rule->row(k, a, b, step, y, length);
            CHECK(r, !memcmp(y, want, (size_t)length), "%s: n=%d b_step=%d y=%d", rule->name(k), length, step, where);
            runner_guarded_free(a, (size_t)length, 1);
            runner_guarded_free(b, nb, 1);
            runner_guarded_free(other, (size_t)length, 1);
        }
}

static inline void refuses(runner *r)
{
    CHECK(r, rule->init(&(binary_desc){ .sa = 1, .sb = 1, .sy = rule->too_small }) == PARE_ERR_UNSUPPORTED, "2^31");
    CHECK(r, rule->init(&(binary_desc){ .sa = 0, .sb = 1, .sy = 1 }) == PARE_ERR_ARG, "scale 0");
    CHECK(r, rule->init(&(binary_desc){ .sa = 1, .sb = 1, .sy = 1, .zb = 256 }) == PARE_ERR_ARG, "zero 256");
}

static inline int binary_main(int argc, char **argv, const binary_rule *tested)
{
    const runner_case cases[] = {
        { "all_pairs", all_pairs },
        { "short_rows", short_rows },
        { "refuses", refuses },
        { "own", tested->own },
    };

    rule = tested;
    return runner_main(argc, argv, cases, (int)(sizeof(cases) / sizeof(cases[0])) - !tested->own);
}

#endif
