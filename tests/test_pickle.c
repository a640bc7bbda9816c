/* SPDX-License-Identifier: Apache-2.0 */
/* test_pickle.c - pickles become values; what asks for anything to be run is refused by name; damage never crashes */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "files/torch.h"
#include "pickle_helpers.h"

enum { MUTATIONS = 2000 }; /* of each protocol */

/* The root stays in the arena. Memory ends where the pickle ends, so that a sanitizer sees one byte too many. */
static pare_status read_pickle(const uint8_t *data, size_t size, pare_arena *arena, pare_pickle *out)
{
    uint8_t *const copy = malloc(size ? size : 1);

    assert_non_null(copy);
    if (size)
        memcpy(copy, data, size);
    const pare_status status = pare_pickle_read(copy, size, &pare_torch_rules, arena, out);
    assert_true(out->used <= size);
    free(copy);
    return status;
}

/* Reads, and walks over what came out as a state dict. */
static pare_status read_and_collect(const uint8_t *data, size_t size)
{
    pare_arena *const arena = pare_arena_create();
    pare_torch_list   list = { .arena = arena };
    pare_pickle       p;
    pare_status       status;

    assert_non_null(arena);
    status = read_pickle(data, size, arena, &p);
    if (status == PARE_OK)
        status = pare_torch_collect(p.root, &list);
    pare_free(list.tensors);
    pare_arena_destroy(arena);
    return status;
}

static void refused(const bytes *b, const char *word)
{
    const long live = pare_alloc_live();

    if (read_and_collect(b->at, b->n) == PARE_OK)
        fail_msg("taken, but it should be refused with '%s'", word);
    if (!strstr(pare_error(), word))
        fail_msg("refused with '%s', which does not say '%s'", pare_error(), word);
    assert_int_equal(pare_alloc_live(), live);
}

static void refused_text(const void *pickle, size_t n, const char *word)
{
    bytes b = { 0 };

    put(&b, pickle, n);
    refused(&b, word);
    free(b.at);
}

#define REFUSED(pickle, word) refused_text(pickle, sizeof(pickle) - 1, word)

/* ---------------------------------------------------------------------------------------------------------- values */

static pare_buf *golden(int protocol)
{
    char      path[512];
    pare_buf *buf;

    snprintf(path, sizeof(path), "%s/golden/pickle/protocol%d.pkl", PARE_TEST_DIR, protocol);
    assert_int_equal(pare_buf_map(path, &buf), PARE_OK);
    return buf;
}

static void assert_integer(const pare_pickle_value *dict, const char *key, pare_pickle_kind kind, int64_t want)
{
    const pare_pickle_value *const v = pare_pickle_get(dict, key);

    assert_non_null(v);
    assert_int_equal(v->kind, kind);
    assert_true(v->integer == want);
}

static void check_values(const pare_pickle_value *d, int protocol)
{
    const pare_pickle_value *v;

    assert_int_equal(d->kind, PARE_PICKLE_DICT);
    assert_int_equal(pare_pickle_get(d, "none")->kind, PARE_PICKLE_NONE);
    assert_integer(d, "true", PARE_PICKLE_BOOL, 1);
    assert_integer(d, "false", PARE_PICKLE_BOOL, 0);
    assert_integer(d, "small", PARE_PICKLE_INT, 7);
    assert_integer(d, "byte", PARE_PICKLE_INT, 255);
    assert_integer(d, "short", PARE_PICKLE_INT, 65535);
    assert_integer(d, "int", PARE_PICKLE_INT, -70000);
    assert_integer(d, "long", PARE_PICKLE_INT, (int64_t)1 << 40);
    assert_integer(d, "negative", PARE_PICKLE_INT, -((int64_t)1 << 40));
    v = pare_pickle_get(d, "huge");
    assert_int_equal(v != NULL, protocol >= 2);
    assert_true(!v || v->kind == PARE_PICKLE_LONG);
    if (v)
        assert_memory_equal(v->text, "\0\0\0\0\0\0\0\0\0\0\xff", 11);
    v = pare_pickle_get(d, "real");
    assert_int_equal(v->kind, PARE_PICKLE_FLOAT);
    assert_true(v->real == -2.5);
    assert_string_equal(pare_pickle_get(d, "text")->text, protocol ? "caf\u00e9caf\u00e9caf\u00e9" : "cafecafecafe");
    v = pare_pickle_get(d, "list");
    assert_ptr_equal(v, pare_pickle_get(d, "again"));
    assert_int_equal(v->kind, PARE_PICKLE_LIST);
    assert_int_equal(v->n, 2);
    assert_int_equal(v->items[1]->items[1]->n, 0);
    v = pare_pickle_get(d, "tuple");
    assert_int_equal(v->kind, PARE_PICKLE_TUPLE);
    assert_int_equal(v->n, 5);
    assert_int_equal(v->items[3]->items[0]->integer, 4);
    assert_int_equal(pare_pickle_get(d, "pair")->n, 2);
    v = pare_pickle_get(pare_pickle_get(d, "dict"), "k");
    assert_int_equal(v->items[0]->integer, 5);
    assert_int_equal(v->items[1]->integer, 6);
    assert_integer(pare_pickle_get(d, "ordered"), "b", PARE_PICKLE_INT, 2);
    v = pare_pickle_get(d, "bytes");
    assert_int_equal(v != NULL, protocol > 2);
    if (v)
        assert_memory_equal(v->text, "\0\xff", 2);
}

