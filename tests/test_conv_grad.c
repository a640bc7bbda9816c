/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conv_grad.c - weight gradients and batch normalization, forward and back, channels-last with halos, at every CPU
 * level; and a small residual network whose training step is planned: equal bits to the interpreter at any number of
 * threads, no conversion of memory inside
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "op_case.h"

#include <pare/compile.h>
#include <pare/pool.h>

#include "autograd/autograd.h"
#include "autograd/params.h"
#include "base/rng.h"
#include "exec/interp.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

/* ------------------------------------------------------------------------------------------------------- single ops */

typedef struct wgrad_case {
    int64_t x[4], dy[4], kernel[2], strides[2], dilations[2], pads[4];
    int64_t group;
} wgrad_case;

static const wgrad_case wgrad_cases[] = {
    { { 3, 16, 8, 8 }, { 3, 16, 8, 8 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, 1 },
    { { 2, 3, 9, 7 }, { 2, 20, 5, 4 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 1, 1 }, 1 },
    { { 2, 10, 6, 6 }, { 2, 35, 3, 3 }, { 1, 1 }, { 2, 2 }, { 1, 1 }, { 0, 0, 0, 0 }, 1 },
    { { 2, 12, 6, 5 }, { 2, 12, 6, 5 }, { 5, 3 }, { 1, 1 }, { 1, 1 }, { 2, 1, 2, 1 }, 12 },
    { { 2, 12, 7, 7 }, { 2, 8, 5, 5 }, { 3, 3 }, { 1, 1 }, { 2, 2 }, { 1, 1, 1, 1 }, 4 },
    { { 1, 5, 4, 4 }, { 1, 1, 5, 5 }, { 4, 4 }, { 1, 1 }, { 1, 1 }, { 2, 2, 2, 2 }, 1 },
    { { 2, 6, 5, 2 }, { 2, 17, 5, 1 }, { 3, 4 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, 1 },
};

static test_case *begin_wgrad(const wgrad_case *w, int halo)
{
    test_case *const c = begin("conv_weight_grad");

    set_ints(c, "kernel_shape", 2, w->kernel);
    set_ints(c, "strides", 2, w->strides);
    set_ints(c, "dilations", 2, w->dilations);
    set_ints(c, "pads", 4, w->pads);
    set_i(c, "group", w->group);
    numbers(c, 0, 4, w->x, halo);
    numbers(c, 1, 4, w->dy, 1);
    return c;
}

/* The halo in memory is as large as the pads, or larger. */
static void weight_gradients(void **state)
{
    (void)state;
    seed = 11;
    for (size_t i = 0; i < sizeof(wgrad_cases) / sizeof(wgrad_cases[0]); i++)
        for (int halo = 2; halo <= 3; halo++) {
            test_case *const c = begin_wgrad(&wgrad_cases[i], halo);

            check(c, PARE_DENSE, 0);
            finish(c);
        }
}

static void statistics(void **state)
{
    (void)state;
    seed = 12;
    for (int channels = 1; channels <= 97; channels += 12) {
        test_case *c = begin("image_stats");

        numbers(c, 0, DIMS(3, channels, 4, 5), 1);
        check(c, PARE_DENSE, 0);
        finish(c);
        c = begin("channel_sums");
        numbers(c, 0, DIMS(3, channels, 4, 5), 1);
        check(c, PARE_DENSE, 0);
        finish(c);
        c = begin("batch_norm_grad_sums");
        numbers(c, 0, DIMS(3, channels, 4, 5), 1);
        numbers(c, 1, DIMS(3, channels, 4, 5), 0);
        numbers(c, 2, DIMS(channels), -1);
        check(c, PARE_DENSE, 0);
        finish(c);
    }
}

static void normalizations(void **state)
{
    (void)state;
    seed = 13;
    for (int channels = 1; channels <= 97; channels += 12) {
        test_case *c = begin("batch_normalization");

        numbers(c, 0, DIMS(3, channels, 4, 5), 1);
        for (int i = 1; i < 5; i++)
            numbers(c, i, DIMS(channels), -1);
        set_f(c, "clamp_lo", 0);
        check(c, PARE_CHANNELS_LAST, 1);
        finish(c);
        c = begin("batch_norm_grad");
        numbers(c, 0, DIMS(3, channels, 4, 5), 0);
        numbers(c, 1, DIMS(3, channels, 4, 5), 1);
        for (int i = 2; i < 7; i++)
            numbers(c, i, DIMS(channels), -1);
        check(c, PARE_CHANNELS_LAST, 2);
        finish(c);
    }
}

/* Mean and variance as anybody computes them, in double. */
static void statistics_are_right(void **state)
{
    enum { N = 5, C = 3, PIXELS = 7 };
    pare_tensor        x = pare_tensor_of(PARE_f32, pare_shape_of(3, (const int64_t[]){ N, C, PIXELS }));
    pare_tensor        parts = { 0 }, merged[2] = { { 0 } };
    pare_rng           rng = pare_rng_seed(3);
    int64_t            count = PIXELS;
    const pare_tensor *in[] = { &x };
    pare_tensor       *out[] = { &parts };

    (void)state;
    OK(pare_tensor_alloc(&x));
    for (int i = 0; i < N * C * PIXELS; i++)
        ((float *)x.data)[i] = 100 + pare_rng_uniform(&rng, -1, 1);
    OK(pare_op_eval(&(pare_call){ pare_op_find("image_stats"), NULL, 1, 1, in, out }));
    in[0] = &parts;
    OK(pare_op_eval(
        &(pare_call){ pare_op_find("merge_stats"), &count, 1, 2, in, (pare_tensor *[]){ &merged[0], &merged[1] } }));
    for (int c = 0; c < C; c++) {
        double mean = 0, var = 0;

        for (int i = 0; i < N * PIXELS; i++)
            mean += (double)((const float *)x.data)[i / PIXELS * C * PIXELS + c * PIXELS + i % PIXELS] / (N * PIXELS);
        for (int i = 0; i < N * PIXELS; i++) {
            const double d = (double)((const float *)x.data)[i / PIXELS * C * PIXELS + c * PIXELS + i % PIXELS] - mean;
            var += d * d / (N * PIXELS);
        }
        assert_true(fabs(mean - (double)((const float *)merged[0].data)[c]) < 1e-4);
        assert_true(fabs(var - (double)((const float *)merged[1].data)[c]) < 1e-4);
    }
    pare_tensor_release(&x);
    pare_tensor_release(&parts);
    pare_tensor_release(&merged[0]);
    pare_tensor_release(&merged[1]);
}

/* --------------------------------------------------------------------------------------------------- a training step */

#define BN(n, c)                                                                                             \
    "@g" n " = const f32[" c "] seed=1" n "\n@b" n " = const f32[" c "] seed=2" n "\n@m" n " = const f32[" c \
    "] seed=3" n "\n@v" n " = const f32[" c "] seed=4" n "\n"

/* A stem, a block that halves the image and doubles the channels, and a classifier. */
static const char network[] =
    "graph residual\n%x = input f32[4,3,8,8]\n%t = input s64[4]\n"
    "@w1 = const f32[8,3,3,3] seed=1\n@w2 = const f32[16,8,3,3] seed=2\n@w3 = const f32[16,16,3,3] seed=3\n"
    "@w4 = const f32[16,8,1,1] seed=4\n@w5 = const f32[5,16] seed=5\n@w6 = const f32[5] seed=6\n" BN("1", "8")
        BN("2", "16") BN("3", "16")
            BN("4", "16") "%c1 = conv(%x, @w1) pads=[1,1,1,1]\n%n1 = batch_normalization(%c1, @g1, @b1, @m1, @v1)\n%r1 "
                          "= relu(%n1)\n"
                          "%c2 = conv(%r1, @w2) pads=[1,1,1,1] strides=[2,2]\n%n2 = batch_normalization(%c2, @g2, @b2, "
                          "@m2, @v2)\n"
                          "%r2 = relu(%n2)\n%c3 = conv(%r2, @w3) pads=[1,1,1,1]\n%n3 = batch_normalization(%c3, @g3, "
                          "@b3, @m3, @v3)\n"
                          "%c4 = conv(%r1, @w4) strides=[2,2]\n%n4 = batch_normalization(%c4, @g4, @b4, @m4, @v4)\n"
                          "%s = add(%n3, %n4)\n%r3 = relu(%s)\n%p = global_average_pool(%r3)\n%f = flatten(%p)\n"
                          "%y = gemm(%f, @w5, @w6) transB=1\n%l, %q = softmax_cross_entropy(%y, %t)\n%loss = "
                          "reduce_mean(%l) keepdims=0\n"
                          "return %loss\n";

enum { MAX_ENDS = 40 };

typedef struct step {
    pare_graph        *g;
    pare_params        params;
    pare_tensor        in[MAX_ENDS];
    const pare_tensor *at[MAX_ENDS];
} step;

static void make_step(step *s)
{
    pare_value *wrt[MAX_ENDS], *grads[MAX_ENDS];
    pare_rng    rng = pare_rng_seed(5);
    int         n = 0;

    memset(s, 0, sizeof(*s));
    OK(pare_graph_parse(network, &s->g));
    OK(pare_graph_infer(s->g, true));
    OK(pare_params_free(s->g, NULL, &s->params));
    OK(pare_graph_infer(s->g, true));
    for (int i = 0; i < s->params.n; i++)
        if (s->params.list[i].trained)
            wrt[n++] = s->params.list[i].value;
    OK(pare_autograd(s->g, s->g->outputs[0], n, wrt, grads));
    for (int i = 0; i < n; i++)
        OK(pare_graph_add_output(s->g, grads[i]));
    OK(pare_graph_verify(s->g));
    for (int i = 0; i < s->g->n_inputs; i++) {
        pare_tensor *const t = &s->in[i];

        *t = pare_tensor_of(s->g->inputs[i]->t.dtype, s->g->inputs[i]->t.shape);
        OK(pare_tensor_alloc(t));
        for (int64_t k = 0; k < pare_shape_count(&t->shape); k++)
            if (t->dtype == PARE_f32)
                pare_tensor_set_real(t, k, (double)pare_rng_uniform(&rng, -1, 1));
            else
                pare_tensor_set_int(t, k, pare_rng_below(&rng, 5));
        s->at[i] = t;
    }
}

static void drop_step(step *s)
{
    for (int i = 0; i < s->g->n_inputs; i++)
        pare_tensor_release(&s->in[i]);
    pare_params_drop(&s->params);
    pare_graph_destroy(s->g);
}

static void compare(const step *s, const pare_plan *plan, const pare_tensor *want, int threads)
{
    pare_context *context;
    pare_pool    *pool;

    OK(pare_pool_create(threads, &pool));
    OK(pare_context_create(plan, &context));
    for (int run = 0; run < 2; run++)
        OK(pare_context_run(context, pool, s->at, NULL, 0));
    for (int i = 0; i < s->g->n_outputs; i++) {
        const pare_tensor *const got = pare_context_output(context, i);

        assert_true(pare_tensor_is_dense(got));
        if (memcmp(got->data, want[i].data, (size_t)pare_tensor_bytes(got)) != 0)
            fail_msg("%d threads: output %s differs from the interpreter's", threads, s->g->outputs[i]->name);
    }
    pare_context_destroy(context);
    pare_pool_destroy(pool);
}

static void planned_step(void **state)
{
    pare_tensor want[MAX_ENDS] = { { 0 } };
    pare_plan  *plan;
    step        s;
    int         copies = 0, references = 0;

    (void)state;
    make_step(&s);
    OK(pare_interp_run(s.g, s.at, want));
    OK(pare_compile(s.g, NULL, &plan));
    for (int threads = 1; threads <= 7; threads += threads + 1)
        compare(&s, plan, want, threads);
    for (int i = 0; i < pare_plan_n_steps(plan); i++) {
        pare_step_info info;

        pare_plan_describe(plan, i, &info);
        copies += strcmp(info.op, "identity") == 0;
        references += strcmp(info.kernel, "reference") == 0;
    }
    assert_int_equal(copies, 1); /* the images */
    assert_int_equal(references, 0);
    pare_plan_destroy(plan);
    for (int i = 0; i < s.g->n_outputs; i++)
        pare_tensor_release(&want[i]);
    drop_step(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_gradients),     cmocka_unit_test(statistics),   cmocka_unit_test(normalizations),
        cmocka_unit_test(statistics_are_right), cmocka_unit_test(planned_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
