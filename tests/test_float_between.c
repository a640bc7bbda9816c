/* SPDX-License-Identifier: Apache-2.0 */
/* test_float_between.c - float layers between integer ones: what is written of a transposed convolution */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pare/quantize.h>

#include "onnx_make.h"

static pare_graph *quantized(const char *middle, pare_qmode mode)
{
    const pare_rule rules[] = { { PARE_RULE_GLOBAL, NULL, { .mode = PARE_QMODE_STATIC } },
                                { PARE_RULE_OP, "conv_transpose", { .mode = mode } } };
    char            nodes[512];
    pare_graph     *g, *q;
    pare_dataset   *data;

    snprintf(nodes, sizeof(nodes),
             "a = Conv(x, f32[8,3,3,3], f32[8]) pads=[1,1,1,1]; b = %s strides=[2,2];"
             "y = Conv(b, f32[4,4,1,1], f32[4])",
             middle);
    assert_int_equal(make_and_load(13, "x f32[N,3,32,32]", nodes, "y", &g), PARE_OK);
    assert_int_equal(pare_dataset_open("demo:train", NULL, &data), PARE_OK);
    const pare_quantize_options o = { .calibration = data, .samples = 2, .mapping = { rules, 2 } };

    if (pare_quantize(g, &o, &q, NULL))
        fail_msg("%s", pare_error());
    pare_dataset_close(data);
    pare_graph_destroy(g);
    return q;
}

static const pare_node *transposed(const pare_graph *g)
{
    const pare_node *n = g->first;

    while (n && strcmp(n->op->name, "conv_transpose") != 0)
        n = n->next;
    assert_non_null(n);
    assert_string_equal(n->in[0]->producer->op->name, "dequantize_linear");
    return n;
}

/* Input i is dequantize(constant of `dtype`) with `scales` scales. */
static void expect_integers(const pare_node *n, int i, pare_dtype dtype, int64_t scales)
{
    const pare_node *const dq = n->in[i]->producer;

    assert_non_null(dq);
    assert_string_equal(dq->op->name, "dequantize_linear");
    assert_true(pare_value_is_const(dq->in[0]));
    assert_int_equal(dq->in[0]->t.dtype, dtype);
    assert_int_equal(pare_shape_count(&dq->in[1]->t.shape), scales);
}

static void transposed_weights_are_integers(void **state)
{
    pare_graph *const g = quantized("ConvTranspose(a, f32[8,4,2,2], f32[4])", PARE_QMODE_DEFAULT);

    (void)state;
    expect_integers(transposed(g), 1, PARE_s8, 4);
    expect_integers(transposed(g), 2, PARE_s32, 4);
    pare_graph_destroy(g);
}

/* Two groups of two outputs: a scale is that of two channels, one of each group. */
static void groups_share_scales(void **state)
{
    pare_graph *const g = quantized("ConvTranspose(a, f32[8,2,2,2], f32[4]) group=2", PARE_QMODE_DEFAULT);

    (void)state;
    expect_integers(transposed(g), 1, PARE_s8, 2);
    assert_true(pare_value_is_const(transposed(g)->in[2]));
    pare_graph_destroy(g);
}

static void a_rule_keeps_them_in_float(void **state)
{
    pare_graph *const g = quantized("ConvTranspose(a, f32[8,4,2,2], f32[4])", PARE_QMODE_FLOAT);

    (void)state;
    assert_true(pare_value_is_const(transposed(g)->in[1]));
    assert_true(pare_value_is_const(transposed(g)->in[2]));
    pare_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposed_weights_are_integers),
        cmocka_unit_test(groups_share_scales),
        cmocka_unit_test(a_rule_keeps_them_in_float),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
