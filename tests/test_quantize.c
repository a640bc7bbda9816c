/* SPDX-License-Identifier: Apache-2.0 */
/* test_quantize.c - from a float model and data to a quantized one: examples/demo.onnx, and small graphs as text */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pare/compile.h>
#include <pare/io.h>
#include <pare/quantize.h>

#include "base/rng.h"
#include "data_helpers.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

enum { CLASSES = 10, PIXELS = 3 * 32 * 32 };

static struct {
    pare_graph           *model, *quantized;
    pare_quantize_result *result;
    pare_dataset         *train, *test;
} demo;

static void check_fails(pare_status status, pare_status want, const char *words)
{
    char list[256];

    if (status != want)
        fail_msg("%s, not %s: %s", pare_status_name(status), pare_status_name(want), pare_error());
    snprintf(list, sizeof(list), "%s", words);
    for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
        if (!strstr(pare_error(), word))
            fail_msg("'%s' is not in: %s", word, pare_error());
}

/* ---------------------------------------------------------------------------------------------------------- running */

typedef struct engine {
    pare_plan    *plan;
    pare_context *ctx;
} engine;

static engine engine_of(const pare_graph *g, const pare_compile_options *o)
{
    engine e;

    OK(pare_compile(g, o, &e.plan));
    OK(pare_context_create(e.plan, &e.ctx));
    return e;
}

static void engine_end(engine *e)
{
    pare_context_destroy(e->ctx);
    pare_plan_destroy(e->plan);
}

/* One run on `batch` samples from `first` on; logits [batch][CLASSES]. */
static void run(const engine *e, pare_pool *pool, int64_t first, int batch, float *logits)
{
    static float       pixels[4 * PIXELS];
    pare_tensor        x = pare_tensor_of(PARE_f32, pare_shape_of(4, (const int64_t[]){ batch, 3, 32, 32 }));
    const pare_tensor *in[1] = { &x };

    for (int i = 0; i < batch; i++)
        OK(pare_dataset_read(demo.test, first + i, pixels + i * PIXELS, NULL));
    x.data = pixels;
    OK(pare_context_run(e->ctx, pool, in, NULL, 0));
    memcpy(logits, pare_context_output(e->ctx, 0)->data, sizeof(float) * (size_t)batch * CLASSES);
}

/* Logits of the first n test samples, one at a time. */
static float *logits_of(const pare_graph *g, const pare_compile_options *o, int n)
{
    float *const logits = pare_calloc((size_t)n * CLASSES, sizeof(float));
    engine       e = engine_of(g, o);

    for (int i = 0; i < n; i++)
        run(&e, NULL, i, 1, logits + i * CLASSES);
    engine_end(&e);
    return logits;
}

static int class_of(const float *y)
{
    int best = 0;

    for (int i = 1; i < CLASSES; i++)
        best = y[i] > y[best] ? i : best;
    return best;
}

/* ------------------------------------------------------------------------------------------------------------- demo */

