/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_rows.c - what makes the rows of quantize_rows is computed with them, row by row: gelu, or a sum and its norm */
#include "base/status.h"
#include "passes/lower.h"
#include "passes/match.h"
#include "passes/pass.h"

extern const pare_op pare_op_quantize_rows, pare_op_norm_rows, pare_op_layer_normalization, pare_op_gelu;

static bool find_rows(pare_node *user, int input, void *arg)
{
    pare_node **found = arg;

    (void)input;
    if (user->op == &pare_op_quantize_rows && pare_node_i(user, "row_axes") == -1 && !pare_node_s(user, "function")[0])
        *found = user;
    return !*found;
}

/* The quantize_rows of v in this graph, or NULL. */
static pare_node *rows_of(const pare_value *v, const pare_graph *g)
{
    pare_node *found = NULL;

    pare_value_each_user(v, find_rows, &found);
    return found && found->graph == g && found->out[0] && found->out[1] ? found : NULL;
}

/* One number per column of x, as a constant. */
static bool per_column(const pare_value *v, const pare_value *x)
{
    return !v ||
           (pare_value_is_const(v) && v->t.shape.rank == 1 && v->t.shape.dim[0] == x->t.shape.dim[x->t.shape.rank - 1]);
}

/* The sum of two equal shapes right before n that n normalizes, or NULL. */
static pare_node *sum_before(const pare_node *n)
{
    pare_node *const add = pare_match_maker(n->in[0], &pare_op_add, n->graph);
    float            lo, hi;

    if (!add || (add->next != n && pare_value_only_user(add->out[0]) != n) ||
        !pare_shape_equal(&add->in[0]->t.shape, &add->in[1]->t.shape))
        return NULL;
    pare_lower_clamp_of(add, &lo, &hi);
    return isinf(lo) && isinf(hi) ? add : NULL;
}

/* The norm's node, its sum and its quantization become one in the place of the first two. */
static pare_status fuse_norm(pare_graph *g, pare_node *n, pare_node *rows, bool *changed)
{
    pare_value *const bias = n->n_in > 2 ? n->in[2] : NULL;
    pare_node *const  add = sum_before(n);
    const int         rank = n->in[0]->t.shape.rank;
    const int64_t     axis = pare_node_i(n, "axis");

    if ((axis != -1 && axis != rank - 1) || rank < 1 || !per_column(n->in[1], n->in[0]) || !per_column(bias, n->in[0]))
        return PARE_OK;
    pare_value *const y = n->out[0], *const sum = add ? add->out[0] : NULL;
    pare_value *const in[4] = { add ? add->in[0] : n->in[0], n->in[1], bias, add ? add->in[1] : NULL };
    pare_value *const out[4] = { rows->out[0], rows->out[1], y->n_uses > 1 ? y : NULL,
                                 sum && sum->n_uses > 1 ? sum : NULL };
    const float       eps = pare_node_f(n, "epsilon");
    pare_node *const  after = n->next == rows ? rows->next : n->next;
    const char *const name = n->name;
    pare_node        *made;

    *changed = true;
    pare_graph_remove_node(rows);
    pare_graph_remove_node(n);
    if (add)
        pare_graph_remove_node(add);
    PARE_TRY(pare_graph_add_node(g, &pare_op_norm_rows, name, add ? 4 : 3, in, 4, out, after, &made));
    pare_node_set_f(made, "epsilon", eps);
    return PARE_OK;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_node *const rows =
        n->op == &pare_op_gelu || n->op == &pare_op_layer_normalization ? rows_of(n->out[0], n->graph) : NULL;

    if (!rows)
        return PARE_OK;
    if (n->op == &pare_op_layer_normalization)
        return fuse_norm(g, n, rows, changed);
    if (pare_value_only_user(n->out[0]) != rows)
        return PARE_OK;
    *changed = true;
    PARE_TRY(pare_node_set_s(rows, "function", pare_node_s(n, "approximate")[0] == 't' ? "gelu_tanh" : "gelu"));
    pare_node_set_in(rows, 0, n->in[0]);
    pare_graph_remove_node(n);
    return PARE_OK;
}

const pare_pass pare_pass_fuse_rows = {
    .name = "fuse_rows",
    .doc = "gelu, layer norm and residual sum are computed with the rows that quantize_rows makes of them",
    .rewrite = rewrite,
};
