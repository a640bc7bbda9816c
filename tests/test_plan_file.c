/* SPDX-License-Identifier: Apache-2.0 */
/* test_plan_file.c - plan files are used when they belong, and written when not */
#include "plan_file_helpers.h"

#include "base/alloc.h"
#include "base/hash.h"

static void is_written_then_used(void **state)
{
    const long  before = pare_alloc_live();
    pare_graph *g = parse(zoo);

    (void)state;
    unlink(path);
    compile_with(g, (pare_compile_options){ 0 }, "there was none");
    compile_with(g, (pare_compile_options){ 0 }, NULL);
    compile_with(g, (pare_compile_options){ .batch = 3 }, "other shapes");
    compile_with(g, (pare_compile_options){ .batch = 3 }, NULL);
    compile_with(g, (pare_compile_options){ .tune = true, .batch = 3 }, "were not timed");
    compile_with(g, (pare_compile_options){ .tune = true, .batch = 3 }, NULL);
    compile_with(g, (pare_compile_options){ .batch = 3 }, NULL);
    pare_graph_destroy(g);
    assert_int_equal(pare_alloc_live(), before);
}

/* The definition packs nothing. */
static void is_not_for_the_definition(void **state)
{
    pare_graph *g = parse(zoo);

    (void)state;
    unlink(path);
    pare_plan_destroy(compile(g, (pare_compile_options){ .reference = true, .plan_file = path }));
    assert_int_not_equal(access(path, F_OK), 0);
    pare_graph_destroy(g);
}

static void other_models_are_told_apart(void **state)
{
    static const char *const changes[][2] = { { "clamp_lo=0\n%e", "clamp_lo=1\n%e" },
                                              { "strides=[2,2] clamp", "strides=[1,2] clamp" },
                                              { "%a : u8 q(0.5, 100)", "%a : u8 q(0.5, 101)" },
                                              { "f32[20] seed=6", "f32[20] seed=7" },
                                              { "return %i, %f6", "return %f6, %i" } };
    pare_graph              *g = parse(zoo);

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *const at = strstr(zoo, changes[i][0]);
        char              text[sizeof(zoo) + 16];

        assert_non_null(at);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - zoo), zoo, changes[i][1], at + strlen(changes[i][0]));
        pare_graph *const other = parse(text);

        unlink(path);
        compile_with(g, (pare_compile_options){ 0 }, "there was none");
        compile_with(other, (pare_compile_options){ 0 }, "another model");
        pare_graph_destroy(other);
    }
    pare_graph_destroy(g);
}

/* One byte anywhere in a large constant, also where the fingerprint of the graph takes no sample. */
static void other_weights_are_told_apart(void **state)
{
    static const char text[] = "%x = input f32[1,64]\n@w = const f32[64,512] seed=1\n%y = matmul(%x, @w)\nreturn %y\n";
    const size_t      size = 64 * 512 * sizeof(float);

    (void)state;
    for (size_t at = 0; at < size; at += 997) {
        pare_graph    *g = parse(text);
        uint8_t *const w = pare_graph_find(g, "w")->t.data;

        unlink(path);
        compile_with(g, (pare_compile_options){ 0 }, "there was none");
        w[at / 4 * 4] ^= 1; /* of a mantissa */
        compile_with(g, (pare_compile_options){ 0 }, "it is for ");
        compile_with(g, (pare_compile_options){ 0 }, NULL);
        pare_graph_destroy(g);
    }
}

/* Header fields, changed by somebody who knows the fingerprint of the header. */
static void header_is_compared(void **state)
{
    static const struct {
        size_t      at;
        const char *misfit;
    } fields[] = {
        { 8, "another version" }, { 12, "another CPU" }, { 16, "another version" }, { 24, "another model" }
    };
    enum { SELF = 80 };
    pare_graph *g = parse(zoo);

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t size;

        unlink(path);
        compile_with(g, (pare_compile_options){ 0 }, "there was none");
        uint8_t *const bytes = read_file(&size);

        bytes[fields[i].at] ^= 1;
        const uint64_t self = pare_hash(1, bytes, SELF);

        memcpy(bytes + SELF, &self, sizeof(self));
        write_file(bytes, size);
        compile_with(g, (pare_compile_options){ 0 }, fields[i].misfit);
        compile_with(g, (pare_compile_options){ 0 }, NULL);
        free(bytes);
    }
    pare_graph_destroy(g);
}

static void survives_without_memory(void **state)
{
    const long  before = pare_alloc_live();
    pare_graph *g = parse("%x = input f32[1,64]\n@w = const f32[64,99] seed=1\n%y = matmul(%x, @w)\nreturn %y\n");

    (void)state;
    for (int round = 0; round < 2; round++) { /* writing it, then reading it */
        pare_status status = PARE_ERR_MEMORY;

        unlink(path);
        if (round == 1)
            compile_with(g, (pare_compile_options){ 0 }, "there was none");
        for (int n = 1; status != PARE_OK; n++) {
            pare_plan *plan = NULL;

            pare_alloc_fail_after(n);
            status = pare_compile(g, &(pare_compile_options){ .plan_file = path, .tune = round == 0 }, &plan);
            pare_alloc_fail_after(0);
            assert_true(status == PARE_OK || status == PARE_ERR_MEMORY || status == PARE_ERR_DATA);
            pare_plan_destroy(plan);
            assert_true(n < 10000);
        }
    }
    pare_graph_destroy(g);
    assert_int_equal(pare_alloc_live(), before);
}

static void says_where_it_cannot_be_written(void **state)
{
    pare_graph *g = parse(zoo);
    pare_plan  *plan = NULL;

    (void)state;
    assert_int_equal(pare_compile(g, &(pare_compile_options){ .plan_file = "/nonexistent/zoo.plan" }, &plan),
                     PARE_ERR_IO);
    assert_non_null(strstr(pare_error(), "/nonexistent/zoo.plan"));
    pare_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_written_then_used),
        cmocka_unit_test(is_not_for_the_definition),
        cmocka_unit_test(other_models_are_told_apart),
        cmocka_unit_test(other_weights_are_told_apart),
        cmocka_unit_test(header_is_compared),
        cmocka_unit_test(survives_without_memory),
        cmocka_unit_test(says_where_it_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
