/* SPDX-License-Identifier: Apache-2.0 */
/* test_models_arch.c - every network family against torchvision: names, shapes, and outputs in float */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pare/compile.h>
#include <pare/models.h>

#include "golden_models.h"

static double worst_of_all;

static void check_state(const golden *g, const pare_module *m)
{
    pare_state *state;

    assert_int_equal(pare_state_create(&state), PARE_OK);
    assert_int_equal(pare_module_state(m, state), PARE_OK);
    if (pare_state_count(state) != g->n_state || golden_state(state) != g->state)
        fail_msg("%s: the state dict has %d entries with other names or shapes than PyTorch's %d", g->name,
                 pare_state_count(state), g->n_state);
    pare_state_destroy(state);
}

static pare_graph *traced(const golden *g, const pare_module *m)
{
    pare_trace_input in[4];
    pare_graph      *graph;
    int              n;

    assert_int_equal(pare_model_inputs(g->name, in, &n), PARE_OK);
    in[0].shape = g->shape[0];
    in[0].shape.dim[0] = PARE_DIM_ANY;
    if (pare_trace(m, n, in, false, &graph) != PARE_OK)
        fail_msg("%s: %s", g->name, pare_error());
    return graph;
}

static void check_model(const golden *g)
{
    pare_trace_input in[4];
    pare_module     *m;
    pare_plan       *plan;
    pare_context    *ctx;
    int              n;

    assert_int_equal(pare_model_inputs(g->name, in, &n), PARE_OK);
    if (pare_model_build(g->name, &(pare_model_options){ .zeros = true }, &m) != PARE_OK)
        fail_msg("%s: %s", g->name, pare_error());
    check_state(g, m);
    assert_int_equal(golden_fill(m), PARE_OK);

    pare_graph *const graph = traced(g, m);
    pare_tensor       x = golden_input(0, &g->shape[0], in[0].dtype == PARE_s64 ? pare_module_int(m, "vocabulary") : 0);
    const pare_tensor *const inputs[] = { &x };

    pare_module_destroy(m); /* the graph lives on */
    if (pare_compile(graph, &(pare_compile_options){ .batch = g->shape[0].dim[0] }, &plan) != PARE_OK)
        fail_msg("%s: %s", g->name, pare_error());
    pare_graph_destroy(graph);
    assert_int_equal(pare_context_create(plan, &ctx), PARE_OK);
    assert_int_equal(pare_context_run(ctx, NULL, inputs, NULL, 0), PARE_OK);

    const double error = golden_error(g, pare_context_output(ctx, 0));
    if (!(error <= 1e-4))
        fail_msg("%s: outputs differ from PyTorch's by %g of the largest", g->name, error);
    worst_of_all = error > worst_of_all ? error : worst_of_all;
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    pare_tensor_release(&x);
}

static void test_golden(void **state)
{
    int n = 0;

    (void)state;
    while (pare_model_name(n))
        n++;
    assert_int_equal(golden_each("model", check_model), n); /* each of the list has its line */
    print_message("%d networks, largest difference %.2g\n", n, worst_of_all);
}

static void test_options(void **state)
{
    pare_module *m;

    (void)state;
    assert_int_equal(pare_model_build("resnet21", NULL, &m), PARE_ERR_ARG);
    assert_non_null(strstr(pare_error(), "did you mean 'resnet20'"));
    assert_int_equal(pare_model_build("resnet20", &(pare_model_options){ .settings = "colour=red" }, &m), PARE_ERR_ARG);
    assert_non_null(strstr(pare_error(), "no setting 'colour'"));
    assert_int_equal(
        pare_model_build("mobilenet_v3_small", &(pare_model_options){ .classes = 7, .settings = "width=0.5" }, &m),
        PARE_OK);
    assert_int_equal(pare_module_tensor(m, "classifier.3.weight")->shape.dim[0], 7);
    assert_int_equal(pare_module_tensor(m, "features.0.0.weight")->shape.dim[0], 8);
    pare_module_destroy(m);
}

/* Auxiliary outputs exist while training only. */
static void test_training_outputs(void **state)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 4, .dim = { 2, 3, 64, 64 } } };
    pare_graph            *g;
    pare_module           *m;

    (void)state;
    assert_int_equal(pare_model_build("googlenet", &(pare_model_options){ .classes = 10 }, &m), PARE_OK);
    assert_int_equal(pare_trace(m, 1, &in, true, &g), PARE_OK);
    assert_int_equal(pare_graph_n_outputs(g), 3);
    pare_graph_destroy(g);
    assert_int_equal(pare_trace(m, 1, &in, false, &g), PARE_OK);
    assert_int_equal(pare_graph_n_outputs(g), 1);
    pare_graph_destroy(g);
    pare_module_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_training_outputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
