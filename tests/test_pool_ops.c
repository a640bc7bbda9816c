/* SPDX-License-Identifier: Apache-2.0 */
/* test_pool_ops.c - pools of numbers and of codes as planned */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_case.h"

typedef struct pool_case {
    int64_t dims[4];
    int64_t kernel[2], strides[2], pads[4], dilations[2];
    int     ceil_mode, count_include_pad;
} pool_case;

static const pool_case pools[] = {
    { { 2, 70, 7, 8 }, { 3, 3 }, { 2, 2 }, { 1, 1, 1, 1 }, { 1, 1 }, 0, 0 },
    { { 1, 5, 7, 8 }, { 3, 3 }, { 2, 2 }, { 1, 1, 1, 1 }, { 1, 1 }, 0, 1 },
    { { 1, 33, 5, 9 }, { 2, 2 }, { 2, 2 }, { 0, 0, 0, 0 }, { 1, 1 }, 1, 0 },
    { { 1, 33, 6, 9 }, { 3, 2 }, { 2, 3 }, { 1, 0, 1, 1 }, { 1, 1 }, 1, 1 },
    { { 1, 16, 9, 9 }, { 2, 3 }, { 1, 1 }, { 0, 1, 0, 1 }, { 2, 3 }, 0, 0 },
    { { 1, 1, 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, { 1, 1 }, 0, 0 },
};

static void pool_attrs(test_case *c, const pool_case *p)
{
    set_ints(c, "kernel_shape", 2, p->kernel);
    set_ints(c, "strides", 2, p->strides);
    set_ints(c, "pads", 4, p->pads);
    set_ints(c, "dilations", 2, p->dilations);
    set_i(c, "ceil_mode", p->ceil_mode);
    if (pare_attr_find(c->op, "count_include_pad"))
        set_i(c, "count_include_pad", p->count_include_pad);
}

static void float_pools_equal_reference(void **state)
{
    (void)state;
    seed = 11;
    for (size_t i = 0; i < sizeof(pools) / sizeof(*pools); i++)
        for (int halo = -1; halo < 2; halo++) {
            test_case *c = begin("max_pool");

            pool_attrs(c, &pools[i]);
            odd_numbers(numbers(c, 0, 4, pools[i].dims, halo));
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);
            c = begin("average_pool");
            pool_attrs(c, &pools[i]);
            numbers(c, 0, 4, pools[i].dims, halo);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
            finish(c);
            for (int j = 0; j < 2; j++) {
                c = begin(j ? "global_max_pool" : "global_average_pool");
                numbers(c, 0, 4, pools[i].dims, halo);
                check(c, j ? PARE_CHANNELS_LAST : PARE_DENSE, 0);
                finish(c);
            }
        }
}

/* Rank 3, and windows that lie in the padding altogether. */
static void float_pools_odd_shapes(void **state)
{
    test_case *c = begin("max_pool");

    (void)state;
    seed = 12;
    set_ints(c, "kernel_shape", LIST(3));
    set_ints(c, "strides", LIST(2));
    set_ints(c, "pads", LIST(1, 1));
    numbers(c, 0, DIMS(2, 20, 11), 1);
    check(c, PARE_CHANNELS_LAST, 1);
    finish(c);

    c = begin("max_pool");
    set_ints(c, "kernel_shape", LIST(2, 2));
    set_ints(c, "pads", LIST(3, 3, 3, 3));
    numbers(c, 0, DIMS(1, 20, 3, 3), 1);
    check(c, PARE_CHANNELS_LAST, 1);
    assert_true(pare_tensor_real(&c->out[0].t, 0) == -INFINITY);
    finish(c);

    c = begin("global_average_pool");
    numbers(c, 0, DIMS(2, 20, 50), 0);
    check(c, PARE_CHANNELS_LAST, 0);
    finish(c);
}

static void integer_pools_equal_reference(void **state)
{
    (void)state;
    seed = 13;
    for (size_t i = 0; i < sizeof(pools) / sizeof(*pools); i++)
        for (int halo = -1; halo < 2; halo++) {
            test_case *c = begin("qaverage_pool");

            pool_attrs(c, &pools[i]);
            codes(c, 0, 4, pools[i].dims, 0.021f, 113, halo);
            output(c, 0.0137f, 90);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);

            c = begin("qglobal_average_pool");
            codes(c, 0, 4, pools[i].dims, 0.021f, 113, halo);
            output(c, 0.0137f, 90);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
            finish(c);

            c = begin("max_pool");
            pool_attrs(c, &pools[i]);
            slot *const x = codes(c, 0, 4, pools[i].dims, 0.021f, 113, halo);

            c->out[0].t.q = &x->q;
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);

            c = begin("max_pool");
            pool_attrs(c, &pools[i]);
            slot *const s = input(c, 0, PARE_s8, 4, pools[i].dims);

            if (halo >= 0)
                channels_last(s, halo);
            place(s);
            fill(s);
            check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
            finish(c);
        }
}

/* The mean by real numbers. */
static void integer_means_are_means(void **state)
{
    test_case *const c = begin("qglobal_average_pool");

    (void)state;
    seed = 14;
    codes(c, 0, DIMS(2, 40, 9, 11), 0.021f, 113, 0);
    output(c, 0.0137f, 90);
    check(c, PARE_DENSE, 0);
    for (int64_t i = 0; i < 80; i++) {
        double sum = 0;

        for (int64_t p = 0; p < 99; p++)
            sum += real_of(&c->in[0], i * 99 + p);
        check_real(c, sum / 99, (int)pare_tensor_int(&c->out[0].t, i));
    }
    finish(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float_pools_equal_reference),
        cmocka_unit_test(float_pools_odd_shapes),
        cmocka_unit_test(integer_pools_equal_reference),
        cmocka_unit_test(integer_means_are_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
