/* SPDX-License-Identifier: Apache-2.0 */
/* test_data.c - data sets: folders, archives, arrays, tokens; threads, short memory */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data_helpers.h"
#include "files/npy.h"

static void test_folder(void **state)
{
    (void)state;
    need_png();
    write_png("classes/dog/2.png", 4, 4, 2);
    write_png("classes/dog/1.PNG", 4, 4, 1);
    write_png("classes/cat/x.png", 4, 4, 0);
    write_png("classes/top.png", 4, 4, 0);
    write_png("classes/cat/.hidden.png", 4, 4, 0);
    write_text("classes/cat/readme.txt", "not a picture");
    check_list(in_folder("classes"), NULL, "cat/x.png 0, dog/1.PNG 1, dog/2.png 1, top.png -1");
    check_list(in_folder("classes/"), &(pare_data_options){ .slice = "::2" }, "cat/x.png 0, dog/2.png 1");
    check_list(in_folder("classes"), &(pare_data_options){ .slice = "1:", .without = "::2" },
               "dog/1.PNG 1, top.png -1");
    check_list(in_folder("classes"), &(pare_data_options){ .label_rule = "none" },
               "cat/x.png -1, dog/1.PNG -1, dog/2.png -1, top.png -1");

    write_png("numbers/2/a.png", 4, 4, 0);
    write_png("numbers/10/a.png", 4, 4, 0);
    check_list(in_folder("numbers"), NULL, "10/a.png 10, 2/a.png 2"); /* not the rank: "10" sorts before "2" */

    write_png("one/a/1.png", 4, 4, 0);
    write_png("one/a/2.png", 4, 4, 0);
    check_list(in_folder("one"), NULL, "a/1.png -1, a/2.png -1");
    open_fails(in_folder("one"), &(pare_data_options){ .need_labels = true }, PARE_ERR_DATA,
               "one|no labels|file and class");

    write_text("one.tsv", "class\tfile\n7\t./a/2.png\n");
    check_list(in_folder("one"), &(pare_data_options){ .labels = in_folder("one.tsv"), .need_labels = true },
               "a/2.png 7");

    mkdir(in_folder("empty"), 0777);
    open_fails(in_folder("empty"), NULL, PARE_ERR_DATA, "empty|no .jpg or .png");
    open_fails(in_folder("no-such"), NULL, PARE_ERR_IO, "no-such");
    open_fails(in_folder("classes/cat/readme.txt"), NULL, PARE_ERR_UNSUPPORTED, "readme.txt|not a data set");

    write_text("bad/a.jpg", "these are words");
    open_fails(in_folder("bad"), NULL, PARE_ERR_DATA, "bad|a.jpg|not a JPEG or PNG");
    write_text("bad/a.jpg", "");
    open_fails(in_folder("bad"), NULL, PARE_ERR_DATA, "a.jpg");
}

/* Three pictures, two of them in folders. */
static bytes make_set(void)
{
    bytes t = { 0 };

    for (int i = 0; i < 3; i++) {
        bytes png = make_png(5, 4, 50 * i);

        put_tar(&t, i == 0 ? "./b/1.png" : i == 1 ? "a/1.png" : "a/0.png", '0', png.at, png.n);
        free(png.at);
    }
    put_tar(&t, "a/notes.txt", '0', "x", 1);
    put_zeros(&t, 1024);
    return t;
}

static void test_tar_set(void **state)
{
    bytes        t = make_set();
    const char  *path;
    uint8_t      want[4 * 5 * 3];
    static float out[3][20];
    int          label;

    (void)state;
    need_png();
    write_file("set.tar", t.at, t.n);
    check_list(in_folder("set.tar"), NULL, "a/0.png 0, a/1.png 0, b/1.png 1");
    write_text("set.tsv", "file\tsplit\tclass\r\nb/1.png\ttrain\t4\r\na/1.png\tval\t-1\r\n\r\n");
    check_list(in_folder("set.tar"), NULL, "b/1.png 4, a/1.png -1");
    check_list(in_folder("set.tar"), &(pare_data_options){ .split = "val" }, "a/1.png -1");
    path = in_folder("set.tar");
    open_fails(path, &(pare_data_options){ .split = "test" }, PARE_ERR_DATA, "set.tsv|no rows of split test");
    open_fails(path, &(pare_data_options){ .label_rule = "best" }, PARE_ERR_ARG, "best|vww");
    open_fails(path, &(pare_data_options){ .label_rule = "vww" }, PARE_ERR_DATA, "vww needs");

    pare_dataset *ds = open_ok(path, NULL);
    assert_int_equal(pare_dataset_read(ds, 0, out, &label), PARE_OK);
    assert_int_equal(label, 4);
    pattern(5, 4, 0, want);
    for (int i = 0; i < 60; i++)
        assert_true(out[i % 3][i / 3] == (float)want[i]);
    pare_dataset_close(ds);

    write_text("set.tsv", "file\tclass\nc/1.png\t0\n");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv|c/1.png|set.tar");
    write_text("set.tsv", "file\tclass\na/1.png\tcat\n");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv line 2|cat");
    write_text("set.tsv", "file\tclass\na/1.png\n");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv line 2|1 columns");
    write_text("set.tsv", "name\tlabel\na/1.png\t0\n");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv|file");
    write_text("set.tsv", "class\n0\n");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv|no column 'file'");
    write_text("set.tsv", "file\tclass\n");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv|no rows");
    write_text("set.tsv", "");
    open_fails(path, NULL, PARE_ERR_DATA, "set.tsv");
    unlink(in_folder("set.tsv"));
    free(t.at);
}

