/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_recurrent.c - lstm, gru, rnn and their integer forms against ONNX's formulas, written once more
 *
 * Here every item of the batch walks over its own steps, in double; the ops walk over all items together in float. The
 * integer forms are compared bit by bit with the arithmetic of NUMERICS.md 7. Layouts, parts and CPU levels are the
 * business of test_ops.c. Lists of strings and floats, which only these ops have as attributes, go through files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include <pare/io.h>

#include "base/math_gates.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "graph/graph.h"
#include "op_sample.h"
#include "ops/recurrent.h"

enum { MAX_H = 96 };

/* A sample with tame numbers: its random floats lie in [-1, 1], NaN and infinities are gone. */
typedef struct problem {
    sample_call s;
    int64_t     steps, batch, in, hidden;
    int         directions, gates;
    bool        batch_first;
} problem;

static void problem_read(problem *p, const char *op, const char *sample)
{
    pare_rng rng = pare_rng_seed(11);

    sample_read(&p->s, pare_op_find(op), sample, 3);
    for (int i = 0; i < p->s.call.n_in; i++) {
        const int64_t n = p->s.in[i].dtype == PARE_f32 ? pare_shape_count(&p->s.in[i].shape) : 0;
        for (int64_t k = 0; k < n && p->s.in_ptr[i]; k++)
            ((float *)p->s.in[i].data)[k] = pare_rng_uniform(&rng, -1, 1);
    }

    const pare_recurrent_attrs *const a = p->s.call.attrs;
    const pare_shape *const x = &p->s.in[PARE_RNN_X].shape, *const r = &p->s.in[PARE_RNN_R].shape;
    p->batch_first = a->layout == 1;
    p->steps = x->dim[p->batch_first];
    p->batch = x->dim[!p->batch_first];
    p->in = x->dim[2];
    p->hidden = r->dim[2];
    p->directions = (int)r->dim[0];
    p->gates = (int)(r->dim[1] / r->dim[2]);
    assert_true(p->hidden <= MAX_H);
}

static void eval(problem *p)
{
    if (pare_op_eval(&p->s.call) != PARE_OK)
        fail_msg("%s: %s", p->s.call.op->name, pare_error());
}

static bool given(const problem *p, int input)
{
    return input < p->s.call.n_in && p->s.in_ptr[input];
}

/* Element of an input, 0 where it is left out. */
static double in(const problem *p, int input, int64_t index)
{
    return given(p, input) ? pare_tensor_real(&p->s.in[input], index) : 0;
}

static double x_at(const problem *p, int64_t t, int64_t b, int64_t i)
{
    return in(p, PARE_RNN_X, (p->batch_first ? b * p->steps + t : t * p->batch + b) * p->in + i);
}

static int64_t state_index(const problem *p, int d, int64_t b, int64_t n)
{
    return (p->batch_first ? b * p->directions + d : d * p->batch + b) * p->hidden + n;
}

static int64_t y_index(const problem *p, int64_t t, int d, int64_t b, int64_t n)
{
    if (p->batch_first)
        return ((b * p->steps + t) * p->directions + d) * p->hidden + n;
    return ((t * p->directions + d) * p->batch + b) * p->hidden + n;
}

static int64_t length_of(const problem *p, int64_t b)
{
    const int64_t n = given(p, PARE_RNN_LENS) ? pare_tensor_int(&p->s.in[PARE_RNN_LENS], b) : p->steps;

    return n < 0 ? 0 : n > p->steps ? p->steps : n;
}

static bool backward(const problem *p, int d)
{
    return d == 1 || !strcmp(((const pare_recurrent_attrs *)p->s.call.attrs)->direction, "reverse");
}

static void expect_near(const problem *p, int output, int64_t index, double want)
{
    if (output >= p->s.call.n_out)
        return;
    const double got = pare_tensor_real(&p->s.out[output], index);
    if (!(fabs(got - want) <= 1e-5))
        fail_msg("%s output %d[%lld]: want %.9g, got %.9g", p->s.call.op->name, output, (long long)index, want, got);
}

