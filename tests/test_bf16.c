/* SPDX-License-Identifier: Apache-2.0 */
/* test_bf16.c - plans that may round to bf16: near the others, the same on any number of threads, and only when asked for */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/cpu.h"
#include "exec/plan.h"
#include "random_networks.h"

static const char pictures[] =
    "graph g\n%x = input f32[N,7,9,11]\n@w = const f32[40,7,3,3] seed=1\n"
    "@b = const f32[40] seed=2\n@v = const f32[33,40,1,1] seed=3\n"
    "@d = const f32[33,1,3,3] seed=4\n@m = const f32[33,10] seed=5\n@n = const f32[10] seed=6\n"
    "%a = conv(%x, @w, @b) pads=[1,1,1,1] clamp_lo=0\n%c = conv(%a, @v) strides=[2,2]\n"
    "%e = conv(%c, @d) group=33 pads=[1,1,1,1]\n%f = global_average_pool(%e)\n"
    "%h = flatten(%f)\n%y = gemm(%h, @m, @n)\nreturn %y\n";
static const char rows[] =
    "graph g\n%x = input f32[N,37,24]\n@w = const f32[24,50] seed=1\n@v = const f32[50,24] seed=2\n"
    "%a = matmul(%x, @w)\n%b = relu(%a)\n%y = matmul(%b, @v)\nreturn %y\n";

static pare_plan *plan_of(const char *text, bool bf16)
{
    pare_graph *g;
    pare_plan  *plan;

    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    OK(pare_compile(g, &(pare_compile_options){ .batch = 3, .bf16 = bf16 }, &plan));
    pare_graph_destroy(g);
    return plan;
}

static int bf16_steps(const pare_plan *plan)
{
    pare_step_info info;
    int            n = 0;

    for (int i = 0; i < pare_plan_n_steps(plan); i++) {
        pare_plan_describe(plan, i, &info);
        n += strstr(info.kernel, "bf16") != NULL;
    }
    return n;
}

/* The largest difference, as a share of the largest number. */
static double distance(const pare_tensor *a, const pare_tensor *b)
{
    double most = 0, size = 0;

    for (int64_t i = 0; i < pare_shape_count(&a->shape); i++) {
        most = fmax(most, fabs(pare_tensor_real(a, i) - pare_tensor_real(b, i)));
        size = fmax(size, fabs(pare_tensor_real(b, i)));
    }
    return most / size;
}

static void check(const char *text, int layers)
{
    pare_plan *const exact = plan_of(text, false), *const rounded = plan_of(text, true);
    pare_tensor              x = make_input(exact, 1);
    const pare_tensor *const in[] = { &x };
    const bool               can = pare_cpu_bf16(pare_cpu_features());
    pare_context            *want, *one, *many;

    OK(pare_context_create(exact, &want));
    OK(pare_context_create(rounded, &one));
    OK(pare_context_create(rounded, &many));
    OK(pare_context_run(want, NULL, in, NULL, 0));
    OK(pare_context_run(one, NULL, in, NULL, 0));

    const pare_tensor *const y = pare_context_output(one, 0), *const z = pare_context_output(want, 0);
    const double away = distance(y, z);

    assert_int_equal(bf16_steps(exact), 0);
    assert_int_equal(bf16_steps(rounded), can ? layers : 0);
    assert_true(can ? away > 0 && away < 0x1p-6 : away == 0);
    for (int threads = 2; threads <= 5; threads++) {
        pare_pool *pool;

        OK(pare_pool_create(threads, &pool));
        OK(pare_context_run(many, pool, in, NULL, 0));
        assert_memory_equal(pare_context_output(many, 0)->data, y->data, (size_t)pare_tensor_bytes(y));
        pare_pool_destroy(pool);
    }
    pare_context_destroy(want);
    pare_context_destroy(one);
    pare_context_destroy(many);
    pare_tensor_release(&x);
    pare_plan_destroy(exact);
    pare_plan_destroy(rounded);
}

static void convolutions(void **state)
{
    (void)state;
    check(pictures, 3); /* not the depthwise one */
}

static void products(void **state)
{
    (void)state;
    check(rows, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(convolutions), cmocka_unit_test(products) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