static void test_boxes(void **state)
{
    bytes t = make_set();

    (void)state;
    need_png();
    write_file("box.tar", t.at, t.n);
    /* 0.1 * 0.05 is the least area that counts; 0.0049999 is under it; 1e-1 is how some tools write. */
    write_text("box.tsv", "file\tclass\tcx\tcy\tw\th\n"
                          "a/0.png\t5\t.5\t.5\t.9\t.9\na/1.png\t0\t.5\t.5\t0.1\t0.049999\n"
                          "a/0.png\t0\t.5\t.5\t1e-1\t0.05\nb/1.png\t-1\t\t\t\t\n");
    check_list(in_folder("box.tar"), &(pare_data_options){ .label_rule = "vww", .need_labels = true },
               "a/0.png 1, a/1.png 0, b/1.png 0");
    check_list(in_folder("box.tar"), NULL, "a/0.png -1, a/1.png -1, b/1.png -1");
    write_text("box.tsv", "file\tclass\tcx\tcy\tw\th\na/0.png\t0\t.5\t.5\tx\t.9\n");
    open_fails(in_folder("box.tar"), &(pare_data_options){ .label_rule = "vww" }, PARE_ERR_DATA,
               "box.tsv line 2|w 'x'");
    free(t.at);
}

/* A tar that is cut anywhere does not open; a picture that is cut inside it is named. */
static void test_cut_set(void **state)
{
    bytes         t = make_set(), png = make_png(5, 4, 0), cut = { 0 };
    static float  out[3 * 20];
    pare_dataset *ds;

    (void)state;
    need_png();
    for (size_t n = 0; n < t.n - 512; n += 61) {
        write_file("cut.tar", t.at, n);
        open_fails(in_folder("cut.tar"), NULL, PARE_ERR_DATA, "cut.tar");
    }
    put_tar(&cut, "a.png", '0', png.at, png.n);
    put_tar(&cut, "b.png", '0', png.at, 100); /* of the 129 or so that it has */
    put_zeros(&cut, 512);
    write_file("cut.tar", cut.at, cut.n);
    ds = open_ok(in_folder("cut.tar"), NULL);
    assert_int_equal(pare_dataset_read(ds, 0, out, NULL), PARE_OK);
    assert_int_equal(pare_dataset_read(ds, 1, out, NULL), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "cut.tar: b.png: PNG ends too early"));
    pare_dataset_close(ds);
    free(t.at);
    free(png.at);
    free(cut.at);
}

static void test_arrays(void **state)
{
    const float      data[6] = { 1, -2, 3.5f, INFINITY, 0, -0.0f };
    const int32_t    labels[3] = { 7, -1, 9 };
    const pare_shape item = { .rank = 2, .dim = { 1, 2 } };
    float            out[2];
    int              label;

    (void)state;
    write_file("n.f32", data, sizeof(data));
    check_list(in_folder("n.f32"), &(pare_data_options){ .item = item }, "n.f32[0] -1, n.f32[1] -1, n.f32[2] -1");
    write_file("n.labels", labels, sizeof(labels));
    check_list(in_folder("n.f32"), &(pare_data_options){ .item = item, .slice = "1:" }, "n.f32[1] -1, n.f32[2] 9");
    write_text("n.tsv", "index\tclass\n0\t1\n1\t2\n2\t3\n");
    check_list(in_folder("n.f32"), &(pare_data_options){ .item = item, .labels = in_folder("n.tsv") },
               "n.f32[0] 1, n.f32[1] 2, n.f32[2] 3");

    pare_dataset *ds = open_ok(in_folder("n.f32"), &(pare_data_options){ .item = item });
    assert_int_equal(pare_dataset_item(ds).rank, 2);
    assert_int_equal(pare_dataset_read(ds, 1, out, &label), PARE_OK);
    assert_memory_equal(out, data + 2, sizeof(out));
    assert_int_equal(label, -1);
    pare_dataset_close(ds);

    open_fails(in_folder("n.f32"), NULL, PARE_ERR_ARG, "n.f32|shape");
    open_fails(in_folder("n.f32"), &(pare_data_options){ .item = item, .preset = "unit" }, PARE_ERR_ARG,
               "n.f32|preset");
    open_fails(in_folder("n.f32"), &(pare_data_options){ .item = { .rank = 1, .dim = { 4 } } }, PARE_ERR_DATA,
               "24 bytes");
    open_fails(in_folder("n.f32"), &(pare_data_options){ .item = { .rank = 1, .dim = { 1 } } }, PARE_ERR_DATA,
               "n.labels|3 labels for 6");
    write_file("n.labels", labels, 11);
    open_fails(in_folder("n.f32"), &(pare_data_options){ .item = item }, PARE_ERR_DATA, "n.labels|11 bytes");
    unlink(in_folder("n.labels"));
    write_file("empty.f32", data, 0);
    open_fails(in_folder("empty.f32"), &(pare_data_options){ .item = item }, PARE_ERR_DATA, "empty.f32");
}

