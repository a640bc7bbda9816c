/* SPDX-License-Identifier: Apache-2.0 */
/* test_qat.c - what is trained with quantization computes what is shipped, in every form of scales and with any bits */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pare/compile.h>
#include <pare/evaluate.h>
#include <pare/io.h>
#include <pare/qat.h>

#include "autograd/autograd.h"
#include "autograd/params.h"
#include "base/alloc.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

enum { IMAGES = 4, PIXELS = 3 * 32 * 32, CLASSES = 10 };

/* Two normalized convolutions with a residual, one without a norm, a pool, a classifier. */
static const char network[] =
    "graph net\n%x = input f32[N,3,32,32]\n"
    "@w1 = const f32[8,3,3,3] seed=1\n@g1 = const f32[8] {1,2,0.5,1,1.5,0.25,1,2}\n@b1 = const f32[8] "
    "{0,1,-1,0.5,0,0,2,0}\n"
    "@m1 = const f32[8] {0,0.5,-0.5,1,0,0,1,2}\n@v1 = const f32[8] {30,20,10,40,30,20,10,5}\n"
    "@w2 = const f32[8,8,3,3] seed=2\n@c2 = const f32[8] {1,-1,0,0,2,0.5,0.25,3}\n"
    "@g2 = const f32[8] {1,1,0.5,1,1,0.25,1,1}\n@b2 = const f32[8] {0,1,-1,0.5,0,0,2,0}\n"
    "@m2 = const f32[8] {0,1,-1,2,0,0,4,2}\n@v2 = const f32[8] {90,80,70,60,90,80,70,60}\n"
    "@w3 = const f32[12,8,3,3] seed=3\n@w4 = const f32[10,12] seed=4\n@b4 = const f32[10] {0,1,2,3,4,5,6,7,8,9}\n"
    "%y1 = conv(%x, @w1) strides=[2,2] pads=[1,1,1,1]\n%n1 = batch_normalization(%y1, @g1, @b1, @m1, @v1)\n"
    "%r1 = relu(%n1)\n"
    "%y2 = conv(%r1, @w2, @c2) pads=[1,1,1,1]\n%n2 = batch_normalization(%y2, @g2, @b2, @m2, @v2)\n"
    "%a = add(%n2, %r1)\n%r2 = relu(%a)\n"
    "%p = max_pool(%r2) kernel_shape=[2,2] strides=[2,2]\n"
    "%y3 = conv(%p, @w3) strides=[2,2]\n%r3 = relu(%y3)\n"
    "%m = global_average_pool(%r3)\n%f = flatten(%m)\n%z = gemm(%f, @w4, @b4) transB=1\nreturn %z\n";

static pare_graph   *model;
static pare_dataset *data;
static float         images[IMAGES * PIXELS];

static int set_up(void **state)
{
    (void)state;
    OK(pare_graph_parse(network, &model));
    OK(pare_graph_infer(model, false));
    OK(pare_dataset_open("demo:train", NULL, &data));
    for (int i = 0; i < IMAGES; i++)
        OK(pare_dataset_read(data, i, images + i * PIXELS, NULL));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pare_dataset_close(data);
    pare_graph_destroy(model);
    return 0;
}

static pare_qat *create(pare_qat_scales scales, int weight_bits, int activation_bits)
{
    const pare_rule rule = {
        .kind = PARE_RULE_GLOBAL,
        .config = { .mode = PARE_QMODE_STATIC, .weight_bits = weight_bits, .activation_bits = activation_bits }
    };
    const pare_qat_options o = { .quantize = { .mapping = { &rule, 1 }, .calibration = data, .samples = 16 },
                                 .scales = scales };
    pare_qat              *qat;

    OK(pare_qat_create(model, &o, &qat));
    return qat;
}

/* Logits [IMAGES][CLASSES] by definition: no kernels, no fusion. */
static void run(const pare_graph *g, float *logits)
{
    const pare_tensor  x = { .dtype = PARE_f32,
                             .shape = pare_shape_of(4, (const int64_t[]){ IMAGES, 3, 32, 32 }),
                             .stride = { PIXELS, 32 * 32, 32, 1 },
                             .data = images };
    const pare_tensor *in[] = { &x };
    pare_plan         *plan;
    pare_context      *ctx;

    OK(pare_compile(g, &(pare_compile_options){ .batch = IMAGES, .unfused = true }, &plan));
    OK(pare_context_create(plan, &ctx));
    OK(pare_context_run(ctx, NULL, in, NULL, 0));
    memcpy(logits, pare_context_output(ctx, 0)->data, sizeof(float) * IMAGES * CLASSES);
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
}

