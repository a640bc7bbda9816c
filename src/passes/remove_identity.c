/* SPDX-License-Identifier: Apache-2.0 */
/* remove_identity.c - nodes that give back their input go: identity, dropout, views of equal shape, casts to itself */
#include "passes/pass.h"
#include "tensor/qparams.h"

extern const pare_op pare_op_cast;

/* Of tensors with equally many elements: one open dimension must be the same when all others are. */
static bool same_shape(const pare_shape *a, const pare_shape *b)
{
    int open = 0;

    for (int i = 0; i < a->rank; i++)
        open += a->dim[i] == PARE_DIM_ANY || a->dim[i] == 0;
    return pare_shape_equal(a, b) && open <= 1;
}

static bool gives_back_input(const pare_node *n)
{
    const pare_value *const x = n->n_in > 0 ? n->in[0] : NULL, *const y = n->n_out > 0 ? n->out[0] : NULL;

    if (!x || !y || !x->has_shape || !y->has_shape || x->t.dtype != y->t.dtype || x->format != y->format)
        return false;
    if (!(n->op->traits & PARE_VIEW) && n->op != &pare_op_cast)
        return false;
    return same_shape(&x->t.shape, &y->t.shape) && pare_qparams_equal(x->t.q, y->t.q);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    (void)g;
    if (gives_back_input(n))
        *changed = pare_graph_bypass(n);
    return PARE_OK;
}

const pare_pass pare_pass_remove_identity = {
    .name = "remove_identity",
    .doc = "nodes that give back their input go",
    .rewrite = rewrite,
};
