/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli.c - the command `pare` from outside: exit codes, sentences, JSON keys, files left behind */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli_helpers.h"

#if PARE_HAVE_JANSSON
#include <jansson.h>
#endif

#define DEMO PARE_TEST_DIR "/../examples/demo.onnx"

static const char *const commands[] = { "info",  "quantize", "eval", "run",     "train",
                                        "bench", "build",    "list", "version", "help" };

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* ---------------------------------------------------------------------------------------------------------- help */

static int count_examples(const char *name)
{
    char      start[64];
    const int length = snprintf(start, sizeof(start), "pare %s", name);
    int       n = 0;

    for (const char *at = strstr(wrote, "Examples:"); at && (at = strstr(at, start)); at += length)
        n++;
    return n;
}

static void test_help_of_every_command(void **state)
{
    (void)state;
    for (int i = 0; i < N_COMMANDS; i++) {
        char words[64];

        snprintf(words, sizeof(words), "%s --help", commands[i]);
        expect(words, 0, "");
        if (!strstr(wrote, "Usage: pare ") || !strstr(wrote, "--json") || said[0])
            fail_msg("%s: %s%s", words, wrote, said);
        if (count_examples(commands[i]) < 1 || strlen(strstr(wrote, "Examples:")) < 30)
            fail_msg("%s: has no examples", words);
    }
    expect("help", 0, "");
    for (int i = 0; i < N_COMMANDS; i++)
        assert_non_null(strstr(wrote, commands[i]));
    expect("quantize DATA --samples 3 --help", 0, "");
    assert_non_null(strstr(wrote, "--weight-bits N"));
    assert_non_null(strstr(wrote, "--preset NAME"));
}

/* ------------------------------------------------------------------------------------------------------ bad usage */

