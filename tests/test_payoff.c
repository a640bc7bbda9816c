/* SPDX-License-Identifier: Apache-2.0 */
/* test_payoff.c - which layers stay in float: decided from tables of times, so that no clock has a say */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <pare/io.h>
#include <pare/payoff.h>

#include "base/alloc.h"
#include "graph/graph.h"

#define DEMO PARE_TEST_DIR "/../examples/demo.onnx"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

/* ------------------------------------------------------------------------------------------------------------ tables */

/* 1000 numbers between convolutions, so that a conversion of 1 ns a number is 0.001 ms. */
static const char chain[] = "graph chain\n%x = input f32[1,10,10,10]\n@w = const f32[10,10,1,1] seed=1\n"
                            "%a = conv(%x, @w)\n%b = conv(%a, @w)\n%c = conv(%b, @w)\n%d = conv(%c, @w)\nreturn %d\n";

static pare_graph *parse(const char *text)
{
    pare_graph *g;

    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    return g;
}

/* Which of the chain's four convolutions stay in float, as letters. */
static void check_chain(const char *want, const double float_ms[4], const double int8_ms[4], double conversion_ns)
{
    static const char *const    names[] = { "a", "b", "c", "d" };
    const pare_quantize_options o = { 0 };
    pare_graph                 *g = parse(chain);
    pare_layer_time             layers[4];
    char                        got[5] = "";

    for (int i = 0; i < 4; i++)
        layers[i] = (pare_layer_time){ .name = names[i], .float_ms = float_ms[i], .int8_ms = int8_ms[i] };
    pare_layer_times times = { .layers = layers, .n = 4, .quantize_ns = conversion_ns, .dequantize_ns = conversion_ns };

    OK(pare_layer_times_decide(g, &o, &times));
    for (int i = 0; i < 4; i++)
        if (layers[i].in_float)
            strcat(got, names[i]);
    assert_string_equal(got, want);
    pare_graph_destroy(g);
}

#define MS(...)       \
    (const double[4]) \
    {                 \
        __VA_ARGS__   \
    }

static void sides_are_chosen_by_time(void **state)
{
    (void)state;
    check_chain("", MS(4, 4, 4, 4), MS(1, 1, 1, 1), 0);
    check_chain("abcd", MS(1, 1, 1, 1), MS(2, 2, 2, 2), 0);
    check_chain("b", MS(4, 1, 4, 4), MS(2, 2, 2, 2), 0);
    /* It would win 1 ms; two conversions cost 0.9 ms together, then 1.1. */
    check_chain("b", MS(4, 1, 4, 4), MS(2, 2, 2, 2), 450);
    check_chain("", MS(4, 1, 4, 4), MS(2, 2, 2, 2), 550);
    /* At the begin and at the end the model is in float anyway: one conversion less there than everywhere. */
    check_chain("a", MS(1.2, 4, 4, 4), MS(2, 2, 2, 2), 300);
    check_chain("ad", MS(1.2, 4, 4, 1.2), MS(2, 2, 2, 2), 100);
    /* Between two that are much faster in float, a conversion there and back is dearer than the loss. */
    check_chain("abc", MS(1, 2.5, 1, 9), MS(5, 2, 5, 2), 600);
    check_chain("ac", MS(1, 3.5, 1, 9), MS(5, 2, 5, 2), 600);
    /* All of it, although no layer alone is worth it: conversions at both ends are saved. */
    check_chain("abcd", MS(2.1, 2.1, 2.1, 2.1), MS(2, 2, 2, 2), 700);
    /* Less than 5 % is noise. */
    check_chain("", MS(1.96, 1.96, 1.96, 1.96), MS(2, 2, 2, 2), 0);
    /* What is not known costs nothing on either side. */
    check_chain("", MS(0, 0, 0, 0), MS(0, 0, 0, 0), 0);
    check_chain("", MS(NAN, 1, NAN, 1), MS(NAN, 1, 1, INFINITY), 10);
}

