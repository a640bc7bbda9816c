/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_recurrent.c - lstm and gru on dequantized s8 weights become dynamic_lstm and dynamic_gru
 *
 * Only in graphs whose metadata says "pare.dynamic", as with lower_dynamic.c. Both weights must be constants with one
 * scale, or one per gate row, and without zero points; what they were dequantized from takes their place.
 */
#include "base/status.h"
#include "ops/recurrent.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_lstm, pare_op_gru, pare_op_dynamic_lstm, pare_op_dynamic_gru;

static const pare_op *integer_form(const pare_op *op)
{
    return op == &pare_op_lstm ? &pare_op_dynamic_lstm : op == &pare_op_gru ? &pare_op_dynamic_gru : NULL;
}

/* The s8 constant behind W or R; NULL: it is not such. */
static pare_value *codes_of(const pare_value *weights)
{
    pare_value *const v = pare_qdq_source(weights);

    if (!v || !pare_value_is_const(v) || v->t.dtype != PARE_s8 || v->t.q->block != 0 ||
        (v->t.q->n > 1 && v->t.q->axis != 1))
        return NULL;
    for (int i = 0; v->t.q->zero && i < v->t.q->n; i++)
        if (v->t.q->zero[i] != 0)
            return NULL;
    return v;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const pare_op *const op = integer_form(n->op);

    if (!op || !pare_graph_meta(g, "pare.dynamic"))
        return PARE_OK;
    pare_value *const w = codes_of(n->in[PARE_RNN_W]), *const r = codes_of(n->in[PARE_RNN_R]);
    const pare_node old = *n;

    if (!w || !r)
        return PARE_OK;
    PARE_TRY(pare_node_become(n, op));
    pare_qdq_copy_attrs(n, &old);
    pare_node_set_in(n, PARE_RNN_W, w);
    pare_node_set_in(n, PARE_RNN_R, r);
    *changed = true;
    return PARE_OK;
}

const pare_pass pare_pass_lower_recurrent = {
    .name = "lower_recurrent",
    .doc = "lstm, gru on s8 weights become dynamic_lstm, dynamic_gru",
    .rewrite = rewrite,
};
