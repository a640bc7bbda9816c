/* SPDX-License-Identifier: Apache-2.0 */
/* rule_loss.c - the gradient of the cross entropy, which needs the forward pass's probabilities */
#include "autograd/rules.h"

pare_status pare_grad_softmax_cross_entropy(pare_tape *t, pare_node *n)
{
    pare_value *const dloss = pare_tape_grad(t, n->out[0]);
    pare_value       *dx;

    if (n->n_out > 1 && pare_tape_grad(t, n->out[1]))
        return pare_tape_refuse(n, "flows through its loss only; use softmax for probabilities that are trained");
    if (pare_tape_wants(t, n->in[1]))
        return pare_tape_refuse(n, "does not flow into its target");
    if (n->n_out < 2 || !n->out[1])
        return pare_tape_refuse(n, "needs its second output, the probabilities");
    PARE_TRY(pare_tape_like(t, n, "softmax_cross_entropy_grad", NULL, 3,
                            (pare_value *const[]){ dloss, n->out[1], n->in[1] }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}