/* One value with several readers is converted once. */
static void values_are_converted_once(void **state)
{
    static const char           text[] = "graph fan\n%x = input f32[1,10,10,10]\n@w = const f32[10,10,1,1] seed=1\n"
                                         "%a = conv(%x, @w)\n%b = conv(%a, @w)\n%c = conv(%a, @w)\n%d = conv(%a, @w)\n"
                                         "return %b, %c, %d\n";
    const pare_quantize_options o = { 0 };
    pare_layer_time             layers[] = { { .name = "a", .float_ms = 9, .int8_ms = 1 },
                                             { .name = "b", .float_ms = 1, .int8_ms = 1.6 },
                                             { .name = "c", .float_ms = 1, .int8_ms = 1.6 },
                                             { .name = "d", .float_ms = 1, .int8_ms = 1.6 } };
    pare_layer_times            times = { .layers = layers, .n = 4, .quantize_ns = 1e6, .dequantize_ns = 1000 };
    pare_graph                 *g = parse(text);

    (void)state;
    times.quantize_ns = 0;
    /* Three times 0.6 ms are won, one conversion of 1 ms is paid, and three behind them are saved. */
    OK(pare_layer_times_decide(g, &o, &times));
    assert_true(!layers[0].in_float && layers[1].in_float && layers[2].in_float && layers[3].in_float);
    pare_graph_destroy(g);
}

/* Dynamic layers read and give floats: each is decided alone. The bias add of a matmul goes with it. */
static void dynamic_layers_stand_alone(void **state)
{
    static const char           text[] = "graph linear\n%x = input f32[4,16]\n@w = const f32[16,16] seed=1\n"
                                         "@b = const f32[16] seed=2\n"
                                         "%a = matmul(%x, @w)\n%ab = add(%a, @b)\n%c = matmul(%ab, @w)\nreturn %c\n";
    const pare_quantize_options o = { 0 };
    pare_layer_time             layers[] = { { .name = "a", .float_ms = 1, .int8_ms = 2 },
                                             { .name = "c", .float_ms = 1, .int8_ms = 0.9 } };
    pare_layer_times            times = { .layers = layers, .n = 2, .quantize_ns = 1e9, .dequantize_ns = 1e9 };
    pare_graph                 *g = parse(text);

    (void)state;
    OK(pare_layer_times_decide(g, &o, &times));
    assert_true(layers[0].in_float && !layers[1].in_float);
    pare_graph_destroy(g);
}

static void decisions_survive_without_memory(void **state)
{
    const pare_quantize_options o = { 0 };
    pare_layer_time             layers[] = { { .name = "b", .float_ms = 1, .int8_ms = 2 } };
    pare_layer_times            times = { .layers = layers, .n = 1 };
    pare_graph                 *g = parse(chain);
    const long                  before = pare_alloc_live();
    pare_status                 status = PARE_ERR_MEMORY;

    (void)state;
    for (int n = 1; status != PARE_OK; n++) {
        pare_alloc_fail_after(n);
        status = pare_layer_times_decide(g, &o, &times);
        pare_alloc_fail_after(0);
        assert_true(status == PARE_OK || status == PARE_ERR_MEMORY);
        assert_int_equal(pare_alloc_live(), before);
    }
    assert_true(layers[0].in_float);
    pare_graph_destroy(g);
}

/* ------------------------------------------------------------------------------------------------------------ recipe */

static char path[] = "/tmp/pare-payoff-XXXXXX";

/* The quantized model as text; *floats: how many layers say that they were measured. */
static char *quantize(const pare_graph *model, const pare_recipe *r, pare_dataset *data, int *floats)
{
    pare_quantize_options o = { .calibration = data, .samples = 3 };
    pare_quantize_result *result;
    pare_graph           *quantized;
    char                 *text;

    pare_recipe_apply(r, &o);
    OK(pare_quantize(model, &o, &quantized, &result));
    *floats = 0;
    for (int i = 0; i < pare_quantize_result_layers(result); i++)
        *floats += strncmp(pare_quantize_result_layer(result, i)->reason, "measured: 1 ms in float, 2 ms", 29) == 0;
    OK(pare_graph_print(quantized, &text));
    pare_quantize_result_destroy(result);
    pare_graph_destroy(quantized);
    return text;
}

