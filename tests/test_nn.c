/* SPDX-License-Identifier: Apache-2.0 */
/* test_nn.c - records and modules: every kind against PyTorch, at once and traced; trees, state dicts, misuse */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pare/compile.h>
#include <pare/module.h>

#include "base/alloc.h"
#include "golden_models.h"

static void assert_says(const char *part)
{
    if (!strstr(pare_error(), part))
        fail_msg("the sentence is '%s', without '%s'", pare_error(), part);
}

static pare_tensor floats(int rank, const int64_t *dims, const float *values)
{
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(rank, dims));

    t.data = (void *)(uintptr_t)values;
    return t;
}

static pare_record *record(pare_record_mode mode)
{
    pare_record *r;

    assert_int_equal(pare_record_create(&(pare_record_options){ .mode = mode }, &r), PARE_OK);
    return r;
}

/* -------------------------------------------------------------------------------------------------- kinds of modules */

static double worst_of_all;

static void check_error(const golden *g, const pare_tensor *t, const char *how)
{
    const double error = golden_error(g, t);

    if (!(error <= 1e-4))
        fail_msg("%s %s, %s: differs from PyTorch's by %g of the largest", g->name, g->settings, how, error);
    worst_of_all = error > worst_of_all ? error : worst_of_all;
}

static void check_traced(const golden *g, pare_record *r, pare_var *y, const pare_tensor *in)
{
    const pare_tensor *inputs[GOLDEN_INPUTS];
    pare_graph        *graph;
    pare_plan         *plan;
    pare_context      *ctx;

    if (pare_record_graph(r, 1, &y, &graph) != PARE_OK || pare_compile(graph, NULL, &plan) != PARE_OK)
        fail_msg("%s %s: %s", g->name, g->settings, pare_error());
    for (int i = 0; i < g->n_inputs; i++)
        inputs[i] = &in[i];
    assert_int_equal(pare_context_create(plan, &ctx), PARE_OK);
    assert_int_equal(pare_context_run(ctx, NULL, inputs, NULL, 0), PARE_OK);
    check_error(g, pare_context_output(ctx, 0), "traced");
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    pare_graph_destroy(graph);
}

static void check_state(const golden *g, const pare_module *m)
{
    pare_state *state;

    assert_int_equal(pare_state_create(&state), PARE_OK);
    assert_int_equal(pare_module_state(m, state), PARE_OK);
    if (pare_state_count(state) != g->n_state || golden_state(state) != g->state)
        fail_msg("%s %s: names or shapes of parameters are not PyTorch's", g->name, g->settings);
    pare_state_destroy(state);
}

static void check_module(const golden *g)
{
    pare_record *const r = record(PARE_RUN_AND_RECORD);
    const int64_t      ids = strncmp(g->name, "embedding", 9) == 0 ? 11 : 0;
    pare_tensor        in[GOLDEN_INPUTS];
    pare_var          *x[GOLDEN_INPUTS], *y;
    pare_module       *m;

    if (pare_module_create(g->name, &m, "%s", g->settings) != PARE_OK)
        fail_msg("%s %s: %s", g->name, g->settings, pare_error());
    check_state(g, m);
    assert_int_equal(golden_fill(m), PARE_OK);
    for (int i = 0; i < g->n_inputs; i++) {
        in[i] = golden_input(i, &g->shape[i], ids);
        x[i] = pare_record_input(r, "x", &in[i]);
    }
    pare_forward_all(m, r, g->n_inputs, x, 1, &y);
    if (pare_record_status(r) != PARE_OK)
        fail_msg("%s %s: %s", g->name, g->settings, pare_error());
    check_error(g, pare_var_tensor(y), "run at once");
    check_traced(g, r, y, in);
    for (int i = 0; i < g->n_inputs; i++)
        pare_tensor_release(&in[i]);
    pare_record_destroy(r);
    pare_module_destroy(m);
}

static void test_golden(void **state)
{
    const int n = golden_each("module", check_module);

    (void)state;
    assert_true(n > 60);
    print_message("%d modules, largest difference %.2g\n", n, worst_of_all);
}

/* Every kind that does something by itself has a line of its own. */
static int  n_seen;
static char seen[256][64];
static void note_seen(const golden *g)
{
    assert_true(n_seen < 256);
    strcpy(seen[n_seen++], g->name);
}