/* ----------------------------------------------------------------------------------------------- formulas in double */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* x's and h's part of gate row `row`, each with its bias. */
static double x_part(const problem *p, int d, int64_t row, int64_t t, int64_t b)
{
    const int64_t width = p->gates * p->hidden;
    double        sum = in(p, PARE_RNN_B, d * 2 * width + row);

    for (int64_t k = 0; k < p->in; k++)
        sum += x_at(p, t, b, k) * in(p, PARE_RNN_W, (d * width + row) * p->in + k);
    return sum;
}

static double h_part(const problem *p, int d, int64_t row, const double *h)
{
    const int64_t width = p->gates * p->hidden;
    double        sum = in(p, PARE_RNN_B, (d * 2 + 1) * width + row);

    for (int64_t k = 0; k < p->hidden; k++)
        sum += h[k] * in(p, PARE_RNN_R, (d * width + row) * p->hidden + k);
    return sum;
}

static void lstm_step(const problem *p, int d, int64_t t, int64_t b, double *h, double *c)
{
    const int64_t n = p->hidden;
    double        next[MAX_H];

    for (int64_t j = 0; j < n; j++) {
        const double pi = in(p, PARE_RNN_P, (d * 3 + 0) * n + j), po = in(p, PARE_RNN_P, (d * 3 + 1) * n + j);
        const double pf = in(p, PARE_RNN_P, (d * 3 + 2) * n + j);
        const double i = sigmoid(x_part(p, d, j, t, b) + h_part(p, d, j, h) + pi * c[j]);
        const double f = sigmoid(x_part(p, d, 2 * n + j, t, b) + h_part(p, d, 2 * n + j, h) + pf * c[j]);
        const double g = tanh(x_part(p, d, 3 * n + j, t, b) + h_part(p, d, 3 * n + j, h));
        c[j] = f * c[j] + i * g;
        const double o = sigmoid(x_part(p, d, n + j, t, b) + h_part(p, d, n + j, h) + po * c[j]);
        next[j] = o * tanh(c[j]);
    }
    memcpy(h, next, sizeof(*h) * (size_t)n);
}

static void gru_step(const problem *p, int d, int64_t t, int64_t b, double *h, double *c)
{
    const int64_t n = p->hidden;
    const bool    linear = ((const pare_recurrent_attrs *)p->s.call.attrs)->linear_before_reset;
    double        z[MAX_H], r[MAX_H], rh[MAX_H];

    (void)c;
    for (int64_t j = 0; j < n; j++) {
        z[j] = sigmoid(x_part(p, d, j, t, b) + h_part(p, d, j, h));
        r[j] = sigmoid(x_part(p, d, n + j, t, b) + h_part(p, d, n + j, h));
        rh[j] = r[j] * h[j];
    }
    double next[MAX_H];
    for (int64_t j = 0; j < n; j++) {
        const int64_t row = 2 * n + j;
        const double  s = linear ? r[j] * h_part(p, d, row, h) : h_part(p, d, row, rh);
        next[j] = (1 - z[j]) * tanh(x_part(p, d, row, t, b) + s) + z[j] * h[j];
    }
    memcpy(h, next, sizeof(*h) * (size_t)n);
}

static void rnn_step(const problem *p, int d, int64_t t, int64_t b, double *h, double *c)
{
    double next[MAX_H];

    (void)c;
    for (int64_t j = 0; j < p->hidden; j++)
        next[j] = tanh(x_part(p, d, j, t, b) + h_part(p, d, j, h));
    memcpy(h, next, sizeof(*h) * (size_t)p->hidden);
}

typedef void step_fn(const problem *p, int d, int64_t t, int64_t b, double *h, double *c);

