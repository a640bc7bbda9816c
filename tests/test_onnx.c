/* SPDX-License-Identifier: Apache-2.0 */
/* test_onnx.c - what is saved is what was meant: forms of constants, operator sets, clamps, bodies */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "onnx_run.h"

static char folder[] = "/tmp/pare-onnx-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][512];
    static int  turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof(path[0]), "%s/%s", folder, name);
    return path[turn];
}

static void must(pare_status status)
{
    if (status != PARE_OK)
        fail_msg("%s: %s", pare_status_name(status), pare_error());
}

static pare_buf *bytes_of(const char *path)
{
    pare_buf *buf;

    must(pare_buf_map(path, &buf));
    return buf;
}

static void assert_same_file(const char *a, const char *b)
{
    pare_buf *const x = bytes_of(a), *const y = bytes_of(b);

    assert_int_equal(pare_buf_size(x), pare_buf_size(y));
    assert_memory_equal(pare_buf_bytes(x), pare_buf_bytes(y), pare_buf_size(x));
    pare_buf_unref(x);
    pare_buf_unref(y);
}

static pare_graph *made(int opset, const char *inputs, const char *nodes, const char *outputs)
{
    pare_graph *g;

    must(make_and_load(opset, inputs, nodes, outputs, &g));
    return g;
}

/* Saves, loads, saves again: equal bytes. The loaded graph. */
static pare_graph *through_file(const pare_graph *g, const pare_save_options *options)
{
    const char *const first = in_folder("first.onnx"), *const again = in_folder("again.onnx");
    pare_graph *back;

    must(pare_graph_save(g, first, options));
    must(pare_graph_load(first, &back));
    must(pare_graph_save(back, again, options));
    if (!options || !options->external_data)
        assert_same_file(first, again);
    return back;
}

/* ------------------------------------------------------------------------------------------------------ round trip */

static const struct {
    const char *inputs, *nodes, *outputs;
} models[] = {
    { "x f32[N,3,8,8]",
      "c = Conv(x, f32[4,3,3,3], f32[4]) pads=[1,1,1,1] strides=[2,2]; r = Relu(c);"
      "y = GlobalAveragePool(r)",
      "y" },
    { "x f32[2,3]; z f32[2,3]", "a = Add(x, z); b = Mul(a, f32:0.5); y = Sub(b, x); w = Neg(y)", "w; y" },
    { "x f32[1,4,6,6]",
      "m = MaxPool(x) kernel_shape=[2,2] strides=[2,2]; f = Flatten(m);"
      "y = Gemm(f, f32[5,36], f32[5]) transB=1",
      "y" },
    { "x f32[2,3,4]", "a, b = Split(x, s64{1,3}) axis=2; y = Concat(b, a) axis=2", "y" },
    { "x f32[2,3,4]",
      "a = Clip(x, , f32:0.5); b = Squeeze(x2, s64{0}); x2 = Unsqueeze(a, s64{0});"
      "y = LeakyRelu(b) alpha=0.25",
      "y" },
    { "x f32[2,3,4]", "y = Cast(x) to=7; z = Equal(y, s64:0); w = Where(z, x, f32:3)", "w; y" },
};

static void round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(models) / sizeof(*models); i++) {
        pare_graph *const g = made(13, models[i].inputs, models[i].nodes, models[i].outputs);
        pare_graph *const back = through_file(g, NULL);
        assert_int_equal(back->opset, 13);
        must(pare_graph_verify(back));
        assert_true(same_results(g, back, models[i].nodes));
        assert_string_equal(back->inputs[0]->name, "x");
        assert_string_equal(back->outputs[0]->name, g->outputs[0]->name);
        pare_graph_destroy(g);
        pare_graph_destroy(back);
    }
}

