/* SPDX-License-Identifier: Apache-2.0 */
/* lower_table.c - dequantize -> any function of one number -> quantize becomes a table of 256 codes */
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"
#include "passes/table.h"

extern const pare_op pare_op_lut;

/* One activation, the other inputs single constants. */
static bool one_input(const pare_node *n)
{
    for (int i = 1; i < n->n_in; i++)
        if (n->in[i] && (!pare_value_is_const(n->in[i]) || pare_shape_count(&n->in[i]->t.shape) != 1))
            return false;
    return n->n_in >= 1 && n->n_out == 1 && (n->op->traits & PARE_ELEMENTWISE) && n->op != &pare_op_dequantize_linear;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const bool  requantize = n->op == &pare_op_quantize_linear;
    pare_value *in[2] = { one_input(n) ? pare_qdq_source(n->in[0]) : NULL };
    uint8_t     codes[256];
    pare_node  *made;

    if (!pare_q_is_u8(in[0]))
        return PARE_OK;
    pare_node *const sink = requantize ? n : pare_qdq_sink(n->out[0]);

    if (!sink || !pare_q_is_u8(sink->out[0]))
        return PARE_OK;
    *changed = true;
    PARE_TRY(pare_table_make(requantize ? NULL : n, in[0]->t.q, sink->out[0]->t.q, codes));
    PARE_TRY(pare_qdq_const_u8(g, "table", codes, 256, &in[1]));
    return pare_qdq_replace(g, &pare_op_lut, NULL, 2, in, sink->out[0], &made);
}

const pare_pass pare_pass_lower_table = {
    .name = "lower_table",
    .doc = "dequantize -> function of one number -> quantize becomes a table",
    .rewrite = rewrite,
};
