/* SPDX-License-Identifier: Apache-2.0 */
/* test_slabs.c - batches that run in slabs: any slab gives the bytes of the whole batch, and samples that meet stay whole */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/plan.h"
#include "random_networks.h"

enum { BATCH = 6 };

static void check_equal(const pare_context *got, const pare_context *want, const pare_plan *plan, const char *when)
{
    for (int k = 0; k < pare_plan_n_outputs(plan); k++) {
        const pare_tensor *const a = pare_context_output(got, k), *const b = pare_context_output(want, k);

        assert_true(pare_shape_equal(&a->shape, &b->shape));
        assert_true(pare_tensor_is_dense(a));
        if (memcmp(a->data, b->data, (size_t)pare_tensor_bytes(b)) != 0)
            fail_msg("%s: output %d differs", when, k);
    }
}

static void any_slab_gives_the_same_bytes(void **state)
{
    static const int slabs[] = { 0, 1, 2, 3 }, counts[] = { 1, 2, 5, 7 };
    pare_pool       *pool[4];
    int              cut = 0;

    (void)state;
    for (int i = 0; i < 4; i++)
        OK(pare_pool_create(counts[i], &pool[i]));
    for (uint64_t seed = 1; seed <= 60; seed++) {
        pare_plan *const         whole = make_batch(seed, BATCH, BATCH);
        pare_tensor              x = make_input(whole, seed);
        const pare_tensor *const in[] = { &x };
        pare_context            *want;

        assert_int_equal(whole->slabs, 1);
        OK(pare_context_create(whole, &want));
        OK(pare_context_run(want, NULL, in, NULL, 0));
        for (int i = 0; i < 4; i++) {
            pare_plan *const plan = make_batch(seed, BATCH, slabs[i]);
            pare_context    *got;

            cut += plan->slabs > 1;
            OK(pare_context_create(plan, &got));
            for (int k = 0; k < 4; k++) {
                char when[80];

                snprintf(when, sizeof(when), "seed %d, slab %d, %d threads", (int)seed, slabs[i], counts[k]);
                OK(pare_context_run(got, pool[k], in, NULL, 0));
                check_equal(got, want, plan, when);
            }
            pare_context_destroy(got);
            pare_plan_destroy(plan);
        }
        pare_context_destroy(want);
        pare_tensor_release(&x);
        pare_plan_destroy(whole);
    }
    assert_true(cut > 60 * 2);
    for (int i = 0; i < 4; i++)
        pare_pool_destroy(pool[i]);
}

/* How many slabs of one sample a network with inputs of [4, ...] has. */
static int slabs_of(const char *text)
{
    pare_graph *g;
    pare_plan  *plan;

    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    OK(pare_compile(g, &(pare_compile_options){ .slab = 1 }, &plan));
    const int slabs = (int)plan->slabs;

    pare_graph_destroy(g);
    pare_plan_destroy(plan);
    return slabs;
}

/* One op, y = ...(%x), on a matrix of floats. */
static int slabs_of_op(const char *inputs, const char *op)
{
    char text[1024];

    snprintf(text, sizeof(text), "graph g\n%s\n%%y = %s\nreturn %%y\n", inputs, op);
    return slabs_of(text);
}

