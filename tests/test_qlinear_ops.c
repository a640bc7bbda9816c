/* SPDX-License-Identifier: Apache-2.0 */
/* test_qlinear_ops.c - quantize and dequantize as planned, and ONNX's own integer ops */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_case.h"

/* ------------------------------------------------------------------------------------- quantize, dequantize */

static void check_quantize(pare_dtype dtype, int per_channel, int rank, const int64_t *dims, int halo_in, int halo_out)
{
    const int64_t n = per_channel ? dims[1] : 1;
    test_case    *c = begin("quantize_linear");

    odd_numbers(numbers(c, 0, rank, dims, halo_in));
    for (int i = 1; i < 3; i++) {
        slot *const s = constant(c, i, i == 1 ? PARE_f32 : dtype, per_channel, &n);

        for (int64_t j = 0; j < n; j++)
            i == 1 ? pare_tensor_set_real(&s->t, j, 0.021 * (double)(j + 1)) : pare_tensor_set_int(&s->t, j, 3 + j);
    }
    check(c, halo_out < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, halo_out);
    finish(c);

    c = begin("dequantize_linear");
    slot *const x = input(c, 0, dtype, rank, dims);

    if (halo_in >= 0)
        channels_last(x, halo_in);
    place(x);
    fill(x);
    for (int i = 1; i < 3; i++) {
        slot *const s = constant(c, i, i == 1 ? PARE_f32 : dtype, per_channel, &n);

        for (int64_t j = 0; j < n; j++)
            i == 1 ? pare_tensor_set_real(&s->t, j, 0.021 * (double)(j + 1)) : pare_tensor_set_int(&s->t, j, 3 + j);
    }
    check(c, halo_out < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, halo_out);
    finish(c);
}

static void quantize_equals_reference(void **state)
{
    static const pare_dtype dtypes[] = { PARE_u8, PARE_s8, PARE_u16 };

    (void)state;
    seed = 21;
    for (int i = 0; i < 3; i++)
        for (int channels = 0; channels < 2; channels++) {
            check_quantize(dtypes[i], channels, DIMS(2, 3, 9, 33), -1, 3);
            check_quantize(dtypes[i], channels, DIMS(1, 70, 5, 6), -1, 1);
            check_quantize(dtypes[i], channels, DIMS(2, 20, 5, 6), 1, 0);
            check_quantize(dtypes[i], channels, DIMS(2, 20, 5, 6), 1, -1);
            check_quantize(dtypes[i], channels, DIMS(3, 17), -1, -1);
            check_quantize(dtypes[i], channels, DIMS(1, 1, 1, 1), -1, 2);
            check_quantize(dtypes[i], channels, DIMS(1, 2, 0), -1, -1);
            check_quantize(dtypes[i], channels, DIMS(2, 5, 40), -1, 2);
        }
}

static void check_rows(int64_t row_axes, int rank, const int64_t *dims, int halo_in, int halo_out)
{
    test_case *const c = begin("quantize_rows");
    slot *const      x = numbers(c, 0, rank, dims, halo_in);

    if (rank > 2)
        pare_tensor_set_real(&x->t, 17, NAN); /* does not count, becomes the lowest code */
    if (row_axes == -1 && dims[0] > 1)
        for (int64_t i = 0; i < dims[rank - 1]; i++)
            pare_tensor_set_real(&x->t, i, 0); /* a row of zeros */
    c->n_out = 2;
    set_i(c, "row_axes", row_axes);
    check(c, halo_out < 0 ? PARE_DENSE : PARE_CHANNELS_LAST, halo_out);
    finish(c);
}

static void quantize_rows_equals_reference(void **state)
{
    (void)state;
    seed = 22;
    check_rows(-1, DIMS(5, 70), -1, -1);
    check_rows(-1, DIMS(2, 3, 33), -1, -1);
    check_rows(1, DIMS(3, 20, 4, 5), -1, 1);
    check_rows(1, DIMS(3, 20, 4, 5), 0, 1);
    check_rows(-1, DIMS(1, 1), -1, -1);
    check_rows(-1, DIMS(0, 4), -1, -1);
}

/* --------------------------------------------------------------------------------------- ONNX's own integer ops */