static void test_all_kinds_are_tested(void **state)
{
    static const char *const others[] = { "sequential",     "residual",     "branches",
                                          "quant_stub",     "dequant_stub", "global_average_pool",
                                          "global_max_pool" };

    (void)state;
    golden_each("module", note_seen);
    for (int i = 0; pare_module_kind_at(i); i++) {
        const char *const name = pare_module_kind_at(i)->name;
        bool              found = false;

        assert_ptr_equal(pare_module_kind_find(name), pare_module_kind_at(i));
        assert_true(strlen(pare_module_kind_at(i)->about) > 0);
        for (int j = 0; j < n_seen; j++)
            found |= strcmp(seen[j], name) == 0;
        for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
            found |= strcmp(others[j], name) == 0;
        if (!found)
            fail_msg("'%s' is compared with nothing", name);
    }
}

/* ------------------------------------------------------------------------------------------------------------- records */

static void test_run_and_record(void **state)
{
    const float       values[] = { -2, -1, 0, 1, 2, 3 };
    const pare_tensor x = floats(2, (int64_t[]){ 2, 3 }, values), *const in = &x;
    pare_record *const r = record(PARE_RUN_AND_RECORD);
    pare_graph        *g;
    pare_tensor        out[2] = { { 0 } };

    (void)state;
    pare_var *const v = pare_record_input(r, "x", &x);
    pare_var *const y = pare_relu(r, pare_add(r, v, v));
    pare_var *const results[] = { y, v };

    assert_int_equal(pare_record_status(r), PARE_OK);
    assert_true(((const float *)pare_var_tensor(y)->data)[5] == 6);
    assert_true(((const float *)pare_var_tensor(y)->data)[0] == 0);
    assert_int_equal(pare_record_graph(r, 2, results, &g), PARE_OK);
    assert_int_equal(pare_graph_n_outputs(g), 2);
    assert_int_equal(pare_graph_run(g, &in, out), PARE_OK);
    assert_memory_equal(out[0].data, pare_var_tensor(y)->data, sizeof(values));
    assert_memory_equal(out[1].data, values, sizeof(values));
    pare_tensor_release(&out[0]);
    pare_tensor_release(&out[1]);
    pare_graph_destroy(g);
    pare_record_destroy(r);
}

/* After a clear the same calls run on the plans that are there: nothing more is allocated than for the first values. */
static void test_clear_keeps_plans(void **state)
{
    const float        values[] = { 1, 2, 3, 4 };
    const pare_tensor  x = floats(1, (int64_t[]){ 4 }, values);
    pare_record *const r = record(PARE_RUN);
    long               live = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        pare_var *const y = pare_unary(r, "exp", pare_record_input(r, "x", &x));

        assert_non_null(pare_var_tensor(y));
        assert_int_equal(pare_record_clear(r), PARE_OK);
        if (i == 1)
            live = pare_alloc_live();
    }
    assert_int_equal(pare_alloc_live(), live);
    pare_record_destroy(r);
}

/* Shapes that depend on data run by definition; an input of rank 0 and an empty one are tensors like others. */
static void test_odd_tensors(void **state)
{
    const float        one = -3;
    pare_record *const r = record(PARE_RUN);
    const pare_tensor  scalar = floats(0, NULL, &one), empty = floats(2, (int64_t[]){ 0, 5 }, &one);

    (void)state;
    pare_var *const s = pare_relu(r, pare_record_input(r, "s", &scalar));
    pare_var *const e = pare_relu(r, pare_record_input(r, "e", &empty));
    assert_int_equal(pare_record_status(r), PARE_OK);
    assert_true(*(const float *)pare_var_tensor(s)->data == 0);
    assert_int_equal(pare_shape_count(&pare_var_tensor(e)->shape), 0);

    int64_t     three = 3;
    pare_tensor n = pare_tensor_of(PARE_s64, pare_shape_of(1, (int64_t[]){ 1 }));
    n.data = &three;
    pare_var *const shape = pare_record_input(r, "n", &n);
    pare_var *const zeros = pare_apply(r, "constant_of_shape", 1, &shape, NULL);
    assert_int_equal(pare_record_status(r), PARE_OK);
    assert_int_equal(pare_shape_count(&pare_var_tensor(zeros)->shape), 3);
    pare_record_destroy(r);
}

