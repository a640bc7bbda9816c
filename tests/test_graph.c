/* SPDX-License-Identifier: Apache-2.0 */
/* test_graph.c - building, editing, sorting, copying, inferring and verifying graphs, and their text */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "graph/graph.h"
#include "tensor/qparams.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

static pare_graph *parse(const char *text)
{
    pare_graph *g = NULL;

    OK(pare_graph_parse(text, &g));
    return g;
}

static void check_text(const pare_graph *g, const char *want)
{
    char *text;

    OK(pare_graph_print(g, &text));
    assert_string_equal(text, want);
    pare_free(text);
}

static pare_value *value(const pare_graph *g, const char *name)
{
    pare_value *const v = pare_graph_find(g, name);

    assert_non_null(v);
    return v;
}

static void check_shape(const pare_graph *g, const char *name, const char *want)
{
    char              text[PARE_SHAPE_TEXT];
    const pare_value *v = value(g, name);

    assert_string_equal(v->has_shape ? pare_shape_text(&v->t.shape, text) : "unknown", want);
}

static void check_fails(pare_status status, pare_status want, const char *part)
{
    assert_int_equal(status, want);
    if (!strstr(pare_error(), part))
        fail_msg("'%s' expected in: %s", part, pare_error());
}

/* ------------------------------------------------------------------------------------------------------------- text */

/* Everything the language has. Numbers are written so that they read back to equal bits. */
static const char *const everything =
    "graph \"a b\"\n"
    "%x = input f32[N,3,?,8]\n"
    "%raw = input f32\n"
    "%codes = input u8[1,2] q(0.5, 3)\n"
    "%c = input bool[]\n"
    "@nan = const f32[7] {nan,-nan,inf,-inf,-0,1.17549435e-38,0.100000001}\n"
    "@d = const f64[2] {0.10000000000000001,-1.7976931348623157e+308}\n"
    "@h = const f16[3] {65504,5.96046448e-08,-inf}\n"
    "@i = const s64[2] {-9223372036854775808,9223372036854775807}\n"
    "@nibbles = const s4[3] {-8,7,0}\n"
    "@empty = const f32[0,3] {}\n"
    "@scalar = const s32[] {-5}\n"
    "@k = const s8[4,1,1,1] {-128,127,0,3} q([0.100000001,0.25,1,2], axis=0)\n"
    "@m = const u4[2,2] {0,15,1,2} q([1,2], [3,4], offset=[0.5,-1], axis=1, block=2)\n"
    "%\"odd \\\"name\\\" \\\\ \\x01\" = relu(%x)\n"
    "%/layer.1/conv::out-0 = clip(%\"odd \\\"name\\\" \\\\ \\x01\", ?, @scalar)\n"
    "%p : u8 q(0.25, 128) channels_last halo=[1,2,3,4] = relu(%codes)\n"
    "%s, ? = dropout(%raw) seed=7\n"
    "%t = transpose(%raw) perm=[1,0]\n"
    "%v = pad(%raw, @i) mode=\"reflect\"\n"
    "%o = constant_of_shape(@i) value=s32[1] {7}\n"
    "%e = cast(%raw) to=s8\n"
    "%y = if(%c) then_branch={\n"
    "    @two = const f32[1] {2}\n"
    "    %z = if(%c) then_branch={\n"
    "        %deep = add(%raw, @two)\n"
    "        return %deep\n"
    "    } else_branch={\n"
    "        return @two\n"
    "    }\n"
    "    return %z\n"
    "} else_branch={\n"
    "    return %raw\n"
    "}\n"
    "return %y, @k, %s\n";

static void text_reads_back(void **state)
{
    pare_graph *const g = parse(everything);

    (void)state;
    check_text(g, everything);
    assert_string_equal(g->name, "a b");
    assert_string_equal(value(g, "x")->dim_name[0], "N");
    assert_null(value(g, "x")->dim_name[2]);
    assert_false(value(g, "raw")->has_shape);
    assert_non_null(pare_graph_find(g, "odd \"name\" \\ \x01"));
    assert_true(value(g, "p")->format == PARE_CHANNELS_LAST && value(g, "p")->halo[1][0] == 3);
    assert_int_equal(pare_tensor_int(&value(g, "nibbles")->t, 0), -8);
    assert_int_equal(value(g, "m")->t.q->zero[1], 4);
    assert_int_equal(value(g, "c")->n_uses, 2);
    assert_null(pare_graph_find(g, "deep")); /* a body's own */
    OK(pare_graph_verify(g));
    pare_graph_destroy(g);
}