static void given_scale(test_case *c, int i, float scale)
{
    pare_tensor_set_real(&constant(c, i, PARE_f32, 0, NULL)->t, 0, scale);
}

static void expect(test_case *c, int n, const int *values)
{
    assert_int_equal(pare_shape_count(&c->out[0].t.shape), n);
    for (int i = 0; i < n; i++)
        assert_int_equal(pare_tensor_int(&c->out[0].t, i), values[i]);
    finish(c);
}

/* The examples of the ONNX specification. */
static void onnx_examples(void **state)
{
    test_case *c = begin("conv_integer");

    (void)state;
    given(c, 0, PARE_u8, DIMS(1, 1, 3, 3), INTS(2, 3, 4, 5, 6, 7, 8, 9, 10));
    given(c, 1, PARE_u8, DIMS(1, 1, 2, 2), INTS(1, 1, 1, 1));
    given(c, 2, PARE_u8, 0, NULL, INTS(1));
    set_ints(c, "pads", LIST(1, 1, 1, 1));
    check(c, PARE_DENSE, 0);
    expect(c, 16, INTS(1, 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9));

    c = begin("matmul_integer");
    given(c, 0, PARE_u8, DIMS(4, 3), INTS(11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0));
    given(c, 1, PARE_u8, DIMS(3, 2), INTS(1, 4, 2, 5, 3, 6));
    given(c, 2, PARE_u8, DIMS(1), INTS(12));
    given(c, 3, PARE_u8, DIMS(1), INTS(0));
    check(c, PARE_DENSE, 0);
    expect(c, 8, INTS(-38, -83, -44, -98, -50, -113, -56, -128));

    c = begin("qlinear_matmul");
    given(c, 0, PARE_u8, DIMS(2, 4), INTS(208, 236, 0, 238, 3, 214, 255, 29));
    given_scale(c, 1, 0.0066f);
    given(c, 2, PARE_u8, DIMS(1), INTS(113));
    given(c, 3, PARE_u8, DIMS(4, 3), INTS(152, 51, 244, 60, 26, 255, 0, 127, 246, 127, 254, 247));
    given_scale(c, 4, 0.00705f);
    given(c, 5, PARE_u8, DIMS(1), INTS(114));
    given_scale(c, 6, 0.0107f);
    given(c, 7, PARE_u8, DIMS(1), INTS(118));
    check(c, PARE_DENSE, 0);
    expect(c, 6, INTS(168, 115, 255, 1, 66, 151));

    c = begin("qlinear_conv");
    given(c, 0, PARE_u8, DIMS(1, 1, 1, 7), INTS(255, 174, 162, 25, 203, 168, 58));
    given_scale(c, 1, 0.00369204697f);
    given(c, 2, PARE_u8, 0, NULL, INTS(132));
    given(c, 3, PARE_u8, DIMS(1, 1, 1, 1), INTS(0));
    given_scale(c, 4, 0.00172794575f);
    given(c, 5, PARE_u8, DIMS(1), INTS(255));
    given_scale(c, 6, 0.00162681262f);
    given(c, 7, PARE_u8, 0, NULL, INTS(123));
    check(c, PARE_DENSE, 0);
    expect(c, 7, INTS(0, 81, 93, 230, 52, 87, 197));
}

static void onnx_dynamic_quantize_linear(void **state)
{
    static const float   x[] = { 0, 2, -3, -2.5f, 1.34f, 0.5f }, infinite[] = { 1, INFINITY };
    static const uint8_t want[] = { 153, 255, 0, 26, 221, 179 };
    const pare_op *const op = pare_op_find("dynamic_quantize_linear");
    pare_tensor          in = pare_tensor_of(PARE_f32, pare_shape_of(DIMS(6))), out[3];
    const pare_tensor   *ins[1] = { &in };
    pare_tensor         *outs[3] = { &out[0], &out[1], &out[2] };
    const pare_call      call = { op, NULL, 1, 3, ins, outs };

    (void)state;
    in.data = (void *)(uintptr_t)x;
    assert_int_equal(pare_op_eval(&call), PARE_OK);
    for (int i = 0; i < 6; i++)
        assert_int_equal(pare_tensor_int(&out[0], i), want[i]);
    assert_true((float)pare_tensor_real(&out[1], 0) == 5.0f / 255);
    assert_int_equal(pare_tensor_int(&out[2], 0), 153);
    for (int i = 0; i < 3; i++)
        pare_tensor_release(&out[i]);

    in = pare_tensor_of(PARE_f32, pare_shape_of(DIMS(2)));
    in.data = (void *)(uintptr_t)infinite;
    assert_int_equal(pare_op_eval(&call), PARE_ERR_NUMERIC);
}