static void walk_item(const problem *p, step_fn *step, int d, int64_t b)
{
    const int64_t length = length_of(p, b);
    double        h[MAX_H], c[MAX_H];

    for (int64_t n = 0; n < p->hidden; n++) {
        h[n] = in(p, PARE_RNN_H, state_index(p, d, b, n));
        c[n] = in(p, PARE_RNN_C, state_index(p, d, b, n));
    }
    for (int64_t i = 0; i < length; i++) {
        const int64_t t = backward(p, d) ? length - 1 - i : i;
        step(p, d, t, b, h, c);
        for (int64_t n = 0; n < p->hidden; n++)
            expect_near(p, 0, y_index(p, t, d, b, n), h[n]);
    }
    for (int64_t n = 0; n < p->hidden; n++) {
        for (int64_t t = length; t < p->steps; t++)
            expect_near(p, 0, y_index(p, t, d, b, n), 0);
        expect_near(p, 1, state_index(p, d, b, n), h[n]);
        expect_near(p, 2, state_index(p, d, b, n), c[n]);
    }
}

static void check(const char *op, step_fn *step, const char *sample)
{
    problem p;

    problem_read(&p, op, sample);
    eval(&p);
    for (int d = 0; d < p.directions; d++)
        for (int64_t b = 0; b < p.batch; b++)
            walk_item(&p, step, d, b);
    sample_release(&p.s);
}

static void formulas(void **state)
{
    (void)state;
    check("lstm", lstm_step, "f32[5,3,4] f32[1,24,4] f32[1,24,6] f32[1,48]");
    check("lstm", lstm_step, "f32[5,3,4] f32[1,24,4] f32[1,24,6] ? s32{5,2,0} f32[1,3,6] f32[1,3,6] direction=reverse");
    check("lstm", lstm_step,
          "f32[5,3,4] f32[2,24,4] f32[2,24,6] f32[2,48] s32{1,5,9} f32[2,3,6] f32[2,3,6] f32[2,18] "
          "direction=bidirectional");
    check("lstm", lstm_step,
          "f32[3,5,4] f32[2,24,4] f32[2,24,6] f32[2,48] s32{1,5,0} f32[3,2,6] f32[3,2,6] layout=1 "
          "direction=bidirectional");
    check("gru", gru_step, "f32[5,3,4] f32[1,18,4] f32[1,18,6] f32[1,36]");
    check("gru", gru_step,
          "f32[5,3,4] f32[2,18,4] f32[2,18,6] f32[2,36] s32{5,2,0} f32[2,3,6] "
          "direction=bidirectional");
    check("gru", gru_step,
          "f32[3,5,4] f32[2,18,4] f32[2,18,6] f32[2,36] s32{5,2,0} f32[3,2,6] direction=bidirectional "
          "linear_before_reset=1 layout=1");
    check("rnn", rnn_step, "f32[5,3,4] f32[2,6,4] f32[2,6,6] f32[2,12] s32{5,2,0} f32[2,3,6] direction=bidirectional");
    check("rnn", rnn_step, "f32[3,5,4] f32[1,6,4] f32[1,6,6] ? ? f32[3,1,6] direction=reverse layout=1");
}

/* --------------------------------------------------------------------------------------- activations and their rest */

/* A 1 x 1 rnn without state: y = f(clip(w * x)). */
static void expect_activation(const char *attrs, double x, double want)
{
    char    sample[256];
    problem p;

    snprintf(sample, sizeof(sample), "f32[1,1,1]{%g} f32[1,1,1]{1} f32[1,1,1]{0} %s", x, attrs);
    sample_read(&p.s, pare_op_find("rnn"), sample, 1);
    eval(&p);
    const double got = pare_tensor_real(&p.s.out[0], 0);
    if (!(fabs(got - want) <= 1e-6 * (1 + fabs(want))))
        fail_msg("rnn %s of %g: want %.9g, got %.9g", attrs, x, want, got);
    sample_release(&p.s);
}

