/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_plan.c - plan files, measuring and recipes on the command line */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli_helpers.h"

#define DEMO PARE_TEST_DIR "/../examples/demo.onnx"

static void test_written_then_used(void **state)
{
    static char plain[TEXT];

    (void)state;
    expect("run " DEMO " --seed 5", 0, "");
    strcpy(plain, wrote);
    expect("run " DEMO " --seed 5 --plan-file demo.plan", 0, "demo.plan: written; there was none");
    assert_string_equal(wrote, plain);
    expect("run " DEMO " --seed 5 --plan-file demo.plan", 0, "");
    assert_string_equal(said, "");
    assert_string_equal(wrote, plain);
    expect("run " DEMO " --seed 5 --batch 2 --plan-file demo.plan", 0, "demo.plan: written; it is for another model");
    assert_int_equal(count_files(), 1);
}

static void test_bench_wants_timed_kernels(void **state)
{
    (void)state;
    expect("run " DEMO " --plan-file demo.plan", 0, "there was none");
    expect("bench " DEMO " --seconds 0.01 --no-tune --plan-file demo.plan", 0, "");
    assert_string_equal(said, "");
    expect("bench " DEMO " --seconds 0.01 --plan-file demo.plan", 0, "its kernels were not timed");
    expect("bench " DEMO " --seconds 0.01 --plan-file demo.plan", 0, "");
    assert_string_equal(said, "");
    expect("run " DEMO " --plan-file demo.plan", 0, "");
    assert_string_equal(said, "");
}

/* Of another level of instructions: written anew, never run. */
static void test_other_instructions(void **state)
{
    (void)state;
    expect("run " DEMO " --plan-file demo.plan", 0, "there was none");
    setenv("PARE_CPU", "c", 1);
    expect("run " DEMO " --plan-file demo.plan", 0, "it is for another CPU");
    expect("run " DEMO " --plan-file demo.plan", 0, "");
    assert_string_equal(said, "");
    unsetenv("PARE_CPU");
    expect("run " DEMO " --plan-file demo.plan", 0, "it is for another CPU");
}

static void read_bytes(const char *name, char *bytes, size_t *n)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *const f = fopen(path, "rb");
    assert_non_null(f);
    *n = fread(bytes, 1, TEXT, f);
    fclose(f);
}

static inline bool same_bytes(const char *a, const char *b)
{
    static char x[TEXT], y[TEXT];
    size_t      n, m;

    read_bytes(a, x, &n);
    read_bytes(b, y, &m);
    return n == m && memcmp(x, y, n) == 0;
}

static void test_damaged_is_refused(void **state)
{
    (void)state;
    write_text("demo.plan", "This is no plan.");
    expect("run " DEMO " --plan-file demo.plan", 1, "demo.plan|no plan file");
    expect("run " DEMO " --plan-file no/such/folder/demo.plan", 1, "no/such/folder/demo.plan");
    expect("run " DEMO " --plan-file .", 1, "folder");
    assert_int_equal(count_files(), 1);
    assert_int_equal(pare_under("run " DEMO " --plan-file full.plan", (conditions){ .file_bytes = 20000 }), 1);
    assert_non_null(strstr(said, "full.plan"));
    assert_int_equal(count_files(), 1); /* a disk that fills up: no half of a file */
}

static void test_measure(void **state)
{
    (void)state;
    expect("quantize " DEMO " --calib demo:train --samples 5 --measure -o q.onnx", 0, "");
    assert_non_null(strstr(wrote, "measured on this machine"));
    assert_non_null(strstr(wrote, "the whole: "));
    assert_int_equal(count_files(), 2); /* and q.onnx.recipe.json */
    expect("quantize " DEMO " --calib demo:train --samples 5 --per-tensor --write-recipe r.json -o p.onnx", 0, "");
    assert_int_equal(count_files(), 4);
#if PARE_HAVE_JANSSON
    expect("quantize " DEMO " --calib demo:train --recipe r.json -o again.onnx", 0, "");
    assert_true(same_bytes("p.onnx", "again.onnx"));
    expect("quantize " DEMO " --calib demo:train --recipe q.onnx.recipe.json -o q2.onnx", 0, "");
    assert_true(same_bytes("q.onnx", "q2.onnx"));
    assert_false(same_bytes("q.onnx", "p.onnx"));
#endif
    expect("quantize " DEMO " --calib demo:train --write-recipe no/such/r.json -o p.onnx", 1, "no/such/r.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_written_then_used, empty_folder),
        cmocka_unit_test_teardown(test_bench_wants_timed_kernels, empty_folder),
        cmocka_unit_test_teardown(test_other_instructions, empty_folder),
        cmocka_unit_test_teardown(test_damaged_is_refused, empty_folder),
        cmocka_unit_test_teardown(test_measure, empty_folder),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
