/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_weights.c - pare info on files of weights */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli_helpers.h"

#define GOLDEN PARE_TEST_DIR "/golden/state/"

static void test_info(void **state)
{
    (void)state;
    expect("info " GOLDEN "kinds_legacy.pth", 0, "");
    assert_non_null(strstr(wrote, "19 tensors"));
    assert_non_null(strstr(wrote, "view.channels_last  f32   2x3x2x2\n"));
    assert_non_null(strstr(wrote, "scalar              s64   scalar\n"));
#if PARE_HAVE_ZIP
    expect("info " GOLDEN "checkpoint.pth --json", 0, "");
    assert_non_null(strstr(wrote, "{\"name\": \"conv.weight\", \"dtype\": \"f32\", \"shape\": [2]}"));
    assert_null(strstr(wrote, "momentum"));
    expect("info " GOLDEN "packed.npz", 0, "");
    assert_non_null(strstr(wrote, "layer.b"));
#endif
}

/* The command runs nothing that a file asks for, and says what it asked for. */
static void test_exploit(void **state)
{
    (void)state;
    write_text("evil.pth", "cos\nsystem\n(S'touch pwned'\ntR.");
    expect("info evil.pth", 1, "evil.pth|asks to call os.system; refused|state_dict()");
    assert_int_equal(count_files(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_info, empty_folder),
        cmocka_unit_test_teardown(test_exploit, empty_folder),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
