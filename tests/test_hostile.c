/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostile.c - models that are well-formed files but senseless: extreme attributes, shapes of zero or 2^63, axes
 * out of range, missing inputs, wrong dtypes, in every order of load, compile, run, quantize and save
 *
 * Texts in the language of onnx_make.h are changed at random. Whatever comes of it: no crash, no leak, nothing longer
 * than LIMIT seconds, no memory of absurd size, and a sentence where something is refused. PARE_HOSTILE=COUNT[:SEED]
 * runs more than the usual number, with another seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <pare/compile.h>
#include <pare/io.h>
#include <pare/quantize.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/status.h"
#include "onnx_run.h"

enum { TEXT = 2048, CASES = 3000, LIMIT = 5, INPUT_BYTES = 1 << 20, CONTEXT_BYTES = 1 << 22 };
enum { MOST_MEMORY = 1 << 30 };

/* Sanitizers give NULL for what is too large, as malloc does under the limit that main sets. */
const char *__asan_default_options(void) __attribute__((visibility("default"))); /* the sanitizer looks for it */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

typedef struct text_model {
    int  opset;
    char inputs[256], nodes[TEXT], outputs[64];
} text_model;

static const struct {
    int         opset;
    const char *inputs, *nodes, *outputs;
} sources[] = {
#define PARE_CASE(opset, inputs, nodes, outputs) { opset, inputs, nodes, outputs },
#include "golden/opsets.def"
#undef PARE_CASE
    { 13, "x f32[N,3,8,8]",
      "c = Conv(x, f32[4,3,3,3], f32[4]) pads=[1,1,1,1] strides=[1,1] dilations=[1,1] group=1;"
      "b = BatchNormalization(c, f32[4], f32[4], f32[4], f32{1,2,3,4}) epsilon=0.01; r = Relu(b);"
      "d = Conv(r, f32[4,1,3,3], f32[4]) group=4 pads=[1,1,1,1] strides=[2,2]; e = Clip(d, f32:0, f32:6);"
      "p = MaxPool(e) kernel_shape=[2,2] strides=[2,2] pads=[0,0,0,0]; f = Flatten(p) axis=1;"
      "y = Gemm(f, f32[5,16], f32[5]) transB=1",
      "y" },
    { 13, "x f32[N,4,6,6]",
      "a = Conv(x, f32[4,4,1,1], f32[4]); s = Add(a, x); g = Sigmoid(s); m = Mul(s, g); q = Concat(m, x) axis=1;"
      "u = Resize(q, , f32{1,1,2,2}) mode=\"nearest\"; z = Pad(u, s64{0,0,1,1,0,0,1,1}); t = AveragePool(z)"
      " kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]; y = GlobalAveragePool(t)",
      "y" },
    { 13, "x f32[1,2,6,6]",
      "q = QuantizeLinear(x, f32:0.02, u8:128); d = DequantizeLinear(q, f32:0.02, u8:128);"
      "w = DequantizeLinear(s8[3,2,3,3], f32{0.01,0.02,0.03}) axis=0; b = DequantizeLinear(s32[3], f32:0.0002);"
      "c = Conv(d, w, b) pads=[1,1,1,1]; cq = QuantizeLinear(c, f32:0.05, u8:7);"
      "cd = DequantizeLinear(cq, f32:0.05, u8:7);"
      "p = MaxPool(cd) kernel_shape=[2,2] strides=[2,2]; t = Transpose(p) perm=[0,2,3,1]; r = Reshape(t, s64{0,-1});"
      "y = MatMul(r, f32[27,4])",
      "y" },
    { 13, "x u8[1,2,6,6]",
      "c = QLinearConv(x, f32:0.1, u8:3, s8[4,2,3,3], f32:0.02, s8:0, f32:0.3, u8:9, s32[4]) pads=[1,1,1,1];"
      "y = DequantizeLinear(c, f32:0.3, u8:9)",
      "y" },
    { 13, "x u8[3,8]", "y = MatMulInteger(x, s8[8,5], u8:3, s8:0); z = Cast(y) to=1", "z" },
    { 13, "x u8[3,8]", "y = QLinearMatMul(x, f32:0.1, u8:3, s8[8,5], f32:0.02, s8:0, f32:0.3, u8:9)", "y" },
    { 13, "x f32[N,6]",
      "s = Shape(x); n = Gather(s, s64:0); l = Unsqueeze(n, s64{0}); t = Concat(l, s64{2,3}) axis=0; r = Reshape(x, t);"
      "e = ReduceMean(r) axes=[1] keepdims=0; f = Softmax(e) axis=1; y = Tile(f, s64{1,2})",
      "y" },
    { 14, "x f32[4,1,3]",
      "y, h, c = LSTM(x, f32[1,8,3], f32[1,8,2], f32[1,16], , f32[1,1,2], f32[1,1,2]) hidden_size=2;"
      "z = Squeeze(y, s64{1})",
      "z; h; c" },
    { 13, "x f32[1,6,4]",
      "q = MatMul(x, f32[4,4]); k = MatMul(x, f32[4,4]); t = Transpose(k) perm=[0,2,1]; s = MatMul(q, t);"
      "d = Div(s, f32:2); a = Softmax(d) axis=-1; v = MatMul(a, q); n = Add(v, x); e = Erf(n);"
      "g = Slice(e, s64{0,1}, s64{6,3}, s64{1,2}); y = ReduceSum(g, s64{-1}) keepdims=0",
      "y" },
    { 13, "x f32[2,5]; i s64[2,3]",
      "g = Gather(x, i) axis=0; w = Where(bool:1, g, f32:0); n = NonZero(x); o = OneHot(i, s64:4, f32{0,1}) axis=-1;"
      "e = Expand(o, s64{2,2,3,4})",
      "w; e" },
    { 13, "x f32[2,5]; i s64[2,3]",
      "o = OneHot(i, s64:4, f32{0,1}) axis=-1; e = Expand(o, s64{2,2,3,4}); c = CumSum(e, s64:1); a = ArgMax(c) axis=2"
      " keepdims=0; r = Range(s64:0, s64:6, s64:2); m = Mod(r, s64:4); y = EyeLike(x) k=1",
      "a; m; y" },
    { 9, "x f32[1,2,3,3]",
      "u = Upsample(x, f32{1,1,2,2}) mode=\"nearest\"; y = InstanceNormalization(u, f32[2], f32[2])"
      " epsilon=0.1",
      "y" },
    { 11, "x f32[1,2,5]",
      "c = Conv(x, f32[3,2,3], f32[3]) strides=[2] auto_pad=\"SAME_UPPER\"; p = AveragePool(c)"
      " kernel_shape=[2] ceil_mode=1 count_include_pad=1; s, t, u = Split(p) axis=1 split=[1,1,1];"
      "y = Max(s, t, u)",
      "y" },
};

