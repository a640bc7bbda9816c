/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recurrent_modules.c - LSTM, GRU and RNN: whole sequences in several layers and directions, and single steps
 *
 * Parameters are PyTorch's, weight_ih_l0 [gates * hidden, in] ..., with gates in its order; the operations want ONNX's
 * order, so gates are cut out and put together again. These moves of constants are folded before a model runs.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "nn/module.h"

/* What the three differ by. order[i]: PyTorch's number of ONNX's gate i. */
typedef struct family {
    const char *op;
    int         gates, order[4];
    bool        has_c;
    const char *attrs;
} family;

static const family families[] = {
    { "lstm", 4, { 0, 3, 1, 2 }, true, "" },                    /* i f g o: i o f g */
    { "gru", 3, { 1, 0, 2 }, false, " linear_before_reset=1" }, /* r z n: z r n     */
    { "rnn", 1, { 0 }, false, "" },
};

static const family *family_of(const pare_module *m)
{
    const family *f = families;

    while (strncmp(m->kind->name, f->op, strlen(f->op)) != 0)
        f++;
    return f;
}

static int directions(const pare_module *m)
{
    return pare_module_int(m, "bidirectional") ? 2 : 1;
}

static void add_weights(pare_module *m, const char *suffix, int64_t in)
{
    const int64_t   hidden = pare_module_int(m, "hidden"), rows = family_of(m)->gates * hidden;
    const pare_init init = { PARE_INIT_UNIFORM, hidden > 0 ? (float)(1 / sqrt((double)hidden)) : 0 };
    char            name[48];

    snprintf(name, sizeof(name), "weight_ih%s", suffix);
    pare_module_param(m, name, &(pare_shape){ .rank = 2, .dim = { rows, in } }, init);
    snprintf(name, sizeof(name), "weight_hh%s", suffix);
    pare_module_param(m, name, &(pare_shape){ .rank = 2, .dim = { rows, hidden } }, init);
    if (!pare_module_int(m, "bias"))
        return;
    snprintf(name, sizeof(name), "bias_ih%s", suffix);
    pare_module_param(m, name, &(pare_shape){ .rank = 1, .dim = { rows } }, init);
    snprintf(name, sizeof(name), "bias_hh%s", suffix);
    pare_module_param(m, name, &(pare_shape){ .rank = 1, .dim = { rows } }, init);
}

static void suffix_of(char text[32], int layer, int direction)
{
    snprintf(text, 32, "_l%d%s", layer, direction ? "_reverse" : "");
}

static void build(pare_module *m)
{
    const int64_t layers = pare_module_int(m, "layers"), hidden = pare_module_int(m, "hidden");
    char          suffix[32];

    if (layers < 1 || layers > 1000 || hidden < 1)
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "%s: layers and hidden must be at least 1", m->kind->name));
    for (int layer = 0; layer < layers && pare_module_root(m)->status == PARE_OK; layer++)
        for (int d = 0; d < directions(m); d++) {
            suffix_of(suffix, layer, d);
            add_weights(m, suffix, layer ? directions(m) * hidden : pare_module_int(m, "in"));
        }
}

static void build_cell(pare_module *m)
{
    add_weights(m, "", pare_module_int(m, "in"));
}

/* ---------------------------------------------------------------------------------------------------------- weights */

static pare_var *unsqueeze(pare_record *r, pare_var *x, int64_t axis)
{
    return pare_binary(r, "unsqueeze", x, pare_record_ints(r, 1, &axis));
}

static pare_var *squeeze(pare_record *r, pare_var *x, int64_t axis)
{
    return pare_binary(r, "squeeze", x, pare_record_ints(r, 1, &axis));
}

/* A parameter with its gates in ONNX's order. */
static pare_var *reordered(const pare_module *m, pare_record *r, const char *what, const char *suffix)
{
    const family *const f = family_of(m);
    const int64_t       n = pare_module_int(m, "hidden");
    pare_var           *gates[4];
    char                name[48];

    snprintf(name, sizeof(name), "%s%s", what, suffix);
    pare_var *const whole = pare_module_var(m, r, name);
    if (f->gates == 1)
        return whole;
    for (int i = 0; i < f->gates; i++)
        gates[i] = pare_slice(r, whole, 0, f->order[i] * n, (f->order[i] + 1) * n, 1);
    return pare_concat(r, f->gates, gates, 0);
}

/* W, R and the bias of one direction, each with an axis of 1 in front. */
static void weights_of(const pare_module *m, pare_record *r, const char *suffix, pare_var *out[3])
{
    out[0] = unsqueeze(r, reordered(m, r, "weight_ih", suffix), 0);
    out[1] = unsqueeze(r, reordered(m, r, "weight_hh", suffix), 0);
    out[2] = NULL;
    if (!pare_module_int(m, "bias"))
        return;
    pare_var *const both[] = { reordered(m, r, "bias_ih", suffix), reordered(m, r, "bias_hh", suffix) };

    out[2] = unsqueeze(r, pare_concat(r, 2, both, 0), 0);
}

/* ----------------------------------------------------------------------------------------------------------- layers */

/* One operation: x [T,B,I], state[0] = h and state[1] = c [D,B,H] or NULL; out: Y [T,D,B,H], then h and c. */
static void run_op(const pare_module *m, pare_record *r, pare_var *x, pare_var *const w[3], pare_var *const state[2],
                   int n_out, pare_var *out[3])
{
    const family *const f = family_of(m);
    pare_var *const     in[] = { x, w[0], w[1], w[2], NULL, state[0], state[1] };
    const bool          relu = f->gates == 1 && strcmp(pare_module_word(m, "activation"), "relu") == 0;
    const bool          both = pare_var_shape(w[0]).dim[0] == 2;
    char                attrs[160];

    snprintf(attrs, sizeof(attrs), "hidden_size=%d direction=\"%s\"%s%s", (int)pare_module_int(m, "hidden"),
             both ? "bidirectional" : "forward", f->attrs,
             relu ? (both ? " activations=\"Relu,Relu\"" : " activations=\"Relu\"") : "");
    pare_op_call(r, f->op, f->has_c ? 7 : 6, in, n_out, out, attrs);
}

