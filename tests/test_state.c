/* SPDX-License-Identifier: Apache-2.0 */
/* test_state.c - state dicts: PyTorch, safetensors and .npz in, the last two out; hostile files are refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pare/state.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "files/zip.h"
#include "data_helpers.h"
#include "pickle_helpers.h"
#include "tensor/tensor.h"

static const char *golden(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/golden/state/%s", PARE_TEST_DIR, name);
    return path;
}

static pare_state *load(const char *path)
{
    pare_state *s = NULL;

    if (pare_state_load(path, &s) != PARE_OK)
        fail_msg("%s", pare_error());
    return s;
}

/* Loading fails, leaves nothing behind, and the sentence has the file's name and `word`. */
static void refuse(const char *path, const char *word)
{
    const long  live = pare_alloc_live();
    pare_state *s;

    if (pare_state_load(path, &s) == PARE_OK)
        fail_msg("%s: taken, but it should be refused with '%s'", path, word);
    assert_null(s);
    if (!strstr(pare_error(), word) || strncmp(pare_error(), path, strlen(path)) != 0)
        fail_msg("'%s' does not say '%s' of %s", pare_error(), word, path);
    assert_int_equal(pare_alloc_live(), live);
}

/* Of tests/golden/state_make.py: element k of a tensor. */
static double number(pare_dtype dtype, int64_t k)
{
    const int64_t n = k * 37 % 101;

    if (dtype == PARE_bool)
        return (double)(n % 2);
    if (pare_dtype_kind(dtype) == PARE_KIND_FLOAT)
        return (double)(n - 50) / 4;
    return (double)(dtype == PARE_u8 ? n : n - 50);
}

/* The tensor is [shape], dense, and its element i is element of[i] of the formula, or i without `of`. */
static void check(const pare_state *s, const char *name, pare_dtype dtype, pare_shape shape, const int *of)
{
    const pare_tensor *const t = pare_state_find(s, name);

    if (!t)
        fail_msg("'%s' is not there", name);
    assert_int_equal(t->dtype, dtype);
    assert_true(pare_shape_equal(&t->shape, &shape));
    assert_true(pare_tensor_is_dense(t));
    assert_int_equal((uintptr_t)t->data % pare_dtype_size(dtype), 0);
    for (int64_t i = 0; i < pare_shape_count(&shape); i++)
        if (pare_tensor_real(t, i) != number(dtype, of ? of[i] : i))
            fail_msg("%s[%lld]: want %g, got %g", name, (long long)i, number(dtype, of ? of[i] : i),
                     pare_tensor_real(t, i));
}

#define SHAPE(...) pare_shape_of((int)(sizeof((int64_t[]){ __VA_ARGS__ }) / 8), (int64_t[]){ __VA_ARGS__ })

/* --------------------------------------------------------------------------------------------------------- PyTorch */

static void check_kinds(const pare_state *s)
{
    static const struct {
        const char *name;
        pare_dtype  dtype;
    } kinds[] = { { "float32", PARE_f32 }, { "float64", PARE_f64 }, { "float16", PARE_f16 }, { "bfloat16", PARE_bf16 },
                  { "uint8", PARE_u8 },    { "int8", PARE_s8 },     { "int16", PARE_s16 },   { "int32", PARE_s32 },
                  { "int64", PARE_s64 },   { "bool", PARE_bool } };
    static const int transposed[] = { 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11 };

    assert_int_equal(pare_state_count(s), 19);
    for (int i = 0; i < 10; i++) {
        assert_string_equal(pare_state_name(s, i), kinds[i].name);
        check(s, kinds[i].name, kinds[i].dtype, SHAPE(2, 3), NULL);
    }
    check(s, "scalar", PARE_s64, (pare_shape){ 0 }, NULL);
    check(s, "empty", PARE_f32, SHAPE(0, 3), NULL);
    check(s, "view.transposed", PARE_f32, SHAPE(4, 3), transposed);
    check(s, "view.sliced", PARE_f32, SHAPE(2, 2), (int[]){ 5, 7, 9, 11 });
    check(s, "view.expanded", PARE_f32, SHAPE(2, 3), (int[]){ 0, 1, 2, 0, 1, 2 });
    check(s, "view.channels_last", PARE_f32, SHAPE(2, 3, 2, 2), NULL);
    check(s, "tied.a", PARE_f32, SHAPE(2, 2), NULL);
    assert_ptr_equal(pare_state_find(s, "tied.a")->data, pare_state_find(s, "tied.b")->data);
    check(s, "parameter", PARE_f32, SHAPE(2), NULL);
}