static void activations(void **state)
{
    (void)state;
    expect_activation("activations=\"Relu\"", -2, 0);
    expect_activation("activations=\"Sigmoid\"", 0.5, sigmoid(0.5));
    expect_activation("activations=\"TANH\"", 0.5, tanh(0.5));
    expect_activation("activations=\"Affine\" activation_alpha=[3] activation_beta=[4]", 2, 10);
    expect_activation("activations=\"Affine\"", 2, 2);
    expect_activation("activations=\"LeakyRelu\"", -2, -0.02);
    expect_activation("activations=\"LeakyRelu\" activation_alpha=[0.5]", -2, -1);
    expect_activation("activations=\"ThresholdedRelu\"", 0.5, 0);
    expect_activation("activations=\"ThresholdedRelu\" activation_alpha=[0.25]", 0.5, 0.5);
    expect_activation("activations=\"ScaledTanh\" activation_alpha=[2] activation_beta=[3]", 0.5, 2 * tanh(1.5));
    expect_activation("activations=\"HardSigmoid\"", 1, 0.7);
    expect_activation("activations=\"HardSigmoid\" activation_alpha=[0.1] activation_beta=[0.3]", 1, 0.4);
    expect_activation("activations=\"Elu\" activation_alpha=[2]", -1, 2 * (exp(-1) - 1));
    expect_activation("activations=\"Softsign\"", -3, -0.75);
    expect_activation("activations=\"Softplus\"", 1, log1p(exp(1)));
    expect_activation("activations=\"Affine\" clip=0.5", 2, 0.5);
    expect_activation("activations=\"Affine\" clip=0.5", -2, -0.5);
}

/* One 1 x 1 lstm step from c = 2, by hand; in order i, o, f, g. */
static void lstm_by_hand(void **state)
{
    problem p;

    (void)state;
    /* i = 0.5, o = 1, f = -1 are Affine, g = 3 and h = c' too; coupled: f = 1 - i. */
    sample_read(&p.s, pare_op_find("lstm"),
                "f32[1,1,1]{1} f32[1,4,1]{0.5,1,-1,3} f32[1,4,1]{0,0,0,0} ? ? ? f32[1,1,1]{2} "
                "activations=\"Affine,Affine,Affine\" activation_alpha=[1,1,2] activation_beta=[0,0,1] "
                "input_forget=1",
                1);
    eval(&p);
    assert_true(pare_tensor_real(&p.s.out[2], 0) == 0.5 * 2 + 0.5 * 3);
    assert_true(pare_tensor_real(&p.s.out[0], 0) == 1 * (2 * 2.5 + 1)); /* the third alpha and beta are h's */
    sample_release(&p.s);

    /* Peepholes in the order i, o, f; o sees the new cell; the clip acts in front of every function, h's too. */
    sample_read(&p.s, pare_op_find("lstm"),
                "f32[1,1,1]{1} f32[1,4,1]{0.5,1,-1,3} f32[1,4,1]{0,0,0,0} ? ? ? f32[1,1,1]{2} "
                "f32[1,3]{1,0.5,0.25} activations=\"Affine,Affine,Affine\" clip=2",
                1);
    eval(&p);
    const double c = (-1 + 0.25 * 2) * 2 + 2.0 * 2; /* i = 0.5 + 2, clipped to 2; g = 3, clipped to 2 */
    assert_true(pare_tensor_real(&p.s.out[2], 0) == c);
    assert_true(pare_tensor_real(&p.s.out[0], 0) == 2 * 2); /* o = 1 + 1.5, clipped; c = 3, clipped */
    sample_release(&p.s);
}

static void expect_refusal(const char *op, const char *sample, pare_status status, const char *words)
{
    sample_call s;

    sample_read(&s, pare_op_find(op), sample, 1);
    const pare_status got = pare_op_eval(&s.call);
    if (got != status || !strstr(pare_error(), words))
        fail_msg("%s(%s): want %s with '%s', got %s: %s", op, sample, pare_status_name(status), words,
                 pare_status_name(got), pare_error());
    sample_release(&s);
}