static void test_values(void **state)
{
    (void)state;
    for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
        pare_buf *const   buf = golden(protocol);
        pare_arena *const arena = pare_arena_create();
        pare_pickle       p;

        if (read_pickle(pare_buf_bytes(buf), pare_buf_size(buf), arena, &p) != PARE_OK)
            fail_msg("protocol %d: %s", protocol, pare_error());
        assert_int_equal(p.used, pare_buf_size(buf));
        check_values(p.root, protocol);
        for (size_t cut = 0; cut < pare_buf_size(buf); cut++)
            if (read_pickle(pare_buf_bytes(buf), cut, arena, &p) == PARE_OK)
                fail_msg("protocol %d: read although it was cut at %zu", protocol, cut);
        pare_arena_destroy(arena);
        pare_buf_unref(buf);
    }
}

/* -------------------------------------------------------------------------------------------------------- exploits */

/* Each call in each protocol, alone and as a value in a dict behind a good one. */
static void test_exploits(void **state)
{
    char marker[] = "/tmp/pare_pwned_XXXXXX", argument[64], name[64];

    (void)state;
    close(mkstemp(marker));
    unlink(marker);
    snprintf(argument, sizeof(argument), "touch %s", marker);
    for (int i = 0; i < N_EXPLOIT_CALLS; i++)
        for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
            const char *const module = exploit_calls[i][0], *const function = exploit_calls[i][1];
            bytes alone = { 0 }, inside = { 0 };

            snprintf(name, sizeof(name), "asks to call %s.%s; refused", module, function);
            put_protocol(&alone, protocol);
            put_call(&alone, protocol, module, function, argument);
            put_text(&alone, ".");
            refused(&alone, name);

            put_protocol(&inside, protocol);
            put_text(&inside, "(d");
            put_pickled(&inside, protocol, "weight");
            put_text(&inside, "Ns");
            put_pickled(&inside, protocol, "bias");
            put_call(&inside, protocol, module, function, argument);
            put_text(&inside, "s.");
            refused(&inside, name);
            free(alone.at);
            free(inside.at);
        }
    assert_int_equal(access(marker, F_OK), -1);
}