static void test_failures_stay(void **state)
{
    const float        values[6] = { 0 };
    const pare_tensor  x = floats(2, (int64_t[]){ 2, 3 }, values);
    pare_record *const r = record(PARE_RUN), *const other = record(PARE_RUN);
    pare_var *const v = pare_record_input(r, "x", &x);
    pare_var       *y;
    pare_graph     *g;

    (void)state;
    assert_null(pare_matmul(r, v, v));
    assert_null(pare_relu(r, v)); /* nothing more is done */
    assert_int_equal(pare_op_call(r, "relu", 1, &v, 1, &y, NULL), PARE_ERR_SHAPE);
    assert_int_equal(pare_record_status(r), PARE_ERR_SHAPE);
    assert_says("matmul");
    assert_int_equal(pare_record_clear(r), PARE_OK);
    assert_int_equal(pare_record_status(r), PARE_OK);

    pare_var *const again = pare_record_input(r, "x", &x);
    assert_null(pare_unary(r, "rellu", again));
    assert_says("no operation 'rellu'");
    pare_record_clear(r);
    assert_null(pare_apply(r, "softmax", 1, (pare_var *const[]){ pare_record_input(r, "x", &x) }, "axes=1"));
    assert_says("no attribute 'axes'");
    pare_record_clear(r);
    assert_null(pare_unary(r, "qgemm", pare_record_input(r, "x", &x)));
    assert_says("not called by hand");
    pare_record_clear(r);
    assert_null(pare_relu(r, pare_record_input(other, "x", &x)));
    assert_says("another record");
    pare_record_clear(r);
    assert_null(pare_record_input(r, "x", &(pare_tensor){ .dtype = PARE_f32 }));
    assert_says("no numbers");
    pare_record_clear(r);
    y = pare_relu(r, pare_record_input(r, "x", &x));
    assert_int_equal(pare_record_graph(r, 1, &y, &g), PARE_ERR_ARG);
    assert_says("only runs");
    pare_record_destroy(r);
    pare_record_destroy(other);
}

/* d sum((x w)^2) / dw = 2 x^T (x w), and likewise for x; what the loss does not depend on has no gradient. */
static void test_gradients(void **state)
{
    const float        xs[] = { 1, 2, 3, 4 }, ws[] = { 1, -1, 0.5f, 2 };
    const pare_tensor  x = floats(2, (int64_t[]){ 2, 2 }, xs), w = floats(2, (int64_t[]){ 2, 2 }, ws);
    pare_record *const r = record(PARE_RUN_AND_RECORD), *const only = record(PARE_RUN);
    pare_var *grads[3], *loss;

    (void)state;
    pare_var *const wrt[] = { pare_record_param(r, "w", &w), pare_record_input(r, "x", &x),
                              pare_record_input(r, "unused", &x) };
    pare_var *const y = pare_matmul(r, wrt[1], wrt[0]); /* [[2,3],[5,5]] */

    loss = pare_unary(r, "reduce_sum", pare_mul(r, y, y));
    loss = pare_reshape(r, loss, 1, (const int64_t[]){ 1 });
    assert_true(*(const float *)pare_var_tensor(loss)->data == 63);
    if (pare_record_gradients(r, loss, 3, wrt, grads) != PARE_OK)
        fail_msg("%s", pare_error());
    assert_memory_equal(pare_var_tensor(grads[0])->data, ((const float[]){ 34, 36, 48, 52 }), 16);
    assert_memory_equal(pare_var_tensor(grads[1])->data, ((const float[]){ -2, 14, 0, 25 }), 16);
    assert_null(grads[2]);

    /* They are variables like others. */
    pare_var *const step = pare_binary(r, "sub", wrt[0], pare_mul(r, grads[0], pare_record_float(r, 0.5f)));
    assert_int_equal(pare_record_status(r), PARE_OK);
    assert_true(((const float *)pare_var_tensor(step)->data)[0] == -16);

    assert_int_equal(pare_record_gradients(r, y, 1, wrt, grads), PARE_ERR_ARG);
    assert_says("one float");
    loss = pare_record_float(only, 1);
    assert_int_equal(pare_record_gradients(only, loss, 0, NULL, grads), PARE_ERR_ARG);
    assert_says("PARE_RUN_AND_RECORD");
    pare_record_destroy(r);
    pare_record_destroy(only);
}