static void refusals(void **state)
{
    (void)state;
    expect_refusal("rnn", "f32[1,1,2] f32[1,3,2] f32[1,3,3] direction=sideways", PARE_ERR_ARG, "sideways");
    expect_refusal("rnn", "f32[1,1,2] f32[1,3,2] f32[1,3,3] layout=2", PARE_ERR_ARG, "layout");
    expect_refusal("rnn", "f32[1,1,2] f32[1,3,2] f32[1,3,3] activations=Cube", PARE_ERR_UNSUPPORTED, "Cube");
    expect_refusal("rnn", "f32[1,1,2] f32[1,3,2] f32[1,3,3] activations=Tanh,Tanh", PARE_ERR_SHAPE, "more than 1");
    expect_refusal("gru", "f32[1,1,2] f32[1,9,2] f32[1,9,3] activations=Tanh", PARE_ERR_SHAPE, "2 needed");
    expect_refusal("gru", "f32[1,1,2] f32[1,9,2] f32[1,9,3] hidden_size=4", PARE_ERR_SHAPE, "hidden_size");
    expect_refusal("lstm", "f32[1,1,2] f32[1,9,2] f32[1,9,3]", PARE_ERR_SHAPE, "input 1");
    expect_refusal("lstm", "f32[1,1,2] f32[1,12,2] f32[1,12,3] direction=bidirectional", PARE_ERR_SHAPE, "input 1");
    expect_refusal("lstm", "f32[1,2,2] f32[1,12,2] f32[1,12,3] ? s32{1}", PARE_ERR_SHAPE, "input 4");
    expect_refusal("lstm", "f32[1,2] f32[1,12,2] f32[1,12,3]", PARE_ERR_SHAPE, "rank 2");
    expect_refusal("lstm", "s64[1,1,2] f32[1,12,2] f32[1,12,3]", PARE_ERR_UNSUPPORTED, "s64");
    expect_refusal("dynamic_lstm", "f32[1,1,2] s8[1,12,2] s8[1,12,3]", PARE_ERR_SHAPE, "scale");
    expect_refusal("dynamic_gru", "f32[1,1,2] s8[1,9,2]~0.5,1 s8[1,9,3]~0.5,0", PARE_ERR_UNSUPPORTED, "zero point");
    expect_refusal("dynamic_gru", "f32[1,1,2] f32[1,9,2] s8[1,9,3]~0.5,0", PARE_ERR_UNSUPPORTED, "f32");
}

/* ---------------------------------------------------------------------------------------------------- integer forms */

static float quantize(const float *x, int64_t n, int *q)
{
    float a = 0;

    for (int64_t i = 0; i < n; i++)
        a = fabsf(x[i]) > a ? fabsf(x[i]) : a;
    for (int64_t i = 0; i < n; i++) {
        const float v = a > 0 ? rintf(x[i] * (127 / a)) : 0;
        q[i] = (int)(v < -127 ? -127 : v > 127 ? 127 : v);
    }
    return a / 127;
}

static float product(const problem *p, int input, int64_t row, const float *x)
{
    const pare_tensor *const w = &p->s.in[input];
    const int64_t            n = w->shape.dim[2];
    int                      q[MAX_H], acc = 0;
    const float              sx = quantize(x, n, q);

    for (int64_t k = 0; k < n; k++)
        acc += q[k] * ((const int8_t *)w->data)[row * n + k];
    return (float)acc * (sx * w->q->scale[w->q->n > 1 ? row : 0]);
}

static float bias(const problem *p, int half, int64_t row)
{
    return (float)in(p, PARE_RNN_B, half * p->gates * p->hidden + row);
}

static void dynamic_lstm_step(const problem *p, const float *x, float *h, float *c)
{
    const int64_t n = p->hidden;
    float         z[4 * MAX_H];

    for (int64_t row = 0; row < 4 * n; row++)
        z[row] =
            (product(p, PARE_RNN_W, row, x) + product(p, PARE_RNN_R, row, h)) + (bias(p, 0, row) + bias(p, 1, row));
    for (int64_t j = 0; j < n; j++) {
        const float keep = pare_gate_sigmoidf(z[2 * n + j]) * c[j];
        c[j] = keep + pare_gate_sigmoidf(z[j]) * pare_gate_tanhf(z[3 * n + j]);
        h[j] = pare_gate_sigmoidf(z[n + j]) * pare_gate_tanhf(c[j]);
    }
}

