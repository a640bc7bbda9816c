/* SPDX-License-Identifier: Apache-2.0 */
/* clamp.c - what fuse_relu and fuse_clip share */
#include "passes/clamp.h"

static float clamp(float x, float lo, float hi)
{
    const float y = x > lo ? x : lo;

    return y < hi ? y : hi;
}

bool pare_clamp_producer(pare_node *n, float lo, float hi)
{
    pare_node *const p = n->in[0]->producer;

    if (!p || p->graph != n->graph || !(p->op->traits & PARE_CAN_CLAMP) || p->out[0] != n->in[0])
        return false;
    if (n->in[0]->t.dtype != PARE_f32 || pare_value_only_user(n->in[0]) != n || !pare_graph_absorb(n))
        return false;
    pare_node_set_f(p, "clamp_lo", clamp(pare_node_f(p, "clamp_lo"), lo, hi));
    pare_node_set_f(p, "clamp_hi", clamp(pare_node_f(p, "clamp_hi"), lo, hi));
    return true;
}