/* Large constants: reproducible from a seed, printed as a hash that tells them apart, not read back. */
static void seeds(void **state)
{
    pare_graph *const a = parse("@w = const f32[5,7] seed=1\nreturn @w");
    pare_graph *const b = parse("@w = const f32[5,7] seed=2 return @w");
    pare_graph *const c = parse("@w = const f32[5,7] seed=1 return @w");
    pare_graph       *none;
    char             *ta, *tb, *tc;

    (void)state;
    OK(pare_graph_print(a, &ta));
    OK(pare_graph_print(b, &tb));
    OK(pare_graph_print(c, &tc));
    assert_string_equal(ta, tc);
    assert_string_not_equal(ta, tb);
    assert_non_null(strstr(ta, "@w = const f32[5,7] hash=0x"));
    check_fails(pare_graph_parse(ta, &none), PARE_ERR_DATA, "line 2: the values of this constant were not written out");
    assert_null(none);
    pare_free(ta);
    pare_free(tb);
    pare_free(tc);
    pare_graph_destroy(a);
    pare_graph_destroy(b);
    pare_graph_destroy(c);
}

static void bad_text_is_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        { "", "'return' is missing" },
        { "%x = input f32[2]\n", "line 2: 'return' is missing" },
        { "%x = input f33[2] return %x", "a dtype expected" },
        { "%x = input f32[2", "']' expected" },
        { "%x = input f32[1,1,1,1,1,1,1,1,1] return %x", "more than 8 dimensions" },
        { "%x = input f32[2] %x = input f32[2] return %x", "'x' is defined twice" },
        { "%x = input f32[2] %x = relu(%x) return %x", "'x' is defined twice" },
        { "%x = input f32[2] %a, %a = dropout(%x) return %a", "'a' is defined twice" },
        { "%x = input f32[2]\n%y = frobnicate(%x)\nreturn %y", "line 2: there is no op 'frobnicate'" },
        { "%x = input f32[2] %y = relu(%x) speed=3 return %y", "relu has no attribute 'speed'" },
        { "%x = input f32[2] %y = transpose(%x) perm=[0,x] return %y", "a whole number expected" },
        { "%x = input f32[2] %y = relu(%z) return %y", "'z' is read, but never defined" },
        { "@k = const f32[2] {1} return @k", "',' expected" },
        { "@k = const f32[1] {1,2} return @k", "'}' expected" },
        { "@k = const f32[N] {1} return @k", "must be a number" },
        { "@k = const s8[1] {1} q([1,2], [0]) return @k", "2 scales, but 1 zero points" },
        { "@k = const s8[1] {1} q(1, 1e20) return @k", "no 32-bit number" },
        { "@k = const f32[4611686018427387904] seed=1 return @k", "more than 16777216 numbers" },
        { "@k = const f32[1000000000000] {1,2} return @k", "the text ends before the last of 1000000000000" },
        { "@k = const f32[4611686018427387904,4] {1} return @k", "cannot be allocated" },
        { "%\"no end = input f32[2] return %x", "a string has no end" },
        { "%x = input f32[2] return %x %y", "text follows after 'return'" },
        { "%x = input f32[2] return ?", "an output cannot be left out" },
        { "%x = input bool[] %y = if(%x) then_branch={ return %x", "'}' expected" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pare_graph       *g;
        const pare_status status = pare_graph_parse(cases[i].text, &g);

        if (status == PARE_OK || !strstr(pare_error(), cases[i].sentence))
            fail_msg("case %d: '%s' expected: %s", (int)i, cases[i].sentence, status ? pare_error() : "accepted");
        assert_null(g);
    }
}

