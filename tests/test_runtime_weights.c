/* SPDX-License-Identifier: Apache-2.0 */
/* test_runtime_weights.c - layers whose weights are inputs, as in training, run on kernels and equal their definition */
#include "plan_helpers.h"

static const char *const graphs[] = {
    "graph conv\n%x = input f32[3,16,9,8]\n%w = input f32[24,16,3,3]\n%b = input f32[24]\n"
    "%y = conv(%x, %w, %b) pads=[1,1,1,1] strides=[2,1] clamp_lo=0\nreturn %y\n",
    "graph constant_weights\n%x = input f32[2,5,7,7]\n%b = input f32[18]\n@w = const f32[18,5,3,3] seed=1\n"
    "%y = conv(%x, @w, %b)\nreturn %y\n",
    "graph grouped\n%x = input f32[2,8,6,6]\n%w = input f32[12,4,3,3]\n%y = conv(%x, %w) group=2\nreturn %y\n",
    "graph depthwise\n%x = input f32[2,20,6,6]\n%w = input f32[20,1,3,3]\n%b = input f32[20]\n"
    "%y = conv(%x, %w, %b) group=20 pads=[1,1,1,1]\nreturn %y\n",
    "graph transposed\n%x = input f32[2,6,5,5]\n%w = input f32[6,20,3,3]\n%b = input f32[20]\n"
    "%r = relu(%x)\n%c = conv_transpose(%r, %w, %b) strides=[2,2] pads=[1,1,1,1] output_padding=[1,1]\nreturn %c\n",
    "graph gemm\n%x = input f32[9,40]\n%w = input f32[33,40]\n%b = input f32[33]\n"
    "%y = gemm(%x, %w, %b) transB=1 clamp_lo=0\nreturn %y\n",
    "graph weight_gradient\n%x = input f32[40,19]\n%d = input f32[40,33]\n%y = gemm(%x, %d) transA=1\nreturn %y\n",
    "graph both_turned\n%x = input f32[7,19]\n%d = input f32[33,7]\n%y = gemm(%x, %d) transA=1 transB=1\nreturn %y\n",
    "graph matmul\n%x = input f32[2,9,40]\n%w = input f32[40,18]\n%y = matmul(%x, %w)\nreturn %y\n",
};

static void check_threads(const pare_plan *plan, const results *want, const char *name, int threads)
{
    pare_pool *pool;

    OK(pare_pool_create(threads, &pool));
    results got = run_on(plan, pool);

    for (int i = 0; i < want->n; i++)
        if (memcmp(got.t[i].data, want->t[i].data, (size_t)pare_tensor_bytes(&got.t[i])) != 0)
            fail_msg("%s on %d threads: output %d is not the definition's", name, threads, i);
    drop(&got);
    pare_pool_destroy(pool);
}

static void test_equal_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(graphs) / sizeof(graphs[0]); i++) {
        pare_graph *const g = parse(graphs[i]);
        pare_plan        *plan, *reference;

        OK(pare_compile(g, &(pare_compile_options){ .reference = true }, &reference));
        results want = run(reference);

        OK(pare_compile(g, NULL, &plan));
        for (int k = 0; k < pare_plan_n_steps(plan); k++) {
            pare_step_info info;

            pare_plan_describe(plan, k, &info);
            if (strcmp(info.kernel, "reference") == 0)
                fail_msg("%s: node '%s' (%s) has no kernel", graphs[i], info.name, info.op);
        }
        for (int threads = 1; threads <= 3; threads++)
            check_threads(plan, &want, graphs[i], threads);
        drop(&want);
        pare_plan_destroy(plan);
        pare_plan_destroy(reference);
        pare_graph_destroy(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_equal_definition) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
