/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_shuffle.c - reshape -> transpose -> reshape that takes the channels of groups in turn becomes interleave
 *
 * [N, g * c, ...] -> [N, g, c, ...] -> [N, c, g, ...] -> [N, c * g, ...]. Where the groups are what a concat has put
 * together, they are read from before it; else a split names them.
 */
#include "base/status.h"
#include "passes/pass.h"

extern const pare_op pare_op_reshape, pare_op_transpose, pare_op_concat, pare_op_split, pare_op_interleave;

/* The node of this op that makes v for one reader only. */
static pare_node *maker(const pare_value *v, const pare_op *op)
{
    return v->producer && v->producer->op == op && pare_value_only_user(v) ? v->producer : NULL;
}

/* The second axis split in two, all others as they are. */
static bool splits_channels(const pare_shape *x, const pare_shape *y)
{
    if (x->rank < 2 || y->rank != x->rank + 1 || x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1] * y->dim[2])
        return false;
    for (int i = 2; i < x->rank; i++)
        if (x->dim[i] != y->dim[i + 1])
            return false;
    return pare_shape_count(x) > 0;
}

static bool swaps_groups(const pare_node *transpose, int rank)
{
    const pare_ints *const perm = pare_node_ints(transpose, "perm");

    if (perm->n != rank)
        return false;
    for (int i = 0; i < rank; i++)
        if (perm->v[i] != (i == 1 ? 2 : i == 2 ? 1 : i))
            return false;
    return true;
}

/* The inputs of a concat that are the groups. */
static bool are_groups(const pare_node *concat, int64_t groups, int64_t channels)
{
    const int64_t axis = concat ? pare_node_i(concat, "axis") : 0;

    if (!concat || concat->n_in != groups || (axis != 1 && axis != 1 - concat->out[0]->t.shape.rank))
        return false;
    for (int i = 0; i < concat->n_in; i++)
        if (concat->in[i]->t.shape.dim[1] != channels)
            return false;
    return true;
}

static pare_status split_groups(pare_graph *g, pare_value *x, int groups, pare_node *before, pare_value **out)
{
    pare_node *made;

    for (int i = 0; i < groups; i++) {
        PARE_TRY(pare_graph_add_value(g, x->name, &out[i]));
        out[i]->t.dtype = x->t.dtype;
        PARE_TRY(pare_value_set_q(out[i], x->t.q));
    }
    PARE_TRY(pare_graph_add_node(g, &pare_op_split, NULL, 1, &x, groups, out, before, &made));
    pare_node_set_i(made, "axis", 1);
    pare_node_set_i(made, "num_outputs", groups);
    return PARE_OK;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_node *const transpose = n->op == &pare_op_reshape ? maker(n->in[0], &pare_op_transpose) : NULL;
    pare_node *const first = transpose ? maker(transpose->in[0], &pare_op_reshape) : NULL;
    pare_value      *pieces[PARE_MAX_OUTPUTS], **in = pieces, *y;
    pare_node       *made;

    if (!first)
        return PARE_OK;
    pare_value *const       x = first->in[0];
    const pare_shape *const deep = &first->out[0]->t.shape;

    if (!splits_channels(&x->t.shape, deep) || !pare_shape_equal(&x->t.shape, &n->out[0]->t.shape) ||
        !swaps_groups(transpose, deep->rank))
        return PARE_OK;
    const int64_t groups = deep->dim[1];

    if (are_groups(x->producer && x->producer->op == &pare_op_concat ? x->producer : NULL, groups, deep->dim[2]))
        in = x->producer->in;
    else if (groups <= PARE_MAX_OUTPUTS)
        PARE_TRY(split_groups(g, x, (int)groups, first, pieces));
    else
        return PARE_OK;
    pare_node *const after = n->next;

    *changed = true;
    y = n->out[0];
    pare_graph_remove_node(n);
    pare_graph_remove_node(transpose);
    pare_graph_remove_node(first);
    return pare_graph_add_node(g, &pare_op_interleave, NULL, (int)groups, in, 1, &y, after, &made);
}

const pare_pass pare_pass_fuse_shuffle = {
    .name = "fuse_shuffle",
    .doc = "reshape, transpose, reshape of channels becomes interleave",
    .rewrite = rewrite,
};