static void test_npy_set(void **state)
{
    const int8_t   s8[4] = { -128, 127, -1, 0 };
    const uint64_t u64[2] = { UINT64_MAX, 1 };
    const double   f64[2] = { 1e300, 0.1 };
    const int64_t  s64[2] = { INT64_MIN, 5 };
    float          out[2];
    int64_t        wide[1];
    pare_dataset  *ds;

    (void)state;
    assert_int_equal(pare_npy_write(in_folder("a.npy"), &(pare_npy){ PARE_s8, { 2, { 2, 2 } }, s8 }), PARE_OK);
    ds = open_ok(in_folder("a.npy"), NULL);
    assert_int_equal(pare_dataset_count(ds), 2);
    assert_int_equal(pare_dataset_read(ds, 0, out, NULL), PARE_OK);
    assert_true(out[0] == -128.0f && out[1] == 127.0f);
    pare_dataset_close(ds);

    assert_int_equal(pare_npy_write(in_folder("a.npy"), &(pare_npy){ PARE_u64, { 1, { 2 } }, u64 }), PARE_OK);
    ds = open_ok(in_folder("a.npy"), NULL);
    assert_int_equal(pare_dataset_item(ds).rank, 0);
    assert_int_equal(pare_dataset_read(ds, 0, out, NULL), PARE_OK);
    assert_true(out[0] == 18446744073709551616.0f);
    pare_dataset_close(ds);

    assert_int_equal(pare_npy_write(in_folder("a.npy"), &(pare_npy){ PARE_f64, { 1, { 2 } }, f64 }), PARE_OK);
    ds = open_ok(in_folder("a.npy"), NULL);
    assert_int_equal(pare_dataset_read(ds, 0, out, NULL), PARE_OK);
    assert_int_equal(pare_dataset_read(ds, 1, out + 1, NULL), PARE_OK);
    assert_true(isinf(out[0]) && out[1] == 0.1f);
    pare_dataset_close(ds);

    assert_int_equal(pare_npy_write(in_folder("a.npy"), &(pare_npy){ PARE_s64, { 1, { 2 } }, s64 }), PARE_OK);
    ds = open_ok(in_folder("a.npy"), NULL);
    assert_int_equal(pare_dataset_dtype(ds), PARE_s64);
    assert_int_equal(pare_dataset_read(ds, 0, wide, NULL), PARE_OK);
    assert_true(wide[0] == INT64_MIN);
    pare_dataset_close(ds);

    assert_int_equal(pare_npy_write(in_folder("y.npy"), &(pare_npy){ PARE_s64, { 1, { 2 } }, s64 }), PARE_OK);
    open_fails(in_folder("a.npy"), &(pare_data_options){ .labels = in_folder("y.npy") }, PARE_ERR_DATA, "y.npy|label");
    assert_int_equal(pare_npy_write(in_folder("a.npy"), &(pare_npy){ PARE_s64, { 1, { 0 } }, s64 }), PARE_OK);
    open_fails(in_folder("a.npy"), NULL, PARE_ERR_DATA, "a.npy|no samples");
    assert_int_equal(pare_npy_write(in_folder("a.npy"), &(pare_npy){ PARE_f32, { 0 }, f64 }), PARE_OK);
    open_fails(in_folder("a.npy"), NULL, PARE_ERR_DATA, "a.npy|no samples");
    write_text("a.npy", "words");
    open_fails(in_folder("a.npy"), NULL, PARE_ERR_DATA, "a.npy: not a .npy");
}

