/* SPDX-License-Identifier: Apache-2.0 */
/* test_qops.c - integer ops as planned: convolution, products, sums, tables */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "op_case.h"

/* ------------------------------------------------------------------------------------------------- convolution */

/* x [n,ci,h,w], kernel k, groups, pads 1, into out_halo; flags choose the optional inputs. */
typedef struct conv_case {
    int   n, ci, co, h, w, k, group, stride;
    bool  bias, residual, second, rows, to_float;
    float lo, hi;
    bool  table;
} conv_case;

static void check_conv(const conv_case *p)
{
    test_case *const c = begin("qconv");
    const int        pad = p->k / 2;

    codes(c, 0, DIMS(p->n, p->ci, p->h, p->w), 0.021f, p->rows ? 128 : 113, pad + 1);
    slot *const w = constant(c, 1, PARE_s8, DIMS(p->co, p->ci / p->group, p->k, p->k));

    qparams(w, p->co <= 64 ? p->co : 1, 0, 0.004f, 0);
    if (p->bias && !p->to_float)
        constant(c, 2, PARE_s32, DIMS(p->co));
    set_ints(c, "pads", LIST(pad, pad, pad, pad));
    set_ints(c, "strides", LIST(p->stride, p->stride));
    set_i(c, "group", p->group);
    set_f(c, "clamp_lo", p->lo);
    set_f(c, "clamp_hi", p->hi);
    if (p->residual) {
        const int oh = (p->h + 2 * pad - p->k) / p->stride + 1, ow = (p->w + 2 * pad - p->k) / p->stride + 1;

        codes(c, 3, DIMS(p->n, p->co, oh, ow), 0.033f, 7, 0);
        set_f(c, "mid_scale", 0.019f);
        set_i(c, "mid_zero", 101);
        set_i(c, "conv_is_second", p->second);
        set_f(c, "sum_lo", 0);
    }
    if (p->rows) {
        slot *const rows = numbers(c, 4, DIMS(p->n), -1);

        for (int i = 0; i < p->n; i++)
            ((float *)rows->t.data)[i] = i == 1 ? 0 : 0.01f * (float)(i + 1);
    }
    if (p->bias && p->to_float)
        constant(c, 5, PARE_f32, DIMS(p->co));
    if (p->table) {
        constant(c, 6, PARE_u8, DIMS(256));
        set_f(c, "mid_scale", 0.04f);
        set_i(c, "mid_zero", 99);
    }
    if (!p->to_float)
        output(c, 0.05f, 120);
    check(c, PARE_CHANNELS_LAST, 2);
    finish(c);
}

