/* SPDX-License-Identifier: Apache-2.0 */
/*
 * use_global_pool.c - means over the whole image become global_average_pool
 *
 * An average_pool whose window is the whole image, or a reduce_mean over the spatial axes. The global op has an exact
 * integer form, here and in ONNX Runtime, which takes a full window for a global pool as well.
 */
#include "base/status.h"
#include "passes/pass.h"

extern const pare_op pare_op_average_pool, pare_op_reduce_mean, pare_op_global_average_pool, pare_op_flatten;

static bool all_are(const pare_ints *list, int64_t value)
{
    for (int i = 0; i < list->n; i++)
        if (list->v[i] != value)
            return false;
    return true;
}

/* One window without padding, as large as the image. */
static bool covers_image(const pare_node *pool, const pare_shape *x)
{
    const pare_ints *const kernel = pare_node_ints(pool, "kernel_shape");

    if (x->rank < 3 || kernel->n != x->rank - 2 || !all_are(pare_node_ints(pool, "pads"), 0) ||
        !all_are(pare_node_ints(pool, "dilations"), 1))
        return false;
    for (int i = 0; i < kernel->n; i++)
        if (kernel->v[i] != x->dim[i + 2])
            return false;
    return true;
}

/* in[1] names the axes 2 and up, each once. The one such axis of rank 3 is mostly a norm's, which stays a row. */
static bool reduces_image(const pare_node *mean, const pare_shape *x)
{
    const pare_value *const axes = mean->n_in > 1 ? mean->in[1] : NULL;
    bool                    seen[PARE_MAX_RANK] = { false };

    if (x->rank < 4 || !axes || !pare_value_is_const(axes) || pare_shape_count(&axes->t.shape) != x->rank - 2)
        return false;
    for (int64_t i = 0; i < x->rank - 2; i++) {
        const int64_t given = pare_tensor_int(&axes->t, i), axis = given < 0 ? given + x->rank : given;

        if (axis < 2 || axis >= x->rank || seen[axis])
            return false;
        seen[axis] = true;
    }
    return true;
}

/* The result [N, C, 1 ...] of the pool goes on as [N, C]. */
static pare_status pool_and_flatten(pare_graph *g, pare_node *mean)
{
    pare_value *const y = mean->out[0];
    pare_value       *pooled;
    pare_node        *pool, *flatten;

    PARE_TRY(pare_graph_add_value(g, y->name, &pooled));
    PARE_TRY(pare_graph_add_node(g, &pare_op_global_average_pool, mean->name, 1, mean->in, 1, &pooled, mean, &pool));
    pare_node *const after = mean->next;

    pare_graph_remove_node(mean);
    return pare_graph_add_node(g, &pare_op_flatten, NULL, 1, &pooled, 1, &y, after, &flatten);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const bool pools = n->op == &pare_op_average_pool, reduces = n->op == &pare_op_reduce_mean;

    if (!(pools || reduces) || !n->in[0]->has_shape || n->in[0]->t.dtype != PARE_f32)
        return PARE_OK;
    const pare_shape *const x = &n->in[0]->t.shape;

    if (!(pools ? covers_image(n, x) : reduces_image(n, x)))
        return PARE_OK;
    *changed = true;
    if (reduces && !pare_node_i(n, "keepdims"))
        return pool_and_flatten(g, n);

    pare_value *const in = n->in[0], *const y = n->out[0];
    const char *const name = n->name;
    pare_node *const  after = n->next;
    pare_node        *made;

    pare_graph_remove_node(n);
    return pare_graph_add_node(g, &pare_op_global_average_pool, name, 1, &in, 1, &y, after, &made);
}

const pare_pass pare_pass_use_global_pool = {
    .name = "use_global_pool",
    .doc = "means over the whole image become global_average_pool",
    .rewrite = rewrite,
};