enum { N_SOURCES = sizeof(sources) / sizeof(*sources) };

/* ------------------------------------------------------------------------------------------------------- changes */

static int below(pare_rng *rng, int n)
{
    return (int)pare_rng_below(rng, (uint32_t)n);
}

/* Puts `with` in place of the n characters at `at`; false when the text would be too long. */
static bool splice(char *text, size_t room, char *at, size_t n, const char *with)
{
    const size_t length = strlen(with);

    if (strlen(text) - n + length + 1 > room)
        return false;
    memmove(at + length, at + n, strlen(at + n) + 1);
    memcpy(at, with, length);
    return true;
}

/* A place where `starts` says so, chosen at random; NULL: there is none. */
static char *find_place(char *text, bool (*starts)(const char *text, const char *at), pare_rng *rng)
{
    int   n = 0;
    char *place = NULL;

    for (char *at = text; *at; at++)
        if (starts(text, at) && below(rng, ++n) == 0)
            place = at;
    return place;
}

static bool is_number(const char *text, const char *at)
{
    const bool begins = isdigit((unsigned char)*at) || *at == '-';

    return begins && at > text && strchr("[{,:=", at[-1]);
}

static bool is_dtype(const char *text, const char *at)
{
    static const char *const names[] = { "f32", "s64", "s32", "u8", "s8", "bool" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const size_t n = strlen(names[i]);
        if (strncmp(at, names[i], n) == 0 && strchr("[{:", at[n]) && at[n])
            return at == text || strchr(" (", at[-1]);
    }
    return false;
}

static bool is_argument(const char *text, const char *at)
{
    const char *open = at;

    if (at < text + 2 || at[-1] != ' ' || at[-2] != ',' || !isalpha((unsigned char)*at))
        return false;
    while (open > text && !strchr("();", *open))
        open--;
    return *open == '('; /* else it is an output */
}

static bool is_op(const char *text, const char *at)
{
    return at > text + 1 && at[-1] == ' ' && at[-2] == '=' && isupper((unsigned char)*at);
}

/* Between the dtype and the ']' of a constant "f32[2,3]": the test itself allocates it. */
static bool in_constant_shape(const char *text, const char *at)
{
    while (at > text && !strchr("[{=:(", *at))
        at--;
    return *at == '[' && at > text && isalnum((unsigned char)at[-1]);
}