static int open_demo(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    OK(pare_graph_load(PARE_TEST_DIR "/../examples/demo.onnx", &demo.model));
    demo.train = open_ok("demo:train", NULL);
    demo.test = open_ok("demo:test", NULL);
    OK(pare_quantize(demo.model, &(pare_quantize_options){ .calibration = demo.train, .samples = 60 }, &demo.quantized,
                     &demo.result));
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int close_demo(void **state)
{
    (void)state;
    pare_graph_destroy(demo.model);
    pare_graph_destroy(demo.quantized);
    pare_quantize_result_destroy(demo.result);
    pare_dataset_close(demo.train);
    pare_dataset_close(demo.test);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(pare_alloc_live(), 0);
    return 0;
}

static void every_layer_is_quantized(void **state)
{
    int convs = 0;

    (void)state;
    assert_string_equal(pare_quantize_result_mode(demo.result), "static");
    assert_non_null(strstr(pare_quantize_result_reason(demo.result), "convolutions"));
    for (int i = 0; i < pare_quantize_result_layers(demo.result); i++) {
        const pare_layer_report *l = pare_quantize_result_layer(demo.result, i);

        if (l->mode != PARE_QMODE_STATIC)
            fail_msg("%s '%s' was left in float: %s", l->op, l->name, l->reason);
        assert_string_equal(l->reason, "");
        if (strcmp(l->op, "conv") == 0 || strcmp(l->op, "gemm") == 0) {
            assert_int_equal(l->weight_bits, 8);
            assert_true(l->per_channel);
            convs++;
        } else {
            assert_int_equal(l->weight_bits, 0);
        }
    }
    assert_int_equal(convs, 10);

    /* And in the plan every one of them is an integer op with a kernel. */
    engine e = engine_of(demo.quantized, NULL);
    int    integer = 0;

    for (int i = 0; i < pare_plan_n_steps(e.plan); i++) {
        pare_step_info s;

        pare_plan_describe(e.plan, i, &s);
        integer += strcmp(s.op, "qconv") == 0 || strcmp(s.op, "qgemm") == 0;
        assert_true(strcmp(s.op, "conv") != 0 && strcmp(s.op, "gemm") != 0);
        assert_string_not_equal(s.kernel, "reference");
    }
    assert_int_equal(integer, 10);
    engine_end(&e);
}

static void accuracy_stays(void **state)
{
    enum { N = 1000 };
    float *const real = logits_of(demo.model, NULL, N), *const whole = logits_of(demo.quantized, NULL, N);
    int right_real = 0, right_whole = 0, equal = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        const int label = pare_dataset_label(demo.test, i), a = class_of(real + i * CLASSES);
        const int b = class_of(whole + i * CLASSES);

        right_real += a == label;
        right_whole += b == label;
        equal += a == b;
    }
    print_message("float %d, int8 %d right, %d equal of %d\n", right_real, right_whole, equal, N);
    assert_true(right_real > 700);
    assert_true(right_real - right_whole <= 10);
    assert_true(equal >= 970);
    pare_free(real);
    pare_free(whole);
}

static void check_equal_bits(const pare_graph *g, const pare_compile_options *definition)
{
    enum { N = 20 };
    float *const want = logits_of(g, definition, N);
    float        got[3 * CLASSES];

    for (int batch = 1; batch <= 3; batch += 2)
        for (int threads = 1; threads <= 3; threads++) {
            engine     e = engine_of(g, &(pare_compile_options){ .batch = batch });
            pare_pool *pool;

            OK(pare_pool_create(threads, &pool));
            for (int i = 0; i + batch <= N; i += batch) {
                run(&e, pool, i, batch, got);
                if (memcmp(got, want + i * CLASSES, sizeof(float) * (size_t)batch * CLASSES) != 0)
                    fail_msg("other bits: sample %d, batch %d, threads %d", i, batch, threads);
            }
            pare_pool_destroy(pool);
            engine_end(&e);
        }
    pare_free(want);
}

static void integer_plan_equals_its_definition(void **state)
{
    (void)state;
    check_equal_bits(demo.quantized, &(pare_compile_options){ .unfused = true });
}

static void float_plan_equals_its_definition(void **state)
{
    (void)state;
    check_equal_bits(demo.model, &(pare_compile_options){ .reference = true });
}

static char *file_bytes(const char *path, long *n)
{
    FILE *const f = fopen(path, "rb");
    char *const text = calloc(1, 1 << 20);

    assert_non_null(f);
    assert_non_null(text);
    *n = (long)fread(text, 1, 1 << 20, f);
    fclose(f);
    return text;
}