static void recipe_repeats_what_was_measured(void **state)
{
    pare_dataset *data;
    pare_graph   *model;
    pare_recipe  *r, *read;
    int           floats, floats_again, convs = 0;
    const char   *op, *name;

    (void)state;
    OK(pare_graph_load(DEMO, &model));
    OK(pare_dataset_open("demo:train", NULL, &data));
    OK(pare_recipe_create(model, &r));
    OK(pare_recipe_add(r, &(pare_rule){ .config = { .observer = "min_max", .granularity = PARE_PER_TENSOR } }));
    pare_layer_time layers[2] = { { .float_ms = 1, .int8_ms = 2, .in_float = true },
                                  { .float_ms = 1, .int8_ms = 2, .in_float = false } };

    for (int i = 0; convs < 2 && (name = pare_graph_node(model, i, &op)); i++)
        if (strcmp(op, "conv") == 0)
            layers[convs++].name = name;
    assert_int_equal(convs, 2);
    OK(pare_recipe_add_times(r, &(pare_layer_times){ .layers = layers, .n = 2 }));
    char *const first = quantize(model, r, data, &floats);

    assert_int_equal(floats, 1);
    OK(pare_recipe_write(r, &(pare_quantize_options){ .samples = 3, .target = "onnx" }, path));
    OK(pare_recipe_create(model, &read));
    if (pare_recipe_read(read, path) == PARE_OK) {
        char *const again = quantize(model, read, data, &floats_again);

        assert_int_equal(floats_again, 1);
        assert_string_equal(first, again);
        pare_free(again);
    } else {
        assert_non_null(strstr(pare_error(), "built without jansson"));
    }
    pare_free(first);
    pare_recipe_destroy(read);
    pare_recipe_destroy(r);
    pare_dataset_close(data);
    pare_graph_destroy(model);
}

/* ----------------------------------------------------------------------------------------------------------- measure */

/* The steps of both plans find their layers: every convolution has both times, and the sums are not more than the whole. */
static void times_find_their_layers(void **state)
{
    pare_layer_times *times;
    pare_dataset     *data;
    pare_graph       *model;
    double            in_float = 0, in_int8 = 0;
    int               convs = 0;

    (void)state;
    OK(pare_graph_load(DEMO, &model));
    OK(pare_dataset_open("demo:train", NULL, &data));
    OK(pare_layer_times_measure(model, &(pare_quantize_options){ .calibration = data }, &times));
    for (int i = 0; i < times->n; i++) {
        const pare_layer_time *const l = &times->layers[i];

        in_float += l->float_ms;
        in_int8 += l->int8_ms;
        if (strcmp(l->op, "conv") == 0) {
            assert_true(l->float_ms > 0 && l->int8_ms > 0);
            convs++;
        }
        assert_true(l->float_ms >= 0 && l->int8_ms >= 0 && !l->in_float);
    }
    assert_true(convs >= 5 && times->quantize_ns > 0 && times->dequantize_ns > 0);
    assert_true(in_float > 0.3 * times->float_ms && in_float < 2 * times->float_ms);
    assert_true(in_int8 > 0.2 * times->int8_ms && in_int8 < 2 * times->int8_ms);
    pare_layer_times_destroy(times);
    pare_dataset_close(data);
    pare_graph_destroy(model);
}

static int make_file(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_are_chosen_by_time),         cmocka_unit_test(values_are_converted_once),
        cmocka_unit_test(dynamic_layers_stand_alone),       cmocka_unit_test(decisions_survive_without_memory),
        cmocka_unit_test(recipe_repeats_what_was_measured), cmocka_unit_test(times_find_their_layers),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