static void deep_bodies_are_refused(void **state)
{
    enum { DEPTH = 5000 };
    static const char level[] = "%y = if(%c) then_branch={ ", start[] = "%c = input bool[] ";
    char *const       text = malloc(sizeof(start) + DEPTH * (sizeof(level) + 8)), *at = text;
    pare_graph       *g;

    (void)state;
    assert_non_null(text);
    at += sprintf(at, "%s", start);
    for (int i = 0; i < DEPTH; i++)
        at += sprintf(at, "%%y%d%s", i, level + 2);
    check_fails(pare_graph_parse(text, &g), PARE_ERR_DATA, "bodies are nested more than 32 deep");
    free(text);
}

/* Cut at every byte, the text is refused or read, never followed by a crash or a leak. */
static void cut_text_leaks_nothing(void **state)
{
    const long   live = pare_alloc_live();
    const size_t n = strlen(everything);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char *const text = strndup(everything, i);
        pare_graph *g;

        if (pare_graph_parse(text, &g) == PARE_OK)
            pare_graph_destroy(g);
        free(text);
    }
    assert_int_equal(pare_alloc_live(), live);
}

/* ------------------------------------------------------------------------------------------------------------ build */

static void names_stay_unique(void **state)
{
    pare_graph      *g, *body;
    pare_value      *a, *b, *c, *d, *e;
    const pare_shape two = pare_shape_of(1, (const int64_t[]){ 2 });

    (void)state;
    OK(pare_graph_create("g", &g));
    OK(pare_graph_add_input(g, "x", PARE_f32, &two, &a));
    OK(pare_graph_add_value(g, "x", &b));
    OK(pare_graph_create_body(g, "then", &body));
    OK(pare_graph_add_value(body, "x", &c));
    OK(pare_graph_add_value(g, "", &d));
    OK(pare_graph_add_value(g, NULL, &e));
    assert_string_equal(b->name, "x_1");
    assert_string_equal(c->name, "x_2");
    assert_string_equal(d->name, "1");
    assert_string_equal(e->name, "2");
    assert_ptr_equal(pare_graph_find(body, "x"), a);
    assert_null(pare_graph_find(g, "x_2"));

    pare_graph_swap_names(a, c);
    assert_string_equal(a->name, "x_2");
    assert_ptr_equal(pare_graph_find(g, "x_2"), a);
    assert_ptr_equal(pare_graph_find(body, "x"), c);

    /* Sweeping drops all but the input, and frees the names. */
    pare_graph_sweep(g);
    assert_ptr_equal(g->values, a);
    assert_ptr_equal(g->values_tail, a);
    assert_null(pare_graph_find(g, "x_1"));
    OK(pare_graph_add_value(g, "x_1", &b));
    assert_string_equal(b->name, "x_1");
    pare_graph_destroy(g);
}

static void nodes_get_names(void **state)
{
    pare_graph          *g = parse("%x = input f32[2] %y = relu(%x) return %y");
    const pare_op *const op = pare_op_find("neg");
    pare_value          *v;
    pare_node           *n;

    (void)state;
    assert_string_equal(g->first->name, "y");
    OK(pare_graph_add_value(g, "z", &v));
    OK(pare_graph_add_node(g, op, "y", 1, (pare_value *const[]){ value(g, "x") }, 1, (pare_value *const[]){ v },
                           g->first, &n));
    assert_string_equal(n->name, "y_1");
    assert_ptr_equal(g->first, n);
    assert_ptr_equal(n->next->prev, n);
    OK(pare_graph_verify(g));
    pare_graph_destroy(g);
}

static void constants_share_or_copy(void **state)
{
    pare_graph *g;
    pare_value *a, *b, *c;
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(2, (const int64_t[]){ 2, 3 }));
    float       own[6] = { 0, 1, 2, 3, 4, 5 };
    const long  live = pare_alloc_live();

    (void)state;
    OK(pare_tensor_alloc(&t));
    memcpy(t.data, own, sizeof(own));
    OK(pare_graph_create("g", &g));
    OK(pare_graph_add_const(g, "shared", &t, &a));
    assert_ptr_equal(a->t.data, t.data);
    pare_tensor view = pare_tensor_permuted(&t, (const int[]){ 1, 0 });
    view.buf = t.buf;
    OK(pare_graph_add_const(g, "strided", &view, &b));
    pare_tensor_release(&t); /* the graph's reference keeps the bytes */
    t.data = own;
    OK(pare_graph_add_const(g, "copied", &t, &c));
    own[5] = 99;
    assert_true(pare_tensor_real(&a->t, 5) == 5 && pare_tensor_real(&c->t, 5) == 5);
    assert_true(pare_tensor_is_dense(&b->t) && pare_tensor_real(&b->t, 1) == 3);
    pare_graph_destroy(g);
    assert_int_equal(pare_alloc_live(), live);
}