/* Zero points and scales per channel, both signs, any part split; values against sums in this test. */
static void check_qlinear_conv(pare_dtype x_type, pare_dtype w_type, int group)
{
    const int        x_lo = x_type == PARE_u8 ? 0 : -128, w_lo = w_type == PARE_u8 ? 0 : -128;
    test_case *const c = begin("qlinear_conv");

    slot *const x = constant(c, 0, PARE_u8, DIMS(2, 4, 5, 6));
    slot *const w = constant(c, 3, PARE_u8, DIMS(6, 4 / group, 3, 3));

    for (int i = 0; i < 240; i++) /* as codes of their type */
        pare_store_int(x_type, x->t.data, i, x_lo + ((uint8_t *)x->t.data)[i]);
    for (int i = 0; i < 6 * 4 / group * 9; i++)
        pare_store_int(w_type, w->t.data, i, w_lo + ((uint8_t *)w->t.data)[i]);
    x->t.dtype = x_type;
    w->t.dtype = w_type;
    given_scale(c, 1, 0.02f);
    given(c, 2, x_type, 0, NULL, INTS(x_lo + 100));
    slot *const sw = constant(c, 4, PARE_f32, DIMS(6));

    for (int i = 0; i < 6; i++)
        pare_tensor_set_real(&sw->t, i, 0.01 * (i + 1));
    slot *const zw = given(c, 5, w_type, DIMS(6), INTS(w_lo, w_lo + 1, w_lo + 127, w_lo + 128, w_lo + 254, w_lo + 255));

    given_scale(c, 6, 2.5f);
    given(c, 7, x_type, 0, NULL, INTS(x_lo + 128));
    slot *const bias = constant(c, 8, PARE_s32, DIMS(6));

    set_i(c, "group", group);
    check(c, PARE_DENSE, 0);
    int inside = 0;
    for (int n = 0; n < 2; n++)
        for (int o = 0; o < 6; o++)
            for (int p = 0; p < 12; p++) {
                int64_t acc = pare_tensor_int(&bias->t, o);

                for (int i = 0; i < 4 / group; i++)
                    for (int k = 0; k < 9; k++) {
                        const int row = (n * 4 + o / (6 / group) * (4 / group) + i) * 5 + p / 4 + k / 3;

                        acc += (pare_tensor_int(&x->t, row * 6 + p % 4 + k % 3) - (x_lo + 100)) *
                               (pare_tensor_int(&w->t, (o * (4 / group) + i) * 9 + k) - pare_tensor_int(&zw->t, o));
                    }
                const float m = 0.02f * (float)(0.01 * (o + 1)) / 2.5f;
                const float v = rintf((float)acc * m) + (float)(x_lo + 128);
                const int   q = v < (float)x_lo ? x_lo : v > (float)(x_lo + 255) ? x_lo + 255 : (int)v;

                assert_int_equal(pare_tensor_int(&c->out[0].t, (n * 6 + o) * 12 + p), q);
                inside += q > x_lo && q < x_lo + 255;
            }
    assert_true(inside > 20);
    finish(c);
}

static void qlinear_conv_all_signs(void **state)
{
    (void)state;
    seed = 41;
    check_qlinear_conv(PARE_u8, PARE_s8, 1);
    check_qlinear_conv(PARE_u8, PARE_u8, 2);
    check_qlinear_conv(PARE_s8, PARE_s8, 2);
    check_qlinear_conv(PARE_s8, PARE_u8, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantize_equals_reference),
        cmocka_unit_test(quantize_rows_equals_reference),
        cmocka_unit_test(onnx_examples),
        cmocka_unit_test(onnx_dynamic_quantize_linear),
        cmocka_unit_test(qlinear_conv_all_signs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
