/* SPDX-License-Identifier: Apache-2.0 */
/* inline_if.c - where the condition is a constant, the branch that it chooses stands in for the node */
#include "base/status.h"
#include "passes/pass.h"

extern const pare_op pare_op_identity, pare_op_if;

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op != &pare_op_if || !pare_value_is_const(n->in[0]) || pare_shape_count(&n->in[0]->t.shape) != 1)
        return PARE_OK;

    pare_graph *const body = pare_node_graph(n, pare_tensor_int(&n->in[0]->t, 0) ? "then_branch" : "else_branch");
    if (body->n_outputs != n->n_out)
        return pare_fail(PARE_ERR_DATA, "the branch has %d outputs, the node %d", body->n_outputs, n->n_out);

    /* The node's results keep their names; identity nodes carry the branch's over, and remove_identity takes them. */
    *changed = true;
    pare_graph_unpack_body(n, body);
    for (int i = 0; i < n->n_out; i++) {
        pare_value *const y = n->out[i];
        pare_node        *made;

        if (!y)
            continue;
        y->producer = NULL;
        n->out[i] = NULL;
        PARE_TRY(pare_graph_add_node(g, &pare_op_identity, NULL, 1, &body->outputs[i], 1, &y, n, &made));
    }
    pare_graph_remove_node(n);
    return PARE_OK;
}

const pare_pass pare_pass_inline_if = {
    .name = "inline_if",
    .doc = "a condition that is constant chooses its branch",
    .rewrite = rewrite,
    .repeat = true, /* branches may hold conditions of their own */
};
