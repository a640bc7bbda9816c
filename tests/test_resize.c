/* SPDX-License-Identifier: Apache-2.0 */
/* test_resize.c - from bytes to numbers: resizing, slices, presets, fitting pictures */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data/prepare.h"
#include "data/resize.h"
#include "data/slice.h"
#include "data_helpers.h"
#include "golden/resize.h"

static void test_resize(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(golden_resizes) / sizeof(golden_resizes[0]); i++) {
        const int  w = golden_resizes[i].w, h = golden_resizes[i].h;
        const int  to_w = golden_resizes[i].to_w, to_h = golden_resizes[i].to_h;
        pare_image in, out;

        assert_int_equal(pare_image_alloc(w, h, &in), PARE_OK);
        pattern(w, h, 0, in.rgb);
        assert_int_equal(pare_resize_bilinear(&in, to_w, to_h, &out), PARE_OK);
        assert_int_equal(out.width, to_w);
        assert_int_equal(out.height, to_h);
        if (fnv(out.rgb, (size_t)to_w * (size_t)to_h * 3) != golden_resizes[i].hash)
            fail_msg("%d x %d to %d x %d: other bytes than Pillow's", w, h, to_w, to_h);
        pare_image_free(&in);
        pare_image_free(&out);
    }
}

static void test_resize_extremes(void **state)
{
    pare_image in, out;

    (void)state;
    /* All white and all black stay so at any size: weights that sum to less or more would show. */
    for (int value = 0; value <= 255; value += 255)
        for (int to = 1; to < 60; to += 3) {
            assert_int_equal(pare_image_alloc(37, 23, &in), PARE_OK);
            memset(in.rgb, value, 37 * 23 * 3);
            assert_int_equal(pare_resize_bilinear(&in, to, 60 - to, &out), PARE_OK);
            for (int i = 0; i < to * (60 - to) * 3; i++)
                assert_int_equal(out.rgb[i], value);
            pare_image_free(&in);
            pare_image_free(&out);
        }
    /* The longest row there may be, to one pixel and back. */
    assert_int_equal(pare_image_alloc(PARE_IMAGE_MAX_SIDE, 1, &in), PARE_OK);
    memset(in.rgb, 200, (size_t)PARE_IMAGE_MAX_SIDE * 3);
    assert_int_equal(pare_resize_bilinear(&in, 1, 1, &out), PARE_OK);
    assert_int_equal(out.rgb[2], 200);
    pare_image_free(&in);
    assert_int_equal(pare_resize_bilinear(&out, PARE_IMAGE_MAX_SIDE, 1, &in), PARE_OK);
    assert_int_equal(in.rgb[PARE_IMAGE_MAX_SIDE * 3 - 1], 200);
    pare_image_free(&in);
    assert_int_equal(pare_resize_bilinear(&out, PARE_IMAGE_MAX_SIDE + 1, 1, &in), PARE_ERR_UNSUPPORTED);
    pare_image_free(&out);
}

static void test_slice(void **state)
{
    static const struct {
        const char *text;
        int64_t     n, first, last, count;
    } good[] = {
        { ":", 10, 0, 9, 10 },
        { "2:5", 10, 2, 4, 3 },
        { "::10", 101, 0, 100, 11 },
        { "-3:", 10, 7, 9, 3 },
        { ":-8", 10, 0, 1, 2 },
        { "5:2", 10, 0, 0, 0 },
        { "3:100:4", 10, 3, 7, 2 },
        { "-100:1", 10, 0, 0, 1 },
        { "1::3", 10, 1, 7, 3 },
        { "::", 3, 0, 2, 3 },
        { "0:0", 10, 0, 0, 0 },
        { ":", 0, 0, 0, 0 },
        { "::999999999999999999", 10, 0, 0, 1 },
    };
    static const char *const bad[] = {
        "", "5", "a:b", "1:2:3:4", "::0", "::-1", "1 :2", "1:2:", "-:", ":5x", "1:99999999999999999999"
    };
    pare_slice s;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t count = 0, first = 0, last = 0;

        assert_int_equal(pare_slice_parse("slice", good[i].text, good[i].n, &s), PARE_OK);
        for (int64_t k = -2; k < good[i].n + 2; k++)
            if (pare_slice_has(&s, k)) {
                first = count++ ? first : k;
                last = k;
            }
        assert_int_equal(count, good[i].count);
        assert_int_equal(first, good[i].first);
        assert_int_equal(last, good[i].last);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (strcmp(bad[i], "1:2:") != 0) /* as in Python, an empty step is 1 */
            assert_int_equal(pare_slice_parse("slice", bad[i], 10, &s), PARE_ERR_ARG);
    assert_int_equal(pare_slice_parse("slice", "1:2:", 10, &s), PARE_OK);
}