static void qconv_equals_reference(void **state)
{
    static const conv_case cases[] = {
        { 2, 16, 32, 7, 6, 3, 1, 1, true, false, false, false, false, -INFINITY, INFINITY, false },
        { 1, 3, 20, 9, 8, 3, 1, 2, true, false, false, false, false, 0, 1.5f, false },
        { 1, 70, 33, 5, 5, 1, 1, 1, false, true, false, false, false, -INFINITY, INFINITY, false },
        { 2, 32, 16, 6, 5, 3, 1, 1, true, true, true, false, false, 0, INFINITY, false },
        { 3, 16, 24, 5, 4, 3, 1, 1, true, false, false, true, true, -INFINITY, INFINITY, false },
        { 1, 16, 24, 5, 4, 3, 1, 1, false, false, false, false, true, -INFINITY, INFINITY, false },
        { 1, 16, 24, 6, 6, 3, 4, 1, true, false, false, false, false, 0, INFINITY, false },
        { 1, 24, 12, 6, 6, 3, 3, 2, true, true, false, false, false, -INFINITY, INFINITY, false },
        { 2, 40, 40, 7, 9, 3, 40, 1, true, false, false, false, false, 0, INFINITY, false },
        { 1, 64, 64, 8, 8, 5, 64, 2, true, true, false, false, false, -INFINITY, INFINITY, false },
        { 1, 33, 33, 6, 6, 3, 33, 1, true, false, false, false, true, -INFINITY, INFINITY, false },
        { 1, 1, 1, 1, 1, 1, 1, 1, true, false, false, false, false, -INFINITY, INFINITY, false },
        { 2, 16, 72, 7, 6, 3, 1, 1, true, false, false, false, false, -1, 2, true },
        { 1, 70, 70, 6, 5, 3, 70, 1, true, false, false, false, false, -INFINITY, INFINITY, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        seed = i + 1;
        check_conv(&cases[i]);
    }
}

/* A clamp that leaves only code 0: kernels cannot say it, so the reference must run. */
static void qconv_clamped_to_nothing(void **state)
{
    test_case *const c = begin("qconv");
    pare_step        step = { .cpu = pare_cpu_features() };
    bound            b;

    (void)state;
    codes(c, 0, DIMS(1, 8, 3, 3), 0.02f, 10, 1);
    qparams(constant(c, 1, PARE_s8, DIMS(8, 8, 1, 1)), 1, 0, 0.01f, 0);
    set_f(c, "clamp_hi", -5);
    output(c, 0.05f, 0);
    bind(c, true, &b);
    assert_int_equal(pare_op_infer(&b.call), PARE_OK);
    c->out[0].t = pare_tensor_of(b.t_out[0].dtype, b.t_out[0].shape);
    c->out[0].t.q = &c->out[0].q;
    channels_last(&c->out[0], 0);
    place(&c->out[0]);
    bind(c, true, &b);
    assert_int_equal(c->op->prepare(&b.call, &step), PARE_OK);
    assert_null(step.run);
    bind(c, false, &b);
    assert_int_equal(c->op->forward(&b.call), PARE_OK);
    for (int i = 0; i < 72; i++)
        assert_int_equal(pare_tensor_int(&c->out[0].t, i), 0);
    finish(c);
}

static void check_gemm(int rank, const int64_t *dims, int n, bool residual, bool rows, bool to_float)
{
    test_case *const c = begin("qgemm");
    const int        k = (int)dims[rank - 1];
    int64_t          y[PARE_MAX_RANK];

    codes(c, 0, rank, dims, 0.021f, rows ? 128 : 3, -1);
    qparams(constant(c, 1, PARE_s8, DIMS(n, k)), n <= 64 ? n : 1, 0, 0.003f, 0);
    if (!to_float)
        constant(c, 2, PARE_s32, DIMS(n));
    memcpy(y, dims, sizeof(*y) * (size_t)rank);
    y[rank - 1] = n;
    if (residual) {
        codes(c, 3, rank, y, 0.03f, 99, -1);
        set_f(c, "mid_scale", 0.04f);
        set_i(c, "mid_zero", 128);
    }
    if (rows)
        numbers(c, 4, rank - 1, dims, -1);
    if (to_float)
        constant(c, 5, PARE_f32, DIMS(n));
    else
        output(c, 0.06f, 77);
    check(c, PARE_DENSE, 0);
    finish(c);
}

static void qgemm_equals_reference(void **state)
{
    (void)state;
    seed = 77;
    check_gemm(DIMS(5, 40), 33, false, false, false);
    check_gemm(DIMS(2, 3, 64), 64, true, false, false);
    check_gemm(DIMS(1, 7), 1, false, false, false);
    check_gemm(DIMS(2, 9, 33), 20, false, true, true);
    check_gemm(DIMS(4, 130), 100, false, false, true);
}

/* --------------------------------------------------------------------------------------------- elementwise */

static void check_binary(const char *name, int rank_a, const int64_t *a, int rank_b, const int64_t *b, int halo)
{
    test_case *const c = begin(name);

    codes(c, 0, rank_a, a, 0.021f, 113, rank_a > 2 ? halo : -1);
    codes(c, 1, rank_b, b, 0.017f, 128, rank_b > 2 ? halo : -1);
    output(c, name[1] == 'a' ? 0.037f : 0.026f, 131);
    check(c, halo >= 0 ? PARE_CHANNELS_LAST : PARE_DENSE, halo);
    if (pare_shape_equal(&c->in[0].t.shape, &c->in[1].t.shape))
        for (int64_t i = 0; i < pare_shape_count(&c->out[0].t.shape); i++) {
            const double x = real_of(&c->in[0], i), y = real_of(&c->in[1], i);

            check_real(c, name[1] == 'a' ? x + y : x * y, (int)pare_tensor_int(&c->out[0].t, i));
        }
    finish(c);
}

static void qadd_qmul_equal_reference(void **state)
{
    static const char *const names[] = { "qadd", "qmul" };

    (void)state;
    seed = 5;
    for (int i = 0; i < 2; i++) {
        check_binary(names[i], DIMS(2, 70, 5, 6), DIMS(2, 70, 5, 6), 1);
        check_binary(names[i], DIMS(2, 20, 5, 6), DIMS(2, 20, 1, 1), 1);
        check_binary(names[i], DIMS(2, 20, 1, 1), DIMS(2, 20, 5, 6), 2);
        check_binary(names[i], DIMS(2, 20, 5, 6), DIMS(1), 0);
        check_binary(names[i], DIMS(1), DIMS(3, 129), -1);
        check_binary(names[i], DIMS(3, 129), DIMS(3, 1), -1);
        check_binary(names[i], DIMS(3, 1), DIMS(3, 129), -1);
        check_binary(names[i], DIMS(1, 3, 8, 8), DIMS(1, 3, 8, 8), -1);
        check_binary(names[i], DIMS(1000), DIMS(1000), -1);
        check_binary(names[i], DIMS(1), DIMS(1), -1);
        check_binary(names[i], DIMS(0, 3), DIMS(3), -1);
    }
}

/* NUMERICS.md 6 word for word, with the swap where a repeats along the innermost axis; and the clamp. */
static void qadd_swaps_a_scalar(void **state)
{
    test_case *const c = begin("qadd");

    (void)state;
    seed = 9;
    codes(c, 0, DIMS(1, 30, 1, 1), 0.0213f, 5, 0);
    codes(c, 1, DIMS(1, 30, 9, 9), 0.0171f, 250, 0);
    output(c, 0.0119f, 60);
    set_f(c, "clamp_lo", 0);
    set_f(c, "clamp_hi", 1);
    check(c, PARE_CHANNELS_LAST, 0);
    const float r0 = 0.0213f / 0.0119f, r1 = 0.0171f / 0.0119f;
    const float k = 60.0f - fmaf(r1, 250.0f, r0 * 5.0f);
    int         differs = 0;

    for (int64_t i = 0; i < 30 * 81; i++) {
        const float a = (float)pare_tensor_int(&c->in[0].t, i / 81), b = (float)pare_tensor_int(&c->in[1].t, i);
        const float q = rintf(fmaf(b, r1, fmaf(a, r0, k)));
        const int   hi = (int)rintf(1 / 0.0119f) + 60;

        assert_int_equal(pare_tensor_int(&c->out[0].t, i), q < 60 ? 60 : q > hi ? hi : (int)q);
        differs += q >= 60 && q <= hi;
    }
    assert_true(differs > 100); /* not all clamped */
    finish(c);
}

static void qadd_refuses_what_leaves_32_bits(void **state)
{
    test_case *const c = begin("qadd");
    bound            b;

    (void)state;
    codes(c, 0, DIMS(4), 1e6f, 5, -1);
    codes(c, 1, DIMS(4), 1, 5, -1);
    output(c, 1e-3f, 0);
    bind(c, true, &b);
    assert_int_equal(pare_op_infer(&b.call), PARE_ERR_UNSUPPORTED);
    finish(c);
}

static void check_lut(int rank, const int64_t *dims, int halo)
{
    test_case *const c = begin("lut");

    codes(c, 0, rank, dims, 0.02f, 100, halo);
    constant(c, 1, PARE_u8, DIMS(256));
    output(c, 0.03f, 4);
    check(c, halo >= 0 ? PARE_CHANNELS_LAST : PARE_DENSE, halo);
    for (int64_t i = 0; i < pare_shape_count(&c->in[0].t.shape); i++)
        assert_int_equal(pare_tensor_int(&c->out[0].t, i),
                         pare_tensor_int(&c->in[1].t, pare_tensor_int(&c->in[0].t, i)));
    finish(c);
}

/* a is one number per pixel: not the innermost axis, but the inner one in memory; and a clamp to one code. */
static void qadd_qmul_odd_broadcasts(void **state)
{
    (void)state;
    seed = 6;
    for (int i = 0; i < 2; i++) {
        const char *const name = i ? "qmul" : "qadd";

        check_binary(name, DIMS(2, 1, 5, 6), DIMS(2, 20, 5, 6), 1);
        check_binary(name, DIMS(2, 20, 5, 6), DIMS(2, 1, 5, 6), 1);
        check_binary(name, DIMS(20, 1), DIMS(1, 2000), -1);
        test_case *const c = begin(name);

        codes(c, 0, DIMS(33), 0.02f, 3, -1);
        codes(c, 1, DIMS(33), 0.02f, 3, -1);
        set_f(c, "clamp_hi", -9);
        output(c, 0.02f, 0);
        check(c, PARE_DENSE, 0);
        assert_int_equal(pare_tensor_int(&c->out[0].t, 7), 0);
        finish(c);
    }
}

static void lut_equals_reference(void **state)
{
    (void)state;
    seed = 3;
    check_lut(DIMS(2, 70, 5, 6), 1);
    check_lut(DIMS(1, 3, 5, 6), 0);
    check_lut(DIMS(1111), -1);
    check_lut(DIMS(1), -1);
    check_lut(DIMS(0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qconv_equals_reference),   cmocka_unit_test(qconv_clamped_to_nothing),
        cmocka_unit_test(qgemm_equals_reference),   cmocka_unit_test(qadd_qmul_equal_reference),
        cmocka_unit_test(qadd_swaps_a_scalar),      cmocka_unit_test(qadd_refuses_what_leaves_32_bits),
        cmocka_unit_test(qadd_qmul_odd_broadcasts), cmocka_unit_test(lut_equals_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
