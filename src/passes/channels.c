/* SPDX-License-Identifier: Apache-2.0 */
/* channels.c - reading concat, split and slice along the channels */
#include "passes/channels.h"

extern const pare_op pare_op_concat, pare_op_split, pare_op_slice;

static bool is_second(int64_t axis, const pare_value *v)
{
    return v->has_shape && v->t.shape.rank > 1 && (axis == 1 || axis == 1 - v->t.shape.rank);
}

bool pare_channels_are_joined(const pare_node *n)
{
    return n->op == &pare_op_concat && is_second(pare_node_i(n, "axis"), n->out[0]);
}

static bool is_one(const pare_node *n, int i)
{
    return i < n->n_in && n->in[i] && pare_value_is_const(n->in[i]) && pare_shape_count(&n->in[i]->t.shape) == 1;
}

/* starts, ends, axes, steps */
static bool is_plain_slice(const pare_node *n)
{
    return n->op == &pare_op_slice && is_one(n, 1) && is_one(n, 2) && is_one(n, 3) &&
           is_second(pare_tensor_int(&n->in[3]->t, 0), n->in[0]) &&
           (n->n_in <= 4 || !n->in[4] || (is_one(n, 4) && pare_tensor_int(&n->in[4]->t, 0) == 1));
}

bool pare_channels_are_cut(const pare_node *n)
{
    return is_plain_slice(n) || (n->op == &pare_op_split && is_second(pare_node_i(n, "axis"), n->in[0]));
}

bool pare_channels_start(const pare_node *n, int i, int64_t *start)
{
    *start = 0;
    if (n->op == &pare_op_slice) {
        const int64_t channels = n->in[0]->t.shape.dim[1], at = pare_tensor_int(&n->in[1]->t, 0);

        *start = at < 0 ? at + channels : at;
        return n->out[0]->t.shape.dim[1] > 0 && *start >= 0; /* otherwise the slice has moved it */
    }
    for (int k = 0; k < i; k++) {
        if (!n->out[k])
            return false; /* its length is not known here */
        *start += n->out[k]->t.shape.dim[1];
    }
    return true;
}