static void test_torch(void **state)
{
    (void)state;
    for (int legacy = 0; legacy < 2; legacy++) {
        pare_state *s = load(golden(legacy ? "kinds_legacy.pth" : "kinds.pth"));

        check_kinds(s);
        pare_state_destroy(s);

        s = load(golden(legacy ? "checkpoint_legacy.pth" : "checkpoint.pth"));
        assert_int_equal(pare_state_count(s), 2);
        check(s, "conv.weight", PARE_f32, SHAPE(2), NULL);
        check(s, "conv.bias", PARE_f32, SHAPE(2), NULL);
        assert_null(pare_state_find(s, "module.conv.weight"));
        pare_state_destroy(s);

        s = load(golden(legacy ? "nested_legacy.pth" : "nested.pth"));
        assert_int_equal(pare_state_count(s), 4);
        check(s, "a.b.0", PARE_f32, SHAPE(1), NULL);
        check(s, "a.b.1.c", PARE_f32, SHAPE(2), NULL);
        check(s, "t.0", PARE_f32, SHAPE(3), NULL);
        check(s, "5", PARE_f32, SHAPE(1), NULL);
        pare_state_destroy(s);
    }
    for (int protocol = 3; protocol < N_PROTOCOLS; protocol++) {
        char name[32];

        snprintf(name, sizeof(name), "protocol%d.pth", protocol);
        pare_state *const s = load(golden(name));
        assert_int_equal(pare_state_count(s), 1);
        check(s, "tensor", PARE_f32, SHAPE(2, 3), NULL);
        pare_state_destroy(s);
    }
}

/* A file of PyTorch with this pickle, and one storage of 24 bytes. */
static const char *make_torch(const bytes *pickle)
{
    static const float  numbers[6] = { 1, 2, 3, 4, 5, 6 };
    const char *const   path = in_folder("made.pth");
    const pare_zip_part parts[] = { { "archive/data.pkl", pickle->at, pickle->n, NULL, 0 },
                                    { "archive/data/0", numbers, sizeof(numbers), NULL, 0 } };

    assert_int_equal(pare_zip_write(path, parts, 2), PARE_OK);
    return path;
}

/* Real exploits, as a file of PyTorch, in one before 1.6, and as the pickle alone. */
static void test_exploits(void **state)
{
    char marker[] = "/tmp/pare_pwned_XXXXXX", argument[64], name[64];

    (void)state;
    close(mkstemp(marker));
    unlink(marker);
    snprintf(argument, sizeof(argument), "touch %s", marker);
    for (int i = 0; i < N_EXPLOIT_CALLS; i++)
        for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
            bytes pickle = { 0 }, legacy = { 0 };

            snprintf(name, sizeof(name), "asks to call %s.%s; refused", exploit_calls[i][0], exploit_calls[i][1]);
            put_protocol(&pickle, protocol);
            put_call(&pickle, protocol, exploit_calls[i][0], exploit_calls[i][1], argument);
            put_text(&pickle, ".");
            if (protocol == i % N_PROTOCOLS) /* writing waits for the disk */
                refuse(make_torch(&pickle), name);
            write_file("alone.pt", pickle.at, pickle.n);
            refuse(in_folder("alone.pt"), name);

            put(&legacy,
                "\x80\2\x8a\nl\xfc\x9c"
                "F\xf9 j\xa8P\x19.\x80\2M\xe9\3.\x80\2}.",
                25);
            put(&legacy, pickle.at, pickle.n);
            write_file("legacy.pt", legacy.at, legacy.n);
            refuse(in_folder("legacy.pt"), name);
            free(pickle.at);
            free(legacy.at);
        }
    assert_int_equal(access(marker, F_OK), -1);
}

