/* SPDX-License-Identifier: Apache-2.0 */
/* test_optimizers.c - optimizers and schedules against PyTorch's numbers, on any number of threads, and their limits */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autograd/descent.h"
#include "autograd/optimizer.h"
#include "autograd/schedule.h"
#include "base/alloc.h"
#include "base/rng.h"

#include "golden/optimizers.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

/* Bit for bit, but for the clipped: PyTorch sums the norm in float, which moves weights near 1 by an ulp or two. */
static const float NEAR = 2.5e-7f;

static void test_formulas(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(golden_optimizers) / sizeof(golden_optimizers[0]); k++) {
        float         w[N], g[N];
        pare_descent *p;

        OK(pare_descent_create(&golden_optimizers[k].options, 1, (const int64_t[]){ N }, &p));
        for (int i = 0; i < N; i++)
            w[i] = (float)((i * 37 + 11) % 64 - 32) / 32;
        for (int step = 0; step < STEPS; step++) {
            const pare_optimized a = { w, g, N, true };

            for (int i = 0; i < N; i++)
                g[i] = (float)((i * 29 + step * 53 + 7) % 128 - 64) / 128;
            pare_descent_step(p, NULL, &a, 0.1, pare_descent_norm(p, NULL, &a));
            const float near = golden_optimizers[k].options.clip != 0 ? NEAR : 0;

            for (int i = 0; i < N; i++)
                if (!(fabsf(w[i] - golden_optimizers[k].w[step][i]) <= near))
                    fail_msg("%s step %d weight %d: %a, PyTorch %a", golden_optimizers[k].name, step, i, (double)w[i],
                             (double)golden_optimizers[k].w[step][i]);
        }
        pare_descent_destroy(p);
    }
}

static void test_schedules(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(golden_schedules) / sizeof(golden_schedules[0]); k++) {
        pare_schedule_options o = golden_schedules[k].options;

        OK(pare_schedule_check(&o, NULL, TOTAL));
        for (int step = 0; step < TOTAL; step++) {
            const double want = golden_schedules[k].lr[step], got = pare_schedule_lr(&o, step, TOTAL);

            if (!(fabs(got - want) <= 1e-13))
                fail_msg("schedule %zu (%s) step %d: %.17g, PyTorch %.17g", k, o.name, step, got, want);
        }
    }
}

/* Many arrays of odd sizes, with and without decay: every number of threads gives the same bytes. */
static void test_threads(void **state)
{
    enum { ARRAYS = 5, STEPS_HERE = 3 };
    static const int64_t sizes[ARRAYS] = { 1, 4096, 4097, 0, 20011 };
    float               *w[ARRAYS], *g[ARRAYS], *first[ARRAYS];
    double               norms[STEPS_HERE];

    (void)state;
    for (int i = 0; i < ARRAYS; i++) {
        w[i] = malloc((size_t)sizes[i] * sizeof(float) + 1);
        g[i] = malloc((size_t)sizes[i] * sizeof(float) + 1);
        first[i] = malloc((size_t)sizes[i] * sizeof(float) + 1);
    }
    for (int index = 0; pare_optimizer_at(index); index++)
        for (int threads = 1; threads < 8; threads += 2) {
            const pare_optimizer_options o = {
                .name = pare_optimizer_at(index)->name, .momentum = 0.9, .weight_decay = 0.1, .clip = 1
            };
            pare_rng       rng = pare_rng_seed(5);
            pare_optimized a[ARRAYS];
            pare_descent  *p;
            pare_pool     *pool;

            OK(pare_pool_create(threads, &pool));
            OK(pare_descent_create(&o, ARRAYS, sizes, &p));
            for (int i = 0; i < ARRAYS; i++) {
                a[i] = (pare_optimized){ w[i], g[i], sizes[i], i % 2 == 0 };
                for (int64_t k = 0; k < sizes[i]; k++)
                    w[i][k] = pare_rng_normal(&rng);
            }
            for (int step = 0; step < STEPS_HERE; step++) {
                for (int i = 0; i < ARRAYS; i++)
                    for (int64_t k = 0; k < sizes[i]; k++)
                        g[i][k] = pare_rng_normal(&rng);
                const double norm = pare_descent_norm(p, pool, a);

                if (threads == 1)
                    norms[step] = norm;
                assert_memory_equal(&norm, &norms[step], sizeof(norm));
                pare_descent_step(p, pool, a, 0.01, norm);
            }
            for (int i = 0; i < ARRAYS; i++) {
                if (threads == 1)
                    memcpy(first[i], w[i], (size_t)sizes[i] * sizeof(float));
                else if (memcmp(first[i], w[i], (size_t)sizes[i] * sizeof(float)) != 0)
                    fail_msg("%s: array %d differs on %d threads", o.name, i, threads);
            }
            pare_descent_destroy(p);
            pare_pool_destroy(pool);
        }
    for (int i = 0; i < ARRAYS; i++) {
        free(w[i]);
        free(g[i]);
        free(first[i]);
    }
}

