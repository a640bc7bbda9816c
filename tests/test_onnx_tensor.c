/* SPDX-License-Identifier: Apache-2.0 */
/* test_onnx_tensor.c - tensor data in every form: raw, typed, in another file, and where it must not be */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "onnx_make.h"

/* An initializer 't' of dtype and dims, whose other fields `put` writes; y = Identity(t). */
typedef struct tensor_case {
    pare_dtype  dtype;
    int64_t     count;
    int         field; /* of TensorProto                          */
    const char *bytes; /* a packed list, or raw data              */
    size_t      size;
    double      last;     /* value of the last element            */
    const char *sentence; /* NULL: it is read                     */
} tensor_case;

static void begin_tensor(pare_wire *w, pare_dtype dtype, int64_t count)
{
    *w = (pare_wire){ 0 };
    pare_wire_begin(w, ONNX_MODEL_GRAPH);
    pare_wire_begin(w, ONNX_GRAPH_INITIALIZER);
    pare_wire_int(w, ONNX_TENSOR_DIMS, count);
    pare_wire_int(w, ONNX_TENSOR_TYPE, pare_dtype_to_onnx(dtype));
    pare_wire_text(w, ONNX_TENSOR_NAME, "t");
}

static void end_tensor(pare_wire *w)
{
    pare_wire_end(w);
    make_graph(w, "", "y = Identity(t)", "y");
    pare_wire_end(w);
    make_opset(w, 13);
    assert_false(w->failed);
}

static const tensor_case cases[] = {
    { PARE_f32, 2, ONNX_TENSOR_RAW, "\0\0\0\0\0\0\x80\x3f", 8, 1, NULL },
    { PARE_f32, 2, ONNX_TENSOR_FLOATS, "\0\0\0\0\0\0\x80\x3f", 8, 1, NULL },
    { PARE_f64, 1, ONNX_TENSOR_DOUBLES, "\0\0\0\0\0\0\xf0\x3f", 8, 1, NULL },
    { PARE_f64, 1, ONNX_TENSOR_RAW, "\0\0\0\0\0\0\xf0\x3f", 8, 1, NULL },
    { PARE_f16, 1, ONNX_TENSOR_INT32S, "\x80\x78", 2, 1, NULL },  /* 0x3c00 as varint */
    { PARE_bf16, 1, ONNX_TENSOR_INT32S, "\x80\x7f", 2, 1, NULL }, /* 0x3f80 */
    { PARE_f16, 1, ONNX_TENSOR_INT32S, "\x80\x80\x04", 3, 0, "does not fit" },
    { PARE_s64, 2, ONNX_TENSOR_INT64S, "\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, -1, NULL },
    { PARE_s32, 1, ONNX_TENSOR_INT32S, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, -1, NULL },
    { PARE_s32, 1, ONNX_TENSOR_INT32S, "\xff\xff\xff\xff\x0f", 5, 0, "does not fit" }, /* 2^32 - 1 */
    { PARE_u32, 1, ONNX_TENSOR_UINT64S, "\xff\xff\xff\xff\x0f", 5, 4294967295.0, NULL },
    { PARE_u64, 1, ONNX_TENSOR_UINT64S, "\x07", 1, 7, NULL },
    { PARE_u8, 3, ONNX_TENSOR_INT32S, "\x00\x01\xff\x01", 4, 255, NULL },
    { PARE_u8, 1, ONNX_TENSOR_INT32S, "\x80\x02", 2, 0, "does not fit" },
    { PARE_s8, 1, ONNX_TENSOR_INT32S, "\x80\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, -128, NULL },
    { PARE_u16, 1, ONNX_TENSOR_INT32S, "\xff\xff\x03", 3, 65535, NULL },
    { PARE_s16, 1, ONNX_TENSOR_RAW, "\x00\x80", 2, -32768, NULL },
    { PARE_bool, 2, ONNX_TENSOR_INT32S, "\x00\x05", 2, 1, NULL },
    { PARE_bool, 2, ONNX_TENSOR_RAW, "\x00\x05", 2, 1, NULL },
    { PARE_u4, 3, ONNX_TENSOR_RAW, "\x21\x0f", 2, 15, NULL },
    { PARE_s4, 3, ONNX_TENSOR_RAW, "\x21\x0f", 2, -1, NULL },
    { PARE_s4, 3, ONNX_TENSOR_INT32S, "\x21\x08", 2, -8, NULL },
    { PARE_s2, 4, ONNX_TENSOR_RAW, "\xc0", 1, -1, NULL },
    { PARE_f32, 0, ONNX_TENSOR_RAW, "", 0, 0, NULL },
    { PARE_f32, 0, ONNX_TENSOR_FLOATS, "", 0, 0, NULL },
    { PARE_f32, 2, ONNX_TENSOR_RAW, "\0\0\0\0\0\0\x80", 7, 0, "tensor 't' needs 8 bytes and has 7" },
    { PARE_f32, 2, ONNX_TENSOR_RAW, "\0\0\0\0\0\0\x80\x3f\0", 9, 0, "tensor 't' needs 8 bytes and has 9" },
    { PARE_f32, 2, ONNX_TENSOR_FLOATS, "\0\0\0\0", 4, 0, "tensor 't' needs 2 numbers and has 1" },
    { PARE_f32, 2, ONNX_TENSOR_FLOATS, "\0\0\0\0\0\0\x80", 7, 0, "damaged" },
    { PARE_f32, 1, ONNX_TENSOR_FLOATS, "\0\0\0\0\0\0\x80\x3f", 8, 0, "needs 1 numbers and has 2" },
    { PARE_f32, 1, ONNX_TENSOR_INT32S, "\x01", 1, 0, "needs 1 numbers and has 0" },
    { PARE_s4, 3, ONNX_TENSOR_RAW, "\x21", 1, 0, "needs 2 bytes and has 1" },
    { PARE_f32, -1, ONNX_TENSOR_RAW, "", 0, 0, "tensor 't' has the dimension -1" },
    { PARE_f32, (int64_t)1 << 40, ONNX_TENSOR_FLOATS, "\0\0\0\0", 4, 0, "but no data for them" },
    { PARE_f32, INT64_MAX, ONNX_TENSOR_RAW, "", 0, 0, "absurd" },
};

static void every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const tensor_case *const c = &cases[i];
        pare_wire                w;
        pare_graph              *g;
        begin_tensor(&w, c->dtype, c->count);
        pare_wire_bytes(&w, c->field, c->bytes, c->size);
        end_tensor(&w);
        const pare_status status = pare_graph_load_memory(w.bytes, (size_t)w.size, "t.onnx", &g);
        pare_wire_free(&w);
        if (c->sentence) {
            if (status == PARE_OK || !strstr(pare_error(), c->sentence))
                fail_msg("case %zu: wanted '%s': %s", i, c->sentence, status == PARE_OK ? "read" : pare_error());
            continue;
        }
        if (status != PARE_OK)
            fail_msg("case %zu: %s", i, pare_error());
        const pare_value *const t = pare_graph_find(g, "t");
        assert_int_equal(t->t.dtype, c->dtype);
        assert_int_equal(pare_shape_count(&t->t.shape), c->count);
        if (c->count > 0 && pare_tensor_real(&t->t, c->count - 1) != c->last)
            fail_msg("case %zu: %g", i, pare_tensor_real(&t->t, c->count - 1));
        pare_graph_destroy(g);
    }
}

