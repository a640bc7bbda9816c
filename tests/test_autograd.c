/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_autograd.c - the gradient of every rule against differences of the forward pass; planned against interpreted;
 * which ops have no rule, and why; parameters of a model as inputs
 *
 * Options: --only=OP checks the cases of that op alone.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autograd/autograd.h"
#include "autograd/params.h"
#include "autograd_cases.h"
#include "base/rng.h"
#include "base/status.h"
#include "exec/interp.h"
#include "exec/plan.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

enum { MAX_ENDS = 16 };

static const char *only;

static pare_graph *parse(const char *text)
{
    pare_graph *g;

    if (pare_graph_parse(text, &g) != PARE_OK)
        fail_msg("%s\n%s", text, pare_error());
    if (pare_graph_infer(g, true) != PARE_OK)
        fail_msg("%s\n%s", text, pare_error());
    return g;
}

typedef struct tensors {
    pare_tensor t[MAX_ENDS];
    int         n;
} tensors;

/* Pointers to them, as calls want them. */
typedef struct pointers {
    const pare_tensor *at[MAX_ENDS];
} pointers;

static pointers all(const tensors *t)
{
    pointers p;

    for (int i = 0; i < MAX_ENDS; i++)
        p.at[i] = &t->t[i];
    return p;
}

static void drop(tensors *t)
{
    for (int i = 0; i < t->n; i++)
        pare_tensor_release(&t->t[i]);
}

/* Distinct numbers, in an order of no meaning. */
static tensors make_inputs(const pare_graph *g, bool positive)
{
    pare_rng rng = pare_rng_seed(7);
    tensors  r = { .n = g->n_inputs };

    for (int k = 0; k < r.n; k++) {
        pare_tensor *const t = &r.t[k];

        *t = pare_tensor_of(PARE_f32, g->inputs[k]->t.shape);
        OK(pare_tensor_alloc(t));
        const int64_t n = pare_shape_count(&t->shape);
        float *const  x = t->data;
        for (int64_t i = 0; i < n; i++)
            x[i] = 0.1f * (float)(i - (positive ? -2 : n / 2)) + 0.05f + 0.025f * (float)k;
        for (int64_t i = n - 1; i > 0; i--) {
            const int64_t j = (int64_t)pare_rng_below(&rng, (uint32_t)i + 1);
            const float   keep = x[i];

            x[i] = x[j];
            x[j] = keep;
        }
    }
    return r;
}

static tensors interpret(const pare_graph *g, const tensors *in)
{
    tensors out = { .n = g->n_outputs };

    OK(pare_interp_run(g, all(in).at, out.t));
    return out;
}

/* The factor of element i of output k in the loss: sum over all of factor * y. */
static float factor(int k, int64_t i)
{
    return 0.5f + 0.37f * (float)((i * 7 + k * 3) % 11) - 1.5f * (float)(i % 2);
}

static double loss_of(const pare_graph *g, const tensors *in)
{
    tensors y = interpret(g, in);
    double  sum = 0;

    for (int k = 0; k < y.n; k++)
        for (int64_t i = 0; i < pare_shape_count(&y.t[k].shape); i++)
            sum += (double)factor(k, i) * (double)((const float *)y.t[k].data)[i];
    drop(&y);
    return sum;
}

static pare_value *result(pare_graph *g, const char *op, int n, pare_value *const *in, const char *attrs)
{
    pare_value *out;
    pare_node  *node;

    OK(pare_graph_add_value(g, "", &out));
    OK(pare_graph_add_node(g, pare_op_find(op), NULL, n, in, 1, &out, NULL, &node));
    OK(pare_node_parse_attrs(node, attrs));
    return out;
}