static void check_equal_files(const char *a, const char *b)
{
    long        n, m;
    char *const x = file_bytes(a, &n), *const y = file_bytes(b, &m);

    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void file_holds_the_model(void **state)
{
    enum { N = 10 };
    pare_graph  *again, *loaded;
    float *const want = logits_of(demo.quantized, NULL, N);
    pare_pool   *pool;

    (void)state;
    OK(pare_graph_save(demo.quantized, in_folder("a.onnx"), NULL));
    OK(pare_graph_load(in_folder("a.onnx"), &loaded));
    float *const got = logits_of(loaded, NULL, N);

    assert_memory_equal(got, want, sizeof(float) * N * CLASSES);
    OK(pare_graph_save(loaded, in_folder("b.onnx"), NULL));
    check_equal_files(in_folder("a.onnx"), in_folder("b.onnx"));

    /* The same work with threads gives the same file. */
    OK(pare_pool_create(3, &pool));
    OK(pare_quantize(demo.model, &(pare_quantize_options){ .calibration = demo.train, .samples = 60, .pool = pool },
                     &again, NULL));
    OK(pare_graph_save(again, in_folder("c.onnx"), NULL));
    check_equal_files(in_folder("a.onnx"), in_folder("c.onnx"));
    pare_pool_destroy(pool);
    pare_graph_destroy(again);
    pare_graph_destroy(loaded);
    pare_free(want);
    pare_free(got);
}

static const pare_layer_report *layer(const pare_quantize_result *r, const char *op, int index)
{
    for (int i = 0; i < pare_quantize_result_layers(r); i++)
        if (strcmp(pare_quantize_result_layer(r, i)->op, op) == 0 && index-- == 0)
            return pare_quantize_result_layer(r, i);
    fail_msg("there is no such %s", op);
    return NULL;
}

static void rules_decide(void **state)
{
    const char *const second = layer(demo.result, "conv", 1)->name, *const third = layer(demo.result, "conv", 2)->name;
    const pare_rule rules[] = {
        { PARE_RULE_NAME, second, { .mode = PARE_QMODE_FLOAT } },
        { PARE_RULE_NAME, third, { .weight_bits = 4, .granularity = 2 } },
        { PARE_RULE_OP, "gemm", { .mode = PARE_QMODE_DYNAMIC } },
        { PARE_RULE_GLOBAL, NULL, { .observer = "min_max" } },
    };
    pare_quantize_result *r;
    pare_graph           *q;

    (void)state;
    OK(pare_quantize(demo.model,
                     &(pare_quantize_options){ .mapping = { rules, 4 }, .calibration = demo.train, .samples = 10 }, &q,
                     &r));
    assert_int_equal(layer(r, "conv", 0)->mode, PARE_QMODE_STATIC);
    assert_int_equal(layer(r, "conv", 1)->mode, PARE_QMODE_FLOAT);
    assert_int_equal(layer(r, "conv", 1)->weight_bits, 0);
    assert_string_equal(layer(r, "conv", 1)->reason, "a rule keeps it in float");
    assert_int_equal(layer(r, "conv", 2)->weight_bits, 4);
    assert_false(layer(r, "conv", 2)->per_channel);
    assert_int_equal(layer(r, "gemm", 0)->mode, PARE_QMODE_DYNAMIC);
    pare_quantize_result_destroy(r);

    engine e = engine_of(q, NULL);
    int    floats = 0, rows = 0;

    for (int i = 0; i < pare_plan_n_steps(e.plan); i++) {
        pare_step_info s;

        pare_plan_describe(e.plan, i, &s);
        floats += strcmp(s.op, "conv") == 0;
        rows += strcmp(s.op, "quantize_rows") == 0;
    }
    assert_int_equal(floats, 1);
    assert_int_equal(rows, 1); /* of the dynamic layer */
    engine_end(&e);
    pare_graph_destroy(q);
}

static bool cancel_at_3(void *user, const char *what, long done, long total)
{
    assert_string_equal(what, "calibrating");
    assert_int_equal(total, 10);
    *(long *)user = done;
    return done < 3;
}

static void progress_and_cancel(void **state)
{
    long                done = -1;
    const pare_progress progress = { cancel_at_3, &done };
    pare_graph         *q;

    (void)state;
    const pare_quantize_options o = { .calibration = demo.train, .samples = 10, .progress = &progress };

    assert_int_equal(pare_quantize(demo.model, &o, &q, NULL), PARE_ERR_CANCELLED);
    assert_int_equal(done, 3);
}

/* ----------------------------------------------------------------------------------------------------- small graphs */

static const char *const small_text = "graph small\n"
                                      "%x = input f32[N,2,6,6]\n"
                                      "@w = const f32[4,2,3,3] seed=1\n@b = const f32[4] {1,-2,0.5,0}\n"
                                      "@v = const f32[4,4,1,1] seed=2\n@k = const f32[4,1,1] {1,2,3,-4}\n"
                                      "@u = const f32[3,36] seed=3\n@flat = const s64[2] {0,-1}\n"
                                      "%c = conv(%x, @w, @b) pads=[1,1,1,1]\n"
                                      "%r = relu(%c)\n"
                                      "%d = conv(%r, @v)\n"
                                      "%s = add(%d, %r)\n"
                                      "%m = mul(%s, @k)\n"
                                      "%g = sigmoid(%d)\n"
                                      "%j = concat(%m, %g) axis=1\n"
                                      "%p = max_pool(%j) kernel_shape=[2,2] strides=[2,2]\n"
                                      "%a = average_pool(%p) kernel_shape=[3,3]\n"
                                      "%f = reshape(%p, @flat)\n"
                                      "@fw = const f32[72,3] seed=4\n"
                                      "%y = matmul(%f, @fw)\n"
                                      "return %y, %a\n";

static pare_graph *parse(const char *text)
{
    pare_graph *g;

    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    return g;
}

/* n samples of `item` random numbers, times `scale`, in a raw file. */
static pare_dataset *numbers(const char *name, int n, pare_shape item, float scale)
{
    const int64_t count = pare_shape_count(&item) * n;
    float *const  x = pare_calloc((size_t)count, sizeof(*x));
    pare_rng      rng = pare_rng_seed(11);

    for (int64_t i = 0; i < count; i++)
        x[i] = scale == 0 ? 0 : isnan(scale) ? (i == count - 1 ? NAN : 1) : scale * pare_rng_normal(&rng);
    write_file(name, x, sizeof(*x) * (size_t)count);
    pare_free(x);
    return open_ok(in_folder(name), &(pare_data_options){ .item = item });
}

static pare_shape small_item(void)
{
    return pare_shape_of(3, (const int64_t[]){ 2, 6, 6 });
}

/* Both ways to run a graph give the same bits for all outputs; every sample of the data. */
static void check_definition(const pare_graph *g, const pare_dataset *data)
{
    engine             a = engine_of(g, NULL), b = engine_of(g, &(pare_compile_options){ .unfused = true });
    const pare_tensor *shape;

    pare_plan_input(a.plan, 0, &shape);
    pare_tensor        x = pare_tensor_of(shape->dtype, shape->shape);
    const pare_tensor *in[1] = { &x };

    OK(pare_tensor_alloc(&x));
    for (int64_t i = 0; i < pare_dataset_count(data); i++) {
        OK(pare_dataset_read(data, i, x.data, NULL));
        OK(pare_context_run(a.ctx, NULL, in, NULL, 0));
        OK(pare_context_run(b.ctx, NULL, in, NULL, 0));
        for (int k = 0; k < pare_plan_n_outputs(a.plan); k++) {
            const pare_tensor *s = pare_context_output(a.ctx, k), *t = pare_context_output(b.ctx, k);

            assert_int_equal(s->dtype, t->dtype);
            assert_true(pare_shape_equal(&s->shape, &t->shape));
            assert_memory_equal(s->data, t->data, pare_tensor_bytes(t));
        }
    }
    pare_tensor_release(&x);
    engine_end(&a);
    engine_end(&b);
}

/* Largest difference of output 0 between a float model and its quantized form, in parts of the largest number. */
static double difference(const pare_graph *real, const pare_graph *q, const pare_dataset *data)
{
    engine             a = engine_of(real, NULL), b = engine_of(q, NULL);
    const pare_tensor *shape;
    double             worst = 0, most = 0;

    pare_plan_input(a.plan, 0, &shape);
    pare_tensor        x = pare_tensor_of(shape->dtype, shape->shape);
    const pare_tensor *in[1] = { &x };

    OK(pare_tensor_alloc(&x));
    for (int64_t i = 0; i < pare_dataset_count(data); i++) {
        OK(pare_dataset_read(data, i, x.data, NULL));
        OK(pare_context_run(a.ctx, NULL, in, NULL, 0));
        OK(pare_context_run(b.ctx, NULL, in, NULL, 0));
        const pare_tensor *s = pare_context_output(a.ctx, 0), *t = pare_context_output(b.ctx, 0);

        for (int64_t k = 0; k < pare_shape_count(&s->shape); k++) {
            const double u = ((const float *)s->data)[k], v = ((const float *)t->data)[k];

            most = fmax(most, fabs(u));
            worst = fmax(worst, fabs(u - v));
        }
    }
    pare_tensor_release(&x);
    engine_end(&a);
    engine_end(&b);
    return worst / most;
}

static void small_graph(void **state)
{
    pare_graph *const     g = parse(small_text);
    pare_dataset *const   data = numbers("small.f32", 8, small_item(), 1);
    pare_quantize_result *r;
    pare_graph           *q;

    (void)state;
    OK(pare_quantize(g, &(pare_quantize_options){ .calibration = data }, &q, &r));
    for (int i = 0; i < pare_quantize_result_layers(r); i++)
        assert_int_equal(pare_quantize_result_layer(r, i)->mode, PARE_QMODE_STATIC);
    check_definition(q, data);
    const double d = difference(g, q, data);

    if (d > 0.05)
        fail_msg("quantized results are off by %g of the largest", d);
    pare_quantize_result_destroy(r);
    pare_graph_destroy(q);
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

/* A sigmoid has fixed parameters; what is concatenated with it has not, and must not be squeezed into [0, 1]. */
static void fixed_scales_do_not_spread(void **state)
{
    pare_graph *const   g = parse("%x = input f32[N,2,6,6] @w = const f32[2,2,1,1] {4,0,0,-4}\n%c = conv(%x, @w)\n"
                                    "%s = sigmoid(%c)\n%j = concat(%s, %c) axis=1\n@v = const f32[1,4,1,1] {1,1,1,1}\n"
                                    "%y = conv(%j, @v)\nreturn %y");
    pare_dataset *const data = numbers("fixed.f32", 8, small_item(), 1);
    pare_graph         *q;

    (void)state;
    OK(pare_quantize(g, &(pare_quantize_options){ .calibration = data }, &q, NULL));
    check_definition(q, data);
    const double d = difference(g, q, data);

    if (d > 0.05)
        fail_msg("quantized results are off by %g of the largest", d);
    pare_graph_destroy(q);
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

static void dynamic_layers(void **state)
{
    static const struct {
        const char *text;
        int         layers;
    } cases[] = {
        { "%x = input f32[N,12]\n@w = const f32[16,12] seed=1\n@b = const f32[16] seed=2\n@v = const f32[16,4] seed=3\n"
          "%h = gemm(%x, @w, @b) transB=1\n%r = relu(%h)\n%y = matmul(%r, @v)\nreturn %y",
          2 },
        { "%x = input f32[N,12]\n@w = const f32[12,5] seed=1\n@b = const f32[1,5] {1,2,3,4,5}\n"
          "%y = gemm(%x, @w, @b)\nreturn %y",
          1 },
        { "%x = input f32[N,3,4]\n@w = const f32[4,5] seed=1\n@b = const f32[5] {1,-2,3,4,5}\n%m = matmul(%x, @w)\n"
          "%a = add(%m, @b)\n%y = relu(%a)\nreturn %y",
          1 },
        { "%x = input f32[N,3,4]\n@w = const f32[4,3,3] seed=1\n@b = const f32[4] {1,-2,3,4}\n"
          "%y = conv(%x, @w, @b) pads=[1,1]\nreturn %y",
          1 },
        { "%x = input f32[N,3,2,2]\n@w = const f32[3,1,1,1] seed=1\n%y = conv(%x, @w) group=3\nreturn %y", 1 },
    };
    const pare_rule rule = { PARE_RULE_GLOBAL, NULL, { .mode = PARE_QMODE_DYNAMIC } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pare_graph *const     g = parse(cases[i].text);
        pare_dataset *const   data = numbers("dynamic.f32", 6, pare_shape_of(1, (const int64_t[]){ 12 }), 2);
        pare_quantize_result *r;
        pare_graph           *q, *loaded;
        int                   layers = 0, integer = 0;

        OK(pare_quantize(g, &(pare_quantize_options){ .mapping = { &rule, 1 } }, &q, &r));
        assert_string_equal(pare_quantize_result_mode(r), "dynamic");
        for (int k = 0; k < pare_quantize_result_layers(r); k++)
            layers += pare_quantize_result_layer(r, k)->mode == PARE_QMODE_DYNAMIC;
        assert_int_equal(layers, cases[i].layers);
        check_definition(q, data);
        const double d = difference(g, q, data);

        if (d > 0.02)
            fail_msg("case %d: results are off by %g of the largest", (int)i, d);

        OK(pare_graph_save(q, in_folder("dynamic.onnx"), NULL));
        OK(pare_graph_load(in_folder("dynamic.onnx"), &loaded));
        assert_true(difference(q, loaded, data) == 0);
        engine e = engine_of(loaded, NULL);

        for (int k = 0; k < pare_plan_n_steps(e.plan); k++) {
            pare_step_info s;

            pare_plan_describe(e.plan, k, &s);
            integer += strcmp(s.op, "qgemm") == 0 || strcmp(s.op, "qconv") == 0;
        }
        if (integer != cases[i].layers)
            fail_msg("case %d: %d of %d layers run on integers", (int)i, integer, cases[i].layers);
        engine_end(&e);
        pare_quantize_result_destroy(r);
        pare_graph_destroy(loaded);
        pare_graph_destroy(q);
        pare_graph_destroy(g);
        pare_dataset_close(data);
    }
}

/* Layers that integers cannot hold, and forms without integer op, stay in float and say why. */
static void left_in_float(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "%x = input f32[N,12]\n@w = const f32[12,3] seed=1\n@b = const f32[1] {1.5}\n%m = matmul(%x, @w)\n"
          "%y = add(%m, @b)\nreturn %y",
          "" },
        { "%x = input f32[N,12]\n@w = const f32[12,3] seed=1\n%y = gemm(%x, @w) alpha=2\nreturn %y", "scales" },
        { "%x = input f32[N,12]\n@w = const f32[12,3] seed=1\n@b = const f32[] {2}\n%y = gemm(%x, @w, @b)\nreturn %y",
          "bias" },
        { "%x = input f32[N,12]\n%y = tanh(%x)\nreturn %y", "floats" },
        { "%x = input f32[N,12]\n%y = softmax(%x)\nreturn %y", "no integer form" },
    };
    const pare_rule rule = { PARE_RULE_GLOBAL, NULL, { .mode = PARE_QMODE_STATIC } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pare_graph *const     g = parse(cases[i].text);
        pare_dataset *const   data = numbers("left.f32", 6, pare_shape_of(1, (const int64_t[]){ 12 }), 2);
        pare_quantize_result *r;
        pare_graph           *q;

        OK(pare_quantize(g, &(pare_quantize_options){ .mapping = { &rule, 1 }, .calibration = data }, &q, &r));
        if (cases[i].reason[0])
            assert_int_equal(pare_quantize_result_layer(r, 0)->mode, PARE_QMODE_FLOAT);
        if (!strstr(pare_quantize_result_layer(r, 0)->reason, cases[i].reason))
            fail_msg("%s is not in: %s", cases[i].reason, pare_quantize_result_layer(r, 0)->reason);
        check_definition(q, data);
        assert_true(difference(g, q, data) < 0.02);
        pare_quantize_result_destroy(r);
        pare_graph_destroy(q);
        pare_graph_destroy(g);
        pare_dataset_close(data);
    }
}

/* ------------------------------------------------------------------------------------------------ calibration files */

static pare_status with_cache(const pare_graph *g, const pare_dataset *data, int samples, const char *out)
{
    pare_graph *q;

    const pare_status status = pare_quantize(
        g, &(pare_quantize_options){ .calibration = data, .samples = samples, .cache = in_folder("cache") }, &q, NULL);
    if (status == PARE_OK) {
        OK(pare_graph_save(q, in_folder(out), NULL));
        pare_graph_destroy(q);
    }
    return status;
}

static void calibration_files(void **state)
{
    static const char *const damage[] = { "", "hello\n", "pare-calibration 1 12\n", "pare-calibration 2 00 8\n" };
    pare_graph *const        g = parse(small_text);
    pare_dataset *const      data = numbers("small.f32", 8, small_item(), 1);
    long                     n;

    (void)state;
    OK(with_cache(g, data, 0, "a.onnx"));
    OK(with_cache(g, data, 0, "b.onnx"));
    check_equal_files(in_folder("a.onnx"), in_folder("b.onnx"));
    OK(with_cache(g, NULL, 0, "c.onnx")); /* no data any more */
    check_equal_files(in_folder("a.onnx"), in_folder("c.onnx"));

    /* Another number of samples calibrates again. */
    OK(with_cache(g, data, 3, "d.onnx"));
    char *const text = file_bytes(in_folder("cache"), &n);
    long        start = (long)(strchr(text, '\n') - text);

    assert_true(start > 2 && text[start - 1] == '3' && text[start - 2] == ' ');

    /* Another model does not take it: the same graph but for one attribute, or one weight. */
    static const char *const parts[][2] = { { "pads=[1,1,1,1]", "pads=[1,1,1,1] clamp_hi=2" }, { "seed=2", "seed=9" } };

    for (int i = 0; i < 2; i++) {
        char              other[2048];
        const char *const at = strstr(small_text, parts[i][0]);

        snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - small_text), small_text, parts[i][1],
                 at + strlen(parts[i][0]));
        pare_graph *const h = parse(other);

        write_file("cache", text, (size_t)n);
        check_fails(with_cache(h, NULL, 0, "e.onnx"), PARE_ERR_ARG, "calibration data");
        pare_graph_destroy(h);
    }

    /* Damage is refused, not half read. */
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        write_text("cache", damage[i]);
        check_fails(with_cache(g, data, 3, "e.onnx"), PARE_ERR_DATA, "/cache|calibration file");
    }
    char *const line = strchr(text, '\n') + 1, *const number = strchr(line, ' ') + 1;

    memcpy(number, "nan", 3);
    write_file("cache", text, (size_t)n);
    check_fails(with_cache(g, data, 3, "e.onnx"), PARE_ERR_DATA, "/cache|line 2");
    free(text);

    /* A lost line means calibrating again, with data. */
    remove(in_folder("cache"));
    OK(with_cache(g, data, 3, "d.onnx"));
    char *const whole = file_bytes(in_folder("cache"), &n);
    long        cut = n - 1;

    while (whole[cut - 1] != '\n')
        cut--;
    write_file("cache", whole, (size_t)cut);
    check_fails(with_cache(g, NULL, 0, "e.onnx"), PARE_ERR_ARG, "calibration data");
    OK(with_cache(g, data, 3, "e.onnx"));
    check_equal_files(in_folder("d.onnx"), in_folder("e.onnx"));
    free(whole);

    /* Other data with as many samples is other data. */
    pare_dataset *const other = numbers("other.f32", 8, small_item(), 2);
    char *const         first = file_bytes(in_folder("cache"), &n);

    OK(with_cache(g, other, 3, "f.onnx"));
    char *const second = file_bytes(in_folder("cache"), &n);
    assert_string_not_equal(first, second);
    free(first);
    free(second);
    pare_dataset_close(other);
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