/* {'w': _rebuild_tensor_v2(storage, offset, sizes, strides, False, OrderedDict())}; arguments as a pickle spells them */
static const char *make_tensor(const char *storage, const char *offset, const char *sizes, const char *strides)
{
    static bytes b;

    b.n = 0;
    put_text(&b, "(dS'w'\nctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\n");
    put_text(&b, storage);
    put_text(&b, "tQ");
    put_text(&b, offset);
    put_text(&b, sizes);
    put_text(&b, strides);
    put_text(&b, "I00\nccollections\nOrderedDict\n)RtRs.");
    return make_torch(&b);
}

static void test_hostile_tensors(void **state)
{
    static const char good[] = "FloatStorage\nS'0'\nS'cpu'\nI6\n";

    (void)state;
    pare_state *const s = load(make_tensor(good, "I1\n", "(I2\nI2\nt", "(I2\nI1\nt"));
    assert_true(pare_tensor_real(pare_state_find(s, "w"), 3) == 5);
    pare_state_destroy(s);

    refuse(make_tensor(good, "I1\n", "(I2\nI2\nt", "(I3\nI2\nt"), "beyond its storage");
    refuse(make_tensor(good, "I6\n", "(t", "(t"), "beyond its storage");
    refuse(make_tensor(good, "I-1\n", "(t", "(t"), "not described");
    refuse(make_tensor(good, "I0\n", "(I-1\nt", "(I1\nt"), "negative");
    refuse(make_tensor(good, "I0\n", "(I3\nt", "(I-1\nt"), "negative");
    refuse(make_tensor(good, "I0\n", "(I3\nt", "(I1\nI1\nt"), "no tuple");
    refuse(make_tensor(good, "I9223372036854775807\n", "(I2\nt", "(I1\nt"), "beyond its storage");
    refuse(make_tensor(good, "I0\n", "(I4611686018427387904\nI4\nt", "(I0\nI0\nt"), "beyond its storage");
    refuse(make_tensor(good, "I0\n", "(I9223372036854775807\nt", "(I9223372036854775807\nt"), "beyond its storage");
    refuse(make_tensor(good, "I0\n", "(I1000000000\nI6\nt", "(I0\nI1\nt"), "many times the file");
    refuse(make_tensor(good, "I0\n", "(I1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nI1\nt", "(t"), "9 dimensions");
    refuse(make_tensor("FloatStorage\nS'1'\nS'cpu'\nI6\n", "I0\n", "(t", "(t"), "has no 'archive/data/1'");
    refuse(make_tensor("FloatStorage\nS'../x'\nS'cpu'\nI6\n", "I0\n", "(t", "(t"), "has no 'archive/data/../x'");
    refuse(make_tensor("FloatStorage\nS'0'\nS'cpu'\nI5\n", "I0\n", "(t", "(t"), "24 bytes");
    refuse(make_tensor("FloatStorage\nS'0'\nS'cpu'\nI9223372036854775807\n", "I0\n", "(t", "(t"), "absurd");
    refuse(make_tensor("FloatStorage\nI0\nS'cpu'\nI6\n", "I0\n", "(t", "(t"), "storage is not described");
    refuse(make_tensor("ComplexFloatStorage\nS'0'\nS'cpu'\nI3\n", "I0\n", "(t", "(t"), "torch.ComplexFloatStorage");
    refuse(make_tensor("float32\nS'0'\nS'cpu'\nI6\n", "I0\n", "(t", "(t"), "without a type");
}