/* How far two rows of logits are apart, beside how far the first are spread. */
static double distance(const float *a, const float *b)
{
    double error = 0, spread = 0, mean = 0;

    for (int i = 0; i < IMAGES * CLASSES; i++)
        mean += (double)a[i] / (IMAGES * CLASSES);
    for (int i = 0; i < IMAGES * CLASSES; i++) {
        error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        spread += (a[i] - mean) * (a[i] - mean);
    }
    return sqrt(error / spread);
}

static int count_ops(const pare_graph *g, const char *op)
{
    int n = 0;

    for (const pare_node *node = g->first; node; node = node->next)
        n += strcmp(node->op->name, op) == 0;
    return n;
}

static const pare_qat_phase frozen = { .freeze_ranges = true, .freeze_batch_norm = true };

/*
 * The frozen graph against the integers that are shipped. Both round at the same places with the same scales; what is
 * left is the rounding of integer biases and of float sums, which moves few codes by one.
 */
static void check_simulation(pare_qat_scales scales, int weight_bits, int activation_bits)
{
    pare_qat *const qat = create(scales, weight_bits, activation_bits);
    float           simulated[IMAGES * CLASSES], shipped[IMAGES * CLASSES];
    pare_graph     *g, *converted;

    OK(pare_qat_graph(qat, &frozen, &g));
    assert_int_equal(count_ops(g, "batch_normalization"), 0);
    assert_true(count_ops(g, "fake_quantize") >= 4 + 5);
    assert_int_equal(count_ops(g, "moving_range"), 0);
    run(g, simulated);
    OK(pare_qat_convert(qat, &converted, NULL));
    run(converted, shipped);
    const double off = distance(shipped, simulated);

    if (!(off < 0.01))
        fail_msg("scales %d, W%dA%d: %g", (int)scales, weight_bits, activation_bits, off);
    pare_graph_destroy(g);
    pare_graph_destroy(converted);
    pare_qat_destroy(qat);
}

static void test_simulation_is_deployment(void **state)
{
    (void)state;
    for (pare_qat_scales s = PARE_QAT_MOVING_AVERAGE; s <= PARE_QAT_PACT; s++) {
        check_simulation(s, 8, 8);
        check_simulation(s, 4, 4);
        check_simulation(s, 2, 2);
        check_simulation(s, 3, 8);
        check_simulation(s, 8, 5);
    }
}

/* Before any training, conversion is post-training quantization. */
static void test_untrained_is_ptq(void **state)
{
    const pare_rule rule = { .kind = PARE_RULE_GLOBAL, .config = { .mode = PARE_QMODE_STATIC } };
    pare_qat *const qat = create(PARE_QAT_MOVING_AVERAGE, 8, 8);
    pare_graph     *a, *b;
    char           *of_qat, *of_ptq;

    (void)state;
    OK(pare_qat_convert(qat, &a, NULL));
    OK(pare_quantize(model, &(pare_quantize_options){ .mapping = { &rule, 1 }, .calibration = data, .samples = 16 }, &b,
                     NULL));
    OK(pare_graph_print(a, &of_qat));
    OK(pare_graph_print(b, &of_ptq));
    assert_string_equal(of_qat, of_ptq);
    pare_free(of_qat);
    pare_free(of_ptq);
    pare_graph_destroy(a);
    pare_graph_destroy(b);
    pare_qat_destroy(qat);
}

static const pare_param *param(const pare_params *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->list[i].name, name) == 0)
            return &p->list[i];
    return NULL;
}

