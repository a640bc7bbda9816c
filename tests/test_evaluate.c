/* SPDX-License-Identifier: Apache-2.0 */
/* test_evaluate.c - measures of outputs by hand, evaluation of a model, tensors in files */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pare/evaluate.h>
#include <pare/io.h>
#include <pare/tensor_io.h>

#include "base/alloc.h"
#include "flow/measure.h"

#define DEMO PARE_TEST_DIR "/../examples/demo.onnx"

static pare_tensor vector(float *y, int n)
{
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ 1, n }));

    t.data = y;
    return t;
}

/* Measures one output of n classes. */
static pare_measures measured(float *y, int n, int label, int32_t *class)
{
    const float         x[1] = { 0 };
    const pare_measured what = { .sample = x,
                                 .shape = pare_shape_of(3, (int64_t[]){ 1, 1, 1 }),
                                 .dtype = PARE_f32,
                                 .label = label,
                                 .first_token = 16 };
    const pare_tensor   t = vector(y, n);
    pare_measures       m = { 0 };

    if (pare_measure(&what, &t, &m, class) != PARE_OK)
        fail_msg("%s", pare_error());
    return m;
}

static void test_ranks(void **state)
{
    float equal[7] = { 1, 1, 1, 1, 1, 1, 1 }, y[7] = { 0, 6, 5, 4, 3, 2, 1 };
    float nan[3] = { NAN, 1, 2 }, huge[3] = { -INFINITY, 3e38f, INFINITY }, one[1] = { -1 };
    int32_t class;
    pare_measures m;

    (void)state;
    for (int label = 0; label < 7; label++) {
        m = measured(equal, 7, label, &class); /* equal outputs keep their order */
        assert_int_equal(class, 0);
        assert_int_equal(m.top1, label == 0);
        assert_int_equal(m.top5, label < 5);
        m = measured(y, 7, label, &class);
        assert_int_equal(class, 1);
        assert_int_equal(m.top1, label == 1);
        assert_int_equal(m.top5, label >= 1 && label <= 5);
        assert_int_equal(m.labelled, 1);
    }
    m = measured(nan, 3, 0, &class);
    assert_int_equal(class, 2);
    assert_int_equal(m.top5, 0); /* what is no number is never right */
    measured(huge, 3, 2, &class);
    assert_int_equal(class, 2);
    m = measured(one, 1, 0, &class);
    assert_int_equal(m.top1, 1);
    m = measured(y, 7, -1, &class);
    assert_int_equal(m.labelled, 0);
}

static void test_likelihood(void **state)
{
    float p[2] = { 0.25f, 0.75f }, logits[2] = { 0, 1000 }, negative[2] = { -1, 2 };
    int32_t class;

    (void)state;
    assert_true(fabs(measured(p, 2, 0, &class).nll + log(0.25)) < 1e-12);
    assert_true(fabs(measured(logits, 2, 0, &class).nll - 1000) < 1e-9);
    assert_true(fabs(measured(logits, 2, 1, &class).nll) < 1e-9);
    assert_true(fabs(measured(negative, 2, 0, &class).nll - (3 + log1p(exp(-3)))) < 1e-9);
}

static void test_wrong_labels_and_types(void **state)
{
    float y[3] = { 0 }, x[1] = { 0 };
    int32_t class;
    pare_measured what = { .sample = x, .shape = pare_shape_of(1, (int64_t[]){ 1 }), .dtype = PARE_f32, .label = 3 };
    pare_tensor   t = vector(y, 3);
    pare_measures m = { 0 };

    (void)state;
    assert_int_equal(pare_measure(&what, &t, &m, &class), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "3"));
    t.dtype = PARE_s64;
    assert_int_equal(pare_measure(&what, &t, &m, &class), PARE_ERR_UNSUPPORTED);
}

