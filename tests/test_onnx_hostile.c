/* SPDX-License-Identifier: Apache-2.0 */
/* test_onnx_hostile.c - ONNX files that are cut, damaged, contradictory or evil: a sentence, no crash, no leak */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "onnx_make.h"

static void small_model(pare_wire *w)
{
    make_model(w, 11, "x f32[N,3,6,6]",
               "c = Conv(x, f32[4,3,3,3], f32[4]) pads=[1,1,1,1]; r = Clip(c, f32:0, f32:6);"
               "p = MaxPool(r) kernel_shape=[2,2];"
               "m = ReduceMax(p) axes=[2,3] keepdims=0; s = Softmax(m); y = Cast(s) to=1",
               "y f32[N,4]");
}

/* Loads and throws away; a failure must have a sentence that starts with the name. */
static bool loads(const void *bytes, size_t size)
{
    pare_graph       *g;
    const pare_status status = pare_graph_load_memory(bytes, size, "evil.onnx", &g);

    if (status == PARE_OK) {
        pare_graph_destroy(g);
        return true;
    }
    assert_null(g);
    if (strncmp(pare_error(), "evil.onnx: ", 11) != 0)
        fail_msg("no file name in: %s", pare_error());
    return false;
}

static void truncated_at_every_byte(void **state)
{
    pare_wire w;

    (void)state;
    small_model(&w);
    assert_true(loads(w.bytes, (size_t)w.size));
    const long live = pare_alloc_live();
    for (int size = 0; size < w.size; size++) {
        void *const exact = malloc((size_t)size + 1); /* so that a sanitizer sees reads behind the end */
        memcpy(exact, w.bytes, (size_t)size);
        if (loads(exact, (size_t)size))
            fail_msg("a model cut to %d of %d bytes was read", size, w.size);
        free(exact);
    }
    assert_int_equal(pare_alloc_live(), live);
    pare_wire_free(&w);
}

static void damaged_at_random(void **state)
{
    const char *const asked = getenv("PARE_MUTATIONS");
    const int         cases = asked ? atoi(asked) : 2000;
    pare_wire         w;
    pare_rng          rng;
    int               read = 0;

    (void)state;
    small_model(&w);
    rng = pare_rng_seed(7);
    uint8_t *const bytes = malloc((size_t)w.size);
    const long     live = pare_alloc_live();
    for (int i = 0; i < cases; i++) {
        memcpy(bytes, w.bytes, (size_t)w.size);
        const int flips = 1 + (int)pare_rng_below(&rng, 4);
        for (int k = 0; k < flips; k++)
            bytes[pare_rng_below(&rng, (uint32_t)w.size)] = (uint8_t)pare_rng_below(&rng, 256);
        read += loads(bytes, (size_t)w.size);
    }
    assert_int_equal(pare_alloc_live(), live);
    printf("%d of %d damaged models could still be read\n", read, cases);
    free(bytes);
    pare_wire_free(&w);
}

static void memory_runs_out(void **state)
{
    pare_wire   w;
    pare_graph *g;

    (void)state;
    small_model(&w);
    for (long n = 1;; n++) {
        const long live = pare_alloc_live();
        pare_alloc_fail_after(n);
        const pare_status status = pare_graph_load_memory(w.bytes, (size_t)w.size, "evil.onnx", &g);
        pare_alloc_fail_after(0);
        if (status == PARE_OK) {
            pare_graph_destroy(g);
            assert_int_equal(pare_alloc_live(), live);
            assert_true(n > 10);
            break;
        }
        if (status != PARE_ERR_MEMORY)
            fail_msg("allocation %ld failed, but the sentence is: %s", n, pare_error());
        assert_int_equal(pare_alloc_live(), live);
    }
    pare_wire_free(&w);
}

/* y = If(c) whose branches hold an If, and so on. */
static void nest(pare_wire *w, int depth)
{
    pare_wire_begin(w, ONNX_GRAPH_NODE);
    if (depth == 0) {
        pare_wire_text(w, ONNX_NODE_INPUT, "x");
        pare_wire_text(w, ONNX_NODE_OUTPUT, "y0");
        pare_wire_text(w, ONNX_NODE_TYPE, "Relu");
    } else {
        char out[16];
        snprintf(out, sizeof(out), "y%d", depth);
        pare_wire_text(w, ONNX_NODE_INPUT, "c");
        pare_wire_text(w, ONNX_NODE_OUTPUT, out);
        pare_wire_text(w, ONNX_NODE_TYPE, "If");
        for (int branch = 0; branch < 2; branch++) {
            pare_wire_begin(w, ONNX_NODE_ATTRIBUTE);
            pare_wire_text(w, ONNX_ATTR_NAME, branch ? "else_branch" : "then_branch");
            pare_wire_begin(w, ONNX_ATTR_G);
            nest(w, branch ? 0 : depth - 1);
            pare_wire_begin(w, ONNX_GRAPH_OUTPUT);
            snprintf(out, sizeof(out), "y%d", branch ? 0 : depth - 1);
            pare_wire_text(w, ONNX_VALUE_NAME, out);
            pare_wire_end(w);
            pare_wire_end(w);
            pare_wire_int(w, ONNX_ATTR_TYPE, ONNX_KIND_GRAPH);
            pare_wire_end(w);
        }
    }
    pare_wire_end(w);
}