/* Recorded for any batch, planned for some. */
static void test_symbolic_batch(void **state)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 4, .dim = { PARE_DIM_ANY, 2, 5, 5 } } };
    const pare_tensor     *shape;
    pare_module           *m;
    pare_graph            *g;
    pare_plan             *plan;

    (void)state;
    assert_int_equal(pare_module_create("sequential", &m, NULL), PARE_OK);
    pare_module_add(m, "conv", "conv2d", "in=2 out=3 kernel=3");
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "fc", "linear", "in=27 out=4");
    assert_int_equal(pare_trace(m, 1, &in, false, &g), PARE_OK);
    for (int64_t batch = 1; batch < 4; batch++) {
        assert_int_equal(pare_compile(g, &(pare_compile_options){ .batch = batch }, &plan), PARE_OK);
        assert_string_equal(pare_plan_output(plan, 0, &shape), "fc");
        assert_int_equal(shape->shape.dim[0], batch);
        pare_plan_destroy(plan);
    }
    assert_non_null(pare_graph_find(g, "conv.weight"));
    pare_graph_destroy(g);
    pare_module_destroy(m);
}

/* --------------------------------------------------------------------------------------------------------------- trees */

static void test_building_fails(void **state)
{
    pare_module *m, *root;

    (void)state;
    assert_int_equal(pare_module_create("conv2d", &m, "in=3 out=4"), PARE_ERR_ARG);
    assert_says("needs the setting 'kernel'");
    assert_int_equal(pare_module_create("conv2d", &m, "in=3 out=4 kernal=3"), PARE_ERR_ARG);
    assert_says("no setting 'kernal'");
    assert_int_equal(pare_module_create("conv2d", &m, "in=3 out=four kernel=3"), PARE_ERR_ARG);
    assert_says("'four', but a whole number");
    assert_int_equal(pare_module_create("conv2d", &m, "in=3 out=4 kernel=[3,3,3]"), PARE_ERR_ARG);
    assert_says("[2,1]");
    assert_int_equal(pare_module_create("conv2d", &m, "in=3 out=4 kernel=3 groups=2"), PARE_ERR_ARG);
    assert_says("2 groups");
    assert_int_equal(pare_module_create("linear", &m, "in=-1 out=4"), PARE_ERR_ARG);
    assert_says("negative");
    assert_int_equal(pare_module_create("linea", &m, NULL), PARE_ERR_ARG);
    assert_says("did you mean 'linear'");

    assert_int_equal(pare_module_create("sequential", &root, NULL), PARE_OK);
    m = pare_module_add(root, "a", "sequential", NULL);
    assert_non_null(m);
    assert_null(pare_module_add(m, "b", "linear", "in=3"));
    assert_null(pare_module_add(root, "c", "relu", NULL)); /* nothing more is done */
    assert_int_equal(pare_module_status(m), PARE_ERR_ARG);
    assert_says("a.b: linear needs the setting 'out'");
    pare_module_destroy(root);

    assert_int_equal(pare_module_create("sequential", &root, NULL), PARE_OK);
    pare_module_add(root, "x", "relu", NULL);
    assert_null(pare_module_add(root, "x", "relu", NULL));
    assert_int_equal(pare_module_status(root), PARE_ERR_ARG);
    assert_says("two parts named 'x'");
    pare_module_destroy(root);
}

static pare_module *small_net(void)
{
    pare_module *m, *body;

    assert_int_equal(pare_module_create("sequential", &m, NULL), PARE_OK);
    body = pare_module_add(m, "body", "residual", NULL);
    pare_module_add(body, NULL, "linear", "in=4 out=4");
    pare_module_add(body, NULL, "relu", NULL);
    pare_module_add(m, "norm", "layer_norm", "shape=4");
    pare_module_add(m, "head", "linear", "in=4 out=2 bias=0");
    assert_int_equal(pare_module_status(m), PARE_OK);
    return m;
}

static void collect(void *user, const char *line)
{
    strcat(strcat(user, line), "\n");
}

