/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_qadd.c - a quantized add takes place in the registers of the convolution before it
 *
 * The convolution still rounds to its own scale first, then the sum is rounded: the bits of the unfused pair, without
 * writing and reading the convolution's codes. Of two convolutions the later one takes the add.
 */
#include "base/status.h"
#include "ops/qconv.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_qadd, pare_op_qconv, pare_op_qgemm;

static bool can_take(const pare_value *v)
{
    const pare_node *n = v->producer;

    return n && (n->op == &pare_op_qconv || n->op == &pare_op_qgemm) && pare_value_only_user(v) && pare_q_is_u8(v) &&
           pare_node_f(n, "mid_scale") == 0;
}

static bool is_before(const pare_node *a, const pare_node *b)
{
    for (; b; b = b->prev)
        if (a == b)
            return true;
    return false;
}

/* Which input of the add is the convolution to extend; -1: none. */
static int choose(const pare_node *add)
{
    const bool first = can_take(add->in[0]), second = can_take(add->in[1]);

    if (first && second)
        return is_before(add->in[0]->producer, add->in[1]->producer) ? 1 : 0;
    return first ? 0 : second ? 1 : -1;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op != &pare_op_qadd || n->in[0] == n->in[1] || !pare_shape_equal(&n->in[0]->t.shape, &n->in[1]->t.shape) ||
        !pare_q_is_u8(n->out[0]))
        return PARE_OK;
    const int which = choose(n);

    if (which < 0 || !pare_q_is_u8(n->in[1 - which]))
        return PARE_OK;
    pare_value *const own = n->in[which];
    pare_node *const  conv = own->producer;
    pare_value       *in[PARE_Q_INPUTS] = { 0 };
    pare_node        *made;
    const float       lo = pare_node_f(n, "clamp_lo"), hi = pare_node_f(n, "clamp_hi");

    *changed = true;
    for (int i = 0; i < conv->n_in; i++)
        in[i] = conv->in[i];
    in[PARE_Q_RESIDUAL] = n->in[1 - which];
    PARE_TRY(pare_qdq_replace(g, conv->op, conv, conv->n_in > PARE_Q_RESIDUAL ? conv->n_in : PARE_Q_RESIDUAL + 1, in,
                              n->out[0], &made));
    pare_node_set_f(made, "mid_scale", own->t.q->scale[0]);
    pare_node_set_i(made, "mid_zero", own->t.q->zero ? own->t.q->zero[0] : 0);
    pare_node_set_i(made, "conv_is_second", which);
    pare_node_set_f(made, "sum_lo", lo);
    pare_node_set_f(made, "sum_hi", hi);
    return PARE_OK;
}

const pare_pass pare_pass_fuse_qadd = {
    .name = "fuse_qadd",
    .doc = "a quantized add takes place in the registers of the convolution before it",
    .rewrite = rewrite,
};
