/* SPDX-License-Identifier: Apache-2.0 */
/* rule_index.c - gradients of ops that read or write where integers say: what was read several times adds up */
#include "autograd/rules.h"

/* Rows of a table (embeddings): gather_grad adds up what went out. */
pare_status pare_grad_gather(pare_tape *t, pare_node *n)
{
    char        text[256] = "";
    pare_value *dx;

    pare_tape_list(text, sizeof(text), "shape", n->in[0]->t.shape.rank, n->in[0]->t.shape.dim);
    PARE_TRY(pare_tape_like(t, n, "gather_grad", text, 2,
                            (pare_value *const[]){ pare_tape_grad(t, n->out[0]), n->in[1] }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Zeros of x's shape to which op (scatter_elements, scatter_nd) adds dy where `index` says. */
static pare_status scatter(pare_tape *t, pare_node *n, const char *op, pare_value *index, const char *attrs)
{
    pare_value *zeros, *dx;

    PARE_TRY(pare_tape_full(t, &n->in[0]->t.shape, 0, &zeros));
    PARE_TRY(
        pare_tape_like(t, n, op, attrs, 3, (pare_value *const[]){ zeros, index, pare_tape_grad(t, n->out[0]) }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_gather_elements(pare_tape *t, pare_node *n)
{
    return scatter(t, n, "scatter_elements", n->in[1], "reduction=\"add\"");
}

pare_status pare_grad_gather_nd(pare_tape *t, pare_node *n)
{
    if (pare_node_i(n, "batch_dims") != 0)
        return pare_tape_refuse(n, "is known for batch_dims 0 only");
    return scatter(t, n, "scatter_nd", n->in[1], "reduction=\"add\"");
}

/* The values come from where the indices say. */
pare_status pare_grad_top_k(pare_tape *t, pare_node *n)
{
    if (n->n_out < 2 || !n->out[1])
        return pare_tape_refuse(n, "needs its second output, the indices");
    if (!pare_tape_grad(t, n->out[0]))
        return PARE_OK;
    return scatter(t, n, "scatter_elements", n->out[1], "reduction=\"add\"");
}

/* y = x with `updates` in some places: those give to the updates, the others to x. */
static pare_status replaced(pare_tape *t, pare_node *n, const char *gather, const char *reduction)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    pare_value       *zeros, *grad;

    if (reduction[0] != 'n')
        return pare_tape_refuse(n, "is known for reduction none only");
    if (pare_tape_wants(t, n->in[0])) {
        PARE_TRY(pare_tape_full(t, &n->in[2]->t.shape, 0, &zeros));
        PARE_TRY(pare_tape_like(t, n, n->op->name, NULL, 3, (pare_value *const[]){ dy, n->in[1], zeros }, &grad));
        PARE_TRY(pare_tape_give(t, n->in[0], grad));
    }
    if (!pare_tape_wants(t, n->in[2]))
        return PARE_OK;
    PARE_TRY(pare_tape_like(t, n, gather, NULL, 2, (pare_value *const[]){ dy, n->in[1] }, &grad));
    return pare_tape_give(t, n->in[2], grad);
}

pare_status pare_grad_scatter_elements(pare_tape *t, pare_node *n)
{
    return replaced(t, n, "gather_elements", pare_node_s(n, "reduction"));
}

pare_status pare_grad_scatter_nd(pare_tape *t, pare_node *n)
{
    return replaced(t, n, "gather_nd", pare_node_s(n, "reduction"));
}
