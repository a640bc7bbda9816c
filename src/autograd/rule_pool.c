/* SPDX-License-Identifier: Apache-2.0 */
/* rule_pool.c - gradients of pools */
#include "autograd/rules.h"

/* OP_grad(dy) with the input's shape as an attribute: averages do not depend on the input's values. */
static pare_status average(pare_tape *t, pare_node *n, const char *op)
{
    char        text[256] = "";
    pare_value *dy = pare_tape_grad(t, n->out[0]), *dx;

    pare_tape_list(text, sizeof(text), "shape", n->in[0]->t.shape.rank, n->in[0]->t.shape.dim);
    PARE_TRY(pare_tape_like(t, n, op, text, 1, &dy, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_average_pool(pare_tape *t, pare_node *n)
{
    return average(t, n, "average_pool_grad");
}

pare_status pare_grad_global_average_pool(pare_tape *t, pare_node *n)
{
    return average(t, n, "global_average_pool_grad");
}

/* OP_grad(dy, x): the input says which element of each window it was. */
static pare_status largest(pare_tape *t, pare_node *n, const char *op)
{
    pare_value *dx;

    PARE_TRY(pare_tape_like(t, n, op, NULL, 2, (pare_value *const[]){ pare_tape_grad(t, n->out[0]), n->in[0] }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_max_pool(pare_tape *t, pare_node *n)
{
    return largest(t, n, "max_pool_grad");
}

pare_status pare_grad_global_max_pool(pare_tape *t, pare_node *n)
{
    return largest(t, n, "global_max_pool_grad");
}

/* resize_grad(dy, roi, scales, sizes) with the input's shape as an attribute. */
pare_status pare_grad_resize(pare_tape *t, pare_node *n)
{
    char        text[256] = "";
    pare_value *in[4] = { pare_tape_grad(t, n->out[0]) }, *dx;

    for (int i = 1; i < n->n_in; i++)
        in[i] = n->in[i];
    pare_tape_list(text, sizeof(text), "shape", n->in[0]->t.shape.rank, n->in[0]->t.shape.dim);
    PARE_TRY(pare_tape_like(t, n, "resize_grad", text, n->n_in, in, &dx));
    return pare_tape_give(t, n->in[0], dx);
}