/* ------------------------------------------------------------------------------------------------------------- edit */

static void uses_are_counted(void **state)
{
    pare_graph *const g = parse("%x = input f32[2] %c = input bool[] %a = relu(%x) %b = add(%a, %a)\n"
                                "%y = if(%c) then_branch={ return %a } else_branch={ %n = neg(%a) return %n }\n"
                                "return %b, %y, %a");
    pare_value *const a = value(g, "a"), *const x = value(g, "x");

    (void)state;
    assert_int_equal(a->n_uses, 5);
    assert_null(pare_value_only_user(a));
    assert_ptr_equal(pare_value_only_user(x), g->first);
    assert_null(pare_value_only_user(value(g, "b"))); /* an output */

    pare_graph_replace_uses(g, a, x);
    assert_int_equal(a->n_uses, 0);
    assert_int_equal(x->n_uses, 6);
    OK(pare_graph_verify(g));
    pare_graph_remove_node(g->first);
    pare_graph_remove_node(value(g, "y")->producer->prev);
    assert_int_equal(x->n_uses, 3);

    /* With the If its bodies go, and what they read. Its output is then made by nobody. */
    pare_graph_remove_node(g->last);
    assert_int_equal(x->n_uses, 1);
    check_fails(pare_graph_verify(g), PARE_ERR_DATA, "is an output, but nobody makes it");
    pare_graph_destroy(g);
}

static void bypass_keeps_output_names(void **state)
{
    pare_graph *const g = parse("%x = input f32[2] %a = relu(%x) %i = identity(%a) %y = neg(%i)\n"
                                "%o = identity(%y) %p = identity(%x) return %o, %p");

    (void)state;
    assert_true(pare_graph_bypass(value(g, "i")->producer));
    assert_true(pare_graph_bypass(value(g, "o")->producer));
    assert_false(pare_graph_bypass(value(g, "p")->producer)); /* an input cannot be renamed */
    pare_graph_sweep(g);
    OK(pare_graph_verify(g));
    check_text(g, "graph text\n%x = input f32[2]\n%a = relu(%x)\n%o = neg(%a)\n%p = identity(%x)\nreturn %o, %p\n");

    /* Absorbing keeps the name of the later value. */
    assert_false(pare_graph_absorb(value(g, "a")->producer));
    assert_true(pare_graph_absorb(value(g, "o")->producer));
    pare_graph_sweep(g);
    OK(pare_graph_verify(g));
    check_text(g, "graph text\n%x = input f32[2]\n%o = relu(%x)\n%p = identity(%x)\nreturn %o, %p\n");
    pare_graph_destroy(g);
}

static void nodes_change(void **state)
{
    pare_graph *const g = parse("%x = input f32[2] @k = const f32[2] {1,2} %a = add(%x, @k) clamp_lo=0 return %a");
    pare_node *const  n = g->first;
    pare_tensor       t = pare_tensor_of(PARE_f32, pare_shape_of(1, (const int64_t[]){ 2 }));

    (void)state;
    t.data = (float[]){ 3, 4 };
    OK(pare_node_replace_const(n, 1, &t));
    pare_graph_sweep(g);
    check_text(g, "graph text\n%x = input f32[2]\n@k = const f32[2] {3,4}\n%a = add(%x, @k) clamp_lo=0\nreturn %a\n");
    OK(pare_node_become(n, pare_op_find("mul")));
    pare_node_set_f(n, "clamp_hi", 6);
    assert_true(pare_node_f(n, "clamp_hi") == 6 && pare_node_f(n, "clamp_lo") == -INFINITY);
    OK(pare_graph_verify(g));
    OK(pare_node_become(n, pare_op_find("sum")));
    OK(pare_node_add_in(n, value(g, "x")));
    OK(pare_graph_verify(g));
    check_text(g, "graph text\n%x = input f32[2]\n@k = const f32[2] {3,4}\n%a = sum(%x, @k, %x)\nreturn %a\n");
    pare_graph_destroy(g);
}