/* -------------------------------------------------------------------------------------------------------- bad input */

static void check_refused(const pare_graph *g, const pare_quantize_options *o, pare_status want, const char *words)
{
    const long            live = pare_alloc_live();
    pare_graph           *q;
    pare_quantize_result *r;

    check_fails(pare_quantize(g, o, &q, &r), want, words);
    assert_int_equal(pare_alloc_live(), live);
}

static void check_text_refused(const char *text, const pare_quantize_options *o, pare_status want, const char *words)
{
    pare_graph *const g = parse(text);

    check_refused(g, o, want, words);
    pare_graph_destroy(g);
}

static void bad_weights(void **state)
{
    static const char *const texts[][2] = {
        { "%x = input f32[N,2,6,6]\n@w = const f32[1,2,1,1] {1,nan}\n%y = conv(%x, @w)\nreturn %y", "'w'|NaN" },
        { "%x = input f32[N,2,6,6]\n@w = const f32[1,2,1,1] {1,-inf}\n%y = conv(%x, @w)\nreturn %y", "'w'|infinity" },
        { "%x = input f32[N,2,6,6]\n@w = const f32[1,2,1,1] {1,2}\n@b = const f32[1] {nan}\n%y = conv(%x, @w, @b)\n"
          "return %y",
          "'b'|NaN" },
        { "%x = input f32[N,2,6,6]\n@w = const f32[1,2,1,1] {1,2}\n@k = const f32[1] {nan}\n%c = conv(%x, @w)\n"
          "%m = mul(%c, @k)\n%y = conv(%m, @v)\n@v = const f32[1,1,1,1] {1}\nreturn %y",
          "'k'|NaN" },
    };
    pare_dataset *const data = numbers("bad.f32", 2, small_item(), 1);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_text_refused(texts[i][0], &(pare_quantize_options){ .calibration = data }, PARE_ERR_NUMERIC, texts[i][1]);
    pare_dataset_close(data);
}