static void dynamic_gru_step(const problem *p, const float *x, float *h, float *c)
{
    const int64_t n = p->hidden;
    const bool    linear = ((const pare_recurrent_attrs *)p->s.call.attrs)->linear_before_reset;
    float         z[MAX_H], r[MAX_H], rh[MAX_H], g[MAX_H];

    (void)c;
    for (int64_t j = 0; j < n; j++) {
        z[j] = pare_gate_sigmoidf((product(p, PARE_RNN_W, j, x) + bias(p, 0, j)) +
                                  (product(p, PARE_RNN_R, j, h) + bias(p, 1, j)));
        r[j] = pare_gate_sigmoidf((product(p, PARE_RNN_W, n + j, x) + bias(p, 0, n + j)) +
                                  (product(p, PARE_RNN_R, n + j, h) + bias(p, 1, n + j)));
        rh[j] = r[j] * h[j];
    }
    for (int64_t j = 0; j < n; j++) {
        const int64_t row = 2 * n + j;
        const float   xh = product(p, PARE_RNN_W, row, x) + bias(p, 0, row);
        g[j] = linear ? xh + r[j] * (product(p, PARE_RNN_R, row, h) + bias(p, 1, row))
                      : (xh + product(p, PARE_RNN_R, row, rh)) + bias(p, 1, row);
    }
    for (int64_t j = 0; j < n; j++)
        h[j] = (1.0f - z[j]) * pare_gate_tanhf(g[j]) + z[j] * h[j];
}

typedef void bits_fn(const problem *p, const float *x, float *h, float *c);

/* One direction, one item; a scale per gate row. The result has the bits of the formulas. */
static void check_bits(const char *op, bits_fn *step, const char *sample)
{
    problem      p;
    float        h[MAX_H] = { 0 }, c[MAX_H] = { 0 }, scale[4 * MAX_H];
    pare_qparams q = { .scale = scale, .axis = 1 };

    problem_read(&p, op, sample);
    q.n = (int)(p.gates * p.hidden);
    for (int i = 0; i < q.n; i++)
        scale[i] = 0.001f * (float)(i + 3);
    p.s.in[PARE_RNN_W].q = p.s.in[PARE_RNN_R].q = &q;
    memset(p.s.in[PARE_RNN_X].data, 0, sizeof(float) * (size_t)p.in); /* a row of zeros has scale 0 */
    eval(&p);
    for (int64_t t = 0; t < p.steps; t++) {
        step(&p, (const float *)p.s.in[PARE_RNN_X].data + t * p.in, h, c);
        for (int64_t j = 0; j < p.hidden; j++)
            if (((const float *)p.s.out[0].data)[t * p.hidden + j] != h[j])
                fail_msg("%s step %d [%d]: want %.9g, got %.9g", op, (int)t, (int)j, (double)h[j],
                         pare_tensor_real(&p.s.out[0], t * p.hidden + j));
    }
    sample_release(&p.s);
}

static void integer_bits(void **state)
{
    (void)state;
    check_bits("dynamic_lstm", dynamic_lstm_step, "f32[4,1,9] s8[1,28,9] s8[1,28,7] f32[1,56]");
    check_bits("dynamic_lstm", dynamic_lstm_step, "f32[4,1,9] s8[1,28,9] s8[1,28,7]");
    check_bits("dynamic_gru", dynamic_gru_step, "f32[4,1,9] s8[1,21,9] s8[1,21,7] f32[1,42]");
    check_bits("dynamic_gru", dynamic_gru_step, "f32[4,1,9] s8[1,21,9] s8[1,21,7] f32[1,42] linear_before_reset=1");
}

/* --------------------------------------------------------------------------------------------------- long sequences */