static void test_values(void **state)
{
    pare_prepare p;

    (void)state;
    assert_int_equal(pare_prepare_choose(&(pare_data_options){ .preset = "imagenet-torch" }, NULL, &p), PARE_OK);
    assert_int_equal(p.width, 224);
    assert_int_equal(p.resize, 256);
    assert_true(p.value[0][255] == (255.0f / 255.0f - 0.485f) / 0.229f);
    assert_true(p.value[2][7] == (7.0f / 255.0f - 0.406f) / 0.225f);
    assert_int_equal(pare_prepare_choose(&(pare_data_options){ .preset = "imagenet-tf" }, NULL, &p), PARE_OK);
    assert_true(p.value[1][0] == -1.0f && p.value[1][255] == 1.0f);
    assert_int_equal(pare_prepare_choose(&(pare_data_options){ .preset = "imagenet-caffe" }, NULL, &p), PARE_OK);
    assert_true(p.bgr && p.value[0][0] == -104.0f && p.value[2][255] == 132.0f);
    assert_int_equal(p.resize, 259); /* round(227 * 256 / 224) */
    assert_int_equal(pare_prepare_choose(&(pare_data_options){ .preset = "vww", .width = 64, .std = { 2 } }, NULL, &p),
                     PARE_OK);
    assert_true(p.width == 64 && p.height == 64 && p.fit == PARE_FIT_SQUASH);
    assert_true(p.value[0][255] == 0.5f && p.value[1][255] == 1.0f);
    assert_int_equal(pare_prepare_choose(&(pare_data_options){ 0 }, NULL, &p), PARE_OK);
    assert_true(p.width == 0 && p.fit == PARE_FIT_NONE && p.value[2][254] == 254.0f);

    const pare_data_options bad[] = {
        { .preset = "no-such" },
        { .width = -1 },
        { .width = 1 << 20 },
        { .height = 5 },
        { .fit = PARE_FIT_CROP },
        { .divisor = -1 },
        { .std = { -2 } },
        { .mean = { INFINITY } },
        { .std = { 1, 1, NAN } },
        { .divisor = INFINITY },
        { .width = 224, .resize = 200 },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(pare_prepare_choose(&bad[i], NULL, &p), PARE_ERR_ARG);
    for (int i = 0; pare_data_preset_name(i); i++) {
        assert_int_equal(pare_prepare_choose(&(pare_data_options){ .preset = pare_data_preset_name(i) }, NULL, &p),
                         PARE_OK);
        assert_true(strlen(pare_data_preset_about(i)) > 0);
    }
    assert_null(pare_data_preset_name(-1));
}

/* Crop, squash and channel order, value by value against the bytes. */
static void test_fit(void **state)
{
    static float  out[3][6][4];
    uint8_t       rgb[6][8][3];
    pare_dataset *ds;

    (void)state;
    need_png();
    pattern(8, 6, 3, &rgb[0][0][0]);
    write_png("fit/a.png", 8, 6, 3);

    /* The shorter side is 6 already, so the crop is a copy from x = (8 - 4) / 2. */
    ds = open_ok(
        in_folder("fit/a.png"),
        &(pare_data_options){
            .width = 4, .height = 6, .fit = PARE_FIT_CROP, .resize = 6, .bgr = true, .divisor = 2, .mean = { 1 } });
    assert_int_equal(pare_dataset_item(ds).dim[1], 6);
    assert_int_equal(pare_dataset_item(ds).dim[2], 4);
    assert_int_equal(pare_dataset_dtype(ds), PARE_f32);
    assert_int_equal(pare_dataset_read(ds, 0, out, NULL), PARE_OK);
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 4; x++)
            for (int c = 0; c < 3; c++)
                assert_true(out[c][y][x] == (float)rgb[y][x + 2][2 - c] / 2 - (c == 0 ? 1.0f : 0.0f));
    pare_dataset_close(ds);

    /* Squash is the resize alone. */
    pare_image in, small;
    ds = open_ok(in_folder("fit/a.png"), &(pare_data_options){ .width = 4, .height = 6, .fit = PARE_FIT_SQUASH });
    assert_int_equal(pare_dataset_read(ds, 0, out, NULL), PARE_OK);
    assert_int_equal(pare_image_alloc(8, 6, &in), PARE_OK);
    memcpy(in.rgb, rgb, sizeof(rgb));
    assert_int_equal(pare_resize_bilinear(&in, 4, 6, &small), PARE_OK);
    for (int i = 0; i < 24; i++)
        for (int c = 0; c < 3; c++)
            assert_true((&out[c][0][0])[i] == (float)small.rgb[3 * i + c]);
    pare_image_free(&in);
    pare_image_free(&small);
    pare_dataset_close(ds);

    /* Without a fit all pictures must have one size. */
    write_png("fit/b.png", 7, 6, 0);
    ds = open_ok(in_folder("fit"), NULL);
    float whole[3 * 8 * 6];
    assert_int_equal(pare_dataset_read(ds, 0, whole, NULL), PARE_OK);
    assert_int_equal(pare_dataset_read(ds, 1, whole, NULL), PARE_ERR_SHAPE);
    assert_non_null(strstr(pare_error(), "fit: b.png: a picture of 7 x 6"));
    assert_int_equal(pare_dataset_read(ds, 2, whole, NULL), PARE_ERR_ARG);
    assert_int_equal(pare_dataset_read(ds, -1, whole, NULL), PARE_ERR_ARG);
    pare_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize), cmocka_unit_test(test_resize_extremes),
        cmocka_unit_test(test_slice),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_fit),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