static void bad_data(void **state)
{
    pare_graph *const   g = parse(small_text);
    pare_dataset *const nan = numbers("nan.f32", 2, small_item(), NAN);
    pare_dataset *const zeros = numbers("zeros.f32", 2, small_item(), 0);
    pare_dataset *const wide = numbers("wide.f32", 2, pare_shape_of(3, (const int64_t[]){ 3, 6, 6 }), 1);
    pare_dataset *const turned = numbers("turned.f32", 2, pare_shape_of(3, (const int64_t[]){ 6, 6, 2 }), 1);
    pare_graph         *q;

    (void)state;
    check_refused(g, &(pare_quantize_options){ .calibration = nan }, PARE_ERR_NUMERIC, "'x'|NaN|nan.f32[1]");
    check_refused(g, &(pare_quantize_options){ .calibration = wide }, PARE_ERR_SHAPE, "'x'|[3,6,6]|[1,2,6,6]");
    check_refused(g, &(pare_quantize_options){ .calibration = turned }, PARE_ERR_SHAPE, "'x'|[6,6,2]");
    check_refused(g, NULL, PARE_ERR_ARG, "calibration data");
    /* Zeros are legal: every scale is the smallest. */
    OK(pare_quantize(g, &(pare_quantize_options){ .calibration = zeros }, &q, NULL));
    check_definition(q, zeros);
    pare_graph_destroy(q);
    pare_graph_destroy(g);
    pare_dataset_close(nan);
    pare_dataset_close(zeros);
    pare_dataset_close(wide);
    pare_dataset_close(turned);
}

