/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lower_moves.c - ops that only choose or move elements run on the integers themselves
 *
 * dequantize -> max_pool, reshape, concat ... -> quantize with one scale and zero point throughout is the same op on
 * the codes (NUMERICS.md 6). Inputs of a concat whose parameters differ pass through a table first.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"
#include "passes/table.h"
#include "tensor/qparams.h"

extern const pare_op pare_op_pad, pare_op_concat, pare_op_resize;

static bool moves(const pare_node *n)
{
    return n->op->traits & PARE_SELECTS || (n->op == &pare_op_resize && strcmp(pare_node_s(n, "mode"), "nearest") == 0);
}

/* The constants of shape arithmetic (axes, pads, indices) stay as they are; everything else must be quantized. */
static bool is_data(const pare_node *n, int i)
{
    return n->op == &pare_op_concat || i == 0;
}

/* The padding value must be the real 0, which is the zero point; other ops have no such input. */
static bool pads_with_zero(const pare_node *n)
{
    if (n->op != &pare_op_pad || n->n_in < 3 || !n->in[2])
        return true;
    return pare_value_is_const(n->in[2]) && pare_tensor_real(&n->in[2]->t, 0) == 0;
}

/* The codes of in[i] on the scale of `to`: as they are, or through a table. */
static pare_status codes(pare_graph *g, pare_node *n, int i, const pare_value *to, pare_value **out)
{
    pare_value *const x = pare_qdq_source(n->in[i]);

    if (pare_qparams_equal(x->t.q, to->t.q)) {
        *out = x;
        return PARE_OK;
    }
    return pare_table_requantize(g, x, to->t.q, n, out);
}

static bool all_quantized(const pare_node *n, const pare_value *to)
{
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && is_data(n, i)) {
            const pare_value *x = pare_qdq_source(n->in[i]);

            if (!pare_q_is_u8(x) || (n->op != &pare_op_concat && !pare_qparams_equal(x->t.q, to->t.q)))
                return false;
        }
    return true;
}

/* Every wanted output must end in a quantize of the same parameters. */
static bool outputs_quantized(const pare_node *n, pare_node **sinks)
{
    for (int i = 0; i < n->n_out; i++) {
        sinks[i] = n->out[i] ? pare_qdq_sink(n->out[i]) : NULL;
        if (!sinks[i] || !pare_q_is_u8(sinks[i]->out[0]) ||
            !pare_qparams_equal(sinks[i]->out[0]->t.q, sinks[0]->out[0]->t.q))
            return false;
    }
    return n->n_out > 0;
}

static pare_status zero_point_const(pare_graph *g, const pare_value *like, pare_value **out)
{
    uint8_t           zero = like->t.q->zero ? (uint8_t)like->t.q->zero[0] : 0;
    const pare_tensor t = { .dtype = PARE_u8, .data = &zero };

    return pare_graph_add_const(g, "zero_point", &t, out);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_node *sinks[PARE_MAX_OUTPUTS];

    if (!moves(n) || n->n_out > PARE_MAX_OUTPUTS || n->n_in < 1 || !pads_with_zero(n) || !n->in[0] ||
        n->in[0]->t.dtype != PARE_f32 || !outputs_quantized(n, sinks) || !all_quantized(n, sinks[0]->out[0]))
        return PARE_OK;
    *changed = true;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && is_data(n, i)) {
            pare_value *x;

            PARE_TRY(codes(g, n, i, sinks[0]->out[0], &x));
            pare_node_set_in(n, i, x);
        }
    if (n->op == &pare_op_pad) {
        pare_value *zero;

        PARE_TRY(zero_point_const(g, sinks[0]->out[0], &zero));
        if (n->n_in < 3)
            PARE_TRY(pare_node_add_in(n, zero));
        else
            pare_node_set_in(n, 2, zero);
    }
    /* The node now makes the codes: its outputs take the place of what the quantize nodes made. */
    for (int i = 0; i < n->n_out; i++) {
        pare_value *const y = n->out[i], *const q = sinks[i]->out[0];

        PARE_TRY(pare_value_set_q(y, q->t.q));
        y->t.dtype = PARE_u8;
        pare_graph_replace_uses(g, q, y);
        pare_graph_remove_node(sinks[i]);
        pare_graph_swap_names(y, q);
    }
    return PARE_OK;
}

const pare_pass pare_pass_lower_moves = {
    .name = "lower_moves",
    .doc = "ops that choose or move elements run on integers",
    .rewrite = rewrite,
};