static void keeps_names_and_metadata(void **state)
{
    pare_graph *const g = made(13, "x f32[batch,3]", "y = Relu(x)", "y f32[batch,3]");

    (void)state;
    must(pare_graph_add_meta(g, "key", "a value\nof two lines"));
    pare_graph *const back = through_file(g, NULL);
    assert_string_equal(pare_graph_meta(back, "key"), "a value\nof two lines");
    assert_string_equal(back->inputs[0]->dim_name[0], "batch");
    assert_string_equal(back->outputs[0]->dim_name[0], "batch");
    assert_string_equal(back->name, "made");
    assert_int_equal(back->inputs[0]->t.shape.dim[0], PARE_DIM_ANY);
    assert_string_equal(back->file, in_folder("first.onnx"));
    pare_graph_destroy(g);
    pare_graph_destroy(back);
}

/* ------------------------------------------------------------------------------------------------- operator sets */

static void chooses_the_smallest_opset(void **state)
{
    static const struct {
        int         least;
        const char *nodes;
    } cases[] = {
        { 13, "y = Relu(x)" },
        { 13, "y = ReduceMean(x, s64{1})" },
        { 14, "y = HardSwish(x)" },
        { 14, "y = Reshape(x, s64{3,2,4}) allowzero=1" },
        { 17, "y = LayerNormalization(x, f32[4])" },
        { 18, "y = Mish(x)" },
        { 18, "y, z = Split(x) num_outputs=2 axis=2" },
        { 20, "y = Gelu(x)" },
        { 21, "q = QuantizeLinear(x, f32:0.5, s16:0); y = DequantizeLinear(q, f32:0.5, s16:0)" },
        { 13, "q = QuantizeLinear(x, f32:0.5, u8:3); y = DequantizeLinear(q, f32:0.5, u8:3)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pare_graph *g;
        if (make_and_load(21, "x f32[2,3,4]", cases[i].nodes, "y", &g) != PARE_OK) {
            assert_non_null(strstr(pare_error(), "op is not supported"));
            printf("skipped: %s\n", pare_error());
            continue;
        }
        pare_graph *const back = through_file(g, NULL);
        if (back->opset != cases[i].least)
            fail_msg("%s: %d", cases[i].nodes, back->opset);
        assert_true(same_results(g, back, cases[i].nodes));
        pare_graph_destroy(back);

        const char *const path = in_folder("insisted.onnx");
        if (cases[i].least > 13) {
            const pare_save_options less = { .opset = cases[i].least - 1 };
            assert_int_equal(pare_graph_save(g, path, &less), PARE_ERR_ARG);
            assert_non_null(strstr(pare_error(), "insisted.onnx: node '"));
            assert_int_not_equal(access(path, F_OK), 0);
        }
        must(pare_graph_save(g, path, &(pare_save_options){ .opset = 25 }));
        pare_graph *newest;
        must(pare_graph_load(path, &newest));
        assert_true(same_results(g, newest, cases[i].nodes));
        unlink(path);
        pare_graph_destroy(newest);
        pare_graph_destroy(g);
    }
}

static void refuses_bad_saves(void **state)
{
    pare_graph *const g = made(13, "x f32[2]", "y = Relu(x)", "y");

    (void)state;
    assert_int_equal(pare_graph_save(g, in_folder("model.txt"), NULL), PARE_ERR_ARG);
    assert_int_equal(pare_graph_save(g, in_folder("a.onnx"), &(pare_save_options){ .opset = 12 }), PARE_ERR_ARG);
    assert_int_equal(pare_graph_save(g, in_folder("a.onnx"), &(pare_save_options){ .opset = 26 }), PARE_ERR_ARG);
    assert_int_equal(pare_graph_save(g, in_folder("no/such/folder/a.onnx"), NULL), PARE_ERR_IO);
    assert_int_not_equal(access(in_folder("a.onnx"), F_OK), 0);
    pare_graph_destroy(g);
}

/* ---------------------------------------------------------------------------------------------------------- clamp */

static void writes_clamps_as_nodes(void **state)
{
    static const struct {
        float       lo, hi;
        const char *last;
    } cases[] = {
        { 0, INFINITY, "Relu" },
        { 0, 6, "Clip" },
        { -INFINITY, 0.25f, "Clip" },
        { -0.5f, INFINITY, "Clip" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pare_graph *const g = made(13, "x f32[1,3,4,4]", "c = Conv(x, f32[4,3,3,3]); y = Add(c, c)", "y");
        pare_node_set_f(g->first, "clamp_lo", cases[i].lo);
        pare_node_set_f(g->first, "clamp_hi", cases[i].hi);
        pare_node_set_f(g->last, "clamp_lo", cases[i].lo);
        pare_node_set_f(g->last, "clamp_hi", cases[i].hi);

        pare_graph *back;
        must(pare_graph_save(g, in_folder("clamp.onnx"), NULL));
        must(pare_graph_load(in_folder("clamp.onnx"), &back));
        assert_int_equal(pare_graph_n_nodes(back), 4);
        assert_string_equal(back->last->op->onnx, cases[i].last);
        assert_string_equal(back->last->out[0]->name, "y");
        assert_non_null(pare_graph_find(back, "c"));
        assert_true(same_results(g, back, cases[i].last));
        pare_graph_destroy(g);
        pare_graph_destroy(back);
    }
}

/* ------------------------------------------------------------------------------------------------------ constants */

/* y = Identity of a Constant node with one attribute, written by `put`. */
static pare_graph *constant_model(void (*put)(pare_wire *w))
{
    pare_wire   w = { 0 };
    pare_graph *g;

    pare_wire_begin(&w, ONNX_MODEL_GRAPH);
    pare_wire_begin(&w, ONNX_GRAPH_NODE);
    pare_wire_text(&w, ONNX_NODE_OUTPUT, "c");
    pare_wire_text(&w, ONNX_NODE_TYPE, "Constant");
    pare_wire_begin(&w, ONNX_NODE_ATTRIBUTE);
    put(&w);
    pare_wire_end(&w);
    pare_wire_end(&w);
    make_graph(&w, "", "y = Identity(c)", "y");
    pare_wire_end(&w);
    make_opset(&w, 13);
    must(pare_graph_load_memory(w.bytes, (size_t)w.size, "made.onnx", &g));
    pare_wire_free(&w);
    assert_int_equal(pare_graph_n_nodes(g), 1);
    return g;
}

static void put_int(pare_wire *w)
{
    pare_wire_text(w, ONNX_ATTR_NAME, "value_int");
    pare_wire_int(w, ONNX_ATTR_I, -7);
    pare_wire_int(w, ONNX_ATTR_TYPE, ONNX_KIND_INT);
}

static void put_ints(pare_wire *w)
{
    pare_wire_text(w, ONNX_ATTR_NAME, "value_ints");
    pare_wire_bytes(w, ONNX_ATTR_INTS, "\x03\x04", 2); /* packed: what proto3 writers do */
    pare_wire_int(w, ONNX_ATTR_INTS, 5);
    pare_wire_int(w, ONNX_ATTR_TYPE, ONNX_KIND_INTS);
}

static void put_float(pare_wire *w)
{
    pare_wire_text(w, ONNX_ATTR_NAME, "value_float");
    pare_wire_float(w, ONNX_ATTR_F, 0.5f);
    pare_wire_int(w, ONNX_ATTR_TYPE, ONNX_KIND_FLOAT);
}

static void put_floats(pare_wire *w)
{
    pare_wire_text(w, ONNX_ATTR_NAME, "value_floats");
    pare_wire_int(w, ONNX_ATTR_TYPE, ONNX_KIND_FLOATS); /* an empty list */
}

static void put_tensor(pare_wire *w)
{
    int64_t     one = 1;
    bool        yes = true;
    pare_tensor t = pare_tensor_of(PARE_bool, pare_shape_of(1, &one));

    t.data = &yes;
    pare_wire_text(w, ONNX_ATTR_NAME, "value");
    make_tensor(w, ONNX_ATTR_T, "t", &t);
    pare_wire_int(w, ONNX_ATTR_TYPE, ONNX_KIND_TENSOR);
}

static void reads_constants_in_every_form(void **state)
{
    static const struct {
        void (*put)(pare_wire *w);
        pare_dtype dtype;
        int        rank, count;
        double     first;
    } cases[] = {
        { put_int, PARE_s64, 0, 1, -7 },   { put_ints, PARE_s64, 1, 3, 3 },    { put_float, PARE_f32, 0, 1, 0.5 },
        { put_floats, PARE_f32, 1, 0, 0 }, { put_tensor, PARE_bool, 1, 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        pare_graph *const       g = constant_model(cases[i].put);
        const pare_value *const c = pare_graph_find(g, "c");
        assert_true(pare_value_is_const(c));
        assert_int_equal(c->t.dtype, cases[i].dtype);
        assert_int_equal(c->t.shape.rank, cases[i].rank);
        assert_int_equal(pare_shape_count(&c->t.shape), cases[i].count);
        if (cases[i].count > 0)
            assert_true(pare_tensor_real(&c->t, 0) == cases[i].first);
        pare_graph_destroy(through_file(g, NULL));
        pare_graph_destroy(g);
    }
}

/* ---------------------------------------------------------------------------------------------------- external data */

static void external_data_round_trip(void **state)
{
    static const char nodes[] = "a = Gemm(x, f32[20,30], f32[30]); b = Gemm(a, f32[30,40]); y = Relu(b)";
    pare_graph *const g = made(13, "x f32[1,20]", nodes, "y");
    pare_graph       *back;
    struct stat       model, data;

    (void)state;
    must(pare_graph_save(g, in_folder("big.onnx"), &(pare_save_options){ .external_data = true }));
    assert_int_equal(stat(in_folder("big.onnx"), &model), 0);
    assert_int_equal(stat(in_folder("big.onnx.data"), &data), 0);
    assert_true(model.st_size < 1500);
    assert_int_equal(data.st_size, 2432 + 4800); /* 20 * 30 floats up to a multiple of 64 bytes, then 30 * 40 */
    must(pare_graph_load(in_folder("big.onnx"), &back));
    assert_true(same_results(g, back, "external data"));
    pare_graph_destroy(back);
    pare_graph_destroy(g);
}

/* --------------------------------------------------------------------------------------------------------- bodies */

/* A branch with one node that reads the outer x: its result is called `name`. */
static pare_graph *branch(pare_graph *g, pare_value *x, const char *onnx_op, const char *name)
{
    pare_graph *body;
    pare_value *v;

    must(pare_graph_create_body(g, name, &body));
    must(pare_graph_add_value(body, name, &v));
    must(pare_graph_add_node(body, pare_op_find_onnx(onnx_op), NULL, 1, &x, 1, &v, NULL, NULL));
    must(pare_graph_add_output(body, v));
    return body;
}

static void bodies_read_outer_values(void **state)
{
    pare_graph      *g = made(13, "x f32[2,3]; c bool[]", "n = Neg(x)", "n");
    pare_value      *cond = g->inputs[1], *y;
    pare_node       *node;
    const pare_shape shape = g->inputs[0]->t.shape;

    (void)state;
    must(pare_graph_add_value(g, "y", &y));
    y->t = pare_tensor_of(PARE_f32, shape);
    y->has_shape = true;
    must(pare_graph_add_node(g, pare_op_find_onnx("If"), "choice", 1, &cond, 1, &y, NULL, &node));
    pare_node_set_graph(node, "then_branch", branch(g, pare_graph_find(g, "n"), "Exp", "then"));
    pare_node_set_graph(node, "else_branch", branch(g, g->inputs[0], "Relu", "else"));
    must(pare_graph_add_output(g, y));
    must(pare_graph_infer(g, false));

    pare_graph *const back = through_file(g, NULL);
    must(pare_graph_verify(back));
    assert_true(same_results(g, back, "If"));
    assert_string_equal(pare_node_body(back->last, 1)->outputs[0]->name, "else");
    pare_graph_destroy(back);
    pare_graph_destroy(g);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    DIR *const dir = opendir(folder);

    (void)state;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        unlink(in_folder(e->d_name));
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(keeps_names_and_metadata),
        cmocka_unit_test(chooses_the_smallest_opset),
        cmocka_unit_test(refuses_bad_saves),
        cmocka_unit_test(writes_clamps_as_nodes),
        cmocka_unit_test(reads_constants_in_every_form),
        cmocka_unit_test(external_data_round_trip),
        cmocka_unit_test(bodies_read_outer_values),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