/* Which constants become parameters, and that a gradient comes to each. */
static void check_params(pare_qat_scales scales, const pare_qat_phase *phase, const char *trained[],
                         const char *moving[])
{
    pare_qat *const qat = create(scales, 4, 4);
    pare_value     *wrt[64], *grads[64], *loss;
    pare_params     p;
    pare_graph     *g;
    pare_node      *sum;
    int             n = 0;

    OK(pare_qat_graph(qat, phase, &g));
    g->inputs[0]->t.shape.dim[0] = IMAGES;
    OK(pare_graph_infer(g, true));
    OK(pare_params_free(g, NULL, &p));
    OK(pare_graph_add_value(g, "loss", &loss));
    OK(pare_graph_add_node(g, pare_op_find("reduce_mean"), NULL, 1, &g->outputs[0], 1, &loss, NULL, &sum));
    pare_node_set_i(sum, "keepdims", 0);
    OK(pare_graph_infer(g, true));
    for (int i = 0; i < p.n; i++)
        if (p.list[i].trained)
            wrt[n++] = p.list[i].value;
    OK(pare_autograd(g, loss, n, wrt, grads));
    for (int i = 0; i < n; i++)
        if (!grads[i])
            fail_msg("no gradient comes to '%s'", wrt[i]->name);
    for (; *trained; trained++)
        if (!param(&p, *trained) || !param(&p, *trained)->trained)
            fail_msg("'%s' is not trained", *trained);
    for (; *moving; moving++)
        if (!param(&p, *moving) || param(&p, *moving)->trained || !param(&p, *moving)->batch)
            fail_msg("'%s' does not move", *moving);
    pare_params_drop(&p);
    pare_graph_destroy(g);
    pare_qat_destroy(qat);
}

static void test_parameters(void **state)
{
    const char *weights[] = { "w1", "g1", "b1", "w2", "c2", "g2", "b2", "w3", "w4", "b4", NULL };
    const char *learned[] = { "w1", "g1", "w1.scale", "w4.scale", "y2/input.scale", NULL };
    const char *zeros[] = { "w1.scale", "r2.zero", NULL };
    const char *ranges[] = { "x.min", "x.max", "m1", "v1", NULL }, *norms[] = { "m1", "v1", NULL }, *none[] = { NULL };

    (void)state;
    check_params(PARE_QAT_MOVING_AVERAGE, NULL, weights, ranges);
    check_params(PARE_QAT_MOVING_AVERAGE, &(pare_qat_phase){ .freeze_ranges = true }, weights, norms);
    check_params(PARE_QAT_MOVING_AVERAGE, &frozen, weights, none);
    check_params(PARE_QAT_LSQ, NULL, learned, norms);
    check_params(PARE_QAT_LSQ_PLUS, &frozen, zeros, none);
    check_params(PARE_QAT_PACT, &frozen, weights, none);
}

/* Weights and ranges that training changes come back by their names, and are shipped. */
static void test_absorb(void **state)
{
    pare_qat *const qat = create(PARE_QAT_MOVING_AVERAGE, 8, 8);
    float           before[IMAGES * CLASSES], after[IMAGES * CLASSES], simulated[IMAGES * CLASSES];
    pare_graph     *g, *converted;

    (void)state;
    OK(pare_qat_convert(qat, &converted, NULL));
    run(converted, before);
    pare_graph_destroy(converted);
    OK(pare_qat_graph(qat, NULL, &g));
    for (const char **name = (const char *[]){ "w3", "g1", "x.max", NULL }; *name; name++) {
        pare_value *const v = pare_graph_find(g, *name);
        pare_tensor       t = pare_tensor_of(PARE_f32, v->t.shape);

        OK(pare_tensor_alloc(&t));
        for (int64_t i = 0; i < pare_shape_count(&t.shape); i++)
            ((float *)t.data)[i] = 0.75f * (float)pare_tensor_real(&v->t, i);
        pare_tensor_release(&v->t);
        v->t = t;
    }
    OK(pare_qat_absorb(qat, g));
    pare_graph_destroy(g);
    OK(pare_qat_convert(qat, &converted, NULL));
    run(converted, after);
    OK(pare_qat_graph(qat, &frozen, &g));
    run(g, simulated);
    assert_true(distance(before, after) > 0.05);
    assert_true(distance(after, simulated) < 0.01);
    pare_graph_destroy(g);
    pare_graph_destroy(converted);
    pare_qat_destroy(qat);
}

static void test_misuse(void **state)
{
    const pare_rule        rule = { .kind = PARE_RULE_GLOBAL, .config = { .mode = PARE_QMODE_STATIC } };
    const pare_rule        bits = { .kind = PARE_RULE_GLOBAL, .config = { .activation_bits = 9 } };
    const pare_qat_options without = { .quantize = { .mapping = { &rule, 1 } } };
    const pare_qat_options wrong = { .quantize = { .mapping = { &bits, 1 } } };
    pare_qat              *qat;

    (void)state;
    assert_int_equal(pare_qat_create(model, &without, &qat), PARE_ERR_ARG);
    assert_non_null(strstr(pare_error(), "calibration"));
    assert_int_equal(pare_qat_create(model, &wrong, &qat), PARE_ERR_ARG);
    assert_non_null(strstr(pare_error(), "activation_bits is 9"));
    assert_int_equal(pare_qat_create(model, &(pare_qat_options){ .scales = 9 }, &qat), PARE_ERR_ARG);
    pare_qat_destroy(NULL);
}