static void test_decay_groups(void **state)
{
    float                w[2] = { 1, 1 }, zero[2] = { 0, 0 };
    const pare_optimized a[2] = { { w, zero, 1, true }, { w + 1, zero + 1, 1, false } };
    pare_descent        *p;

    (void)state;
    OK(pare_descent_create(&(pare_optimizer_options){ .weight_decay = 0.5 }, 2, (const int64_t[]){ 1, 1 }, &p));
    pare_descent_step(p, NULL, a, 0.5, 0);
    assert_true(w[0] == 0.75f);
    assert_true(w[1] == 1.0f);
    pare_descent_destroy(p);
}

static void test_norm(void **state)
{
    float                g[3] = { 3, INFINITY, 4 }, w[3] = { 0 };
    const pare_optimized bad = { w, g, 3, false }, empty = { w, g, 0, false };
    pare_descent        *p;

    (void)state;
    OK(pare_descent_create(&(pare_optimizer_options){ 0 }, 1, (const int64_t[]){ 3 }, &p));
    assert_true(isinf(pare_descent_norm(p, NULL, &bad)));
    g[1] = NAN;
    assert_true(isnan(pare_descent_norm(p, NULL, &bad)));
    g[1] = 0;
    assert_true(pare_descent_norm(p, NULL, &bad) == 5);
    pare_descent_destroy(p);
    OK(pare_descent_create(&(pare_optimizer_options){ .clip = 1 }, 1, (const int64_t[]){ 0 }, &p));
    assert_true(pare_descent_norm(p, NULL, &empty) == 0);
    pare_descent_step(p, NULL, &empty, 0.1, 0);
    pare_descent_destroy(p);
}

static void test_ema(void **state)
{
    float       average[2] = { 1, 0 };
    const float w[2] = { 3, -2 };

    (void)state;
    pare_ema_update(NULL, 0.75, 2, average, w);
    assert_true(average[0] == 1.5f && average[1] == -0.5f);
}

static void refused(pare_optimizer_options o, const char *word)
{
    const long    live = pare_alloc_live();
    pare_descent *p;

    assert_int_equal(pare_descent_create(&o, 1, (const int64_t[]){ 1 }, &p), PARE_ERR_ARG);
    assert_null(p);
    assert_int_equal(pare_alloc_live(), live);
    if (!strstr(pare_error(), word))
        fail_msg("'%s' is not in: %s", word, pare_error());
}

static void schedule_refused(pare_schedule_options o, const char *word)
{
    assert_int_equal(pare_schedule_check(&o, NULL, 10), PARE_ERR_ARG);
    if (!strstr(pare_error(), word))
        fail_msg("'%s' is not in: %s", word, pare_error());
}

static void test_refused(void **state)
{
    (void)state;
    refused((pare_optimizer_options){ .name = "adma" }, "did you mean 'adam'");
    refused((pare_optimizer_options){ .momentum = 1 }, "momentum");
    refused((pare_optimizer_options){ .momentum = NAN }, "momentum");
    refused((pare_optimizer_options){ .weight_decay = -1 }, "weight decay");
    refused((pare_optimizer_options){ .clip = INFINITY }, "clip");
    refused((pare_optimizer_options){ .nesterov = true }, "Nesterov");
    schedule_refused((pare_schedule_options){ .name = "cosin" }, "did you mean 'cosine'");
    schedule_refused((pare_schedule_options){ .lr = -1 }, "positive");
    schedule_refused((pare_schedule_options){ .lr = NAN }, "positive");
    schedule_refused((pare_schedule_options){ .warmup = 10 }, "warm-up");
    schedule_refused((pare_schedule_options){ .lowest = 1 }, "lowest");
}

/* The first and the last allocation may fail; nothing leaks. */
static void test_short_memory(void **state)
{
    const long live = pare_alloc_live();

    (void)state;
    for (long n = 1;; n++) {
        pare_descent *p;

        pare_alloc_fail_after(n);
        const pare_status status =
            pare_descent_create(&(pare_optimizer_options){ 0 }, 1, (const int64_t[]){ 5000 }, &p);
        pare_alloc_fail_after(0);
        pare_descent_destroy(p);
        assert_int_equal(pare_alloc_live(), live);
        if (status == PARE_OK)
            break;
        assert_int_equal(status, PARE_ERR_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),     cmocka_unit_test(test_schedules),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_decay_groups), cmocka_unit_test(test_norm),         cmocka_unit_test(test_ema),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_short_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