/* Aligned raw data is used where the file lies; the same weight one byte on is copied. */
static void shares_what_is_aligned(void **state)
{
    int shared = 0, copied = 0;

    (void)state;
    for (int pad = 0; pad < 8; pad++) {
        pare_wire   w;
        pare_graph *g;
        begin_tensor(&w, PARE_f32, 2);
        pare_wire_bytes(&w, 12, "padding", (size_t)pad); /* doc_string */
        pare_wire_bytes(&w, ONNX_TENSOR_RAW, "\0\0\0\0\0\0\x80\x3f", 8);
        end_tensor(&w);
        assert_int_equal(pare_graph_load_memory(w.bytes, (size_t)w.size, "t.onnx", &g), PARE_OK);
        const pare_value *const t = pare_graph_find(g, "t");
        assert_true(pare_tensor_real(&t->t, 1) == 1);
        assert_int_equal((uintptr_t)t->t.data % 4, 0);
        if ((uintptr_t)t->t.data % 64 == 0)
            copied++; /* memory of its own starts at a multiple of 64; inside this file nothing does */
        else
            shared++;
        pare_graph_destroy(g);
        pare_wire_free(&w);
    }
    assert_int_equal(shared, 2);
    assert_int_equal(copied, 6);
}

/* ---------------------------------------------------------------------------------------------------- other files */

static char root[] = "/tmp/pare-tensor-XXXXXX";

static const char *under_root(const char *name)
{
    static char path[4][512];
    static int  turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[0]), "%s/%s", root, name);
    return path[turn];
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *const f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void write_entry(pare_wire *w, const char *key, const char *value)
{
    pare_wire_begin(w, ONNX_TENSOR_EXTERNAL);
    pare_wire_text(w, ONNX_ENTRY_KEY, key);
    pare_wire_text(w, ONNX_ENTRY_VALUE, value);
    pare_wire_end(w);
}