/* Slopes of fake_quantize against their formulas, written once more. */
static void check_slopes(const char *learn, bool inside_counts)
{
    enum { N = 7 };
    const float        x[N] = { -1.0f, 0.1f, 0.24f, 0.26f, 3.9f, 4.4f, 100.0f }, dy[N] = { 1, -2, 3, 4, -5, 6, 7 };
    const float        scale = 0.25f, zero = 2, lo = 0, hi = 15;
    const int64_t      n = N;
    const pare_shape   row = pare_shape_of(2, (const int64_t[]){ 1, n });
    pare_tensor        in[2] = { pare_tensor_of(PARE_f32, row), pare_tensor_of(PARE_f32, row) }, out[3] = { { 0 } };
    const pare_tensor *at[2] = { &in[0], &in[1] };
    char               text[512];
    pare_graph        *g;

    snprintf(text, sizeof(text),
             "%%dy = input f32[1,7]\n%%x = input f32[1,7]\n@s = const f32 {0.25}\n@z = const f32 {2}\n"
             "%%a, %%b, %%c = fake_quantize_grad(%%dy, %%x, @s, @z) lo=0 hi=15 learn=\"%s\"\nreturn %%a, %%b, %%c\n",
             learn);
    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    in[0].data = (void *)dy;
    in[1].data = (void *)x;
    OK(pare_graph_run(g, at, out));
    for (int i = 0; i < N; i++) {
        const float code = rintf(x[i] / scale) + zero, q = fminf(fmaxf(code, lo), hi);
        const bool  inside = code >= lo && code <= hi;
        const float ds = inside ? (inside_counts ? (q - zero) - x[i] / scale : 0) : q - zero;

        assert_float_equal(((const float *)out[0].data)[i], inside ? dy[i] : 0, 0);
        assert_float_equal(((const float *)out[1].data)[i], dy[i] * ds, 1e-6f);
        assert_float_equal(((const float *)out[2].data)[i], inside ? 0 : -scale * dy[i], 0);
    }
    for (int i = 0; i < 3; i++)
        pare_tensor_release(&out[i]);
    pare_graph_destroy(g);
}

static void test_slopes(void **state)
{
    (void)state;
    check_slopes("lsq+", true);
    check_slopes("pact", false);
}

/* Ranges of rows longer and shorter than what is looked at together; NaN shows; the average moves. */
static void test_ranges(void **state)
{
    static const char  text[] = "%x = input f32[3,19]\n@m = const f32 {-2}\n@M = const f32 {4}\n"
                                "%a, %b = value_range(%x) axis=0\n"
                                "%c, %d = moving_range(%a, %b, @m, @M) constant=0.5\nreturn %a, %b, %c, %d\n";
    float              x[3 * 19];
    pare_tensor        in = pare_tensor_of(PARE_f32, pare_shape_of(2, (const int64_t[]){ 3, 19 })), out[4] = { { 0 } };
    const pare_tensor *at[1] = { &in };
    pare_graph        *g;

    (void)state;
    for (int i = 0; i < 3 * 19; i++)
        x[i] = (float)(i % 19) - 3;
    x[19 + 17] = 50;
    x[2 * 19 + 18] = -60;
    in.data = x;
    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    OK(pare_graph_run(g, at, out));
    const float min[3] = { -3, -3, -60 }, max[3] = { 15, 50, 14 };

    assert_memory_equal(out[0].data, min, sizeof(min));
    assert_memory_equal(out[1].data, max, sizeof(max));
    assert_float_equal(*(float *)out[2].data, -31, 0);
    assert_float_equal(*(float *)out[3].data, 27, 0);
    for (int i = 0; i < 4; i++)
        pare_tensor_release(&out[i]);
    x[5] = NAN;
    OK(pare_graph_run(g, at, out));
    assert_true(isnan(*(float *)out[0].data) && isnan(*(float *)out[3].data));
    for (int i = 0; i < 4; i++)
        pare_tensor_release(&out[i]);
    pare_graph_destroy(g);
}