static void test_tree(void **state)
{
    pare_module *const m = small_net();
    char               text[512] = "";

    (void)state;
    pare_module_print(m, collect, text);
    assert_string_equal(text, "sequential\n  body: residual\n    0: linear in=4 out=4\n    1: relu\n"
                              "  norm: layer_norm shape=4\n  head: linear in=4 out=2 bias=0\n");
    assert_ptr_equal(pare_module_find(m, "body.1"), pare_module_child(pare_module_child(m, 0), 1));
    assert_null(pare_module_find(m, "body.2"));
    assert_null(pare_module_child(m, 3));
    assert_int_equal(pare_module_parameters(m), 4 * 4 + 4 + 4 + 4 + 8);
    assert_null(pare_module_tensor(m, "head.bias"));
    assert_int_equal(pare_module_tensor(m, "head.weight")->shape.dim[0], 2);
    pare_module_destroy(m);
}

static void test_adopted(void **state)
{
    pare_module *const m = small_net(), *const part = small_net();

    (void)state;
    assert_int_equal(pare_module_adopt(m, "more", part), PARE_OK);
    assert_ptr_equal(pare_module_find(m, "more.body.1"), pare_module_find(part, "body.1"));
    assert_int_equal(pare_module_adopt(m, "again", part), PARE_ERR_ARG);
    assert_int_equal(pare_module_adopt(part, "round", m), PARE_ERR_ARG);
    assert_non_null(pare_module_tensor(m, "more.head.weight"));
    pare_module_destroy(m);
}

static void test_init(void **state)
{
    pare_module *const a = small_net(), *const b = small_net();
    const float *wa, *wb;
    bool         differs = false;

    (void)state;
    assert_int_equal(pare_module_init(a, 7), PARE_OK);
    assert_int_equal(pare_module_init(b, 7), PARE_OK);
    wa = pare_module_tensor(a, "body.0.weight")->data;
    wb = pare_module_tensor(b, "body.0.weight")->data;
    assert_memory_equal(wa, wb, 16 * sizeof(float));
    for (int i = 0; i < 16; i++)
        assert_true(fabsf(wa[i]) <= 0.5f); /* 1 / sqrt(4) */
    assert_true(((const float *)pare_module_tensor(a, "norm.weight")->data)[3] == 1);
    assert_int_equal(pare_module_init(b, 8), PARE_OK);
    wb = pare_module_tensor(b, "body.0.weight")->data;
    for (int i = 0; i < 16; i++)
        differs |= wa[i] != wb[i];
    assert_true(differs);
    pare_module_destroy(a);
    pare_module_destroy(b);
}

/* What a graph shares is not changed by what happens to the module later. */
static void test_graph_keeps_weights(void **state)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 2, .dim = { 1, 4 } } };
    pare_module *const     m = small_net();
    pare_graph            *g;
    float                  before[16];

    (void)state;
    assert_int_equal(pare_module_init(m, 1), PARE_OK);
    memcpy(before, pare_module_tensor(m, "body.0.weight")->data, sizeof(before));
    assert_int_equal(pare_trace(m, 1, &in, false, &g), PARE_OK);
    assert_int_equal(pare_module_init(m, 2), PARE_OK);
    assert_memory_equal(pare_graph_find(g, "body.0.weight")->t.data, before, sizeof(before));
    assert_memory_not_equal(pare_module_tensor(m, "body.0.weight")->data, before, sizeof(before));
    pare_graph_destroy(g);
    pare_module_destroy(m);
}

/* --------------------------------------------------------------------------------------------------------- state dicts */