/* The other ways to make something happen. */
static void test_tricks(void **state)
{
    (void)state;
    REFUSED("(S'id'\nios\nsystem\n.", "make a os.system");
    REFUSED("(ccollections\nOrderedDict\no.", "OBJ of collections.OrderedDict");
    REFUSED("\x80\2ccollections\nOrderedDict\n)\x81.", "NEWOBJ of collections.OrderedDict");
    REFUSED("\x80\4ccollections\nOrderedDict\n)}\x92.", "NEWOBJ_EX of collections.OrderedDict");
    REFUSED("\x80\2\x82\1.", "EXT1");
    REFUSED("\x80\2\x83\1\0.", "EXT2");
    REFUSED("\x80\2\x84\1\0\0\0.", "EXT4");
    REFUSED("Pos.system\n.", "PERSID");
    REFUSED("\x80\5\x97.", "NEXT_BUFFER");
    /* What a call gave, a type, a number and a text are no functions. */
    REFUSED("ccollections\nOrderedDict\n)R)R.", "not a name");
    REFUSED("ctorch\nSize\n)R)R.", "not a name");
    REFUSED("ctorch\nFloatStorage\n)R.", "call torch.FloatStorage");
    REFUSED("K\1)R.", "not a name");
    REFUSED("S'os.system'\n(S'id'\ntR.", "not a name");
    REFUSED("ccollections\nOrderedDict\nS'id'\nR.", "not a name");
    /* __setstate__, and attributes of what there is. */
    REFUSED("ctorch\nSize\n)R}S'__setstate__'\nS'x'\nsb.", "made by torch.Size");
    REFUSED("ccollections\nOrderedDict\n}b.", "set the state of an object");
    REFUSED("]}b.", "set the state of an object");
    /* Names with something in them that a list might overlook. */
    REFUSED("\x80\4\x8c\2os\x8c\7system\0\x93.", "os.system?");
    REFUSED("\x80\4\x8c\0\x8c\0\x93.", "asks to call .;");
    REFUSED("\x80\4K\1\x8c\1x\x93.", "name that is no text");
    REFUSED("ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "_rebuild_tensor_v2.__globals__");
    REFUSED("c\n\x1b[2Jx\n.", "?[2Jx");
    REFUSED("\x80\6N.", "protocol 6");
}

/* ------------------------------------------------------------------------------------------------- damage, extremes */

static void test_damage(void **state)
{
    (void)state;
    REFUSED("", "too early");
    REFUSED(".", "where there is none");
    REFUSED("\xff", "0xff");
    REFUSED("0.", "where there is none");
    REFUSED("1.", "mark");
    REFUSED("t.", "mark");
    REFUSED("(N\x85(\x85.", "tuple of 1");
    REFUSED("(Nd.", "key without a value");
    REFUSED("]Ns.", "items");
    REFUSED("N(Ne.", "no list");
    REFUSED("(Ne.", "items without a list");
    REFUSED("}(Nu.", "no dict");
    REFUSED("h\0.", "memo");
    REFUSED("Nr\xff\xff\xff\xff.", "memo");
    REFUSED("Np-1\n.", "memo");
    REFUSED("Ix\n.", "no number");
    REFUSED("L99999999999999999999L\n.", "64 bits");
    REFUSED("S'a\n.", "without quotes");
    REFUSED("S\n.", "without quotes");
    REFUSED("Va\\u0041\n.", "escaped");
    REFUSED("X\xff\xff\xff\xff.", "inside a text");
    REFUSED("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "inside a text");
    REFUSED("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "inside a text");
    REFUSED("\x8b\xff\xff\xff\xff.", "too early");
    REFUSED("G\0\0\0.", "too early");
    REFUSED("ccollections\nOrderedDict\n(Nt(tR.", "refused");
    REFUSED("ccollections\nOrderedDict\n(NtR.", "list of pairs");
    REFUSED("ccollections\nOrderedDict\n(](]etR.", "list of pairs");
}

/* A list in a list in a list; one that holds itself; lists that hold the one before twice, 2^100 in all. */
static void test_nesting(void **state)
{
    bytes deep = { 0 }, laughs = { 0 };

    (void)state;
    for (int i = 0; i < 200000; i++)
        put(&deep, "]", 1);
    for (int i = 1; i < 200000; i++)
        put(&deep, "a", 1);
    put(&deep, ".", 1);
    refused(&deep, "deep");

    put_text(&laughs, "]");
    for (int i = 0; i < 60; i++) {
        put_text(&laughs, "q");
        put(&laughs, &(uint8_t){ (uint8_t)i }, 1);
        put_text(&laughs, "0](h");
        put(&laughs, &(uint8_t){ (uint8_t)i }, 1);
        put_text(&laughs, "h");
        put(&laughs, &(uint8_t){ (uint8_t)i }, 1);
        put_text(&laughs, "e");
    }
    put_text(&laughs, ".");
    refused(&laughs, "more than");
    REFUSED("]q\0h\0a.", "deep");
    REFUSED("}q\0S'a'\nh\0s.", "deep");
    free(deep.at);
    free(laughs.at);
}

/* Nine million values, and the memory that a reader may take for a byte. */
static void test_bounds(void **state)
{
    const size_t n = 9 << 20;
    bytes        b = { malloc(n), n };

    (void)state;
    assert_non_null(b.at);
    memset(b.at, '(', n);
    refused(&b, "more than");
    memset(b.at, 'N', n);
    refused(&b, "more than");
    free(b.at);
}

static void test_mutations(void **state)
{
    uint8_t changed[1024];
    int     taken = 0;

    (void)state;
    for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
        pare_buf *const buf = golden(protocol);
        const size_t    size = pare_buf_size(buf);
        const long      live = pare_alloc_live();
        pare_rng        rng = pare_rng_seed((uint64_t)protocol);

        assert_true(size <= sizeof(changed));
        for (int round = 0; round < MUTATIONS; round++) {
            memcpy(changed, pare_buf_bytes(buf), size);
            for (uint32_t k = 1 + pare_rng_below(&rng, 4); k > 0; k--)
                changed[pare_rng_below(&rng, (uint32_t)size)] =
                    pare_rng_below(&rng, 2) ? (uint8_t)pare_rng_u64(&rng)
                                            : pare_buf_bytes(buf)[pare_rng_below(&rng, (uint32_t)size)];
            taken += read_and_collect(changed, size) == PARE_OK;
            assert_int_equal(pare_alloc_live(), live);
        }
        pare_buf_unref(buf);
    }
    assert_true(taken > 0 && taken < N_PROTOCOLS * MUTATIONS);
}

static void test_short_memory(void **state)
{
    pare_buf *const buf = golden(2);
    const long      live = pare_alloc_live();
    pare_status     status = PARE_ERR_MEMORY;
    int             failures = 0;

    (void)state;
    for (long n = 2; status != PARE_OK && n < 1000; n++) { /* the first is the test's own arena */
        pare_alloc_fail_after(n);
        status = read_and_collect(pare_buf_bytes(buf), pare_buf_size(buf));
        pare_alloc_fail_after(0);
        assert_int_equal(pare_alloc_live(), live);
        failures += status == PARE_ERR_MEMORY;
    }
    assert_int_equal(status, PARE_OK);
    assert_true(failures > 0);
    pare_buf_unref(buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_exploits),     cmocka_unit_test(test_tricks),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_nesting),      cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_mutations), cmocka_unit_test(test_short_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