static void test_tokens(void **state)
{
    const uint16_t tokens[] = { 1, 2, 3, 4, 5, 65535, 7 };
    int64_t        out[3];
    int            label;

    (void)state;
    write_file("t.u16", tokens, sizeof(tokens));
    pare_dataset *ds = open_ok(in_folder("t.u16"), &(pare_data_options){ .window = 3 });
    assert_int_equal(pare_dataset_count(ds), 2);
    assert_int_equal(pare_dataset_dtype(ds), PARE_s64);
    assert_int_equal(pare_dataset_read(ds, 1, out, &label), PARE_OK);
    assert_true(out[0] == 4 && out[1] == 5 && out[2] == 65535 && label == 7);
    pare_dataset_close(ds);
    check_list(in_folder("t.u16"), &(pare_data_options){ .window = 6 }, "t.u16[0] 7");
    open_fails(in_folder("t.u16"), &(pare_data_options){ .window = 7 }, PARE_ERR_DATA, "t.u16|7 tokens");
    open_fails(in_folder("t.u16"), &(pare_data_options){ .window = -1 }, PARE_ERR_ARG, "window");
    open_fails(in_folder("t.u16"), NULL, PARE_ERR_DATA, "256");
    write_file("t.u16", tokens, 5);
    open_fails(in_folder("t.u16"), &(pare_data_options){ .window = 1 }, PARE_ERR_DATA, "5 bytes");
}

static bool read_all(const char *path)
{
    pare_dataset *ds = NULL;
    static float  out[3 * 20];

    if (pare_dataset_open(path, &(pare_data_options){ .slice = ":" }, &ds) != PARE_OK)
        return false;
    bool good = true;
    for (int64_t i = 0; good && i < pare_dataset_count(ds); i++)
        good = pare_dataset_read(ds, i, out, NULL) == PARE_OK;
    pare_dataset_close(ds);
    return good;
}

static void test_short_memory(void **state)
{
    bytes       t = make_set();
    const char *paths[] = { "mem.tar", "classes", "n.f32" };

    (void)state;
    need_png();
    write_file("mem.tar", t.at, t.n);
    write_text("mem.tsv", "file\tclass\nb/1.png\t4\na/1.png\t1\n");
    for (int p = 0; p < 2; p++) {
        const long  live = pare_alloc_live();
        const char *path = in_folder(paths[p]);
        long        n = 1;

        for (bool good = false; !good && n < 10000; n++) {
            pare_alloc_fail_after(n);
            good = read_all(path);
            pare_alloc_fail_after(0);
            assert_int_equal(pare_alloc_live(), live);
        }
        assert_in_range(n, 10, 9999);
    }
    free(t.at);
}

typedef struct job {
    const pare_dataset *ds;
    int                 start;
    uint64_t            hash[40];
} job;

/* Reads every picture, beginning somewhere else than the others. */
static void *read_samples(void *arg)
{
    job *const       j = arg;
    static const int n = 40;
    float *const     out = malloc(3 * 32 * 32 * sizeof(float));

    for (int k = 0; out && k < n; k++) {
        const int i = (j->start + k) % n;

        if (pare_dataset_read(j->ds, i, out, NULL) == PARE_OK)
            j->hash[i] = fnv((const uint8_t *)out, 3 * 32 * 32 * sizeof(float));
    }
    free(out);
    return NULL;
}

static void test_threads(void **state)
{
    bytes     t = { 0 };
    job       jobs[5] = { 0 };
    pthread_t threads[5];

    (void)state;
    need_png();
    for (int i = 0; i < 40; i++) {
        bytes png = make_png(40 + i, 80 - i, i);
        char  name[16];

        snprintf(name, sizeof(name), "%02d.png", i);
        put_tar(&t, name, '0', png.at, png.n);
        free(png.at);
    }
    put_zeros(&t, 512);
    write_file("threads.tar", t.at, t.n);
    free(t.at);

    pare_dataset *ds = open_ok(in_folder("threads.tar"), &(pare_data_options){ .width = 32 });
    for (int i = 0; i < 5; i++) {
        jobs[i] = (job){ .ds = ds, .start = i * 9 };
        if (i < 4)
            assert_int_equal(pthread_create(&threads[i], NULL, read_samples, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    read_samples(&jobs[4]); /* alone */
    for (int i = 0; i < 4; i++)
        assert_memory_equal(jobs[i].hash, jobs[4].hash, sizeof(jobs[i].hash));
    assert_true(jobs[4].hash[0] && jobs[4].hash[39] && jobs[4].hash[0] != jobs[4].hash[1]);
    pare_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),  cmocka_unit_test(test_tar_set),      cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_cut_set), cmocka_unit_test(test_arrays),       cmocka_unit_test(test_npy_set),
        cmocka_unit_test(test_tokens),  cmocka_unit_test(test_short_memory), cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
