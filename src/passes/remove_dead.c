/* SPDX-License-Identifier: Apache-2.0 */
/* remove_dead.c - nodes whose results nobody reads go; so do single results that an op need not give */
#include "passes/pass.h"

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    bool alive = false;

    (void)g;
    for (int i = 0; i < n->n_out; i++)
        alive |= n->out[i] && n->out[i]->n_uses > 0;
    if (!alive) {
        pare_graph_remove_node(n);
        *changed = true;
        return PARE_OK;
    }
    for (int i = n->op->min_out; i < n->n_out && !(n->op->traits & PARE_HAS_BODY); i++)
        if (n->out[i] && n->out[i]->n_uses == 0) {
            n->out[i]->producer = NULL;
            n->out[i] = NULL;
            *changed = true;
        }
    return PARE_OK;
}

const pare_pass pare_pass_remove_dead = {
    .name = "remove_dead",
    .doc = "nodes whose results nobody reads go",
    .rewrite = rewrite,
    .backward = true,
    .repeat = true, /* a body's reads of outer values end only when its node goes */
};
