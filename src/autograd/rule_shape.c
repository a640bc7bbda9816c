/* SPDX-License-Identifier: Apache-2.0 */
/* rule_shape.c - gradients of ops that move elements, each to one place */
#include "autograd/rules.h"

/* The same elements in the same order under another shape. */
pare_status pare_grad_same_elements(pare_tape *t, pare_node *n)
{
    pare_value *dx;

    PARE_TRY(pare_tape_reshape(t, pare_tape_grad(t, n->out[0]), &n->in[0]->t.shape, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_transpose(pare_tape *t, pare_node *n)
{
    const pare_ints *const perm = pare_node_ints(n, "perm");
    const int              rank = n->in[0]->t.shape.rank;
    int                    back[PARE_MAX_RANK];
    pare_value            *dx;

    for (int i = 0; i < rank; i++)
        back[perm->n ? perm->v[i] : rank - 1 - i] = i;
    PARE_TRY(pare_tape_transpose(t, pare_tape_grad(t, n->out[0]), back, &dx));
    return pare_tape_give(t, n->in[0], dx);
}