static void bad_settings(void **state)
{
    static const struct {
        pare_qconfig config;
        const char  *words;
    } configs[] = {
        { { .observer = "histogramm" }, "histogramm" }, { { .weight_bits = 9 }, "weight_bits|9" },
        { { .weight_bits = 1 }, "weight_bits|1" },      { { .weight_bits = -3 }, "weight_bits|-3" },
        { { .granularity = 3 }, "granularity|3" },      { { .mode = (pare_qmode)77 }, "mode|77" },
    };
    pare_graph *const   g = parse(small_text);
    pare_dataset *const data = numbers("small.f32", 2, small_item(), 1);

    (void)state;
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        const pare_rule rule = { PARE_RULE_OP, "conv", configs[i].config };

        check_refused(g, &(pare_quantize_options){ .mapping = { &rule, 1 }, .calibration = data }, PARE_ERR_ARG,
                      configs[i].words);
    }
    check_refused(g, &(pare_quantize_options){ .calibration = data, .target = "tflite" }, PARE_ERR_ARG, "tflite");
    check_refused(g, &(pare_quantize_options){ .calibration = data, .samples = -1 }, PARE_ERR_ARG, "samples");
    check_refused(demo.quantized, &(pare_quantize_options){ .calibration = demo.train }, PARE_ERR_ARG,
                  "quantized already");
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