/* ------------------------------------------------------------------------------------------------------------- sort */

static void move_to_front(pare_node *n)
{
    pare_graph *const g = n->graph;

    n->prev->next = n->next;
    if (n->next)
        n->next->prev = n->prev;
    else
        g->last = n->prev;
    g->first->prev = n;
    n->next = g->first;
    n->prev = NULL;
    g->first = n;
}

static void sorting(void **state)
{
    static const char *const sorted = "graph text\n%x = input f32[2]\n%c = input bool[]\n%a = abs(%x)\n%b = relu(%a)\n"
                                      "%d = neg(%b)\n%y = if(%c) then_branch={\n    %t = abs(%b)\n    %s = neg(%t)\n"
                                      "    return %s\n} else_branch={\n    return %d\n}\nreturn %y\n";
    pare_graph              *g = parse(sorted);

    (void)state;
    OK(pare_graph_sort(g));
    check_text(g, sorted); /* what is in order stays */

    /* b and d are read by the branches only. */
    move_to_front(value(g, "y")->producer);
    check_fails(pare_graph_verify(g), PARE_ERR_DATA, "before it is made");
    move_to_front(value(g, "b")->producer);
    move_to_front(pare_node_body(value(g, "y")->producer, 0)->last);
    OK(pare_graph_sort(g));
    OK(pare_graph_verify(g));
    check_text(g, sorted);
    pare_graph_destroy(g);

    g = parse("%x = input f32[2] %a = add(%x, %c) %b = relu(%a) %c = neg(%b) return %b");
    check_fails(pare_graph_sort(g), PARE_ERR_DATA, "is on a cycle");
    pare_graph_destroy(g);
    g = parse("%x = input f32[2] %a = add(%x, %a) return %a");
    check_fails(pare_graph_sort(g), PARE_ERR_DATA, "node 'a' reads its own result 'a'");
    pare_graph_destroy(g);
    g = parse("%x = input f32[2] %a = relu(%x) %b = relu(%a) return %b");
    pare_graph_remove_node(g->first);
    check_fails(pare_graph_sort(g), PARE_ERR_DATA, "node 'b' reads 'a', which nobody makes");
    pare_graph_destroy(g);
}

/* A chain of 20000 nodes, last first: no recursion may follow it. */
static void long_chain(void **state)
{
    enum { N = 20000 };
    const pare_op *const relu = pare_op_find("relu");
    pare_graph          *g, *copy;
    pare_value          *x, *y;

    (void)state;
    OK(pare_graph_create("chain", &g));
    OK(pare_graph_add_input(g, "x", PARE_f32, &(pare_shape){ .rank = 1, .dim = { 3 } }, &x));
    for (int i = 0; i < N; i++, x = y) {
        OK(pare_graph_add_value(g, NULL, &y));
        OK(pare_graph_add_node(g, relu, NULL, 1, &x, 1, &y, g->first, NULL));
    }
    OK(pare_graph_add_output(g, x));
    OK(pare_graph_sort(g));
    OK(pare_graph_verify(g));
    OK(pare_graph_infer(g, true));
    OK(pare_graph_clone(g, &copy));
    assert_int_equal(pare_graph_n_nodes(copy), N);
    pare_graph_destroy(g);
    pare_graph_destroy(copy);
}

/* ------------------------------------------------------------------------------------------------------------ clone */

static void clones(void **state)
{
    const long        live = pare_alloc_live();
    pare_graph *const g = parse(everything);
    pare_graph       *copy;

    (void)state;
    OK(pare_graph_set_file(g, "model.onnx"));
    OK(pare_graph_add_meta(g, "made", "here"));
    OK(pare_graph_add_meta(g, "made", "there"));
    g->opset = 17;
    g->first->note = "because";
    OK(pare_graph_clone(g, &copy));
    assert_ptr_equal(value(copy, "k")->t.data, value(g, "k")->t.data);
    assert_ptr_not_equal(value(copy, "k")->t.q, value(g, "k")->t.q);
    pare_graph_destroy(g);
    check_text(copy, everything);
    OK(pare_graph_verify(copy));
    assert_string_equal(pare_graph_meta(copy, "made"), "there");
    assert_null(pare_graph_meta(copy, "other"));
    assert_string_equal(copy->file, "model.onnx");
    assert_string_equal(copy->first->note, "because");
    assert_int_equal(copy->opset, 17);
    pare_graph_destroy(copy);
    assert_int_equal(pare_alloc_live(), live);
}

