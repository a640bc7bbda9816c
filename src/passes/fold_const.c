/* SPDX-License-Identifier: Apache-2.0 */
/* fold_const.c - nodes that read nothing but constants become constants */
#include "base/alloc.h"
#include "base/status.h"
#include "passes/fold.h"
#include "passes/pass.h"

extern const pare_op pare_op_dequantize_linear;

/* Results above this are cheaper to compute than to keep: an expanded or tiled constant, a table of positions. */
enum { LARGEST = 64 << 20 }; /* bytes */

/* Branches of an `if` often compute the same from the weights around them: folded, each would hold a copy. */
enum { LARGEST_IN_BODY = 4 << 10 };

static bool can_fold(const pare_node *n)
{
    if (n->op->traits & PARE_HAS_BODY || !n->op->forward)
        return false;
    for (int i = 0; i < n->n_in; i++) {
        const pare_value *const v = n->in[i];

        if (!v || pare_value_is_const(v))
            continue;
        if (i > 0 || !(n->op->traits & PARE_SHAPE_ONLY) || !v->has_shape || pare_shape_count(&v->t.shape) < 0)
            return false;
    }
    for (int i = 0; i < n->n_out; i++) {
        const pare_value *const v = n->out[i];
        const int64_t           bytes = v && v->has_shape ? pare_tensor_bytes(&v->t) : 0;

        if (bytes < 0 || bytes > (n->graph->parent ? LARGEST_IN_BODY : LARGEST))
            return false;
    }
    return true;
}

/* The values lose their producer and become constants under their own names. */
static pare_status keep_results(pare_node *n, const pare_call *call)
{
    for (int i = 0; i < n->n_out; i++) {
        pare_value *const v = n->out[i];

        if (!v)
            continue;
        v->producer = NULL;
        n->out[i] = NULL;
        PARE_TRY(pare_value_set_const(v, call->out[i]));
    }
    pare_graph_remove_node(n);
    return PARE_OK;
}

pare_status pare_fold_node(pare_node *n, bool *changed)
{
    if (!can_fold(n))
        return PARE_OK;

    pare_call *const call = pare_node_call(n);
    if (!call)
        return PARE_ERR_MEMORY;

    pare_status status = pare_op_eval(call);
    if (status == PARE_OK) {
        *changed = true;
        status = keep_results(n, call);
        for (int i = 0; i < call->n_out; i++)
            if (call->out[i])
                pare_tensor_release(call->out[i]);
    }
    pare_free(call);
    return status;
}

/* Quantized weights stay integers: fold_dequantize takes care of those that no integer op wants. */
static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    (void)g;
    return n->op == &pare_op_dequantize_linear ? PARE_OK : pare_fold_node(n, changed);
}

const pare_pass pare_pass_fold_const = {
    .name = "fold_const",
    .doc = "nodes that read only constants become constants",
    .rewrite = rewrite,
};