/* The graph with the same loss and its gradients as outputs; which inputs have one is returned in has[]. */
static pare_graph *with_gradients(const char *ir, bool has[MAX_ENDS])
{
    pare_graph *const g = parse(ir);
    pare_value       *loss = NULL, *grads[MAX_ENDS], *wrt[MAX_ENDS];
    const int         n = g->n_inputs;

    for (int k = 0; k < g->n_outputs; k++) {
        pare_tensor f = pare_tensor_of(PARE_f32, g->outputs[k]->t.shape);
        pare_value *weights;

        OK(pare_tensor_alloc(&f));
        for (int64_t i = 0; i < pare_shape_count(&f.shape); i++)
            ((float *)f.data)[i] = factor(k, i);
        OK(pare_graph_add_const(g, "weights", &f, &weights));
        pare_tensor_release(&f);
        pare_value *const weighted = result(g, "mul", 2, (pare_value *[]){ g->outputs[k], weights }, NULL);
        pare_value *const sum = result(g, "reduce_sum", 1, &weighted, "keepdims=0");
        loss = loss ? result(g, "add", 2, (pare_value *[]){ loss, sum }, NULL) : sum;
    }
    for (int i = 0; i < n; i++)
        wrt[i] = g->inputs[i];
    OK(pare_autograd(g, loss, n, wrt, grads));
    for (int i = 0; i < n; i++) {
        has[i] = grads[i] != NULL;
        if (has[i])
            OK(pare_graph_add_output(g, grads[i]));
    }
    OK(pare_graph_verify(g));
    OK(pare_graph_infer(g, true));
    return g;
}

/*
 * Central differences at h and h / 2, extrapolated: what is left of the curvature is of the order h^4 = 6e-8. Rounding
 * of the forward pass in float, up to 1e-6 for a loss of some 10, is divided by h: 1e-4. So a relative 2e-3 of numbers
 * about 1 leaves a factor of ten.
 */
static double difference(const pare_graph *g, tensors *in, int k, int64_t i)
{
    float *const x = (float *)in->t[k].data + i;
    const float  at = *x;
    double       slope[2];

    for (int half = 0; half < 2; half++) {
        const float h = half ? 0x1p-7f : 0x1p-6f;
        double      y[2];

        for (int side = 0; side < 2; side++) {
            *x = side ? at + h : at - h;
            y[side] = loss_of(g, in);
        }
        slope[half] = (y[1] - y[0]) / (2 * (double)h);
    }
    *x = at;
    return (4 * slope[1] - slope[0]) / 3;
}

/* How many elements of the gradients are not what differences say. */
static int check_case(const grad_case *c)
{
    bool              has[MAX_ENDS];
    pare_graph *const forward = parse(c->ir), *const g = with_gradients(c->ir, has);
    tensors in = make_inputs(forward, c->positive), out = interpret(g, &in);
    int     at = forward->n_outputs, wrong = 0;

    for (int k = 0; k < in.n; k++) {
        const pare_tensor *const grad = has[k] ? &out.t[at++] : NULL;

        for (int64_t i = 0; i < pare_shape_count(&in.t[k].shape); i++) {
            const double want = difference(forward, &in, k, i);
            const double got = grad ? (double)((const float *)grad->data)[i] : 0;

            if (!(fabs(got - want) <= 2e-3 * (fabs(want) > 1 ? fabs(want) : 1)) && wrong++ == 0)
                print_error("%s\ninput %d[%lld]: the gradient is %g, differences say %g\n", c->ir, k, (long long)i, got,
                            want);
        }
    }
    drop(&in);
    drop(&out);
    pare_graph_destroy(forward);
    pare_graph_destroy(g);
    return wrong;
}

static void gradients_are_differences(void **state)
{
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (!only || strcmp(only, cases[i].op) == 0)
            wrong += check_case(&cases[i]) > 0;
    assert_int_equal(wrong, 0);
}

