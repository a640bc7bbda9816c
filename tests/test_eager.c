/* SPDX-License-Identifier: Apache-2.0 */
/* test_eager.c - quantizing modules by hand: prepare, calibrate, convert, dynamic; parts of networks; misuse */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pare/compile.h>
#include <pare/eager.h>
#include <pare/io.h>
#include <pare/models.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/rng.h"

static const pare_trace_input picture = { .dtype = PARE_f32, .shape = { .rank = 4, .dim = { PARE_DIM_ANY, 3, 8, 8 } } };

static void assert_says(const char *part)
{
    if (!strstr(pare_error(), part))
        fail_msg("the sentence is '%s', without '%s'", pare_error(), part);
}

static void assert_ok(pare_status status)
{
    if (status != PARE_OK)
        fail_msg("%s", pare_error());
}

/* body: convolutions with a shortcut; head: linear. */
static pare_module *net(void)
{
    pare_module *m, *body, *block;

    assert_ok(pare_module_create("sequential", &m, NULL));
    body = pare_module_add(m, "body", "sequential", NULL);
    pare_module_add(body, "conv1", "conv2d", "in=3 out=8 kernel=3 padding=1 bias=0");
    pare_module_add(body, "bn1", "batch_norm", "features=8");
    pare_module_add(body, "relu", "relu", NULL);
    block = pare_module_add(body, "block", "residual", NULL);
    pare_module_add(block, "conv2", "conv2d", "in=8 out=8 kernel=3 padding=1");
    pare_module_add(block, "relu", "relu", NULL);
    pare_module_add(m, "pool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "head", "linear", "in=8 out=4");
    assert_ok(pare_module_status(m));
    assert_ok(pare_module_init(m, 5));
    return m;
}

static pare_tensor batch_of(int64_t n, uint64_t seed)
{
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(4, (int64_t[]){ n, 3, 8, 8 }));
    pare_rng    rng = pare_rng_seed(seed);

    assert_ok(pare_tensor_alloc(&t));
    for (int64_t i = 0; i < pare_shape_count(&t.shape); i++)
        ((float *)t.data)[i] = pare_rng_uniform(&rng, -1, 1);
    return t;
}

/* One batch through m; logits of it, [n][4], into y. */
static void forward(const pare_module *m, int64_t n, uint64_t seed, float *y)
{
    pare_tensor  x = batch_of(n, seed);
    pare_record *r;

    assert_ok(pare_record_create(NULL, &r));
    pare_var *const v = pare_forward(m, r, pare_record_input(r, "x", &x));

    assert_ok(pare_record_status(r));
    memcpy(y, pare_var_tensor(v)->data, (size_t)n * 4 * sizeof(float));
    pare_record_destroy(r);
    pare_tensor_release(&x);
}

/* Error of b against a, by norms. */
static double distance(int n, const float *a, const float *b)
{
    double d = 0, s = 0;

    for (int i = 0; i < n; i++) {
        d += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
        s += (double)a[i] * (double)a[i];
    }
    return sqrt(d / s);
}

/* What the graph says, run by itself, is what the module gives, bit for bit. */
static void assert_graph_equals(const pare_graph *g, int64_t n, uint64_t seed, const float *y)
{
    pare_tensor              x = batch_of(n, seed);
    const pare_tensor *const in[] = { &x };
    pare_plan               *plan;
    pare_context            *ctx;

    assert_ok(pare_compile(g, &(pare_compile_options){ .batch = n }, &plan));
    assert_ok(pare_context_create(plan, &ctx));
    assert_ok(pare_context_run(ctx, NULL, in, NULL, 0));
    assert_memory_equal(pare_context_output(ctx, 0)->data, y, (size_t)n * 4 * sizeof(float));
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    pare_tensor_release(&x);
}

static void test_static(void **state)
{
    char                  path[] = "/tmp/pare_eager_XXXXXX.onnx";
    pare_module *const    m = net();
    pare_module          *loaded;
    pare_quantize_result *result;
    pare_graph           *g;
    float                 plain[32], watched[32], y[32], again[32];

    (void)state;
    forward(m, 8, 99, plain);
    assert_ok(pare_module_prepare(m, 1, &picture, NULL));
    assert_int_equal(pare_module_form(m), PARE_FORM_OBSERVED);
    for (uint64_t i = 0; i < 16; i++)
        forward(m, 4, i, watched); /* observers see every batch, of any size */
    forward(m, 8, 99, watched);
    assert_true(distance(32, plain, watched) < 1e-5); /* still in float; normalization is folded */
    assert_ok(pare_module_convert(m, &result));
    assert_int_equal(pare_module_form(m), PARE_FORM_QUANTIZED);
    assert_string_equal(pare_quantize_result_mode(result), "static");
    pare_quantize_result_destroy(result);
    forward(m, 8, 99, y);
    assert_true(distance(32, plain, y) < 0.05);
    assert_true(distance(32, plain, y) > 0);
    assert_graph_equals(pare_module_graph(m), 8, 99, y);

    /* Saved, and loaded by somebody who has none of the above. */
    assert_true(mkstemps(path, 5) >= 0);
    assert_ok(pare_graph_save(pare_module_graph(m), path, NULL));
    pare_module_destroy(m);
    assert_ok(pare_graph_load(path, &g));
    assert_ok(pare_module_of_graph(g, &loaded));
    pare_graph_destroy(g);
    assert_int_equal(pare_module_form(loaded), PARE_FORM_QUANTIZED);
    forward(loaded, 8, 99, again);
    assert_memory_equal(y, again, sizeof(y));
    pare_module_destroy(loaded);
    unlink(path);
}