static bool change_number(char *text, size_t room, pare_rng *rng, bool small)
{
    static const char *const extremes[] = {
        "0",
        "1",
        "2",
        "3",
        "5",
        "9",
        "17",
        "-1",
        "-2",
        "64",
        "1000",
        "-1000",
        "65536",
        "1000000",
        "2147483647",
        "-2147483648",
        "4294967297",
        "4611686018427387904",
        "-9223372036854775808",
        "9223372036854775807",
    };
    char *const  at = find_place(text, is_number, rng);
    const size_t n = at ? strspn(at, "-0123456789.e") : 0;

    const int of = !at ? 0 : in_constant_shape(text, at) ? 7 : small ? 9 : 20;

    return at && splice(text, room, at, n, extremes[below(rng, of)]);
}

static bool change_count(char *text, size_t room, pare_rng *rng)
{
    char *const at = find_place(text, is_number, rng);

    if (!at || at[-1] == ':' || at[-1] == '=')
        return false;
    const size_t n = strspn(at, "-0123456789.e");

    if (below(rng, 2))
        return splice(text, room, at, 0, "1,");
    return splice(text, room, at, n + (at[n] == ','), "");
}

static bool change_dtype(char *text, size_t room, pare_rng *rng)
{
    static const char *const names[] = { "f32", "s64", "s32", "u8", "s8", "bool", "u4", "s16", "f16" };
    char *const              at = find_place(text, is_dtype, rng);

    return at && splice(text, room, at, strcspn(at, "[{:"), names[below(rng, 9)]);
}

static bool drop_argument(char *text, size_t room, pare_rng *rng)
{
    char *const at = find_place(text, is_argument, rng);

    if (!at)
        return false;
    size_t n = strcspn(at, "[{:,)");
    if (at[n] == '[' || at[n] == '{')
        n += strcspn(at + n, "]}") + 1;
    n += strcspn(at + n, ",)");
    return splice(text, room, at, n, "");
}

static bool change_op(char *text, size_t room, pare_rng *rng)
{
    char *const at = find_place(text, is_op, rng);
    char        other[TEXT];

    snprintf(other, sizeof(other), "%s", sources[below(rng, N_SOURCES)].nodes);
    char *const from = find_place(other, is_op, rng);
    if (!at || !from)
        return false;
    from[strcspn(from, "(")] = '\0';
    return splice(text, room, at, strcspn(at, "("), from);
}

/* The text of a source with one to three changes. */
static void make_text(text_model *m, pare_rng *rng)
{
    const int i = below(rng, N_SOURCES);

    m->opset = sources[i].opset;
    snprintf(m->inputs, sizeof(m->inputs), "%s", sources[i].inputs);
    snprintf(m->nodes, sizeof(m->nodes), "%s", sources[i].nodes);
    snprintf(m->outputs, sizeof(m->outputs), "%s", sources[i].outputs);
    for (int changes = 1 + below(rng, 3); changes > 0; changes--) {
        switch (below(rng, 9)) {
        case 0:
            change_number(m->inputs, sizeof(m->inputs), rng, below(rng, 4) != 0);
            break;
        case 1:
            change_dtype(m->inputs, sizeof(m->inputs), rng);
            break;
        case 2:
            change_dtype(m->nodes, sizeof(m->nodes), rng);
            break;
        case 3:
            change_count(m->nodes, sizeof(m->nodes), rng);
            break;
        case 4:
            drop_argument(m->nodes, sizeof(m->nodes), rng);
            break;
        case 5:
            change_op(m->nodes, sizeof(m->nodes), rng);
            break;
        case 6:
            change_count(m->inputs, sizeof(m->inputs), rng);
            break;
        default:
            change_number(m->nodes, sizeof(m->nodes), rng, false);
        }
    }
}

/* -------------------------------------------------------------------------------------------------------- running */

typedef struct tally {
    int refused, not_compiled, not_run, run;
} tally;

static text_model now; /* for the alarm */

static void too_long(int signal)
{
    (void)signal;
    fprintf(stderr, "longer than %d seconds: %d: %s | %s\n", LIMIT, now.opset, now.inputs, now.nodes);
    abort();
}

static void expect_sentence(pare_status status)
{
    if (status != PARE_OK && !pare_error()[0])
        fail_msg("refused without a sentence: %d: %s | %s", now.opset, now.inputs, now.nodes);
}

static pare_status run_plan(const pare_plan *plan)
{
    const int          n = pare_plan_n_inputs(plan);
    pare_context      *ctx;
    pare_tensor        in[RUN_MAX];
    const pare_tensor *ptr[RUN_MAX], *shape;
    int64_t            bytes = 0;

    for (int i = 0; i < n; i++) {
        pare_plan_input(plan, i, &shape);
        in[i] = pare_tensor_of(shape->dtype, shape->shape);
        ptr[i] = &in[i];
        bytes += pare_tensor_bytes(&in[i]);
    }
    if (bytes < 0 || bytes > INPUT_BYTES || pare_plan_context_bytes(plan) > CONTEXT_BYTES)
        return pare_fail(PARE_ERR_ARG, "too large for the test");
    PARE_TRY(pare_context_create(plan, &ctx));
    for (int i = 0; i < n; i++)
        make_ramp(&in[i], NULL);

    const pare_status status = pare_context_run(ctx, NULL, ptr, NULL, 0);

    for (int i = 0; i < n; i++)
        pare_tensor_release(&in[i]);
    pare_context_destroy(ctx);
    return status;
}

