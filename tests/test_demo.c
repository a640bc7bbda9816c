/* SPDX-License-Identifier: Apache-2.0 */
/* test_demo.c - the computed pictures; with PARE_DATA set, the public sets as well */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pare/buf.h>

#include "data/demo.h"
#include "data_helpers.h"

/* The network in examples/ was trained on these pictures: when a machine draws others, its accuracy means nothing. */
static void test_demo(void **state)
{
    static const struct {
        const char *name;
        int         count;
        uint64_t    pixels, labels; /* FNV-1a over all */
    } splits[] = { { "train", 4000, 0x1d6857296cb3e086u, 0x3a924e8dfd70c7b5u },
                   { "test", 1000, 0xb33db7d476e27795u, 0xb27a2154b49b6cd6u } };

    (void)state;
    for (int s = 0; s < 2; s++) {
        const pare_demo_split *split = pare_demo_find(splits[s].name);
        const int              n = splits[s].count;
        uint8_t *const pixels = malloc((size_t)n * 3072), *const labels = malloc((size_t)n);
        int seen[10] = { 0 };

        assert_true(split && split->count == n && pixels && labels);
        for (int i = n - 1; i >= 0; i--) { /* any order: every picture stands alone */
            labels[i] = (uint8_t)pare_demo_draw(split, i, pixels + (size_t)i * 3072);
            assert_int_equal(pare_demo_draw(split, i, NULL), labels[i]);
            seen[labels[i]]++;
        }
        for (int c = 0; c < 10; c++) {
            assert_true(seen[c] > n / 13 && seen[c] < n / 8);
            assert_non_null(pare_demo_class(c));
        }
        if (fnv(pixels, (size_t)n * 3072) != splits[s].pixels || fnv(labels, (size_t)n) != splits[s].labels)
            fail_msg("demo:%s has other pictures: 0x%016llxu, 0x%016llxu", splits[s].name,
                     (unsigned long long)fnv(pixels, (size_t)n * 3072), (unsigned long long)fnv(labels, (size_t)n));
        free(pixels);
        free(labels);
    }
    assert_null(pare_demo_find("valid"));
    assert_null(pare_demo_class(10));
}

static void test_demo_set(void **state)
{
    static float  out[3][32 * 32];
    uint8_t       rgb[3072];
    int           label;
    pare_dataset *ds = open_ok("demo:test", &(pare_data_options){ .slice = "5::10", .need_labels = true });

    (void)state;
    assert_int_equal(pare_dataset_count(ds), 100);
    assert_int_equal(pare_dataset_read(ds, 2, out, &label), PARE_OK);
    assert_int_equal(label, pare_demo_draw(pare_demo_find("test"), 25, rgb));
    for (int i = 0; i < 3072; i++)
        assert_true(out[i % 3][i / 3] == ((float)rgb[i] / 255.0f - 0.5f) / 0.25f);
    pare_dataset_close(ds);
    open_fails("demo:valid", NULL, PARE_ERR_ARG, "demo:valid|demo:train");
    open_fails("demo:test", &(pare_data_options){ .slice = "2:2" }, PARE_ERR_ARG, "demo:test|none of 1000");
    open_fails("demo:test", &(pare_data_options){ .slice = "2" }, PARE_ERR_ARG, "slice '2'");
    open_fails("demo:test", &(pare_data_options){ .labels = "x" }, PARE_ERR_ARG, "demo:test|labels");
    open_fails("demo:test", &(pare_data_options){ .without = ":" }, PARE_ERR_ARG, "none of 1000");
}

/* Samples of `set` are the bytes of the golden input that the reference script made. */
static void check_golden(const char *set, const pare_data_options *options, const char *golden, int stride)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/sets/%s", getenv("PARE_DATA"), set);
    pare_dataset    *ds = open_ok(path, options);
    const pare_shape item = pare_dataset_item(ds);
    const size_t     each = (size_t)pare_shape_count(&item) * (pare_dataset_dtype(ds) == PARE_s64 ? 8 : 4);
    pare_buf        *buf = NULL;
    void            *out = malloc(each);

    snprintf(path, sizeof(path), "%s/golden/%s", getenv("PARE_DATA"), golden);
    assert_int_equal(pare_buf_map(path, &buf), PARE_OK);
    assert_non_null(out);
    for (size_t i = 0; i < pare_buf_size(buf) / each; i++) {
        assert_int_equal(pare_dataset_read(ds, (int64_t)i * stride, out, NULL), PARE_OK);
        if (memcmp(out, pare_buf_bytes(buf) + i * each, each) != 0)
            fail_msg("%s, sample %zu: other bytes than %s", set, i * (size_t)stride, golden);
    }
    pare_buf_unref(buf);
    pare_dataset_close(ds);
    free(out);
}

static void test_public_sets(void **state)
{
    (void)state;
    if (!getenv("PARE_DATA")) {
        print_message("PARE_DATA is not set: the public sets are not looked at\n");
        skip();
    }
    check_golden("imagenet_sample.tar", &(pare_data_options){ .preset = "imagenet-tf", .need_labels = true },
                 "mobilenetv2_imagenet.in.input.f32", 1);
    check_golden("imagenet_sample.tar", &(pare_data_options){ .preset = "imagenet-caffe" },
                 "squeezenet1_0_imagenet.in.input.f32", 1);
    check_golden("cifar10_test.tar", &(pare_data_options){ .preset = "cifar", .need_labels = true },
                 "resnet8_cifar10.in.input.f32", 611);
    check_golden("coco128_val.tar", &(pare_data_options){ .preset = "vww", .label_rule = "vww", .need_labels = true },
                 "vww_mobilenetv1_025.in.input.f32", 7);
    check_golden("coco128_val.tar", &(pare_data_options){ .preset = "coco-bgr" }, "FastestDet.in.input_1.f32", 1);
    check_golden("kws_mfcc.f32", &(pare_data_options){ .item = { 3, { 1, 49, 10 } }, .need_labels = true },
                 "kws_dscnn.in.input.f32", 1);
    check_golden("ad_toycar_normal.f32", &(pare_data_options){ .item = { 1, { 640 } } }, "ad_autoencoder.in.input.f32",
                 1);
    check_golden("tinystories_sample.u16", NULL, "stories260K.in.tokens.i64", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo),
        cmocka_unit_test(test_demo_set),
        cmocka_unit_test(test_public_sets),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