static void test_back_to_float(void **state)
{
    pare_module *const m = net();
    float              before[32], after[32];

    (void)state;
    forward(m, 8, 1, before);
    assert_ok(pare_module_quantize_dynamic(m, 1, &picture, NULL, NULL));
    assert_int_equal(pare_module_form(m), PARE_FORM_DYNAMIC);
    forward(m, 8, 1, after);
    assert_true(distance(32, before, after) > 0 && distance(32, before, after) < 0.05);
    pare_module_to_float(m);
    forward(m, 8, 1, after);
    assert_memory_equal(before, after, sizeof(before));
    pare_module_destroy(m);
}

static pare_qmode mode_of(const pare_quantize_result *r, const char *layer)
{
    for (int i = 0; i < pare_quantize_result_layers(r); i++)
        if (strcmp(pare_quantize_result_layer(r, i)->name, layer) == 0)
            return pare_quantize_result_layer(r, i)->mode;
    fail_msg("there is no layer '%s'", layer);
    return PARE_QMODE_DEFAULT;
}

/* A part's settings hold for everything below it, but for parts that have their own. */
static void test_settings_of_parts(void **state)
{
    pare_module *const    m = net();
    pare_module *const    body = pare_module_find(m, "body");
    pare_quantize_result *result;
    float                 y[32];

    (void)state;
    assert_ok(pare_module_set_qconfig(m, &(pare_qconfig){ .mode = PARE_QMODE_STATIC, .observer = "min_max" }));
    assert_ok(pare_module_set_qconfig(body, &(pare_qconfig){ .mode = PARE_QMODE_FLOAT, .reason = "by hand" }));
    assert_ok(pare_module_set_qconfig(pare_module_find(body, "block"),
                                      &(pare_qconfig){ .mode = PARE_QMODE_STATIC, .weight_bits = 4 }));
    assert_ok(pare_module_prepare(m, 1, &picture, NULL));
    forward(m, 8, 2, y);
    assert_ok(pare_module_convert(m, &result));
    assert_int_equal(mode_of(result, "body.conv1"), PARE_QMODE_FLOAT);
    assert_int_equal(mode_of(result, "body.block.conv2"), PARE_QMODE_STATIC);
    assert_int_equal(mode_of(result, "head"), PARE_QMODE_STATIC);
    for (int i = 0; i < pare_quantize_result_layers(result); i++) {
        const pare_layer_report *const l = pare_quantize_result_layer(result, i);

        if (strcmp(l->name, "body.block.conv2") == 0)
            assert_int_equal(l->weight_bits, 4);
        if (strcmp(l->name, "body.conv1") == 0)
            assert_string_equal(l->reason, "by hand");
    }
    pare_quantize_result_destroy(result);
    pare_module_destroy(m);
}

/* A quantized part of a float network: runs as it is, and is traced with the rest into one graph. */
static void test_part(void **state)
{
    const pare_trace_input features = { .dtype = PARE_f32, .shape = { .rank = 4, .dim = { PARE_DIM_ANY, 3, 8, 8 } } };
    pare_module *const m = net(), *const body = pare_module_find(m, "body");
    pare_graph_facts facts;
    pare_graph      *g;
    float            before[32], y[32];

    (void)state;
    forward(m, 8, 3, before);
    assert_ok(pare_module_prepare(body, 1, &features, NULL));
    assert_int_equal(pare_trace(m, 1, &picture, false, &g), PARE_ERR_ARG);
    assert_says("body: it is observed: convert it");
    for (uint64_t i = 0; i < 8; i++)
        forward(m, 4, i, y); /* the whole network calibrates its part */
    assert_ok(pare_module_convert(body, NULL));
    assert_int_equal(pare_module_form(m), PARE_FORM_FLOAT);
    assert_int_equal(pare_module_form(body), PARE_FORM_QUANTIZED);
    forward(m, 8, 3, y);
    assert_true(distance(32, before, y) > 0 && distance(32, before, y) < 0.05);
    assert_ok(pare_trace(m, 1, &picture, false, &g));
    pare_graph_describe(g, &facts);
    assert_true(facts.quantized);
    assert_graph_equals(g, 8, 3, y);
    pare_graph_destroy(g);
    pare_module_destroy(m);
}

