/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_pad.c - padding with zeros becomes the padding of the convolution or average pool that reads it */
#include <string.h>

#include "passes/pass.h"

extern const pare_op pare_op_conv, pare_op_qconv, pare_op_average_pool, pare_op_qaverage_pool, pare_op_pad;

/* The number, or code, that stands for 0; a pad without a value pads with that. */
static bool is_zero(const pare_value *value, const pare_qparams *q)
{
    return !value || (pare_value_is_const(value) && pare_shape_count(&value->t.shape) == 1 &&
                      pare_tensor_real(&value->t, 0) == (q && q->zero ? q->zero[0] : 0));
}

/* Adds in[1] (begins, then ends, of the axes in in[3] or of all) to pads [2 * spatial]. False: not spatial zeros only. */
static bool collect(const pare_node *pad, int rank, int64_t *pads)
{
    const pare_value *const amounts = pad->in[1], *const value = pad->n_in > 2 ? pad->in[2] : NULL;
    const pare_value *const axes = pad->n_in > 3 ? pad->in[3] : NULL;
    const int64_t           n = axes ? pare_shape_count(&axes->t.shape) : rank;

    if (!pare_value_is_const(amounts) || pare_shape_count(&amounts->t.shape) != 2 * n)
        return false;
    if ((axes && !pare_value_is_const(axes)) || strcmp(pare_node_s(pad, "mode"), "constant") != 0)
        return false;
    if (!is_zero(value, pad->in[0]->t.q))
        return false;
    for (int64_t i = 0; i < n; i++) {
        const int64_t given = axes ? pare_tensor_int(&axes->t, i) : i;
        const int64_t axis = given < 0 ? given + rank : given;

        for (int end = 0; end < 2; end++) {
            const int64_t amount = pare_tensor_int(&amounts->t, i + end * n);

            if (axis < 0 || axis >= rank || amount < 0 || (axis < 2 && amount > 0))
                return false;
            if (axis >= 2)
                pads[axis - 2 + end * (rank - 2)] += amount;
        }
    }
    return true;
}

static bool is_pool(const pare_node *n)
{
    return n->op == &pare_op_average_pool || n->op == &pare_op_qaverage_pool;
}

/* A pool must count the padding that it has already as numbers; the kernel must be larger than the padding. */
static bool can_pad(const pare_node *n, const pare_ints *old)
{
    bool padded = false;

    if (strcmp(pare_node_s(n, "auto_pad"), "NOTSET") != 0)
        return false;
    if (n->op == &pare_op_conv || n->op == &pare_op_qconv)
        return true;
    for (int i = 0; i < old->n; i++)
        padded |= old->v[i] != 0;
    return is_pool(n) && (!padded || pare_node_i(n, "count_include_pad"));
}

static bool covers(const pare_node *n, const int64_t *pads, int spatial)
{
    const pare_ints *const kernel = is_pool(n) ? pare_node_ints(n, "kernel_shape") : NULL;

    for (int i = 0; kernel && i < 2 * spatial; i++)
        if (pads[i] >= kernel->v[i % spatial])
            return false;
    return true;
}

static pare_status rewrite(pare_graph *g, pare_node *pad, bool *changed)
{
    int64_t pads[2 * PARE_MAX_RANK] = { 0 };

    (void)g;
    if (pad->op != &pare_op_pad || !pad->in[0]->has_shape || pad->in[0]->t.shape.rank < 3)
        return PARE_OK;

    const int        rank = pad->in[0]->t.shape.rank, spatial = rank - 2;
    pare_node *const n = pare_value_only_user(pad->out[0]);
    if (!n || n->graph != pad->graph || n->in[0] != pad->out[0] || !pare_attr_find(n->op, "pads"))
        return PARE_OK;

    const pare_ints *const old = pare_node_ints(n, "pads");
    if (!can_pad(n, old) || (old->n != 0 && old->n != 2 * spatial))
        return PARE_OK;
    for (int i = 0; i < old->n; i++)
        pads[i] = old->v[i];
    if (!collect(pad, rank, pads) || !covers(n, pads, spatial) || !pare_graph_bypass(pad))
        return PARE_OK;
    pare_node_set_ints(n, "pads", 2 * spatial, pads);
    if (is_pool(n))
        pare_node_set_i(n, "count_include_pad", 1);
    *changed = true;
    return PARE_OK;
}

const pare_pass pare_pass_fuse_pad = {
    .name = "fuse_pad",
    .doc = "padding with zeros becomes the reader's own",
    .rewrite = rewrite,
};