/* A plan of the gradient graph, kernels and all, gives the interpreter's bits, with one thread and with three. */
static void check_plan(const grad_case *c, pare_pool *pool)
{
    bool          has[MAX_ENDS];
    pare_graph   *g = with_gradients(c->ir, has);
    tensors       in = make_inputs(g, c->positive), want = interpret(g, &in);
    pare_plan    *plan;
    pare_context *ctx;

    OK(pare_plan_create(g, &(pare_plan_options){ 0 }, &plan));
    OK(pare_context_create(plan, &ctx));
    OK(pare_context_run(ctx, pool, all(&in).at, NULL, 0));
    for (int k = 0; k < want.n; k++) {
        const pare_tensor *const y = pare_context_output(ctx, k);

        for (int64_t i = 0; i < pare_shape_count(&y->shape); i++)
            if (pare_tensor_real(y, i) != pare_tensor_real(&want.t[k], i))
                fail_msg("%s\noutput %d[%lld] is %.9g, interpreted %.9g", c->ir, k, (long long)i,
                         pare_tensor_real(y, i), pare_tensor_real(&want.t[k], i));
    }
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    drop(&in);
    drop(&want);
}

static void plans_give_equal_bits(void **state)
{
    pare_pool *pool;

    (void)state;
    OK(pare_pool_create(3, &pool));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (!only || strcmp(only, cases[i].op) == 0) {
            check_plan(&cases[i], NULL);
            check_plan(&cases[i], pool);
        }
    pare_pool_destroy(pool);
}

/* ------------------------------------------------------------------------------------------------------------ rules */

/* Gradients that differences cannot show: the rounding of quantization counts as the identity, or as nothing. */
static const char *const not_differences[] = { "fake_quantize", "choose_qparams",    "value_range",
                                               "moving_range",  "batch_norm_factor", "bound_scale" };

/* Every other rule is in a case by its op's name. */
static void every_rule_has_a_case(void **state)
{
    const pare_op *op;

    (void)state;
    for (int i = 0; (op = pare_op_at(i)); i++) {
        bool found = false;

        for (size_t k = 0; k < sizeof(not_differences) / sizeof(not_differences[0]); k++)
            found |= strcmp(not_differences[k], op->name) == 0;
        for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]) && !found; k++) {
            char call[80];

            snprintf(call, sizeof(call), "= %s(", op->name);
            found = strstr(cases[k].ir, call) != NULL;
        }
        if (pare_grad_find(op) && !found)
            fail_msg("the rule of %s has no case", op->name);
    }
}

/* Ops that no gradient goes through. */
static const char *const without_rule[] = {
#include "autograd_without.h"
};

static void ops_without_a_rule_are_known(void **state)
{
    const pare_op *op;

    (void)state;
    for (int i = 0; (op = pare_op_at(i)); i++) {
        bool listed = false;

        for (size_t k = 0; k < sizeof(without_rule) / sizeof(without_rule[0]); k++)
            listed |= strcmp(without_rule[k], op->name) == 0;
        if (!listed && !pare_grad_find(op))
            fail_msg("%s has no gradient: write a rule, or say in autograd_without.h why not", op->name);
        if (listed && pare_grad_find(op))
            fail_msg("%s has a gradient, but is said to have none", op->name);
    }
}

/* ------------------------------------------------------------------------------------------------------- the driver */

static void a_missing_rule_is_named(void **state)
{
    pare_graph *const g = parse("%x = input f32[2,3]\n%n = is_nan(%x)\n%y = mod(%x, @a) fmod=1\n@a = const f32 {1}\n"
                                "%l = reduce_sum(%y) keepdims=0\nreturn %l");
    pare_value       *grad;

    (void)state;
    assert_int_equal(pare_autograd(g, g->outputs[0], 1, g->inputs, &grad), PARE_ERR_UNSUPPORTED);
    assert_non_null(strstr(pare_error(), "mod"));
    assert_non_null(strstr(pare_error(), "node 'y'"));
    pare_graph_destroy(g);
}

