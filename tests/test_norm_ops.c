/* SPDX-License-Identifier: Apache-2.0 */
/* test_norm_ops.c - softmax, norms and the transposed convolution as planned */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_case.h"

static void check_axis(const char *name, int64_t axis, int rank, const int64_t *dims, int halo)
{
    test_case *const c = begin(name);

    numbers(c, 0, rank, dims, halo);
    set_i(c, "axis", axis);
    check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
    finish(c);
}

static void softmax_equals_reference(void **state)
{
    static const char *const names[] = { "softmax", "log_softmax" };

    (void)state;
    seed = 31;
    for (int i = 0; i < 2; i++) {
        check_axis(names[i], -1, DIMS(5, 100), -1);
        check_axis(names[i], 1, DIMS(2, 19, 7), -1);
        check_axis(names[i], 1, DIMS(2, 19, 4, 5), 1);
        check_axis(names[i], 2, DIMS(2, 19, 4, 5), 0);
        check_axis(names[i], 0, DIMS(1), -1);
        check_axis(names[i], 1, DIMS(3, 0), -1);
        check_axis(names[i], -1, 0, NULL, -1);
    }
}

/* Sums of 1, in the right direction. */
static void softmax_sums_to_one(void **state)
{
    test_case *const c = begin("softmax");

    (void)state;
    seed = 32;
    numbers(c, 0, DIMS(2, 19, 7), -1);
    set_i(c, "axis", 1);
    check(c, PARE_DENSE, 0);
    for (int n = 0; n < 2; n++)
        for (int j = 0; j < 7; j++) {
            double sum = 0;

            for (int i = 0; i < 19; i++)
                sum += pare_tensor_real(&c->out[0].t, (n * 19 + i) * 7 + j);
            assert_true(fabs(sum - 1) < 1e-5);
        }
    finish(c);
}

static void check_norm(const char *name, int rank, const int64_t *dims, int rank_scale, const int64_t *scale, bool bias,
                       int halo, const char *attr, int64_t value)
{
    test_case *const c = begin(name);

    numbers(c, 0, rank, dims, halo);
    constant(c, 1, PARE_f32, rank_scale, scale);
    if (bias)
        constant(c, 2, PARE_f32, rank_scale, scale);
    if (attr)
        set_i(c, attr, value);
    check(c, halo < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, 0);
    finish(c);
}