/* Two tokens count: those at the positions 2 and 3 of a window of 4, each predicting the next. */
static void test_tokens(void **state)
{
    const int64_t tokens[4] = { 1, 2, 0, 1 };
    float         y[4][3] = { { 9, 0, 0 }, { 9, 0, 0 }, { 0, 9, 0 }, { 0, 9, 0 } };
    pare_measured what = {
        .sample = tokens, .shape = pare_shape_of(1, (int64_t[]){ 4 }), .dtype = PARE_s64, .label = 2, .first_token = 2
    };
    pare_tensor   t = pare_tensor_of(PARE_f32, pare_shape_of(3, (int64_t[]){ 1, 4, 3 }));
    pare_measures m = { 0 };
    int32_t       classes[4];

    (void)state;
    t.data = y;
    assert_int_equal(pare_measure(&what, &t, &m, classes), PARE_OK);
    assert_true(m.labelled == 2 && m.predicted == 2);
    assert_int_equal(m.top1, 1); /* token 1 behind position 2 is right, token 2 behind the window is not */
    assert_int_equal(m.top5, 2);
    assert_true(fabs(m.nll - (2 * log(exp(9) + 2) - 9)) < 1e-6);

    const int64_t wild[4] = { 0, 0, 0, 7 };
    what.sample = wild;
    assert_int_equal(pare_measure(&what, &t, &m, classes), PARE_ERR_DATA);
    what.first_token = 16; /* a window too short to count */
    m = (pare_measures){ 0 };
    assert_int_equal(pare_measure(&what, &t, &m, classes), PARE_OK);
    assert_true(m.predicted == 0 && m.labelled == 0);
}

static void test_what_is_no_choice(void **state)
{
    float         y[4] = { 1, 2, 3, 5 };
    const float   x[4] = { 1, 2, 3, 4 };
    pare_measured what = { .sample = x, .shape = pare_shape_of(1, (int64_t[]){ 4 }), .dtype = PARE_f32, .label = 9 };
    pare_tensor   t = vector(y, 4);
    pare_measures m = { 0 };
    int32_t class;

    (void)state;
    assert_int_equal(pare_measure(&what, &t, &m, &class), PARE_OK); /* [4] in, [1,4] out: a reconstruction */
    assert_true(m.predicted == 0 && m.labelled == 0 && m.input_squares == 1 && m.input_compared == 4);
    m = (pare_measures){ 0 };
    t = pare_tensor_of(PARE_f32, pare_shape_of(3, (int64_t[]){ 1, 2, 2 }));
    t.data = y;
    assert_int_equal(pare_measure(&what, &t, &m, &class), PARE_OK); /* a map */
    assert_true(m.predicted == 0 && m.labelled == 0 && m.input_compared == 0);
}

static void test_differences(void **state)
{
    float         a[2] = { 1, 2 }, b[2] = { 1, 4 };
    pare_tensor   x = vector(a, 2), y = vector(b, 2), z = vector(a, 1);
    pare_measures m = { 0 };

    (void)state;
    assert_int_equal(pare_measure_difference(&y, &x, &m), PARE_OK);
    assert_true(m.squares == 4 && m.compared == 2);
    assert_int_equal(pare_measure_difference(&z, &x, &m), PARE_ERR_SHAPE);
}

static pare_dataset *few_pictures(void)
{
    pare_dataset *data;

    assert_int_equal(pare_dataset_open("demo:test", &(pare_data_options){ .slice = "0:12" }, &data), PARE_OK);
    return data;
}

static bool stop(void *user, const char *what, long done, long total)
{
    (void)what;
    (void)total;
    return done < *(const long *)user;
}