static void a_loss_is_one_number(void **state)
{
    pare_graph *const g = parse("%x = input f32[2]\n%y = relu(%x)\nreturn %y");
    pare_value       *grad;

    (void)state;
    assert_int_equal(pare_autograd(g, g->outputs[0], 1, g->inputs, &grad), PARE_ERR_SHAPE);
    pare_graph_destroy(g);
}

/* What the loss does not depend on has no gradient; nodes beside the way are left alone, rule or not. */
static void only_the_way_counts(void **state)
{
    pare_graph *const g = parse("%x = input f32[2]\n%z = input f32[2]\n@t = const f32 {0.5}\n%c = mod(%z, @t) fmod=1\n"
                                "%y = mul(%x, %c)\n%l = reduce_sum(%y) keepdims=0\nreturn %l");
    pare_value       *grads[2];

    (void)state;
    OK(pare_autograd(g, g->outputs[0], 1, g->inputs, grads));
    assert_non_null(grads[0]);
    OK(pare_autograd(g, g->outputs[0], 1, (pare_value *[]){ g->outputs[0] }, grads));
    assert_non_null(grads[0]);
    pare_graph_destroy(g);

    pare_graph *const other = parse("%x = input f32[2]\n%z = input f32[2]\n%l = reduce_sum(%x) keepdims=0\nreturn %l");
    OK(pare_autograd(other, other->outputs[0], 2, other->inputs, grads));
    assert_non_null(grads[0]);
    assert_null(grads[1]);
    pare_graph_destroy(other);
}

/* -------------------------------------------------------------------------------------------------- losses and masks */

static void run_text(const char *ir, tensors *out)
{
    pare_graph *const g = parse(ir);
    const tensors     none = { .n = 0 };

    *out = interpret(g, &none);
    pare_graph_destroy(g);
}

/* Of two equal logits each class has a half; a class that does not exist gives NaN, and not to its neighbours. */
static void cross_entropy_of_classes(void **state)
{
    tensors out;

    (void)state;
    run_text("@x = const f32[3,2] {0,0,1,1,0,0}\n@t = const s64[3] {1,2,0}\n@d = const f32[3] {1,1,2}\n"
             "%l, %p = softmax_cross_entropy(@x, @t)\n%g = softmax_cross_entropy_grad(@d, %p, @t)\nreturn %l, %p, %g",
             &out);
    assert_true(fabs(pare_tensor_real(&out.t[0], 0) - 0.6931471805599453) < 1e-6);
    assert_true(isnan(pare_tensor_real(&out.t[0], 1)));
    assert_true(pare_tensor_real(&out.t[1], 3) == 0.5);
    assert_true(pare_tensor_real(&out.t[2], 0) == 0.5 && pare_tensor_real(&out.t[2], 1) == -0.5);
    assert_true(isnan(pare_tensor_real(&out.t[2], 2)));
    assert_true(pare_tensor_real(&out.t[2], 4) == -1 && pare_tensor_real(&out.t[2], 5) == 1);
    drop(&out);
}

/* About a quarter is dropped, the rest grows; another seed or stream drops others, the same seed the same. */
static void masks_drop_by_the_seed(void **state)
{
    tensors out;
    int     dropped = 0, same[4] = { 0 };

    (void)state;
    run_text("@s = const s64 {5}\n@t = const s64 {6}\n%a = dropout_mask(@s) ratio=0.25 shape=[100,100]\n"
             "%b = dropout_mask(@s) ratio=0.25 shape=[100,100]\n%c = dropout_mask(@t) ratio=0.25 shape=[100,100]\n"
             "%d = dropout_mask(@s) ratio=0.25 shape=[100,100] stream=1\nreturn %a, %b, %c, %d",
             &out);
    for (int64_t i = 0; i < 10000; i++) {
        const float *const a = out.t[0].data;

        assert_true(a[i] == 0 || a[i] == 1.0f / 0.75f);
        dropped += a[i] == 0;
        for (int k = 1; k < 4; k++)
            same[k] += ((const float *)out.t[k].data)[i] == a[i];
    }
    assert_in_range(dropped, 2500 - 200, 2500 + 200); /* the deviation is 43 */
    assert_int_equal(same[1], 10000);
    assert_in_range(same[2], 6250 - 250, 6250 + 250); /* 0.75 * 0.75 + 0.25 * 0.25 agree by chance */
    assert_in_range(same[3], 6250 - 250, 6250 + 250);
    drop(&out);
}