/* Whatever allocation fails, the status says so and nothing is left behind. */
static void short_memory_leaks_nothing(void **state)
{
    pare_graph *const   g = parse(small_text);
    pare_dataset *const data = numbers("memory.f32", 1, small_item(), 1);
    const long          live = pare_alloc_live();
    pare_status         status = PARE_ERR_MEMORY;
    int                 tried = 0;

    (void)state;
    for (long n = 1; status != PARE_OK; n += n < 300 ? 1 : 13, tried++) {
        const pare_quantize_options o = { .calibration = data, .cache = in_folder("memory") };
        pare_graph                 *q = NULL;
        pare_quantize_result       *r = NULL;

        pare_alloc_fail_after(n);
        status = pare_quantize(g, &o, &q, &r);
        pare_alloc_fail_after(0);
        if (status != PARE_OK && status != PARE_ERR_MEMORY)
            fail_msg("allocation %ld: %s: %s", n, pare_status_name(status), pare_error());
        remove(in_folder("memory"));
        pare_graph_destroy(q);
        pare_quantize_result_destroy(r);
        if (pare_alloc_live() != live)
            fail_msg("allocation %ld: %ld blocks are left", n, pare_alloc_live() - live);
        assert_true(n < 100000);
    }
    assert_true(tried > 100);
    pare_graph_destroy(g);
    pare_dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_quantized),
        cmocka_unit_test(accuracy_stays),
        cmocka_unit_test(integer_plan_equals_its_definition),
        cmocka_unit_test(float_plan_equals_its_definition),
        cmocka_unit_test(file_holds_the_model),
        cmocka_unit_test(rules_decide),
        cmocka_unit_test(progress_and_cancel),
        cmocka_unit_test(small_graph),
        cmocka_unit_test(fixed_scales_do_not_spread),
        cmocka_unit_test(dynamic_layers),
        cmocka_unit_test(left_in_float),
        cmocka_unit_test(calibration_files),
        cmocka_unit_test(bad_weights),
        cmocka_unit_test(bad_data),
        cmocka_unit_test(bad_settings),
        cmocka_unit_test(short_memory_leaks_nothing),
    };

    return cmocka_run_group_tests_name("quantize", tests, open_demo, close_demo);
}
