/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_build.c - networks by their names on the command line */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli_helpers.h"

static void test_built_and_run(void **state)
{
    (void)state;
    expect("build resnet20 -o r20.onnx --seed 3", 0, "");
    assert_non_null(strstr(wrote, "resnet20: 269722 parameters"));
    expect("info r20.onnx", 0, "");
    assert_non_null(strstr(wrote, "f32 ?x3x32x32"));
    expect("run r20.onnx --batch 2", 0, "");
    expect("build mobilenet_v3_small --classes 5 --size 64 --settings width=0.5 -o m.onnx --tree", 0, "");
    assert_non_null(strstr(wrote, "classifier: sequential"));
    expect("run m.onnx", 0, "");
    expect("quantize m.onnx --mode dynamic -o q.onnx", 0, "");
}

static void test_misuse(void **state)
{
    (void)state;
    expect("build resnet21", 2, "did you mean 'resnet20'");
    expect("build resnet20 --settings depth=3", 2, "has no setting 'depth'");
    expect("build resnet20 --except fc.*", 2, "--weights");
    expect("build resnet20 --weights none.pth", 1, "none.pth");
    expect("build resnet20 -o no/such/folder.onnx", 1, "cannot be written");
    expect("build lstm_lm --size 0", 2, "--size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_built_and_run, empty_folder),
        cmocka_unit_test_teardown(test_misuse, empty_folder),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