/* ------------------------------------------------------------------------------------------------------- parameters */

static const char net[] = "%x = input f32[2,3,4,4]\n@w = const f32[4,3,3,3] seed=1\n@b = const f32[4] seed=2\n"
                          "@g = const f32[4] seed=3\n@h = const f32[4] seed=4\n@m = const f32[4] seed=5\n"
                          "@v = const f32[4] {1,2,3,4}\n@f = const f32[16,5] seed=6\n@half = const f32 {0.5}\n"
                          "%c = conv(%x, @w, @b)\n%n = batch_normalization(%c, @g, @h, @m, @v) momentum=0.8\n"
                          "%s = mul(%n, @half)\n%r = flatten(%s)\n%y = matmul(%r, @f)\nreturn %y";

static const pare_param *param(const pare_params *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->list[i].name, name) == 0)
            return &p->list[i];
    return NULL;
}

static void parameters_become_inputs(void **state)
{
    pare_graph *const g = parse(net);
    pare_params       p;

    (void)state;
    OK(pare_params_free(g, NULL, &p));
    OK(pare_graph_verify(g));
    OK(pare_graph_infer(g, true));
    assert_int_equal(p.n, 7);
    assert_int_equal(g->n_inputs, 6);
    assert_true(param(&p, "w")->trained && param(&p, "w")->decay && param(&p, "w")->value->is_input);
    assert_true(param(&p, "b")->trained && !param(&p, "b")->decay);
    assert_true(param(&p, "g")->trained && !param(&p, "g")->decay);
    assert_true(param(&p, "f")->decay);
    assert_null(param(&p, "half"));
    assert_false(param(&p, "v")->trained);
    assert_int_equal(param(&p, "v")->count, 2 * 2 * 2);
    assert_true(param(&p, "v")->momentum == 0.8f);
    assert_string_equal(param(&p, "m")->batch->producer->op->name, "merge_stats");
    assert_true(pare_tensor_real(&param(&p, "v")->initial, 3) == 4);
    assert_int_equal(param(&p, "w")->initial.shape.dim[1], 3);
    pare_graph_destroy(g);
    pare_params_drop(&p);
}

static bool is_f(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "f") == 0;
}

static void a_filter_leaves_the_rest_alone(void **state)
{
    pare_graph *const g = parse(net);
    pare_params       p;

    (void)state;
    OK(pare_params_free(g, &(pare_param_filter){ .trains = is_f }, &p));
    assert_int_equal(p.n, 1);
    assert_string_equal(p.list[0].name, "f");
    assert_int_equal(g->n_inputs, 2);
    pare_params_drop(&p);
    pare_graph_destroy(g);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_differences),
        cmocka_unit_test(plans_give_equal_bits),
        cmocka_unit_test(every_rule_has_a_case),
        cmocka_unit_test(ops_without_a_rule_are_known),
        cmocka_unit_test(a_missing_rule_is_named),
        cmocka_unit_test(a_loss_is_one_number),
        cmocka_unit_test(only_the_way_counts),
        cmocka_unit_test(parameters_become_inputs),
        cmocka_unit_test(a_filter_leaves_the_rest_alone),
        cmocka_unit_test(cross_entropy_of_classes),
        cmocka_unit_test(masks_drop_by_the_seed),
    };

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--only=", 7) == 0)
            only = argv[i] + 7;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
