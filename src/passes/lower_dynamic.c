/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_dynamic.c - a float activation times dequantized s8 weights becomes quantize_rows + an integer op
 *
 * Only in graphs whose metadata says "pare.dynamic": elsewhere s8 weights on float activations are weight-only
 * quantization, which computes in float.
 */
#include <string.h>

#include "base/status.h"
#include "passes/lower.h"
#include "passes/pass.h"

extern const pare_op pare_op_quantize_rows;

typedef struct search {
    const pare_node *layer;
    int64_t          row_axes;
    pare_node       *found;
} search;

static bool note_rows(pare_node *user, int input, void *arg)
{
    search *s = arg;

    (void)input;
    if (user->op == &pare_op_quantize_rows && user->graph == s->layer->graph && user->out[0] && user->out[1] &&
        pare_node_i(user, "row_axes") == s->row_axes)
        s->found = user;
    return !s->found;
}

/* x as codes with a scale per row: an image for conv, a row of the matrix otherwise (NUMERICS.md 7). */
static pare_status add_rows(pare_graph *g, pare_node *n, pare_node **made)
{
    static const float   one = 1;
    static const int32_t half = 128;
    const pare_qparams   q = { .scale = &one, .zero = &half, .n = 1 };
    pare_value *out[2], *const x = n->in[0];

    PARE_TRY(pare_graph_add_value(g, x->name, &out[0]));
    PARE_TRY(pare_graph_add_value(g, x->name, &out[1]));
    PARE_TRY(pare_graph_add_node(g, &pare_op_quantize_rows, NULL, 1, &x, 2, out, n, made));
    out[0]->t = pare_tensor_of(PARE_u8, x->t.shape);
    out[0]->has_shape = x->has_shape;
    out[1]->t.dtype = PARE_f32;
    return pare_value_set_q(out[0], &q);
}

/* Layers that read the same x (query, key, value) share its codes: those of an earlier layer stand before this one. */
static pare_status quantized_rows(pare_graph *g, pare_node *n, pare_value **codes, pare_value **scales)
{
    search s = { .layer = n, .row_axes = n->op == &pare_op_conv ? 1 : -1 };

    pare_value_each_user(n->in[0], note_rows, &s);
    if (!s.found) {
        PARE_TRY(add_rows(g, n, &s.found));
        pare_node_set_i(s.found, "row_axes", s.row_axes);
    }
    *codes = s.found->out[0];
    *scales = s.found->out[1];
    return PARE_OK;
}

/* None, or one number per output channel. */
static bool bias_fits(const pare_node *n, const pare_value *w)
{
    const pare_value *b = n->n_in > 2 ? n->in[2] : NULL;

    return !b || (pare_value_is_const(b) && b->t.dtype == PARE_f32 && pare_tensor_is_dense(&b->t) &&
                  pare_lower_per_channel(&b->t.shape, pare_lower_channels(n, w)));
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const pare_op *const op = pare_lower_integer_op(n);

    if (!op || !pare_graph_meta(g, "pare.dynamic") || pare_qdq_source(n->in[0]) || n->in[0]->t.dtype != PARE_f32 ||
        !n->in[0]->has_shape || n->in[0]->t.shape.rank < 2)
        return PARE_OK;
    pare_value *const w = pare_lower_weights_of(n);
    pare_value       *in[PARE_Q_INPUTS] = { 0 };

    if (!w || !bias_fits(n, w))
        return PARE_OK;
    *changed = true;
    PARE_TRY(quantized_rows(g, n, &in[PARE_Q_X], &in[PARE_Q_ROWS]));
    PARE_TRY(pare_lower_weights(g, n, w, &in[PARE_Q_W]));
    in[PARE_Q_BIAS_F32] = n->n_in > 2 ? n->in[2] : NULL;
    return pare_lower_float_output(g, op, n, PARE_Q_BIAS_F32 + 1, in, n->out[0]);
}

const pare_pass pare_pass_lower_dynamic = {
    .name = "lower_dynamic",
    .doc = "float activations times s8 weights become quantize_rows + qconv, qgemm",
    .rewrite = rewrite,
};