static void test_a_model(void **state)
{
    pare_dataset       *data = few_pictures();
    pare_graph         *g;
    pare_pool          *pool;
    pare_evaluation     one[2], three[2];
    double              equal = 0;
    long                limit = 3;
    const pare_progress progress = { stop, &limit };

    (void)state;
    assert_int_equal(pare_graph_load(DEMO, &g), PARE_OK);
    assert_int_equal(pare_pool_create(3, &pool), PARE_OK);
    const pare_graph *const both[2] = { g, g };

    assert_int_equal(pare_evaluate(both, 2, data, NULL, one, &equal), PARE_OK);
    assert_int_equal(pare_evaluate(both, 2, data, &(pare_evaluate_options){ .pool = pool }, three, NULL), PARE_OK);
    assert_true(equal == 1 && one[1].mse == 0 && one[0].samples == 12 && one[0].predictions == 12);
    assert_true(one[0].top1 > 0.7 && one[0].top1 <= one[0].top5 && isnan(one[0].reconstruction_mse));
    assert_true(one[0].top1 == three[0].top1 && one[0].nll == three[0].nll && one[1].nll == three[1].nll);
    assert_int_equal(pare_evaluate(both, 1, data, &(pare_evaluate_options){ .progress = &progress }, one, NULL),
                     PARE_ERR_CANCELLED);
    assert_int_equal(pare_evaluate(both, 0, data, NULL, one, NULL), PARE_ERR_ARG);
    pare_pool_destroy(pool);
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

static void test_short_memory(void **state)
{
    pare_dataset   *data = few_pictures();
    pare_graph     *g;
    pare_evaluation e;
    pare_status     status = PARE_ERR_MEMORY;

    (void)state;
    assert_int_equal(pare_graph_load(DEMO, &g), PARE_OK);
    const pare_graph *const models[1] = { g };
    const long              live = pare_alloc_live();

    for (long n = 1; status != PARE_OK; n += 1 + n / 16) {
        assert_true(n < 1000000);
        pare_alloc_fail_after(n);
        status = pare_evaluate(models, 1, data, NULL, &e, NULL);
        pare_alloc_fail_after(0);
        if (status != PARE_OK && status != PARE_ERR_MEMORY)
            fail_msg("allocation %ld: %s", n, pare_error());
        assert_int_equal(pare_alloc_live(), live);
    }
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

static void test_tensors_in_files(void **state)
{
    char        path[] = "/tmp/pare_tensor_XXXXXX.npy", raw[] = "/tmp/pare_tensor_XXXXXX.f32";
    float       y[6] = { 0, -1, NAN, INFINITY, 1e-45f, 3 };
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ 2, 3 }));

    (void)state;
    close(mkstemps(path, 4));
    close(mkstemps(raw, 4));
    t.data = y;
    assert_int_equal(pare_tensor_save(&t, path), PARE_OK);

    pare_tensor back = { 0 };
    assert_int_equal(pare_tensor_load(path, &back), PARE_OK);
    assert_true(back.dtype == PARE_f32 && pare_shape_equal(&back.shape, &t.shape));
    assert_memory_equal(back.data, y, sizeof(y));
    pare_tensor_release(&back);

    back = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ PARE_DIM_ANY, 3 }));
    assert_int_equal(pare_tensor_load(path, &back), PARE_OK);
    assert_int_equal(back.shape.dim[0], 2);
    pare_tensor_release(&back);
    back = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ 3, 2 }));
    assert_int_equal(pare_tensor_load(path, &back), PARE_ERR_SHAPE);
    back = pare_tensor_of(PARE_s64, t.shape);
    assert_int_equal(pare_tensor_load(path, &back), PARE_ERR_SHAPE);

    FILE *const f = fopen(raw, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(y, sizeof(y), 1, f), 1);
    fclose(f);
    back = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ PARE_DIM_ANY, PARE_DIM_ANY }));
    assert_int_equal(pare_tensor_load(raw, &back), PARE_OK);
    assert_true(back.shape.dim[0] == 1 && back.shape.dim[1] == 6);
    pare_tensor_release(&back);
    back = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ PARE_DIM_ANY, 4 }));
    assert_int_equal(pare_tensor_load(raw, &back), PARE_ERR_SHAPE);
    back = pare_tensor_of(PARE_f32, pare_shape_of(1, (int64_t[]){ 5 }));
    assert_int_equal(pare_tensor_load(raw, &back), PARE_ERR_SHAPE);
    back = (pare_tensor){ 0 };
    assert_int_equal(pare_tensor_load(raw, &back), PARE_ERR_ARG);

    /* Strided: every second column. */
    pare_tensor strided = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ 2, 2 }));
    const float want[4] = { 0, NAN, INFINITY, 3 };
    strided.data = y;
    strided.stride[0] = 3;
    strided.stride[1] = 2;
    assert_int_equal(pare_tensor_save(&strided, path), PARE_OK);
    back = (pare_tensor){ 0 };
    assert_int_equal(pare_tensor_load(path, &back), PARE_OK);
    for (int i = 0; i < 4; i++)
        assert_true(((float *)back.data)[i] == want[i] || want[i] != want[i]);
    pare_tensor_release(&back);
    remove(path);
    remove(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_likelihood),
        cmocka_unit_test(test_wrong_labels_and_types),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_what_is_no_choice),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_a_model),
        cmocka_unit_test(test_short_memory),
        cmocka_unit_test(test_tensors_in_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