static void samples_that_meet_stay_together(void **state)
{
    static const char x2[] = "%x = input f32[4,4]\n@w = const f32[4,4] seed=1\n@b = const f32[4] seed=2\n"
                             "@r = const f32[1,4] seed=2";
    static const char x3[] = "%x = input f32[4,4,4]\n@w = const f32[4,4,4] seed=1\n@i = const s64 {1}";

    (void)state;
    assert_int_equal(slabs_of_op(x2, "softmax(%x) axis=1"), 4);
    assert_int_equal(slabs_of_op(x2, "softmax(%x) axis=0"), 1);
    assert_int_equal(slabs_of_op(x2, "softmax(%x) axis=-2"), 1);
    assert_int_equal(slabs_of_op(x2, "gemm(%x, @w, @b)"), 4);
    assert_int_equal(slabs_of_op(x2, "gemm(%x, @w, @r)"), 4);
    assert_int_equal(slabs_of_op(x2, "gemm(%x, @w, @w)"), 1);
    assert_int_equal(slabs_of_op(x2, "gemm(%x, @w) transA=1"), 1);
    assert_int_equal(slabs_of_op(x2, "gemm(@w, %x)"), 1);
    assert_int_equal(slabs_of_op(x2, "matmul(%x, @w)"), 4);
    assert_int_equal(slabs_of_op(x2, "matmul(%x, %x)"), 1);
    assert_int_equal(slabs_of_op(x3, "matmul(%x, %x)"), 4);
    assert_int_equal(slabs_of_op(x3, "matmul(%x, @w)"), 1);
    assert_int_equal(slabs_of_op(x3, "matmul(@w, %x)"), 1);
    assert_int_equal(slabs_of_op(x2, "add(%x, @b)"), 4);
    assert_int_equal(slabs_of_op(x2, "add(%x, @w)"), 1);
    assert_int_equal(slabs_of_op("%x = input f32[4,2]\n@c = const f32[4,2] {1,2,1,2,1,2,1,2}", "add(%x, @c)"), 4);
    assert_int_equal(slabs_of_op("%x = input f32[4,2]\n@c = const f32[4,2] {1,2,1,2,1,2,1,3}", "add(%x, @c)"), 1);
    assert_int_equal(slabs_of_op("%x = input f32[4,4,4]\n@p = const s64[6] {0,1,0,0,0,2}", "pad(%x, @p)"), 4);
    assert_int_equal(slabs_of_op(x2, "transpose(%x) perm=[1,0]"), 1);
    assert_int_equal(slabs_of_op(x3, "transpose(%x) perm=[0,2,1]"), 4);
    assert_int_equal(slabs_of_op(x2, "concat(%x, %x) axis=1"), 4);
    assert_int_equal(slabs_of_op(x2, "concat(%x, @w) axis=1"), 1);
    assert_int_equal(slabs_of_op(x2, "concat(%x, %x) axis=0"), 1);
    assert_int_equal(slabs_of_op(x3, "gather(%x, @i) axis=1"), 4);
    assert_int_equal(slabs_of_op(x3, "gather(%x, @i) axis=0"), 1);
    assert_int_equal(slabs_of_op(x2, "layer_normalization(%x, @b)"), 4);
    assert_int_equal(slabs_of_op(x2, "layer_normalization(%x, @w) axis=0"), 1);
    assert_int_equal(slabs_of_op(x3, "cum_sum(%x, @i)"), 1);
    assert_int_equal(slabs_of("graph g\n%x = input f32[4,3]\n%z = input f32[2,3]\n%y = relu(%x)\n%u = relu(%z)\n"
                              "return %y, %u\n"),
                     1);
    assert_int_equal(slabs_of("graph g\n%x = input f32[4,3]\n%z = input f32[4,1]\n%y = add(%x, %z)\nreturn %y\n"), 4);
}

static void slabs_must_divide_the_batch(void **state)
{
    static const char text[] = "graph g\n%x = input f32[N,3,4,4]\n%y = relu(%x)\nreturn %y\n";
    pare_graph       *g;
    pare_plan        *plan;
    pare_step_info    info;

    (void)state;
    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    assert_int_equal(pare_compile(g, &(pare_compile_options){ .batch = 6, .slab = 4 }, &plan), PARE_ERR_ARG);
    OK(pare_compile(g, &(pare_compile_options){ .batch = 6, .slab = 2 }, &plan));
    assert_int_equal(plan->slabs, 3);
    pare_plan_describe(plan, 0, &info);
    assert_int_equal(info.shape.dim[0], 6);
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_slab_gives_the_same_bytes),
        cmocka_unit_test(samples_that_meet_stay_together),
        cmocka_unit_test(slabs_must_divide_the_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