static void test_from_a_data_set(void **state)
{
    const pare_trace_input in = { .dtype = PARE_f32, .shape = { .rank = 4, .dim = { PARE_DIM_ANY, 3, 32, 32 } } };
    pare_quantize_options  o = { .samples = 8 };
    pare_graph            *traced, *expected;
    pare_dataset          *data;
    pare_module           *m;
    char                   path[2][32] = { "/tmp/pare_eager_XXXXXX.onnx", "/tmp/pare_eager_XXXXXX.onnx" };
    char                   command[128];

    (void)state;
    assert_ok(pare_dataset_open("demo:train", NULL, &data));
    assert_ok(pare_model_build("resnet8", NULL, &m));
    o.calibration = data;
    assert_ok(pare_trace(m, 1, &in, false, &traced));
    assert_ok(pare_quantize(traced, &o, &expected, NULL)); /* the graph's way gives the same file */
    assert_ok(pare_module_prepare(m, 1, &in, NULL));
    assert_ok(pare_module_calibrate(m, &o));
    assert_ok(pare_module_convert(m, NULL));
    assert_true(mkstemps(path[0], 5) >= 0 && mkstemps(path[1], 5) >= 0);
    assert_ok(pare_graph_save(expected, path[0], NULL));
    assert_ok(pare_graph_save(pare_module_graph(m), path[1], NULL));
    snprintf(command, sizeof(command), "cmp %s %s", path[0], path[1]);
    assert_int_equal(system(command), 0);
    unlink(path[0]);
    unlink(path[1]);
    pare_graph_destroy(traced);
    pare_graph_destroy(expected);
    pare_module_destroy(m);
    pare_dataset_close(data);
}

static void test_misuse(void **state)
{
    pare_module *const m = net();
    pare_record       *r;
    pare_tensor        x = batch_of(1, 0);
    float              y[4];

    (void)state;
    assert_int_equal(pare_module_calibrate(m, NULL), PARE_ERR_ARG);
    assert_says("is float; call pare_module_prepare first");
    assert_int_equal(pare_module_convert(pare_module_find(m, "body"), NULL), PARE_ERR_ARG);
    assert_says("'body' (sequential) is float; call pare_module_prepare");
    assert_ok(pare_module_prepare(m, 1, &picture, NULL));
    assert_int_equal(pare_module_prepare(m, 1, &picture, NULL), PARE_ERR_ARG);
    assert_says("is observed");
    assert_int_equal(pare_module_calibrate(m, NULL), PARE_ERR_ARG);
    assert_says("there is no data");
    assert_int_equal(pare_module_convert(m, NULL), PARE_ERR_ARG);
    assert_says("nothing has run through it");
    assert_int_equal(pare_module_form(m), PARE_FORM_OBSERVED);
    forward(m, 1, 0, y);
    assert_ok(pare_module_convert(m, NULL));
    assert_int_equal(pare_module_convert(m, NULL), PARE_ERR_ARG);
    assert_says("is quantized");

    /* Floats in, floats out, whatever is inside; other shapes and a wrong number of inputs are named. */
    assert_ok(pare_record_create(NULL, &r));
    pare_var *const v = pare_record_input(r, "x", &x);
    pare_var *const out = pare_forward(m, r, pare_relu(r, v));

    assert_int_equal(pare_var_dtype(out), PARE_f32);
    assert_ok(pare_record_status(r));
    x.shape.dim[1] = 2;
    x.shape.dim[2] = 12;
    pare_forward(m, r, pare_record_input(r, "odd", &x));
    assert_int_equal(pare_record_status(r), PARE_ERR_SHAPE);
    x.shape.dim[1] = 3;
    x.shape.dim[2] = 8;
    pare_record_destroy(r);
    pare_tensor_release(&x);
    pare_module_destroy(m);
}

/* Weights that were trained as constants of the traced graph come back by their names. */
static void test_take(void **state)
{
    pare_module *const a = net(), *const b = net();
    pare_graph *g;

    (void)state;
    assert_ok(pare_module_init(a, 77));
    assert_ok(pare_trace(a, 1, &picture, false, &g));
    assert_ok(pare_module_take(b, g));
    assert_memory_equal(pare_module_tensor(a, "body.block.conv2.weight")->data,
                        pare_module_tensor(b, "body.block.conv2.weight")->data, 8 * 8 * 9 * sizeof(float));
    pare_graph_destroy(g);
    assert_ok(pare_trace(pare_module_find(a, "body.relu"), 1, &picture, false, &g));
    assert_int_equal(pare_module_take(b, g), PARE_ERR_ARG);
    pare_graph_destroy(g);
    pare_module_destroy(a);
    pare_module_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_static), cmocka_unit_test(test_back_to_float),   cmocka_unit_test(test_settings_of_parts),
        cmocka_unit_test(test_part),   cmocka_unit_test(test_from_a_data_set), cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_take),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
