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

/* x as codes with a scale per row: an image for conv, a row of the matrix otherwise (NUMERICS.md 7). */
static pare_status quantized_rows(pare_graph *g, pare_node *n, pare_value **codes, pare_value **scales)
{
    static const float   one  = 1;
    static const int32_t half = 128;
    const pare_qparams   q    = { .scale = &one, .zero = &half, .n = 1 };
    pare_value          *out[2], *const x = n->in[0];
    pare_node           *made;

    PARE_TRY(pare_graph_add_value(g, x->name, &out[0]));
    PARE_TRY(pare_graph_add_value(g, x->name, &out[1]));
    PARE_TRY(pare_graph_add_node(g, &pare_op_quantize_rows, NULL, 1, &x, 2, out, n, &made));
    if (n->op == &pare_op_conv)
        pare_node_set_i(made, "row_axes", 1);
    out[0]->t         = pare_tensor_of(PARE_u8, x->t.shape);
    out[0]->has_shape = x->has_shape;
    out[1]->t.dtype   = PARE_f32;
    PARE_TRY(pare_value_set_q(out[0], &q));
    *codes  = out[0];
    *scales = out[1];
    return PARE_OK;
}

static bool bias_fits(const pare_node *n)
{
    const pare_value *b = n->n_in > 2 ? n->in[2] : NULL;

    return !b || (pare_value_is_const(b) && b->t.dtype == PARE_f32 && b->t.shape.rank == 1 && pare_tensor_is_dense(&b->t));
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const pare_op *const op = pare_lower_integer_op(n);

    if (!op || !pare_graph_meta(g, "pare.dynamic") || pare_qdq_source(n->in[0]) || n->in[0]->t.dtype != PARE_f32 ||
        !n->in[0]->has_shape || n->in[0]->t.shape.rank < 2 || !bias_fits(n))
        return PARE_OK;
    pare_value *w, *in[PARE_Q_INPUTS] = { 0 };

    PARE_TRY(pare_lower_weights(g, n, &w));
    if (!w)
        return PARE_OK;
    *changed = true;
    PARE_TRY(quantized_rows(g, n, &in[PARE_Q_X], &in[PARE_Q_ROWS]));
    in[PARE_Q_W]        = w;
    in[PARE_Q_BIAS_F32] = n->n_in > 2 ? n->in[2] : NULL;
    return pare_lower_float_output(g, op, n, PARE_Q_INPUTS, in, n->out[0]);
}

const pare_pass pare_pass_lower_dynamic = {
    .name    = "lower_dynamic",
    .doc     = "float activations times s8 weights become quantize_rows + qconv, qgemm",
    .rewrite = rewrite,
};