static void test_usage(void **state)
{
    static const struct {
        const char *words, *parts;
    } cases[] = {
        { "", "command is missing" },
        { "quantise", "no command 'quantise'|did you mean 'quantize'" },
        { "xyzzy", "no command 'xyzzy'|pare help" },
        { "info", "missing|pare info MODEL" },
        { "info a b", "too much|pare info MODEL" },
        { "info --nodez " DEMO, "no option --nodez|--nodes" },
        { "quantize " DEMO " --sampels 3 -o q", "no option --sampels|--samples" },
        { "quantize " DEMO " --sampels=3 -o q", "no option --sampels|--samples" },
        { "quantize " DEMO " -q", "no option -q" },
        { "quantize " DEMO " --calib demo:train", "--output FILE is missing" },
        { "quantize " DEMO " -o", "--output needs a value" },
        { "quantize " DEMO " -o q --samples 0", "--samples|from 1 to|'0'" },
        { "quantize " DEMO " -o q --samples 3x", "--samples|'3x'" },
        { "quantize " DEMO " -o q --samples 99999999999999999999", "--samples" },
        { "quantize " DEMO " -o q --samples=", "--samples" },
        { "quantize " DEMO " -o q --weight-bits 9", "--weight-bits|from 2 to 8" },
        { "quantize " DEMO " -o q --mode statc", "--mode|auto|static|dynamic|'statc'" },
        { "quantize " DEMO " -o q --mode auto|static", "--mode" },
        { "quantize " DEMO " -o q --per-tensor=1", "--per-tensor takes no value" },
        { "quantize " DEMO " -o q --mode static", "calibration data|--calib" },
        { "quantize " DEMO " -o " DEMO " --mode static", "is the float model itself" },
        { "quantize " DEMO " -o q --calib demo:train --observer histogramm", "histogramm|histogram" },
        { "quantize " DEMO " -o q --calib demo:train --float /7/Gem", "/7/Gem|did you mean '/7/Gemm'" },
        { "quantize " DEMO " -o q --calib demo:train --float zzzzzzzzz*", "zzzzzzzzz*|pare info --nodes" },
        { "quantize " DEMO " -o q --calib demo:train --preset imagenet-torsh", "imagenet-torsh|'imagenet-torch'" },
        { "eval " DEMO, "--data DATA is missing" },
        { "eval --data demo:test", "missing|MODEL" },
        { "eval " DEMO " --data demo:test --size 0", "--size" },
        { "eval " DEMO " --data demo:test --size 32x", "--size|'32x'" },
        { "eval " DEMO " --data demo:test --mean 1,2", "--mean|three" },
        { "eval " DEMO " --data demo:test --mean 1,2,3,4", "--mean" },
        { "eval " DEMO " --data demo:test --std nan", "--std" },
        { "eval " DEMO " --data demo:test --scale 0", "--scale" },
        { "eval " DEMO " --data demo:test --scale 1/0", "--scale" },
        { "eval " DEMO " --data demo:test --item 1,,2", "--item" },
        { "eval " DEMO " --data demo:test --item 1,2,3,4,5,6,7,8,9", "--item" },
        { "eval " DEMO " --data demo:test --crop --squash", "--crop and --squash" },
        { "eval " DEMO " --data demo:test --slice 0:10:0", "slice|0:10:0" },
        { "eval " DEMO " --data demo:test --filter bicubic", "--filter|bilinear" },
        { "eval " DEMO " --data demo:test --metric top2", "--metric|top1" },
        { "bench " DEMO " --seconds -1", "--seconds" },
        { "bench " DEMO " --threads 0", "--threads" },
        { "run " DEMO " --input nothing=x.npy", "no input 'nothing'|pare info" },
        { "list opps", "no list 'opps'|'ops'" },
        { "help quantise", "no command 'quantise'|'quantize'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect(cases[i].words, 2, cases[i].parts);
        assert_string_equal(wrote, "");
    }
    assert_int_equal(count_files(), 0);
}

/* -------------------------------------------------------------------------------------------------- failing work */

/* Two samples of the demo model without labels. */
static const float zeros[2 * 3 * 32 * 32];

/* The first `n` bytes of the demo model. */
static void write_cut_model(const char *name, size_t n)
{
    static char bytes[1 << 18];
    FILE *const f = fopen(DEMO, "rb");

    assert_non_null(f);
    const size_t there = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    assert_true(n < there);
    write_bytes(name, bytes, n);
}

static void test_bad_files(void **state)
{
    (void)state;
    write_cut_model("cut.onnx", 50000);
    write_cut_model("begun.onnx", 100);
    write_text("empty.onnx", "");
    write_text("text.onnx", "This is not a model.");
    make_subfolder("nothing");
    make_subfolder("text");
    write_text("text/a.jpg", "This is not a picture.");
    write_text("plain.npy", "This is no array.");
    write_text("short.f32", "1234567");
    write_bytes("plain.f32", zeros, sizeof(zeros));
    const int files = count_files();

    expect("info missing.onnx", 1, "missing.onnx");
    expect("info nothing", 1, "nothing");
    expect("info cut.onnx", 1, "cut.onnx");
    expect("info begun.onnx", 1, "begun.onnx");
    expect("info empty.onnx", 1, "empty.onnx");
    expect("info text.onnx", 1, "text.onnx");
    expect("quantize cut.onnx --calib demo:train -o q.onnx", 1, "cut.onnx");
    expect("eval " DEMO " missing.onnx --data demo:test", 1, "missing.onnx");
    expect("bench cut.onnx", 1, "cut.onnx");
    expect("run " DEMO " --input plain.npy --output-dir o", 1, "plain.npy");
    expect("run " DEMO " --input short.f32 --output-dir o", 1, "short.f32|f32[?,3,32,32]");
    expect("run " DEMO " --input missing.npy", 1, "missing.npy");
    assert_true(pare("eval " DEMO " --data missing") != 0 && strstr(said, "missing"));
    assert_true(pare("eval " DEMO " --data nothing") != 0 && strstr(said, "nothing"));
    assert_true(pare("eval " DEMO " --data text --size 32") == 1 && strstr(said, "a.jpg"));
    assert_true(pare("quantize " DEMO " --calib text --size 32 -o q.onnx") == 1 && strstr(said, "a.jpg"));
    expect("eval " DEMO " --data plain.f32 --item 3,32,32", 1, "no labels|--labels");
    assert_true(pare("eval " DEMO " --data plain.f32 --item 3,32,32 --metric top1") != 0 && strstr(said, "label"));
    expect("eval " DEMO " --data plain.f32 --item 3,32,31", 1, "");
    expect("eval " DEMO " --data plain.f32 --item 3,64,32", 1, "f32[1,3,32,32]|[3,64,32]|--item");
    expect("eval " DEMO " --data demo:test --slice 0:4 --metric reconstruction_mse", 1, "reconstruction_mse");
    assert_true(pare("eval " DEMO " --data demo:test --slice 0:0") != 0);
    assert_int_equal(count_files(), files);
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    expect("quantize " DEMO " --calib demo:train --samples 3 -o no/such/folder/q.onnx", 1, "no/such/folder/q.onnx");
    expect("quantize " DEMO " --calib demo:train --samples 3 -o .", 1, "folder");
    assert_int_equal(count_files(), 0);

    /* A disk that fills up: no file may grow over 20000 bytes, the model needs 43000. */
    assert_int_equal(
        pare_under("quantize " DEMO " --calib demo:train --samples 3 -o q.onnx", (conditions){ .file_bytes = 20000 }),
        1);
    assert_non_null(strstr(said, "q.onnx"));
    assert_int_equal(count_files(), 0);

    /* An old file survives a failed attempt to replace it. */
    write_text("q.onnx", "old");
    assert_int_equal(
        pare_under("quantize " DEMO " --calib demo:train --samples 3 -o q.onnx", (conditions){ .file_bytes = 20000 }),
        1);
    struct stat st;
    char        path[512];

    snprintf(path, sizeof(path), "%s/q.onnx", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(count_files(), 1);

    /* Output that cannot be printed is a failure too. */
    assert_int_equal(pare_under("list ops", (conditions){ .out = "/dev/full" }), 1);
    assert_non_null(strstr(said, "could not be written"));
}

static void test_interrupt(void **state)
{
    (void)state;
    const int code =
        pare_under("quantize " DEMO " --calib demo:train --samples 4000 --cache c.json --threads 1 -o q.onnx",
                   (conditions){ .interrupt_ms = 300 });

    if (code != 130)
        fail_msg("exit code %d: %s%s", code, said, wrote);
    assert_string_equal(wrote, "");
    assert_int_equal(count_files(), 0);
    assert_int_equal(pare_under("bench " DEMO " --seconds 60", (conditions){ .interrupt_ms = 300 }), 130);
    assert_string_equal(wrote, "");
}

/* ------------------------------------------------------------------------------------------------------- results */

static void test_same_answer_from_any_threads(void **state)
{
    static char one[TEXT];

    (void)state;
    expect("quantize " DEMO " --calib demo:train --samples 9 -o q.onnx --threads 1", 0, "");
    assert_non_null(strstr(wrote, "static:"));
    assert_non_null(strstr(wrote, "one scale per channel"));
    expect("eval " DEMO " q.onnx --data demo:test --slice 0:60 --json --threads 1", 0, "");
    strcpy(one, wrote);
    expect("eval " DEMO " q.onnx --data demo:test --slice 0:60 --json --threads 3", 0, "");
    assert_string_equal(wrote, one);
}

static void test_run_reads_what_it_wrote(void **state)
{
    static char once[TEXT];

    (void)state;
    expect("run " DEMO " --batch 2 --seed 7 --output-dir a --keep-inputs --json", 0, "");
    strcpy(once, strstr(wrote, "\"min\""));
    expect("info " DEMO " --json", 0, "");
    const char *const name = strstr(wrote, "\"inputs\": [{\"name\": \"") + strlen("\"inputs\": [{\"name\": \"");
    char              words[512];

    snprintf(words, sizeof(words), "run " DEMO " --input a/%.*s.npy --output-dir a --json", (int)strcspn(name, "\""),
             name);
    expect(words, 0, "");
    assert_string_equal(strstr(wrote, "\"min\""), once);
}

static void test_mse_against_a_file(void **state)
{
    char words[512];

    (void)state;
    write_bytes("plain.f32", zeros, sizeof(zeros));
    expect("run " DEMO " --input plain.f32 --output-dir a", 0, "");
    expect("info " DEMO " --json", 0, "");
    const char *const name = strstr(wrote, "\"outputs\": [{\"name\": \"") + strlen("\"outputs\": [{\"name\": \"");

    snprintf(words, sizeof(words), "eval " DEMO " --data plain.f32 --item 3,32,32 --json --against a/%.*s.npy",
             (int)strcspn(name, "\""), name);
    expect(words, 0, "");
    assert_non_null(strstr(wrote, "\"mse\": 0}"));
    expect("eval " DEMO " --data demo:test --slice 0:3 --against a/nothing.npy", 1, "a/nothing.npy");
    strcat(words, " --slice 0:1");
    assert_int_equal(pare(words), 1);
    assert_non_null(strstr(said, "row for each sample"));
}

static void test_left_in_float(void **state)
{
    (void)state;
    expect("quantize " DEMO " --mode dynamic --float /7/* -o q.onnx", 0, "");
    assert_non_null(strstr(wrote, "left in float:"));
    assert_non_null(strstr(wrote, "a rule keeps it in float"));
    write_text("r.json", "{\"mode\": \"dynamic\", \"layers\": [{\"op\": \"gemm\", \"mode\": \"float\"}]}");
    if (pare("quantize " DEMO " --recipe r.json -o r.onnx") != 0 && strstr(said, "without jansson"))
        skip();
    assert_non_null(strstr(wrote, "a rule keeps it in float"));
    expect("quantize q.onnx --calib demo:train -o qq.onnx", 2, "q.onnx|already");
    write_text("bad.json", "{\"mode\": \"dynamic\", \"layer\": []}");
    expect("quantize " DEMO " --recipe bad.json -o r.onnx", 2, "bad.json|'layer'|'layers'");
}

/* ---------------------------------------------------------------------------------------------------------- JSON */

#if PARE_HAVE_JANSSON

/* The run's JSON; all keys (separated by '|') are in it. */
static json_t *json_of(const char *words, const char *keys)
{
    json_error_t error;
    char         list[512];

    expect(words, 0, "");
    json_t *const root = json_loads(wrote, 0, &error);
    if (!root)
        fail_msg("pare %s: %s at %d: %s", words, error.text, error.column, wrote);
    snprintf(list, sizeof(list), "%s", keys);
    for (char *key = strtok(list, "|"); key; key = strtok(NULL, "|"))
        if (!json_object_get(root, key))
            fail_msg("pare %s: no key '%s' in %s", words, key, wrote);
    return root;
}

static void check_keys(const json_t *object, const char *keys)
{
    char list[512];

    snprintf(list, sizeof(list), "%s", keys);
    for (char *key = strtok(list, "|"); key; key = strtok(NULL, "|"))
        if (!json_object_get(object, key))
            fail_msg("no key '%s'", key);
}

static void check_list(const json_t *root, const char *key, size_t least, const char *keys)
{
    const json_t *const list = json_object_get(root, key);

    assert_true(json_is_array(list) && json_array_size(list) >= least);
    for (size_t i = 0; i < json_array_size(list); i++)
        check_keys(json_array_get(list, i), keys);
}

/* Steps add up to what is said of them, and products reach some share of the peak. */
static void check_bench(const json_t *root)
{
    const json_t *const steps = json_object_get(root, "steps");
    double              sum = 0;

    check_keys(json_object_get(root, "peaks"), "level|int8_gmacs|f32_gmacs|memory_gb");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *const step = json_array_get(steps, i);

        sum += json_number_value(json_object_get(step, "ms"));
        if (json_number_value(json_object_get(step, "macs")) > 0)
            assert_true(json_number_value(json_object_get(step, "roof")) > 0);
    }
    assert_true(fabs(sum - json_number_value(json_object_get(root, "steps_ms"))) <= 1e-6 * sum);
    assert_true(json_number_value(json_object_get(json_object_get(root, "peaks"), "int8_gmacs")) > 0.01);
    assert_true(json_integer_value(json_object_get(root, "packed_bytes")) > 10000);
}

static void test_json_keys(void **state)
{
    (void)state;
    json_t *root = json_of("info " DEMO " --nodes --json",
                           "file|bytes|opset|quantized|parameters|weight_bytes|macs|nodes|inputs|outputs|ops|names");
    check_list(root, "inputs", 1, "name|dtype|shape");
    check_list(root, "names", 10, "name|op");
    assert_true(json_is_false(json_object_get(root, "quantized")));
    assert_true(json_integer_value(json_object_get(json_object_get(root, "ops"), "conv")) >= 5);
    assert_true(json_number_value(json_object_get(root, "macs")) > 1e5);
    json_decref(root);

    root = json_of("quantize " DEMO " --calib demo:train --samples 5 -o q.onnx --json",
                   "file|output|mode|reason|bytes_before|bytes_after|layers");
    check_list(root, "layers", 10, "name|op|mode|reason|weight_bits|per_channel");
    assert_string_equal(json_string_value(json_object_get(root, "mode")), "static");
    assert_true(2 * json_integer_value(json_object_get(root, "bytes_after")) <
                json_integer_value(json_object_get(root, "bytes_before")));
    json_decref(root);

    root = json_of("info q.onnx --json", "quantized");
    assert_true(json_is_true(json_object_get(root, "quantized")));
    json_decref(root);

    root = json_of("eval " DEMO " q.onnx --data demo:test --slice 0:50 --json", "models|equal");
    check_list(root, "models", 2, "file|samples|top1|top5|nll|mse");
    const json_t *const first = json_array_get(json_object_get(root, "models"), 0);
    assert_true(json_number_value(json_object_get(first, "top1")) > 0.8);
    assert_true(json_number_value(json_object_get(first, "top1")) <= 1.0);
    assert_int_equal(json_integer_value(json_object_get(first, "samples")), 50);
    assert_true(json_number_value(json_object_get(root, "equal")) > 0.8);
    json_decref(root);

    write_bytes("plain.f32", zeros, sizeof(zeros));
    root = json_of("eval " DEMO " q.onnx --data plain.f32 --item 3,32,32 --json", "models|equal");
    check_list(root, "models", 2, "top1|mse");
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "models"), 1), "top1")));
    json_decref(root);

    root = json_of("run q.onnx --output-dir o --json", "outputs|planned");
    check_list(root, "outputs", 1, "name|dtype|shape|min|max|mean|file");
    json_decref(root);

    root = json_of("bench q.onnx --seconds 0.01 --plan --json",
                   "median_ms|min_ms|threads|batch|cpu|runs|planned|tuned|open_ms|packed_bytes|"
                   "context_bytes|peaks|steps_ms|steps");
    check_list(root, "steps", 10, "name|op|kernel|choices|dtype|shape|ms|macs|bytes|roof");
    check_bench(root);
    assert_int_equal(json_integer_value(json_object_get(root, "threads")), 1);
    assert_true(json_integer_value(json_object_get(root, "runs")) >= 15);
    json_decref(root);

    root = json_of("list --json", "ops|kernels|observers|presets|passes|modules|archs|commands");
    check_list(root, "ops", 100, "name|about");
    check_list(root, "kernels", 5, "name|about");
    check_list(root, "archs", 25, "name|about");
    check_list(root, "commands", N_COMMANDS, "name|about");
    json_decref(root);
    json_decref(json_of("version --json", "version|cpu"));
}

#else

static void test_json_keys(void **state)
{
    (void)state;
    print_message("built without jansson: JSON is not checked\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_help_of_every_command, empty_folder),
        cmocka_unit_test_teardown(test_usage, empty_folder),
        cmocka_unit_test_teardown(test_bad_files, empty_folder),
        cmocka_unit_test_teardown(test_nothing_is_left_behind, empty_folder),
        cmocka_unit_test_teardown(test_interrupt, empty_folder),
        cmocka_unit_test_teardown(test_same_answer_from_any_threads, empty_folder),
        cmocka_unit_test_teardown(test_run_reads_what_it_wrote, empty_folder),
        cmocka_unit_test_teardown(test_mse_against_a_file, empty_folder),
        cmocka_unit_test_teardown(test_left_in_float, empty_folder),
        cmocka_unit_test_teardown(test_json_keys, empty_folder),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
