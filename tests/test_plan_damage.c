/* SPDX-License-Identifier: Apache-2.0 */
/* test_plan_damage.c - plan files that are cut, changed or lie are refused with a sentence, and left alone */
#include "plan_file_helpers.h"

#include "base/alloc.h"
#include "base/hash.h"

static void must_refuse(const pare_graph *g, const uint8_t *bytes, size_t size, const char *what, size_t at)
{
    struct stat before, after;
    pare_plan  *plan = NULL;

    write_file(bytes, size);
    assert_int_equal(stat(path, &before), 0);
    if (pare_compile(g, &(pare_compile_options){ .plan_file = path }, &plan) != PARE_ERR_DATA)
        fail_msg("%s %zu was not refused", what, at);
    assert_non_null(strstr(pare_error(), "zoo.plan: this is no plan file, or it is damaged"));
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size == before.st_size && after.st_ino == before.st_ino); /* nothing was written over it */
}

enum { FORMAT_AT = 8, N_STEPS_AT = 56, N_PIECES_AT = 60, HEADER = 88, PAGE = 4096, CHECKED = 16 << 10 };

static uint32_t word_at(const uint8_t *bytes, size_t at)
{
    uint32_t word;

    memcpy(&word, bytes + at, sizeof(word));
    return word;
}

/* Whether a start reads this byte: header, sizes, choices and small pieces; the rest is padding and large pieces. */
static bool is_checked(const uint8_t *bytes, size_t at)
{
    const size_t n = word_at(bytes, N_PIECES_AT), table = HEADER + 8 * n + word_at(bytes, N_STEPS_AT);
    size_t       piece = (table + PAGE - 1) / PAGE * PAGE;

    if (at < table)
        return at < FORMAT_AT || at >= FORMAT_AT + 4;
    for (size_t i = 0; i < n; i++) {
        const size_t size = word_at(bytes, HEADER + 8 * i);

        if (at >= piece && at < piece + size)
            return size <= CHECKED;
        piece += (size + 63) / 64 * 64;
    }
    return false;
}

static void damaged_files_are_refused(void **state)
{
    const long  before = pare_alloc_live();
    pare_graph *g = parse(zoo);
    pare_rng    rng = pare_rng_seed(5);
    size_t      size;
    int         refused = 0;

    (void)state;
    unlink(path);
    compile_with(g, (pare_compile_options){ 0 }, "there was none");
    uint8_t *const bytes = read_file(&size);

    for (size_t n = 0; n < size; n += n < 400 ? 1 : 1 + pare_rng_below(&rng, 1500))
        must_refuse(g, bytes, n, "a file cut at", n);
    for (size_t at = 0; at < size; at += at < 400 ? 1 : 1 + pare_rng_below(&rng, 700)) {
        const uint8_t bit = (uint8_t)(1u << pare_rng_below(&rng, 8));

        if (!is_checked(bytes, at))
            continue;
        bytes[at] ^= bit;
        must_refuse(g, bytes, size, "a change of byte", at);
        bytes[at] ^= bit;
        refused++;
    }
    assert_true(refused > 200);
    must_refuse(g, (const uint8_t *)"graph zoo\n", 10, "a text of", 10);
    free(bytes);
    pare_graph_destroy(g);
    assert_int_equal(pare_alloc_live(), before);
}

/* Sizes and counts that say more than there is, in a header whose fingerprints are right. */
static void lies_reach_nothing_outside(void **state)
{
    static const struct {
        size_t   at;
        uint64_t value;
    } lies[] = { { N_PIECES_AT, 0xffffffff }, { N_STEPS_AT, 0xffffffff }, { HEADER, UINT64_MAX },
                 { HEADER, UINT64_MAX - 63 }, { HEADER, 1 << 30 },        { HEADER + 8, 0 } };
    pare_graph *g = parse(zoo);

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        size_t size;

        unlink(path);
        compile_with(g, (pare_compile_options){ 0 }, "there was none");
        uint8_t *const bytes = read_file(&size);

        memcpy(bytes + lies[i].at, &lies[i].value, lies[i].at < HEADER ? 4 : 8);
        const uint64_t self = pare_hash(1, bytes, HEADER - 8);

        memcpy(bytes + HEADER - 8, &self, sizeof(self));
        must_refuse(g, bytes, size, "lie", i);
        free(bytes);
    }
    pare_graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(lies_reach_nothing_outside),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