static pare_status compile_and_run(const pare_graph *g, const pare_compile_options *o, tally *t)
{
    pare_plan  *plan;
    pare_status status = pare_compile(g, o, &plan);

    expect_sentence(status);
    t->not_compiled += status != PARE_OK;
    if (status != PARE_OK)
        return status;
    status = run_plan(plan);
    expect_sentence(status);
    t->not_run += status != PARE_OK;
    t->run += status == PARE_OK;
    pare_plan_destroy(plan);
    return status;
}

static void quantize_and_run(const pare_graph *g, tally *t)
{
    static const pare_rule rule = { PARE_RULE_GLOBAL, NULL, { .mode = PARE_QMODE_DYNAMIC } };
    pare_graph            *q;
    const pare_status      status = pare_quantize(g, &(pare_quantize_options){ .mapping = { &rule, 1 } }, &q, NULL);

    expect_sentence(status);
    if (status != PARE_OK)
        return;
    compile_and_run(q, NULL, t);
    pare_graph_destroy(q);
}

static void try_model(tally *t)
{
    pare_graph       *g;
    const pare_status status = make_and_load(now.opset, now.inputs, now.nodes, now.outputs, &g);

    expect_sentence(status);
    t->refused += status != PARE_OK;
    if (status != PARE_OK)
        return;
    compile_and_run(g, NULL, t);
    compile_and_run(g, &(pare_compile_options){ .batch = 3, .reference = true }, t);
    quantize_and_run(g, t);
    pare_graph_destroy(g);
}

/* What earlier searches found: each of these crashed, or took minutes. */
static const text_model found[] = {
    { 21, "", "y = Range(f32:-9223372036854775808, f32:0, f32:3)", "y" },
    { 21, "", "y = Range(s64:0, s64:9223372036854775807, s64:1)", "y" },
    { 21, "x f32[5,3]", "y = CumSum(x, s64[0,1])", "y" },
    { 21, "x f32[4,4]", "y = Trilu(x, s64{})", "y" },
    { 12, "x f32[4]", "i = Identity(bool{}); y = Dropout(x, f32:0.5, i)", "y" },
    { 19, "x f32[1,1,1,5,5]", "y = AveragePool(x) kernel_shape=[3,1000000,3] auto_pad=\"SAME_UPPER\"", "y" },
    { 13, "x f32[0,6,4]", "t = Transpose(x) perm=[0,2,1]; y = MatMul(x, t)", "y" },
    { 13, "x f32[3,0]", "y = MatMul(x, f32[0,4])", "y" },
};

static void start_alarm(void)
{
    signal(SIGALRM, too_long);
    alarm(LIMIT);
}

static void found_models(void **state)
{
    const long live = pare_alloc_live();
    tally      t = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++) {
        now = found[i];
        start_alarm();
        try_model(&t);
        alarm(0);
        assert_int_equal(pare_alloc_live(), live);
    }
    assert_true(t.run > 0);
    assert_int_equal(t.not_compiled, 0); /* an empty product is one too: no kernel takes it, its reference does */
}

static void senseless_models(void **state)
{
    const char *const more = getenv("PARE_HOSTILE");
    const int         count = more ? atoi(more) : CASES;
    const uint64_t    seed = more && strchr(more, ':') ? strtoull(strchr(more, ':') + 1, NULL, 10) : 1;
    const long        live = pare_alloc_live();
    tally             t = { 0 };

    (void)state;
    for (int i = 0; i < count; i++) {
        pare_rng rng = pare_rng_seed(seed + (uint64_t)i);

        make_text(&now, &rng);
        if (getenv("PARE_HOSTILE_SHOW"))
            fprintf(stderr, "%llu %d: %s | %s\n", (unsigned long long)seed + (unsigned)i, now.opset, now.inputs,
                    now.nodes);
        start_alarm();
        try_model(&t);
        alarm(0);
        if (pare_alloc_live() != live)
            fail_msg("%ld allocations left: %d: %s | %s", pare_alloc_live() - live, now.opset, now.inputs, now.nodes);
    }
    print_message("%d models: %d refused; %d runs, %d not compiled, %d not run\n", count, t.refused, t.run,
                  t.not_compiled, t.not_run);
    assert_true(t.run > count / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(found_models), cmocka_unit_test(senseless_models) };

#if !defined(__SANITIZE_ADDRESS__)
    setrlimit(RLIMIT_AS, &(struct rlimit){ MOST_MEMORY, MOST_MEMORY });
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