/* A learned scale stays within its bounds, and its gradient passes unless it pushes out. */
static void test_bounds(void **state)
{
    static const char  text[] = "%s = input f32[4]\n@m = const f32[4] {1,1,1,4}\n@d = const f32[4] {1,-1,-1,1}\n"
                                "%a = bound_scale(%s, @m)\n%b = bound_scale_grad(@d, %s, @m)\nreturn %a, %b\n";
    float              s[4] = { 0.125f, 0.125f, 2, 3 };
    const float        a[4] = { 0.25f, 0.25f, 1, 3 }, b[4] = { 0, -1, 0, 1 };
    const int64_t      n = 4;
    pare_tensor        in = pare_tensor_of(PARE_f32, pare_shape_of(1, &n)), out[2] = { { 0 } };
    const pare_tensor *at[1] = { &in };
    pare_graph        *g;

    (void)state;
    in.data = s;
    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    OK(pare_graph_run(g, at, out));
    assert_memory_equal(out[0].data, a, sizeof(a));
    assert_memory_equal(out[1].data, b, sizeof(b));
    for (int i = 0; i < 2; i++)
        pare_tensor_release(&out[i]);
    pare_graph_destroy(g);
}

/*
 * Three epochs on 1,024 pictures bring back most of what 4 bits take from the demo network, and what the last test saw is
 * what conversion gives.
 */
typedef struct seen {
    double accuracy;
    int    epochs;
} seen;

static void note_epoch(void *user, const pare_train_epoch *e)
{
    seen *const s = user;

    assert_int_equal(e->epoch, s->epochs);
    s->epochs++;
    s->accuracy = e->test_accuracy;
}

static void test_training(void **state)
{
    const pare_rule rule = { .kind = PARE_RULE_GLOBAL,
                             .config = { .mode = PARE_QMODE_STATIC, .weight_bits = 4, .activation_bits = 4 } };
    pare_dataset   *train, *test, *calibration;
    pare_graph     *demo, *models[2];
    pare_evaluation e[2];
    pare_qat       *qat;
    pare_pool      *pool;
    seen            s = { 0 };

    (void)state;
    OK(pare_graph_load(PARE_TEST_DIR "/../examples/demo.onnx", &demo));
    OK(pare_dataset_open("demo:train", &(pare_data_options){ .slice = "0:1024:1" }, &train));
    OK(pare_dataset_open("demo:train", &(pare_data_options){ .slice = "1024:1152:1" }, &calibration));
    OK(pare_dataset_open("demo:test", &(pare_data_options){ .slice = "0:500:1" }, &test));
    OK(pare_pool_create(2, &pool));
    OK(pare_qat_create(demo, &(pare_qat_options){ .quantize = { .mapping = { &rule, 1 }, .calibration = calibration } },
                       &qat));
    OK(pare_qat_convert(qat, &models[0], NULL));
    const pare_train_options o = { .trainer = { .batch = 64, .pool = pool, .optimizer = { .momentum = 0.9 } },
                                   .schedule = { .name = "cosine", .lr = 0.02 },
                                   .epochs = 3,
                                   .epoch_done = note_epoch,
                                   .user = &s };

    OK(pare_qat_train(qat, train, test, &o, 1, &models[1], NULL));
    OK(pare_evaluate((const pare_graph *const *)models, 2, test, &(pare_evaluate_options){ .pool = pool }, e, NULL));
    print_message("W4A4: %.3f before, %.3f after training\n", e[0].top1, e[1].top1);
    assert_int_equal(s.epochs, 3);
    assert_float_equal(s.accuracy, e[1].top1, 0);
    assert_true(e[1].top1 > 0.8 && e[1].top1 > e[0].top1 + 0.1);
    for (int i = 0; i < 2; i++)
        pare_graph_destroy(models[i]);
    pare_qat_destroy(qat);
    pare_dataset_close(train);
    pare_dataset_close(calibration);
    pare_dataset_close(test);
    pare_graph_destroy(demo);
    pare_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_untrained_is_ptq), cmocka_unit_test(test_simulation_is_deployment),
        cmocka_unit_test(test_parameters),       cmocka_unit_test(test_absorb),
        cmocka_unit_test(test_misuse),           cmocka_unit_test(test_slopes),
        cmocka_unit_test(test_ranges),           cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_training),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
