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

pare_status pare_grad_max_pool(pare_tape *t, pare_node *n)
{
    pare_value *dx;

    PARE_TRY(pare_tape_like(t, n, "max_pool_grad", NULL, 2,
                            (pare_value *const[]){ pare_tape_grad(t, n->out[0]), n->in[0] }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}