/* ---------------------------------------------------------------------------------------------------- NumPy's .npz */

static void test_npz(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        pare_state *const s = load(golden(packed ? "packed.npz" : "arrays.npz"));

        assert_int_equal(pare_state_count(s), 6);
        check(s, "columns", PARE_f32, SHAPE(2, 3, 2), NULL);
        check(s, "w", PARE_f32, SHAPE(2, 3), NULL);
        check(s, "layer.b", PARE_s64, SHAPE(4), NULL);
        check(s, "half", PARE_f16, SHAPE(3), NULL);
        check(s, "one", PARE_f64, (pare_shape){ 0 }, NULL);
        check(s, "none", PARE_u8, SHAPE(0, 2), NULL);
        pare_state_destroy(s);
    }
    assert_int_equal(pare_zip_write(in_folder("x.npz"), &(pare_zip_part){ "a.txt", "hello", 5, NULL, 0 }, 1), PARE_OK);
    refuse(in_folder("x.npz"), "neither PyTorch's nor of .npy");
    assert_int_equal(pare_zip_write(in_folder("x.npz"), &(pare_zip_part){ "a.npy", "hello", 5, NULL, 0 }, 1), PARE_OK);
    refuse(in_folder("x.npz"), "'a': not a .npy");
}

/* ----------------------------------------------------------------------------------------------------- round trips */

static void assert_same(const pare_state *a, const pare_state *b)
{
    assert_int_equal(pare_state_count(a), pare_state_count(b));
    for (int i = 0; i < pare_state_count(a); i++) {
        const pare_tensor *const t = pare_state_tensor(a, i), *const u = pare_state_tensor(b, i);

        assert_string_equal(pare_state_name(a, i), pare_state_name(b, i));
        assert_int_equal(t->dtype, u->dtype);
        assert_true(pare_shape_equal(&t->shape, &u->shape));
        assert_int_equal((uintptr_t)u->data % pare_dtype_size(u->dtype), 0);
        assert_memory_equal(t->data, u->data, (size_t)pare_tensor_bytes(t));
    }
}

static bytes read_file(const char *path)
{
    FILE *const f = fopen(path, "rb");
    bytes       b = { 0 };
    int         c;

    assert_non_null(f);
    while ((c = getc(f)) != EOF)
        put(&b, &(uint8_t){ (uint8_t)c }, 1);
    fclose(f);
    return b;
}

static void save(const pare_state *s, const char *path, const pare_state_save_options *options)
{
    if (pare_state_save(s, path, options) != PARE_OK)
        fail_msg("%s", pare_error());
}

static void test_safetensors(void **state)
{
    pare_state *const s = load(golden("kinds.pth"));
    const char *const path = in_folder("kinds.safetensors");

    (void)state;
    assert_int_equal(pare_state_set_meta(s, "format", "pt"), PARE_OK);
    assert_int_equal(pare_state_set_meta(s, "quote", "a \"b\"\n\u00e9"), PARE_OK);
    assert_int_equal(pare_state_set_meta(s, "format", "pare"), PARE_OK);
    save(s, path, NULL);
    const bytes       first = read_file(path);
    pare_state *const back = load(path);
    assert_same(s, back);
    check_kinds(s);
    assert_string_equal(pare_state_meta(back, "format"), "pare");
    assert_string_equal(pare_state_meta(back, "quote"), "a \"b\"\n\u00e9");
    assert_string_equal(pare_state_meta_key(back, 1), "quote");
    assert_null(pare_state_meta_key(back, 2));
    assert_null(pare_state_meta(back, "none"));

    /* Equal states give equal bytes; the file that is mapped is replaced, not written over. */
    save(back, path, NULL);
    const bytes second = read_file(path);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.at, second.at, first.n);
    assert_same(s, back);
    free(first.at);
    free(second.at);
    pare_state_destroy(back);
    pare_state_destroy(s);
}