/* ------------------------------------------------------------------------------------------------------------ infer */

/* A reshape whose shape is computed from the input's: known when the batch is, without a constant in the graph. */
static const char *const flattening =
    "%x = input f32[N,3,4,4] @first = const s64[] {0} @rest = const s64[1] {-1} @axis = const s64[1] {0}\n"
    "%s = shape(%x) %n = gather(%s, @first) %n1 = unsqueeze(%n, @axis) %t = concat(%n1, @rest) axis=0\n"
    "%y = reshape(%x, %t) %z = relu(%y) return %z";

static void shapes_of_shapes(void **state)
{
    pare_graph *const g = parse(flattening);
    pare_value *const x = value(g, "x");

    (void)state;
    OK(pare_graph_infer(g, false));
    check_shape(g, "s", "[4]");
    check_shape(g, "y", "unknown");
    check_shape(g, "z", "unknown");
    check_fails(pare_graph_infer(g, true), PARE_ERR_DYNAMIC, "text: the shape of input 'x' is not fixed");
    x->t.shape.dim[0] = 5;
    OK(pare_graph_infer(g, true));
    check_shape(g, "z", "[5,48]");
    assert_null(value(g, "t")->t.data); /* not a constant of the graph */
    x->t.shape.dim[0] = PARE_DIM_ANY;
    OK(pare_graph_infer(g, false));
    check_shape(g, "z", "unknown");
    OK(pare_graph_verify(g));
    pare_graph_destroy(g);
}

static void branches(void **state)
{
    pare_graph *const g =
        parse("%x = input f32[2,1] %c = input bool[] @yes = const bool[] {1} @axis = const s64[1] {1}\n"
              "%same = if(%c) then_branch={ %a = neg(%x) return %a } else_branch={ return %x }\n"
              "%open = if(%c) then_branch={ %b = squeeze(%x, @axis) return %b } else_branch={ return %x }\n"
              "%one = if(@yes) then_branch={ %d = squeeze(%x, @axis) return %d } else_branch={ return %x }\n"
              "return %same, %open, %one");

    (void)state;
    OK(pare_graph_infer(g, false));
    check_shape(g, "same", "[2,1]");
    check_shape(g, "open", "unknown");
    check_shape(g, "one", "[2]");
    check_fails(pare_graph_infer(g, true), PARE_ERR_DYNAMIC, "depends on which branch runs");
    pare_graph_destroy(g);
}

static void inference_names_the_node(void **state)
{
    pare_graph *g = parse("%x = input f32[2,3] %y = input f32[4] %a = relu(%x) %b = add(%a, %y) return %b");

    (void)state;
    OK(pare_graph_set_file(g, "model.onnx"));
    check_fails(pare_graph_infer(g, false), PARE_ERR_SHAPE, "model.onnx: node 'b': add: ");
    pare_graph_destroy(g);
    g = parse("%x = input f32 %a = relu(%x) return %a");
    OK(pare_graph_infer(g, false));
    check_shape(g, "a", "unknown");
    check_fails(pare_graph_infer(g, true), PARE_ERR_DYNAMIC, "'x'");
    pare_graph_destroy(g);
}

/* Qparams set on integer results survive; they go when the result turns out to be float. */
static void qparams_survive(void **state)
{
    pare_graph *const g = parse("%x = input f32[2] @s = const f32[] {0.5} @z = const u8[] {3}\n"
                                "%q : u8 q(0.5, 3) = quantize_linear(%x, @s, @z)\n"
                                "%f : u8 q(2, 1) = relu(%x) return %q, %f");

    (void)state;
    OK(pare_graph_infer(g, true));
    assert_non_null(value(g, "q")->t.q);
    assert_int_equal(value(g, "q")->t.q->zero[0], 3);
    assert_null(value(g, "f")->t.q);
    assert_int_equal(value(g, "f")->t.dtype, PARE_f32);
    OK(pare_graph_verify(g));
    pare_graph_destroy(g);
}