static void norms_equal_reference(void **state)
{
    (void)state;
    seed = 33;
    check_norm("layer_normalization", DIMS(2, 5, 37), DIMS(37), true, -1, NULL, 0);
    check_norm("layer_normalization", DIMS(2, 5, 37), DIMS(1), true, -1, NULL, 0);
    check_norm("layer_normalization", DIMS(2, 3, 4, 5), DIMS(4, 5), false, -1, "axis", 2);
    check_norm("layer_normalization", DIMS(2, 3, 4, 5), DIMS(3, 4, 5), true, 1, "axis", 1);
    check_norm("layer_normalization", DIMS(3, 20), DIMS(20), true, -1, "axis", -1);
    check_norm("instance_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, -1, NULL, 0);
    check_norm("instance_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, 1, NULL, 0);
    check_norm("group_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, -1, "num_groups", 5);
    check_norm("group_normalization", DIMS(2, 20, 4, 5), DIMS(20), true, 1, "num_groups", 2);
    for (int p = 1; p < 3; p++) {
        test_case *const c = begin("lp_normalization");

        numbers(c, 0, DIMS(2, 19, 4, 5), p - 1);
        set_i(c, "axis", p);
        set_i(c, "p", p);
        check(c, PARE_CHANNELS_LAST, 0);
        finish(c);
    }
}

/* Against sums in double: groups hold the channels that they should. */
static void group_norm_is_what_it_says(void **state)
{
    test_case *const c = begin("group_normalization");

    (void)state;
    seed = 34;
    slot *const x = numbers(c, 0, DIMS(2, 6, 3, 5), -1), *const scale = constant(c, 1, PARE_f32, DIMS(6));
    slot *const bias = constant(c, 2, PARE_f32, DIMS(6));

    set_i(c, "num_groups", 3);
    check(c, PARE_DENSE, 0);
    for (int g = 0; g < 6; g++) {
        double mean = 0, var = 0;

        for (int i = 0; i < 30; i++)
            mean += pare_tensor_real(&x->t, g * 30 + i) / 30;
        for (int i = 0; i < 30; i++)
            var += pow(pare_tensor_real(&x->t, g * 30 + i) - mean, 2) / 30;
        for (int i = 0; i < 30; i++) {
            const int    ch = g % 3 * 2 + i / 15;
            const double want =
                (pare_tensor_real(&x->t, g * 30 + i) - mean) / sqrt(var + 1e-5) * pare_tensor_real(&scale->t, ch) +
                pare_tensor_real(&bias->t, ch);

            assert_true(fabs(pare_tensor_real(&c->out[0].t, g * 30 + i) - want) < 1e-4);
        }
    }
    finish(c);
}

/* ------------------------------------------------------------------------------------- transposed convolution */

static void check_transpose(int n, int ci, int co, int h, int w, int k, int group, int stride, int dilation, int pad,
                            int extra, float lo)
{
    test_case *const c = begin("conv_transpose");

    numbers(c, 0, DIMS(n, ci, h, w), 1);
    constant(c, 1, PARE_f32, DIMS(ci, co / group, k, k));
    if (k != 2)
        constant(c, 2, PARE_f32, DIMS(co));
    set_ints(c, "strides", LIST(stride, stride));
    set_ints(c, "dilations", LIST(dilation, dilation));
    set_ints(c, "pads", LIST(pad, pad, pad, 0));
    set_ints(c, "output_padding", LIST(extra, extra));
    set_i(c, "group", group);
    set_f(c, "clamp_lo", lo);
    check(c, n == 2 ? PARE_DENSE : PARE_CHANNELS_LAST, 1);
    finish(c);
}

static void conv_transpose_equals_reference(void **state)
{
    (void)state;
    seed = 51;
    check_transpose(1, 16, 24, 4, 5, 3, 1, 2, 1, 1, 1, -INFINITY);
    check_transpose(2, 20, 33, 3, 4, 2, 1, 2, 1, 0, 0, 0);
    check_transpose(1, 20, 33, 3, 4, 2, 1, 2, 1, 0, 0, 0);
    check_transpose(1, 8, 12, 5, 5, 3, 4, 1, 2, 2, 0, -INFINITY);
    check_transpose(1, 12, 12, 4, 3, 4, 12, 3, 1, 1, 2, -0.5f);
    check_transpose(1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, -INFINITY);
    check_transpose(1, 3, 5, 2, 2, 3, 1, 4, 1, 2, 0, -INFINITY); /* outputs that no tap reaches */
}

/* The example of the ONNX specification, and its other ways to give a size. */
static void conv_transpose_examples(void **state)
{
    static const int64_t x[] = { 1, 1, 3, 3 }, w[] = { 1, 2, 3, 3 };
    static const int     row[] = { 0, 1, 3, 3, 2 }, column[] = { 1, 8, 21, 20, 13 };
    static const struct {
        const char *attr, *auto_pad;
        int64_t     values[2];
        int         h, width;
    } cases[] = {
        { NULL, NULL, { 0 }, 9, 7 },
        { "output_shape", NULL, { 10, 8 }, 10, 8 },
        { "output_padding", NULL, { 1, 1 }, 10, 8 },
        { NULL, "SAME_UPPER", { 0 }, 9, 6 },
    };
    test_case *c = begin("conv_transpose");
    int        ones[18], up[9];

    (void)state;
    for (int i = 0; i < 18; i++)
        ones[i] = 1;
    for (int i = 0; i < 9; i++)
        up[i] = i;
    given(c, 0, PARE_f32, 4, x, up);
    given(c, 1, PARE_f32, 4, w, ones);
    check(c, PARE_CHANNELS_LAST, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(pare_tensor_real(&c->out[0].t, i) == row[i]);
        assert_true(pare_tensor_real(&c->out[0].t, 25 + i * 5 + 1) == column[i]); /* of the second channel */
    }
    finish(c);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        c = begin("conv_transpose");
        given(c, 0, PARE_f32, 4, x, up);
        given(c, 1, PARE_f32, 4, w, ones);
        set_ints(c, "strides", LIST(3, 2));
        if (cases[i].attr)
            set_ints(c, cases[i].attr, 2, cases[i].values);
        if (cases[i].auto_pad)
            *(const char **)attr_at(c, "auto_pad") = cases[i].auto_pad;
        check(c, PARE_CHANNELS_LAST, 0);
        assert_int_equal(c->out[0].t.shape.dim[2], cases[i].h);
        assert_int_equal(c->out[0].t.shape.dim[3], cases[i].width);
        finish(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_equals_reference),        cmocka_unit_test(softmax_sums_to_one),
        cmocka_unit_test(norms_equal_reference),           cmocka_unit_test(group_norm_is_what_it_says),
        cmocka_unit_test(conv_transpose_equals_reference), cmocka_unit_test(conv_transpose_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