static void test_shards(void **state)
{
    const pare_state_save_options options = { .shard_bytes = 100 };
    pare_state *const             s = load(golden("kinds.pth"));
    const char *const             path = in_folder("model.safetensors");
    pare_state                   *back;

    (void)state;
    save(s, path, &options);
    assert_int_equal(access(path, F_OK), -1);
    back = load(in_folder("model.safetensors.index.json"));
    assert_same(s, back);
    pare_state_destroy(back);

    pare_state *const part = load(in_folder("model-00001-of-00006.safetensors"));
    assert_true(pare_state_count(part) > 0 && pare_state_count(part) < pare_state_count(s));
    pare_state_destroy(part);

    remove(in_folder("model-00002-of-00006.safetensors"));
    refuse(in_folder("model.safetensors.index.json"), "model-00002-of-00006.safetensors");
    pare_state_destroy(s);

    write_text("index.json", "{\"weight_map\": {\"a\": \"../x.safetensors\"}}");
    refuse(in_folder("index.json"), "does not lie beside it");
    write_text("index.json", "{\"weight_map\": {\"a\": \"/etc/passwd\"}}");
    refuse(in_folder("index.json"), "does not lie beside it");
    write_text("index.json", "{\"weight_map\": {\"a\": \"..\"}}");
    refuse(in_folder("index.json"), "does not lie beside it");
    write_text("index.json", "{\"weight_map\": {\"a\": \"index.json\"}}");
    refuse(in_folder("index.json"), "no safetensors file");
    write_text("index.json", "{\"weight_map\": {\"other\": \"model-00001-of-00006.safetensors\"}}");
    refuse(in_folder("index.json"), "'other' is not in");
    write_text("index.json", "{\"weight_map\": {\"a\": 7}}");
    refuse(in_folder("index.json"), "'a' is in no file");
    write_text("index.json", "{\"mode\": \"static\"}");
    refuse(in_folder("index.json"), "no index of safetensors");
}

static void test_npz_out(void **state)
{
    pare_state *const s = load(golden("kinds.pth"));
    pare_state       *mine, *back;

    (void)state;
    assert_int_equal(pare_state_save(s, in_folder("a.npz"), NULL), PARE_ERR_UNSUPPORTED);
    assert_non_null(strstr(pare_error(), "'bfloat16'; write .safetensors"));
    assert_int_equal(pare_state_save(s, in_folder("a.pth"), NULL), PARE_ERR_ARG);
    assert_int_equal(pare_state_save(s, in_folder("nowhere/a.npz"), NULL), PARE_ERR_UNSUPPORTED);

    assert_int_equal(pare_state_create(&mine), PARE_OK);
    for (int i = 0; i < pare_state_count(s); i++)
        if (pare_state_tensor(s, i)->dtype != PARE_bf16)
            assert_int_equal(pare_state_put(mine, pare_state_name(s, i), pare_state_tensor(s, i)), PARE_OK);
    save(mine, in_folder("a.npz"), NULL);
    back = load(in_folder("a.npz"));
    assert_same(mine, back);
    save(back, in_folder("b.npz"), NULL);
    const bytes a = read_file(in_folder("a.npz")), b = read_file(in_folder("b.npz"));
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.at, b.at, a.n);
    free(a.at);
    free(b.at);
    assert_int_equal(pare_state_save(mine, in_folder("nowhere/a.npz"), NULL), PARE_ERR_IO);
    assert_int_equal(pare_state_set_meta(mine, "a", "b"), PARE_OK);
    assert_int_equal(pare_state_save(mine, in_folder("a.npz"), NULL), PARE_ERR_UNSUPPORTED);
    pare_state_destroy(back);
    pare_state_destroy(mine);
    pare_state_destroy(s);
}

