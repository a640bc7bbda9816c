/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_add.c - a float convolution adds what an add behind it adds: a residual, or another gradient of the same value
 *
 * The sum is rounded behind the convolution's chain, so bits stay. What is added must be there when the convolution
 * runs.
 */
#include <math.h>

#include "base/status.h"
#include "ops/conv.h"
#include "passes/pass.h"

extern const pare_op pare_op_conv, pare_op_conv_add, pare_op_add;

/* Whether v is made before node n. */
static bool is_there(const pare_value *v, const pare_node *n)
{
    for (const pare_node *m = n; m; m = m->next)
        if (v->producer == m)
            return false;
    return true;
}

/* The convolution that makes in[i] of an add and could add the other input. */
static pare_node *find_conv(const pare_node *add, int i)
{
    pare_value *const v = add->in[i], *const other = add->in[1 - i];
    pare_node *const p = v->producer;

    if (!p || p->op != &pare_op_conv || p->graph != add->graph || pare_value_only_user(v) != add ||
        pare_node_f(p, "clamp_lo") > -INFINITY || pare_node_f(p, "clamp_hi") < INFINITY)
        return NULL;
    if (!v->has_shape || !other->has_shape || v->t.shape.rank > 4 || other->t.dtype != PARE_f32 ||
        !pare_shape_equal(&v->t.shape, &other->t.shape) || other->graph != add->graph || pare_value_is_const(other))
        return NULL;
    return is_there(other, p) ? p : NULL;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_node *p = NULL;
    int        i = 0;

    (void)g;
    if (n->op != &pare_op_add || n->in[0] == n->in[1])
        return PARE_OK;
    while (i < 2 && !(p = find_conv(n, i)))
        i++;
    if (!p)
        return PARE_OK;
    pare_value *const v = n->in[i], *const other = n->in[1 - i];
    const pare_conv_attrs attrs = *(const pare_conv_attrs *)p->attrs;
    const float           lo = pare_node_f(n, "clamp_lo"), hi = pare_node_f(n, "clamp_hi");

    pare_node_set_in(n, 0, v);
    pare_node_set_in(n, 1, other);
    if (!pare_graph_absorb(n))
        return PARE_OK;
    PARE_TRY(pare_node_become(p, &pare_op_conv_add));
    *(pare_conv_attrs *)p->attrs = attrs;
    pare_node_set_f(p, "clamp_lo", lo);
    pare_node_set_f(p, "clamp_hi", hi);
    while (p->n_in < 3)
        PARE_TRY(pare_node_add_in(p, NULL));
    *changed = true;
    return pare_node_add_in(p, other);
}

const pare_pass pare_pass_fuse_add = {
    .name = "fuse_add",
    .doc = "a convolution adds the residual, or gradient, of the add behind it",
    .rewrite = rewrite,
};