/* More steps than have their input products made at once: planned, all outputs have the bits of the reference. */
static void check_long(const char *op, const char *sample)
{
    problem     p;
    pare_step   step = { .cpu = pare_cpu_features() };
    pare_tensor want[3];

    problem_read(&p, op, sample);
    eval(&p);
    assert_int_equal(p.s.call.op->prepare(&p.s.call, &step), PARE_OK);
    assert_non_null(step.run);
    for (int i = 0; i < p.s.call.n_out; i++) {
        want[i] = p.s.out[i];
        p.s.out[i] = pare_tensor_of(PARE_f32, want[i].shape);
        assert_int_equal(pare_tensor_alloc(&p.s.out[i]), PARE_OK);
    }
    void *const scratch = pare_malloc_aligned(step.scratch);
    step.run(&step, &p.s.call, 1, 2, scratch);
    step.run(&step, &p.s.call, 0, 2, scratch);
    for (int i = 0; i < p.s.call.n_out; i++) {
        const int64_t at = sample_differ(&want[i], &p.s.out[i]);
        if (at >= 0)
            fail_msg("%s(%s): output %d differs from %lld on", op, sample, i, (long long)at);
        pare_tensor_release(&want[i]);
    }
    pare_free_aligned(scratch);
    step.release(step.state);
    sample_release(&p.s);
}

static void long_sequences(void **state)
{
    (void)state;
    check_long("lstm", "f32[300,2,7] f32[2,260,7] f32[2,260,65] f32[2,520] s32{300,211} direction=bidirectional");
    check_long("gru", "f32[2,400,7] f32[2,195,7] f32[2,195,65] f32[2,390] s32{400,173} "
                      "direction=bidirectional layout=1");
    check_long("rnn", "f32[700,2,7] f32[2,65,7] f32[2,65,65] f32[2,130] s32{700,511} direction=bidirectional");
    check_long("dynamic_lstm", "f32[300,2,7] s8[2,260,7]~0.01,0 s8[2,260,65]~0.003,0 f32[2,520] s32{300,211} "
                               "direction=bidirectional");
    check_long("dynamic_gru", "f32[400,2,7] s8[2,195,7]~0.01,0 s8[2,195,65]~0.003,0 ? s32{400,173} "
                              "direction=bidirectional");
}

/* ------------------------------------------------------------------------------------------------------- attributes */

static void expect_text(const pare_graph *g, const char *want)
{
    char *text;

    assert_int_equal(pare_graph_print(g, &text), PARE_OK);
    if (!strstr(text, want))
        fail_msg("'%s' is not in\n%s", want, text);
    pare_free(text);
}

/* Text to graph to copy to ONNX file and back. */
static void attributes(void **state)
{
    static const char *const attrs = "activation_alpha=[0.300000012,-7] activation_beta=[0.25] "
                                     "activations=\"HardSigmoid,ScaledTanh,Tanh\" clip=0.5";
    char                     path[] = "/tmp/pare-recurrent-XXXXXX.onnx", source[512];
    pare_graph              *g, *copy, *back;

    (void)state;
    snprintf(source, sizeof(source),
             "%%x = input f32[2,1,3]\n@w = const f32[1,8,3] seed=1\n@r = const f32[1,8,2] seed=2\n"
             "%%y, ?, %%c = lstm(%%x, @w, @r) %s\nreturn %%y, %%c",
             attrs);
    const int file = mkstemps(path, 5);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(pare_graph_parse(source, &g), PARE_OK);
    expect_text(g, attrs);
    assert_int_equal(pare_graph_clone(g, &copy), PARE_OK);
    pare_graph_destroy(g);
    expect_text(copy, attrs);
    assert_int_equal(pare_graph_infer(copy, true), PARE_OK);
    assert_int_equal(pare_graph_save(copy, path, NULL), PARE_OK);
    assert_int_equal(pare_graph_load(path, &back), PARE_OK);
    expect_text(back, attrs);
    expect_text(back, "%y, ?, %c = lstm(");
    remove(path);
    pare_graph_destroy(copy);
    pare_graph_destroy(back);
    assert_int_equal(pare_graph_parse("%x = input f32[1]\n%y = rnn(%x, %x, %x) activation_alpha=[1,2,3,4,5,6,7,8,9]\n"
                                      "return %y",
                                      &g),
                     PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "8 entries"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),   cmocka_unit_test(activations),  cmocka_unit_test(lstm_by_hand),
        cmocka_unit_test(refusals),   cmocka_unit_test(integer_bits), cmocka_unit_test(long_sequences),
        cmocka_unit_test(attributes),
    };
    return cmocka_run_group_tests_name("recurrent", tests, NULL, NULL);
}
