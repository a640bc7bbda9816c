/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - what the passes share that recognize a chain of small ops */
#ifndef PARE_PASSES_MATCH_H
#define PARE_PASSES_MATCH_H

#include <math.h>

#include "graph/graph.h"

/* The node that makes v when it is of this op and in this graph; NULL otherwise. */
static inline pare_node *pare_match_maker(const pare_value *v, const pare_op *op, const pare_graph *g)
{
    return v && v->producer && v->producer->op == op && v->producer->graph == g ? v->producer : NULL;
}

/* The only reader of n's output when it is of this op and in n's graph; NULL otherwise. */
static inline pare_node *pare_match_reader(const pare_node *n, const pare_op *op)
{
    pare_node *const user = pare_value_only_user(n->out[0]);

    return user && user->op == op && user->graph == n->graph ? user : NULL;
}

/* The other operand of a node of two. */
static inline pare_value *pare_match_other(const pare_node *n, const pare_value *v)
{
    return n->in[0] == v ? n->in[1] : n->in[0];
}

/* A constant of one float. */
static inline bool pare_match_scalar(const pare_value *v, float *number)
{
    if (!v || !pare_value_is_const(v) || v->t.dtype != PARE_f32 || pare_shape_count(&v->t.shape) != 1)
        return false;
    *number = (float)pare_tensor_real(&v->t, 0);
    return true;
}

/* The same, of this value but for its last digits. */
static inline bool pare_match_number(const pare_value *v, float number)
{
    float found;

    return pare_match_scalar(v, &found) && fabsf(found - number) <= 1e-6f * fabsf(number);
}

#endif