static void test_container(void **state)
{
    float       numbers[6] = { 0, 1, 2, 3, 4, 5 };
    pare_tensor t = pare_tensor_of(PARE_f32, SHAPE(2, 3));
    pare_state *s, *back;

    (void)state;
    assert_int_equal(pare_state_create(&s), PARE_OK);
    save(s, in_folder("none.safetensors"), NULL);
    back = load(in_folder("none.safetensors"));
    assert_int_equal(pare_state_count(back), 0);
    pare_state_destroy(back);
    save(s, in_folder("none.npz"), NULL);
    back = load(in_folder("none.npz"));
    assert_int_equal(pare_state_count(back), 0);
    pare_state_destroy(back);

    assert_int_equal(pare_state_put(s, "no data", &t), PARE_ERR_ARG);
    t.data = numbers;
    assert_int_equal(pare_state_put(s, "a", &t), PARE_OK);
    numbers[0] = 9; /* bytes without a buf are copied */
    assert_true(pare_tensor_real(pare_state_find(s, "a"), 0) == 0);
    assert_int_equal(pare_state_put(s, "b", &t), PARE_OK);

    const pare_tensor turned = pare_tensor_permuted(&t, (int[]){ 1, 0 });
    assert_int_equal(pare_state_put(s, "a", &turned), PARE_OK);
    assert_int_equal(pare_state_count(s), 2);
    assert_string_equal(pare_state_name(s, 0), "a");
    assert_true(pare_tensor_real(pare_state_find(s, "a"), 1) == 3);
    assert_true(pare_tensor_is_dense(pare_state_find(s, "a")));

    const pare_tensor *const b = pare_state_find(s, "b");
    assert_int_equal(pare_state_put(s, "shared", b), PARE_OK);
    assert_ptr_equal(pare_state_find(s, "shared")->data, pare_state_find(s, "b")->data);
    assert_null(pare_state_find(s, "c"));
    assert_int_equal(pare_state_put(s, "bad \xff name", &t), PARE_OK);
    assert_int_equal(pare_state_save(s, in_folder("a.safetensors"), NULL), PARE_ERR_ARG);
    pare_state_destroy(s);
    pare_state_destroy(NULL);
}

/* ---------------------------------------------------------------------------------------------------------- damage */

static const char *make_safetensors(const char *header, size_t data)
{
    const size_t n = strlen(header);
    bytes        b = { 0 };

    for (int i = 0; i < 8; i++)
        put(&b, &(uint8_t){ (uint8_t)(n >> (8 * i)) }, 1);
    put_text(&b, header);
    put_zeros(&b, data);
    write_file("made.safetensors", b.at, b.n);
    free(b.at);
    return in_folder("made.safetensors");
}

static void test_hostile_safetensors(void **state)
{
    static const char *const cases[][2] = {
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-1,7]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,8]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0.0,8]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "outside" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "does not need" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "hole" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
          "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
          "hole" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", "does not need" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "no size" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", "no shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", "9 dimensions" },
        { "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", "F8_E4M3" },
        { "{\"a\":{\"shape\":[8],\"data_offsets\":[0,8]}}", "element type" },
        { "{\"a\":7}", "element type" },
        { "{\"a\":{},\"a\":{}}", "duplicate" },
        { "{\"__metadata__\":[]}", "no object" },
        { "{\"__metadata__\":{\"a\":1}}", "no text" },
        { "{\"a\":", "damaged safetensors header" },
        { "{}", "hole" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refuse(make_safetensors(cases[i][0], 8), cases[i][1]);
    /* An offset that its type cannot lie at is copied. */
    pare_state *const s = load(make_safetensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                                "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
                                                5));
    assert_int_equal((uintptr_t)pare_state_find(s, "b")->data % 4, 0);
    pare_state_destroy(s);
    write_file("made.safetensors", "\xff\xff\xff\0\0\0\0\0{", 9);
    refuse(in_folder("made.safetensors"), "inside its header");
}

