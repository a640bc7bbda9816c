/* SPDX-License-Identifier: Apache-2.0 */
/* cut_shuffle.c - an interleave writes the pieces that its readers, slices and splits of the channels, would cut out */
#include "base/status.h"
#include "ops/attr.h"
#include "passes/channels.h"
#include "passes/pass.h"

extern const pare_op pare_op_interleave;

typedef struct pieces {
    int         n;
    bool        all; /* every reader is a cut, and there is room for its pieces */
    int64_t     start[PARE_MAX_OUTPUTS], length[PARE_MAX_OUTPUTS];
    pare_value *value[PARE_MAX_OUTPUTS];
} pieces;

static bool note_pieces(pare_node *user, int input, void *arg)
{
    pieces *const p = arg;
    int64_t       start;

    p->all &= input == 0 && pare_channels_are_cut(user);
    for (int i = 0; p->all && i < user->n_out; i++) {
        if (!user->out[i])
            continue;
        p->all &= pare_channels_start(user, i, &start) && p->n < PARE_MAX_OUTPUTS;
        if (!p->all)
            break;
        p->start[p->n] = start;
        p->length[p->n] = user->out[i]->t.shape.dim[1];
        p->value[p->n++] = user->out[i];
    }
    return p->all;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pieces     p = { .all = true };
    pare_node *made;

    if (n->op != &pare_op_interleave || n->n_out != 1 || pare_node_ints(n, "starts")->n > 0 ||
        pare_value_is_output(n->out[0]))
        return PARE_OK;
    pare_value_each_user(n->out[0], note_pieces, &p);
    if (!p.all || p.n == 0)
        return PARE_OK;
    *changed = true;
    for (int i = 0; i < p.n; i++)
        if (p.value[i]->producer)
            pare_graph_remove_node(p.value[i]->producer);
    PARE_TRY(pare_graph_add_node(g, n->op, NULL, n->n_in, n->in, p.n, p.value, n, &made));
    pare_node_set_ints(made, "starts", p.n, p.start);
    pare_node_set_ints(made, "lengths", p.n, p.length);
    pare_graph_remove_node(n);
    return PARE_OK;
}

const pare_pass pare_pass_cut_shuffle = {
    .name = "cut_shuffle",
    .doc = "an interleave writes the pieces that slices and splits would cut out of it",
    .rewrite = rewrite,
};