static void test_load(void **state)
{
    pare_module *const a = small_net(), *const b = small_net();
    const float       two[] = { 1, 2 };
    const pare_tensor odd = floats(1, (int64_t[]){ 2 }, two);
    pare_state       *s;

    (void)state;
    assert_int_equal(pare_module_init(a, 3), PARE_OK);
    assert_int_equal(pare_state_create(&s), PARE_OK);
    assert_int_equal(pare_module_state(a, s), PARE_OK);
    assert_string_equal(pare_state_name(s, 0), "body.0.weight");
    assert_int_equal(pare_module_load(b, s, NULL), PARE_OK);
    assert_memory_equal(pare_module_tensor(b, "head.weight")->data, pare_module_tensor(a, "head.weight")->data, 32);

    assert_int_equal(pare_state_put(s, "norm.weight", &odd), PARE_OK);
    assert_int_equal(pare_state_put(s, "extra.bias", &odd), PARE_OK);
    assert_int_equal(pare_module_load(b, s, NULL), PARE_ERR_SHAPE);
    assert_says("not expected: extra.bias");
    assert_says("norm.weight (f32[4], the file has f32[2])");
    assert_int_equal(pare_module_load(b, s, &(pare_load_options){ .except = "*r*" }), PARE_OK);
    pare_state_destroy(s);

    assert_int_equal(pare_state_create(&s), PARE_OK);
    assert_int_equal(pare_module_load(b, s, NULL), PARE_ERR_SHAPE);
    assert_says("missing: body.0.weight, body.0.bias, norm.weight, norm.bias, head.weight");
    pare_state_destroy(s);
    assert_int_equal(pare_module_set(b, "norm.weight", &odd), PARE_ERR_SHAPE);
    assert_int_equal(pare_module_set(b, "norm.wight", &odd), PARE_ERR_ARG);
    pare_module_destroy(a);
    pare_module_destroy(b);
}

/* ------------------------------------------------------------------------------------------------------- a user's kind */

static void build_twice(pare_module *m)
{
    pare_module_add(m, "inner", "linear", "in=%d out=%d", (int)pare_module_int(m, "width"),
                    (int)pare_module_int(m, "width"));
}

static void forward_twice(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    (void)n_in, (void)n_out;
    out[0] = pare_forward_child(m, r, "inner", pare_relu(r, pare_forward_child(m, r, "inner", in[0])));
}

static const pare_module_kind twice = {
    .name = "twice",
    .about = "one layer, called two times",
    .settings = "width=",
    .build = build_twice,
    .forward = forward_twice,
};

/* A module that is called two times has its weights once. */
static void test_user_kind(void **state)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 2, .dim = { PARE_DIM_ANY, 3 } } };
    pare_module           *m;
    pare_graph            *g;
    pare_graph_facts       facts;

    (void)state;
    assert_int_equal(pare_module_create_of(&twice, &m, "width=3"), PARE_OK);
    assert_int_equal(pare_trace(m, 1, &in, false, &g), PARE_OK);
    pare_graph_describe(g, &facts);
    assert_int_equal(facts.parameters, 12);
    assert_int_equal(facts.nodes, 3);
    assert_non_null(pare_graph_find(g, "inner.weight"));
    pare_graph_destroy(g);

    const pare_trace_input wrong = { .dtype = PARE_f32, .shape = { .rank = 2, .dim = { 1, 5 } } };
    assert_int_equal(pare_trace(m, 1, &wrong, false, &g), PARE_ERR_SHAPE);
    assert_says("inner: gemm");
    pare_module_destroy(m);
}

/* No allocation that fails is overlooked, and nothing leaks. */
static void test_out_of_memory(void **state)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 2, .dim = { 1, 4 } } };
    const long             live = pare_alloc_live();
    pare_status            status = PARE_ERR_MEMORY;

    (void)state;
    for (long n = 1; status != PARE_OK && n < 2000; n++) {
        pare_module *m = NULL;
        pare_graph  *g = NULL;

        pare_alloc_fail_after(n);
        status = pare_module_create("sequential", &m, NULL);
        if (status == PARE_OK) {
            pare_module_add(m, "fc", "linear", "in=4 out=2");
            status = pare_module_status(m);
        }
        if (status == PARE_OK)
            status = pare_trace(m, 1, &in, false, &g);
        pare_alloc_fail_after(0);
        assert_true(status == PARE_OK || status == PARE_ERR_MEMORY);
        pare_graph_destroy(g);
        pare_module_destroy(m);
        assert_int_equal(pare_alloc_live(), live);
    }
    assert_int_equal(status, PARE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_all_kinds_are_tested),
        cmocka_unit_test(test_run_and_record),
        cmocka_unit_test(test_clear_keeps_plans),
        cmocka_unit_test(test_odd_tensors),
        cmocka_unit_test(test_failures_stay),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_symbolic_batch),
        cmocka_unit_test(test_building_fails),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_adopted),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_graph_keeps_weights),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_user_kind),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
