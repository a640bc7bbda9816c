/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_table.c - a table takes place in the registers of the layer before it
 *
 * The layer still rounds to its own scale first, then looks the code up: the bits of the unfused pair.
 */
#include "base/status.h"
#include "ops/qconv.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_lut, pare_op_qconv, pare_op_qgemm;

static bool can_take(const pare_value *v)
{
    const pare_node *n = v->producer;

    return n && (n->op == &pare_op_qconv || n->op == &pare_op_qgemm) && pare_value_only_user(v) && pare_q_is_u8(v) &&
           pare_node_f(n, "mid_scale") == 0;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_value *in[PARE_Q_INPUTS] = { 0 };
    pare_node  *made;

    if (n->op != &pare_op_lut || !pare_value_is_const(n->in[1]) || !pare_q_is_u8(n->out[0]) || !can_take(n->in[0]))
        return PARE_OK;
    const pare_value *const own = n->in[0];
    pare_node *const        layer = own->producer;

    *changed = true;
    for (int i = 0; i < layer->n_in; i++)
        in[i] = layer->in[i];
    in[PARE_Q_TABLE] = n->in[1];
    PARE_TRY(pare_qdq_replace(g, layer->op, layer, PARE_Q_TABLE + 1, in, n->out[0], &made));
    pare_node_set_f(made, "mid_scale", own->t.q->scale[0]);
    pare_node_set_i(made, "mid_zero", own->t.q->zero ? own->t.q->zero[0] : 0);
    return PARE_OK;
}

const pare_pass pare_pass_fuse_table = {
    .name = "fuse_table",
    .doc = "a table takes place in the registers of the layer before it",
    .rewrite = rewrite,
};