/* ----------------------------------------------------------------------------------------------------------- verify */

typedef void break_fn(pare_graph *g);

static void lose_use(pare_graph *g)
{
    value(g, "a")->n_uses--;
}
static void lose_name(pare_graph *g)
{
    value(g, "a")->name = "elsewhere";
}
static void lose_producer(pare_graph *g)
{
    value(g, "a")->producer = NULL;
}
static void lose_link(pare_graph *g)
{
    g->last->prev = NULL;
}
static void two_sources(pare_graph *g)
{
    value(g, "a")->is_input = true;
}
static void wrong_dtype(pare_graph *g)
{
    value(g, "a")->t.dtype = (pare_dtype)99;
}
static void wrong_dim(pare_graph *g)
{
    value(g, "x")->t.shape.dim[0] = -7;
}
static void high_clamp(pare_graph *g)
{
    pare_node_set_f(g->last, "clamp_lo", 0);
}
static void wrong_clamp(pare_graph *g)
{
    pare_node_set_f(g->last, "clamp_hi", -FLT_MAX), high_clamp(g);
}
static void nan_clamp(pare_graph *g)
{
    pare_node_set_f(g->last, "clamp_hi", NAN);
}
static void no_input(pare_graph *g)
{
    pare_node_set_in(g->first, 0, NULL);
}
static void scale_zero(pare_graph *g)
{
    ((float *)(uintptr_t)value(g, "k")->t.q->scale)[1] = 0;
}
static void scale_nan(pare_graph *g)
{
    ((float *)(uintptr_t)value(g, "k")->t.q->scale)[1] = NAN;
}
static void zero_outside(pare_graph *g)
{
    ((int32_t *)(uintptr_t)value(g, "k")->t.q->zero)[0] = 128;
}
static void scales_missing(pare_graph *g)
{
    ((pare_qparams *)(uintptr_t)value(g, "k")->t.q)->axis = 1;
}
static void axis_outside(pare_graph *g)
{
    ((pare_qparams *)(uintptr_t)value(g, "k")->t.q)->axis = 2;
}
static void swapped(pare_graph *g)
{
    pare_node *const a = g->first, *const b = g->last;

    g->first = b, g->last = a;
    b->prev = NULL, b->next = a, a->prev = b, a->next = NULL;
}

static void slice_too_far(pare_graph *g)
{
    value(g, "a")->home_channel = 3;
}
static void slice_dense(pare_graph *g)
{
    value(g, "b")->format = PARE_DENSE;
}
static void slice_dtype(pare_graph *g)
{
    value(g, "b")->t.dtype = PARE_s32;
}
static void slice_shape(pare_graph *g)
{
    value(g, "b")->t.shape.dim[2] = 4;
}
static void slice_circle(pare_graph *g)
{
    value(g, "b")->home = value(g, "a");
    value(g, "a")->home_channel = value(g, "b")->home_channel = 0;
    value(g, "b")->t.shape.dim[1] = 2;
}