/* One layer of all directions; states are slices of in[1] and in[2]. */
static pare_var *layer(const pare_module *m, pare_record *r, int index, pare_var *x, pare_var *const given[2],
                       int n_out, pare_var *out[3])
{
    const int D = directions(m);
    pare_var *w[2][3], *all[3] = { 0 }, *state[2] = { 0 };
    char      suffix[32];

    for (int d = 0; d < D; d++) {
        suffix_of(suffix, index, d);
        weights_of(m, r, suffix, w[d]);
    }
    for (int k = 0; k < 3; k++)
        all[k] = D == 1 || !w[0][k] ? w[0][k] : pare_concat(r, 2, (pare_var *const[]){ w[0][k], w[1][k] }, 0);
    for (int k = 0; k < 2; k++)
        if (given[k])
            state[k] = pare_slice(r, given[k], 0, index * D, (index + 1) * D, 1);
    run_op(m, r, x, all, state, n_out, out);
    if (D == 1)
        return squeeze(r, out[0], 1);
    return pare_reshape(r, pare_transpose(r, out[0], 4, (const int[]){ 0, 2, 1, 3 }), 3, (const int64_t[]){ 0, 0, -1 });
}

enum { MAX_LAYERS = 64 };

/* in: x, h0, c0 (may be left out). out: y, h_n, c_n. */
static void forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    static const int swap[] = { 1, 0, 2 };
    const bool       batch_first = pare_module_int(m, "batch_first") != 0;
    const int        layers = (int)pare_module_int(m, "layers");
    const int        wanted = family_of(m)->has_c || n_out < 3 ? n_out : 2;
    pare_var *const  given[2] = { n_in > 1 ? in[1] : NULL, n_in > 2 ? in[2] : NULL };
    pare_var        *x = batch_first ? pare_transpose(r, in[0], 3, swap) : in[0];
    pare_var        *results[3], *states[3][MAX_LAYERS];

    if (layers > MAX_LAYERS) {
        pare_record_fail(r, pare_fail(PARE_ERR_UNSUPPORTED, "%s of more than %d layers", m->kind->name, MAX_LAYERS));
        return;
    }
    for (int i = 0; i < layers; i++) {
        x = layer(m, r, i, x, given, wanted, results);
        if (i + 1 < layers)
            x = pare_dropout(r, x, pare_module_real(m, "dropout"));
        for (int k = 1; k < wanted; k++)
            states[k][i] = results[k];
    }
    out[0] = batch_first ? pare_transpose(r, x, 3, swap) : x;
    for (int k = 1; k < wanted; k++)
        out[k] = layers == 1 ? states[k][0] : pare_concat(r, layers, states[k], 0);
}

/* in: x [B,I], h, c [B,H] (may be left out). out: h, c. */
static void forward_cell(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                         pare_var *out[])
{
    pare_var       *w[3], *results[3] = { 0 };
    pare_var *const state[2] = { n_in > 1 && in[1] ? unsqueeze(r, in[1], 0) : NULL,
                                 n_in > 2 && in[2] ? unsqueeze(r, in[2], 0) : NULL };

    weights_of(m, r, "", w);
    run_op(m, r, unsqueeze(r, in[0], 0), w, state, n_out + 1, results);
    for (int i = 0; i < n_out; i++)
        out[i] = squeeze(r, results[i + 1], 0);
}

#define SEQUENCE "in= hidden= layers=1 bias=1 batch_first=0 dropout=0 bidirectional=0"

const pare_module_kind pare_module_kind_lstm = {
    .name = "lstm",
    .about = "long short-term memory over [T,B,in]; in: x, h, c, out: y, h, c",
    .settings = SEQUENCE,
    .max_in = 3,
    .max_out = 3,
    .build = build,
    .forward = forward,
};

const pare_module_kind pare_module_kind_gru = {
    .name = "gru",
    .about = "gated recurrent unit over [T,B,in]; in: x, h, out: y, h",
    .settings = SEQUENCE,
    .max_in = 2,
    .max_out = 2,
    .build = build,
    .forward = forward,
};

const pare_module_kind pare_module_kind_rnn = {
    .name = "rnn",
    .about = "plain recurrent network over [T,B,in]; in: x, h, out: y, h",
    .settings = SEQUENCE " activation=tanh",
    .max_in = 2,
    .max_out = 2,
    .build = build,
    .forward = forward,
};

const pare_module_kind pare_module_kind_lstm_cell = {
    .name = "lstm_cell",
    .about = "one step of an lstm: in: x, h, c, out: h, c",
    .settings = "in= hidden= bias=1",
    .max_in = 3,
    .max_out = 2,
    .build = build_cell,
    .forward = forward_cell,
};

const pare_module_kind pare_module_kind_gru_cell = {
    .name = "gru_cell",
    .about = "one step of a gru: in: x, h, out: h",
    .settings = "in= hidden= bias=1",
    .max_in = 2,
    .build = build_cell,
    .forward = forward_cell,
};

const pare_module_kind pare_module_kind_rnn_cell = {
    .name = "rnn_cell",
    .about = "one step of an rnn: in: x, h, out: h",
    .settings = "in= hidden= bias=1 activation=tanh",
    .max_in = 2,
    .build = build_cell,
    .forward = forward_cell,
};