static bool nested_loads(int depth)
{
    pare_wire w = { 0 };
    char      out[16];

    snprintf(out, sizeof(out), "y%d", depth);
    pare_wire_begin(&w, ONNX_MODEL_GRAPH);
    nest(&w, depth);
    make_graph(&w, "x f32[2,3]; c bool[]", "", out);
    pare_wire_end(&w);
    make_opset(&w, 13);
    assert_false(w.failed);
    const bool loaded = loads(w.bytes, (size_t)w.size);
    pare_wire_free(&w);
    return loaded;
}

static void deep_nesting(void **state)
{
    (void)state;
    assert_true(nested_loads(3) || strstr(pare_error(), "op is not supported"));
    assert_false(nested_loads(23));
    assert_true(strstr(pare_error(), "nested") || strstr(pare_error(), "op is not supported"));
}

/* Each wrong thing is named. */
static void names_what_is_wrong(void **state)
{
    static const struct {
        int         opset;
        const char *inputs, *nodes, *outputs, *sentence;
    } cases[] = {
        { 13, "x f32[2]", "y = Relu(z)", "y", "node 'y' (Relu) reads 'z'" },
        { 13, "x f32[2]", "y = Relu(x)", "z", "output 'z' is made by no node" },
        { 13, "x f32[2]", "y = Relu(x)", "", "no outputs" },
        { 13, "x f32[2]", "y = Relu(x)", "y; y", "output 'y' is listed twice" },
        { 13, "x f32[2]", "y = Relu(x); y = Neg(x)", "y", "the name 'y' of node 'y' (Neg) is taken" },
        { 13, "x f32[2]; x f32[2]", "y = Relu(x)", "y", "the name 'x' of an input is taken" },
        { 13, "x f32[2]", "x = Relu(x)", "x", "the name 'x' of node 'x' (Relu) is taken" },
        { 13, "x f32[2]", "a = Add(x, b); b = Relu(a); y = Neg(b)", "y", "cycle" },
        { 13, "x f32[2]", "y = Frobnicate(x)", "y", "node 'y' (Frobnicate): this op is not supported" },
        { 13, "x f32[2]", "y = com.microsoft.FusedConv(x)", "y", "domain com.microsoft" },
        { 13, "x f32[2]", "y = Relu(x) alpha=1", "y", "node 'y' (Relu): attribute 'alpha' = 1 is not supported" },
        { 13, "x f32[2]", "y = LeakyRelu(x) alpha=1", "y", "attribute 'alpha' has the wrong type" },
        { 13, "x f32[2]", "y = Add(x)", "y", "node 'y' (Add): input 1 is missing" },
        { 13, "x f32[2]", "y = Add(x, )", "y", "node 'y' (Add): input 1 is missing" },
        { 13, "x f32[2]", "y = Relu(x, x)", "y", "node 'y' (Relu) has 2 inputs" },
        { 13, "x f32[2]", "y, z = Relu(x)", "y", "node 'y' (Relu) has 2 outputs" },
        { 13, "x f32[2]", "y = Cast(x) to=99", "y", "element type 99" },
        { 13, "x f32[2,-3]", "y = Relu(x)", "y", "value 'x' has the dimension -3" },
        { 13, "x f32[4000000000000,4000000000000]", "y = Relu(x)", "y", "value 'x' has an absurd size" },
        { 13, "x f32[1,1,1,1,1,1,1,1,1]", "y = Relu(x)", "y", "value 'x' has more than 8 dimensions" },
        { 13, "x", "y = Relu(x)", "y", "input 'x' has no element type" },
        { 13, "x f32[2,3]", "y = MatMul(x, f32[4,5])", "y", "node 'y'" },
        { 13, "x f32[2]; z f32[3]", "y = Add(x, z)", "y", "node 'y'" },
        { 6, "x f32[2]", "y = Relu(x)", "y", "operator set 6" },
        { 26, "x f32[2]", "y = Relu(x)", "y", "operator set 26" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pare_wire w;
        make_model(&w, cases[i].opset, cases[i].inputs, cases[i].nodes, cases[i].outputs);
        const bool loaded = loads(w.bytes, (size_t)w.size);
        if (loaded || !strstr(pare_error(), cases[i].sentence))
            fail_msg("%s -> %s: %s", cases[i].nodes, cases[i].outputs, loaded ? "was read" : pare_error());
        pare_wire_free(&w);
    }
}

/* An attribute that says it is a list of floats and holds integers. */
static void list_of_the_wrong_type(void **state)
{
    pare_wire w = { 0 };

    (void)state;
    pare_wire_begin(&w, ONNX_MODEL_GRAPH);
    pare_wire_begin(&w, ONNX_GRAPH_NODE);
    pare_wire_text(&w, ONNX_NODE_INPUT, "x");
    pare_wire_text(&w, ONNX_NODE_OUTPUT, "y");
    pare_wire_text(&w, ONNX_NODE_TYPE, "Squeeze");
    pare_wire_begin(&w, ONNX_NODE_ATTRIBUTE);
    pare_wire_text(&w, ONNX_ATTR_NAME, "axes");
    pare_wire_int(&w, ONNX_ATTR_INTS, 0);
    pare_wire_int(&w, ONNX_ATTR_TYPE, ONNX_KIND_FLOATS);
    pare_wire_end(&w);
    pare_wire_end(&w);
    make_graph(&w, "x f32[1,2]", "", "y");
    pare_wire_end(&w);
    make_opset(&w, 11);
    assert_false(loads(w.bytes, (size_t)w.size));
    assert_non_null(strstr(pare_error(), "node 'y' (Squeeze): attribute 'axes' is damaged"));
    pare_wire_free(&w);
}

static void is_no_model(void **state)
{
    static const char zeros[100];

    (void)state;
    assert_false(loads("", 0));
    assert_false(loads("\x89PNG\r\n\x1a\n", 8));
    assert_false(loads(zeros, sizeof(zeros)));
    assert_false(loads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12));
    assert_false(loads("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10)); /* a graph of 2^63 bytes */

    pare_graph *g;
    assert_int_equal(pare_graph_load_memory("\x89PNG\r\n\x1a\n", 8, "image.png", &g), PARE_ERR_DATA);
    assert_int_equal(pare_graph_load("/no/such/file.onnx", &g), PARE_ERR_IO);
    assert_non_null(strstr(pare_error(), "/no/such/file.onnx"));
}

/* Bodies' and messages' parts that are refused whole. */
static void refuses_parts(void **state)
{
    static const struct {
        int         field; /* of GraphProto */
        const char *bytes;
        size_t      size;
        const char *sentence;
    } cases[] = {
        { ONNX_GRAPH_SPARSE, "", 0, "sparse" },
        { ONNX_GRAPH_INPUT, "\x0a\x01s\x12\x02\x22\x00", 7, "value 's' is a sequence" },
        { ONNX_GRAPH_INPUT, "\x0a\x01s\x12\x02\x4a\x00", 7, "value 's' is an optional" },
        { ONNX_GRAPH_INPUT, "\x0a\x01s\x12\x04\x0a\x02\x08\x08", 9, "string" },
        { ONNX_GRAPH_INITIALIZER, "\x10\x08\x42\x01s\x32\x01s", 8, "tensor 's' holds strings" },
        { ONNX_GRAPH_INITIALIZER, "\x10\x01\x42\x00\x4a\x04\x00\x00\x00\x00", 10, "has no name" },
        { ONNX_GRAPH_INITIALIZER, "\x42\x01t", 3, "element type 0" },
        { ONNX_GRAPH_INITIALIZER, "\x42\x02\x1b[", 4, "damaged" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pare_wire w = { 0 };
        pare_wire_begin(&w, ONNX_MODEL_GRAPH);
        pare_wire_bytes(&w, cases[i].field, cases[i].bytes, cases[i].size);
        make_graph(&w, "x f32[2]", "y = Relu(x)", "y");
        pare_wire_end(&w);
        make_opset(&w, 13);
        assert_false(loads(w.bytes, (size_t)w.size));
        if (!strstr(pare_error(), cases[i].sentence))
            fail_msg("wanted '%s': %s", cases[i].sentence, pare_error());
        pare_wire_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_at_every_byte), cmocka_unit_test(damaged_at_random),
        cmocka_unit_test(memory_runs_out),         cmocka_unit_test(deep_nesting),
        cmocka_unit_test(names_what_is_wrong),     cmocka_unit_test(is_no_model),
        cmocka_unit_test(refuses_parts),           cmocka_unit_test(list_of_the_wrong_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