static void broken_slices_are_seen(void **state)
{
    static const struct {
        break_fn   *fn;
        const char *sentence;
    } cases[] = {
        { slice_too_far, "value 'a': is no slice of the value" },
        { slice_dense, "of another graph or format" },
        { slice_dtype, "of another dtype or rank" },
        { slice_shape, "is no slice of the value" },
        { slice_circle, "shares memory with itself" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pare_graph *const g = parse("%x = input f32[1,2,3] %a : channels_last in(%b, 2) = relu(%x)\n"
                                    "%b : channels_last = concat(%x, %a) axis=1 %c = relu(%b) return %c");
        pare_graph       *copy;

        OK(pare_graph_infer(g, true));
        OK(pare_graph_verify(g));
        OK(pare_graph_clone(g, &copy));
        assert_ptr_equal(value(copy, "a")->home, value(copy, "b"));
        assert_int_equal(value(copy, "a")->home_channel, 2);
        cases[i].fn(copy);
        check_fails(pare_graph_verify(copy), PARE_ERR_DATA, cases[i].sentence);
        pare_graph_destroy(copy);
        pare_graph_destroy(g);
    }
}

static void broken_graphs_are_seen(void **state)
{
    static const struct {
        break_fn   *fn;
        const char *sentence;
    } cases[] = {
        { lose_use, "value 'a': 0 uses are counted, 1 are there" },
        { lose_name, "cannot be found under its name" },
        { lose_producer, "names another producer" },
        { lose_link, "is not linked" },
        { two_sources, "more than one of" },
        { wrong_dtype, "a dtype that does not exist" },
        { wrong_dim, "a negative dimension" },
        { wrong_clamp, "clamp_lo is above clamp_hi" },
        { nan_clamp, "clamp_lo is above clamp_hi" },
        { no_input, "a required input is left out" },
        { scale_zero, "not a positive number" },
        { scale_nan, "not a positive number" },
        { zero_outside, "outside of its dtype" },
        { scales_missing, "does not fit its shape" },
        { axis_outside, "an axis that it does not have" },
        { swapped, "reads 'a' before it is made" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pare_graph *const g = parse("%x = input f32[3] @k = const s8[2,3] {1,2,3,4,5,6} q([1,2], [0,-128], axis=0)\n"
                                    "%a = relu(%x) %b = add(%a, %x) return %b, @k");

        OK(pare_graph_verify(g));
        cases[i].fn(g);
        check_fails(pare_graph_verify(g), PARE_ERR_DATA, cases[i].sentence);
        pare_graph_destroy(g);
    }
}

/* ----------------------------------------------------------------------------------------------------------- memory */

static pare_status whole_life(const char *text)
{
    pare_graph *g = NULL, *copy = NULL;
    char       *printed = NULL;
    pare_status status = pare_graph_parse(text, &g);

    if (status == PARE_OK)
        status = pare_graph_sort(g);
    if (status == PARE_OK)
        status = pare_graph_infer(g, false);
    if (status == PARE_OK)
        status = pare_graph_clone(g, &copy);
    if (status == PARE_OK)
        status = pare_graph_print(copy, &printed);
    pare_free(printed);
    pare_graph_destroy(g);
    pare_graph_destroy(copy);
    return status;
}

/* The n-th allocation fails, for every n: the status says so and nothing is left. */
static void short_memory_leaks_nothing(void **state)
{
    /* Blocks of an arena are large: a constant of its own for each body and qparams make more calls fail. */
    const char *const texts[] = {
        flattening,
        "%x = input f32[2] %c = input bool[] @k = const s8[2] {1,2} q([1,2], axis=0)\n"
        "%y = if(%c) then_branch={ @a = const f32[2] {1,2} return @a } else_branch={ return %x }\n"
        "%t = constant_of_shape(@n) value=f32[1] {3} @n = const s64[1] {2} return %y, @k, %t",
    };
    const long live = pare_alloc_live();

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        pare_status status = PARE_ERR_MEMORY;

        for (long n = 1; status != PARE_OK; n++) {
            pare_alloc_fail_after(n);
            status = whole_life(texts[i]);
            pare_alloc_fail_after(0);
            if (status != PARE_OK)
                check_fails(status, PARE_ERR_MEMORY, "memory");
            assert_int_equal(pare_alloc_live(), live);
            assert_true(n < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_reads_back),
        cmocka_unit_test(seeds),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(cut_text_leaks_nothing),
        cmocka_unit_test(deep_bodies_are_refused),
        cmocka_unit_test(names_stay_unique),
        cmocka_unit_test(nodes_get_names),
        cmocka_unit_test(constants_share_or_copy),
        cmocka_unit_test(uses_are_counted),
        cmocka_unit_test(bypass_keeps_output_names),
        cmocka_unit_test(nodes_change),
        cmocka_unit_test(sorting),
        cmocka_unit_test(long_chain),
        cmocka_unit_test(clones),
        cmocka_unit_test(shapes_of_shapes),
        cmocka_unit_test(branches),
        cmocka_unit_test(inference_names_the_node),
        cmocka_unit_test(qparams_survive),
        cmocka_unit_test(broken_graphs_are_seen),
        cmocka_unit_test(broken_slices_are_seen),
        cmocka_unit_test(short_memory_leaks_nothing),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