static void test_no_weights(void **state)
{
    (void)state;
    refuse(in_folder("missing.pth"), "cannot be opened");
    write_text("a.pth", "");
    refuse(in_folder("a.pth"), "no file of weights");
    write_text("a.pth", "hello");
    refuse(in_folder("a.pth"), "no file of weights");
    write_text("a.pth", "PK\3\4 and then nothing");
    refuse(in_folder("a.pth"), "damaged zip");
    write_file("a.pth", "\x80\2}.", 4);
    refuse(in_folder("a.pth"), "not what torch.save writes");
}

/* A new file each time: some file systems wait for the disk when an old one is cut to nothing and written again. */
static void write_anew(const void *data, size_t n)
{
    remove(in_folder("changed"));
    write_file("changed", data, n);
}

/* Every file cut at every byte is refused; ten thousand changed ones are read or refused; nothing leaks. */
static void test_mutations(void **state)
{
    static const char *const names[] = {
        "kinds.pth", "kinds_legacy.pth", "checkpoint.pth", "nested_legacy.pth", "arrays.npz", "packed.npz", "made"
    };
    enum { N = sizeof(names) / sizeof(names[0]), ROUNDS = 1500 };
    pare_state *s = load(golden("kinds.pth"));
    int         taken = 0;

    (void)state;
    save(s, in_folder("made.safetensors"), NULL);
    pare_state_destroy(s);
    for (int i = 0; i < N; i++) {
        const bytes whole = read_file(i == N - 1 ? in_folder("made.safetensors") : golden(names[i]));
        uint8_t    *copy = malloc(whole.n);
        pare_rng    rng = pare_rng_seed((uint64_t)i);
        const long  live = pare_alloc_live();

        assert_non_null(copy);
        for (size_t cut = 0; cut < whole.n; cut += 1 + whole.n / 300) {
            write_anew(whole.at, cut);
            if (pare_state_load(in_folder("changed"), &s) == PARE_OK)
                fail_msg("%s: read although it was cut at %zu of %zu", names[i], cut, whole.n);
            assert_int_equal(pare_alloc_live(), live);
        }
        for (int round = 0; round < ROUNDS; round++) {
            memcpy(copy, whole.at, whole.n);
            for (uint32_t k = 1 + pare_rng_below(&rng, 4); k > 0; k--)
                copy[pare_rng_below(&rng, (uint32_t)whole.n)] = (uint8_t)pare_rng_u64(&rng);
            write_anew(copy, whole.n);
            taken += pare_state_load(in_folder("changed"), &s) == PARE_OK;
            pare_state_destroy(s);
            assert_int_equal(pare_alloc_live(), live);
        }
        free(copy);
        free(whole.at);
    }
    assert_true(taken > 0 && taken < N * ROUNDS);
}

static void test_short_memory(void **state)
{
    static const char *const names[] = { "kinds.pth", "kinds_legacy.pth", "arrays.npz" };

    (void)state;
    for (int i = 0; i < 3; i++) {
        const long  live = pare_alloc_live();
        pare_status status = PARE_ERR_MEMORY;
        pare_state *s;

        for (long n = 1; status != PARE_OK && n < 1000; n++) {
            pare_alloc_fail_after(n);
            status = pare_state_load(golden(names[i]), &s);
            pare_alloc_fail_after(0);
            if (status == PARE_OK)
                pare_state_destroy(s);
            assert_int_equal(pare_alloc_live(), live);
        }
        assert_int_equal(status, PARE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torch),
        cmocka_unit_test(test_exploits),
        cmocka_unit_test(test_hostile_tensors),
        cmocka_unit_test(test_npz),
        cmocka_unit_test(test_safetensors),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_npz_out),
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_hostile_safetensors),
        cmocka_unit_test(test_no_weights),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_short_memory),
    };

#if !PARE_HAVE_ZIP || !PARE_HAVE_JANSSON
    print_message("skipped: built without libzip or jansson\n");
    return 0;
#endif
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