static pare_status load_external(const char *location, const char *offset, const char *length, double *first)
{
    pare_wire   w;
    pare_graph *g;

    begin_tensor(&w, PARE_f32, 2);
    if (location)
        write_entry(&w, "location", location);
    if (offset)
        write_entry(&w, "offset", offset);
    if (length)
        write_entry(&w, "length", length);
    pare_wire_int(&w, ONNX_TENSOR_LOCATION, 1);
    end_tensor(&w);
    write_file(under_root("model/m.onnx"), w.bytes, (size_t)w.size);
    pare_wire_free(&w);
    const pare_status status = pare_graph_load(under_root("model/m.onnx"), &g);
    if (status == PARE_OK) {
        *first = pare_tensor_real(&pare_graph_find(g, "t")->t, 0);
        pare_graph_destroy(g);
    }
    return status;
}

static void external_data(void **state)
{
    static const struct {
        const char *location, *offset, *length, *sentence;
        double      first;
    } places[] = {
        { "w.bin", NULL, NULL, NULL, 0 },
        { "w.bin", "4", "8", NULL, 1 },
        { "w.bin", "8", NULL, NULL, 2 },
        { "./w.bin", "4", NULL, NULL, 1 },
        { "sub/w.bin", "4", NULL, NULL, 1 },
        { "inner", "4", NULL, NULL, 1 }, /* a link that stays inside */
        { "w.bin", "9", NULL, "lie outside of 'w.bin', which has 16 bytes", 0 },
        { "w.bin", "-4", NULL, "lie outside", 0 },
        { "w.bin", "99999999999999999999", NULL, "lie outside", 0 },
        { "w.bin", "four", NULL, "is no number", 0 },
        { "w.bin", "0", "4", "has the length 4", 0 },
        { "w.bin", "0", "-8", "has the length -8", 0 },
        { NULL, "0", NULL, "does not say in which", 0 },
        { "", NULL, NULL, "not a plain relative path", 0 },
        { "../secret.bin", NULL, NULL, "not a plain relative path", 0 },
        { "sub/../../secret.bin", NULL, NULL, "not a plain relative path", 0 },
        { "sub/..", NULL, NULL, "not a plain relative path", 0 },
        { "..\\secret.bin", NULL, NULL, "not a plain relative path", 0 },
        { "/etc/passwd", NULL, NULL, "not a plain relative path", 0 },
        { "outside", NULL, NULL, "link out of the model's folder", 0 },
        { "folder/secret.bin", NULL, NULL, "link out of the model's folder", 0 },
        { "missing.bin", NULL, NULL, "missing.bin", 0 },
        { "sub", NULL, NULL, "sub", 0 },
    };
    static const float numbers[4] = { 0, 1, 2, 3 };

    (void)state;
    assert_non_null(mkdtemp(root));
    assert_int_equal(mkdir(under_root("model"), 0700), 0);
    assert_int_equal(mkdir(under_root("model/sub"), 0700), 0);
    write_file(under_root("model/w.bin"), numbers, sizeof(numbers));
    write_file(under_root("model/sub/w.bin"), numbers, sizeof(numbers));
    write_file(under_root("secret.bin"), numbers, sizeof(numbers));
    assert_int_equal(symlink("sub/w.bin", under_root("model/inner")), 0);
    assert_int_equal(symlink("../secret.bin", under_root("model/outside")), 0);
    assert_int_equal(symlink("..", under_root("model/folder")), 0);

    const long live = pare_alloc_live();
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        double            first = -1;
        const pare_status status = load_external(places[i].location, places[i].offset, places[i].length, &first);
        if (places[i].sentence) {
            if (status == PARE_OK || !strstr(pare_error(), places[i].sentence) ||
                !strstr(pare_error(), "m.onnx: tensor"))
                fail_msg("%s: wanted '%s': %s", places[i].location, places[i].sentence,
                         status == PARE_OK ? "was read" : pare_error());
        } else if (status != PARE_OK || first != places[i].first) {
            fail_msg("%s at %s: %g, %s", places[i].location, places[i].offset, first, pare_error());
        }
    }
    assert_int_equal(pare_alloc_live(), live);

    static const char *const files[] = { "model/inner",     "model/outside", "model/folder", "model/w.bin",
                                         "model/sub/w.bin", "model/m.onnx",  "secret.bin" };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        assert_int_equal(unlink(under_root(files[i])), 0);
    rmdir(under_root("model/sub"));
    rmdir(under_root("model"));
    assert_int_equal(rmdir(root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(shares_what_is_aligned),
        cmocka_unit_test(external_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
