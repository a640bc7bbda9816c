/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_unshuffle.c - reshape -> transpose -> reshape -> gather that takes every g-th channel becomes a slice with a step
 *
 * [N, c * g, ...] -> [N * c, g, rest] -> [g, N * c, rest] -> [g, N, c, ...] -> number j of the first axis. This is how
 * networks of the ShuffleNet family split channels after a shuffle.
 */
#include "base/status.h"
#include "passes/pass.h"

extern const pare_op pare_op_reshape, pare_op_transpose, pare_op_gather, pare_op_slice;

static pare_node *maker(const pare_value *v, const pare_op *op)
{
    return v && v->producer && v->producer->op == op ? v->producer : NULL;
}

/* x [N, c * g, ...], rows [N * c, g, rest], groups [g, N, c, ...] */
static bool are_groups(const pare_shape *x, const pare_shape *rows, const pare_shape *groups)
{
    if (x->rank < 3 || rows->rank != 3 || groups->rank != x->rank + 1 || pare_shape_count(x) <= 0)
        return false;
    const int64_t g = rows->dim[1];

    if (groups->dim[0] != g || groups->dim[1] != x->dim[0] || groups->dim[2] * g != x->dim[1] ||
        rows->dim[0] != groups->dim[1] * groups->dim[2])
        return false;
    for (int i = 2; i < x->rank; i++)
        if (groups->dim[i + 1] != x->dim[i])
            return false;
    return true;
}

static bool swaps_first_two(const pare_node *transpose)
{
    const pare_ints *const perm = pare_node_ints(transpose, "perm");

    return perm->n == 3 && perm->v[0] == 1 && perm->v[1] == 0 && perm->v[2] == 2;
}

static pare_status add_number(pare_graph *g, int64_t number, pare_value **out)
{
    pare_tensor t = pare_tensor_of(PARE_s64, pare_shape_of(1, (const int64_t[]){ 1 }));

    t.data = &number;
    return pare_graph_add_const(g, "number", &t, out);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op != &pare_op_gather || pare_node_i(n, "axis") != 0 || !pare_value_is_const(n->in[1]) ||
        n->in[1]->t.shape.rank != 0)
        return PARE_OK;
    pare_node *const last = maker(n->in[0], &pare_op_reshape);
    pare_node *const transpose = last ? maker(last->in[0], &pare_op_transpose) : NULL;
    pare_node *const first = transpose ? maker(transpose->in[0], &pare_op_reshape) : NULL;

    if (!first || !swaps_first_two(transpose) ||
        !are_groups(&first->in[0]->t.shape, &first->out[0]->t.shape, &last->out[0]->t.shape))
        return PARE_OK;
    pare_value *const x = first->in[0], *in[5] = { x }, *y = n->out[0];
    const int64_t     groups = first->out[0]->t.shape.dim[1], at = pare_tensor_int(&n->in[1]->t, 0);
    const int64_t     numbers[] = { at < 0 ? at + groups : at, x->t.shape.dim[1], 1, groups };
    pare_node *const  after = n->next;
    pare_node        *made;

    *changed = true;
    for (int i = 0; i < 4; i++)
        PARE_TRY(add_number(g, numbers[i], &in[i + 1]));
    pare_graph_remove_node(n);
    return pare_graph_add_node(g, &pare_op_slice, NULL, 5, in, 1, &y, after, &made);
}

const pare_pass pare_pass_fuse_unshuffle = {
    .name = "fuse_unshuffle",
    .doc = "reshape, transpose, reshape, gather of channels becomes a slice with a step",
    .rewrite = rewrite,
};
