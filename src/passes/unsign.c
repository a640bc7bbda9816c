/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unsign.c - s8 activations become u8, u8 weights become s8: the one integer product is u8 x s8
 *
 * Adding 128 to codes and zero point leaves the real numbers as they are, bit for bit. An activation changes at its
 * quantize node and at every dequantize that reads it; a constant (weights with zero point 128) in its own bytes.
 */
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"

enum { HALF = 128 };

static bool zero_is(const pare_node *n, pare_dtype dtype)
{
    return n->n_in > 2 && n->in[2] && pare_value_is_const(n->in[2]) && n->in[2]->t.dtype == dtype;
}

/* The zero points of `v` moved by `shift`, in the other dtype. */
static pare_status moved_zero(pare_graph *g, const pare_value *v, pare_dtype dtype, int shift, pare_value **out)
{
    pare_tensor t = pare_tensor_of(dtype, v->t.shape);

    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t i = 0; i < pare_shape_count(&t.shape); i++)
        pare_tensor_set_int(&t, i, pare_tensor_int(&v->t, i) + shift);
    const pare_status status = pare_graph_add_const(g, v->name, &t, out);

    pare_tensor_release(&t);
    return status;
}

static bool reads_as_s8(pare_node *n, int input, void *arg)
{
    *(bool *)arg &= n->op == &pare_op_dequantize_linear && input == 0 && zero_is(n, PARE_s8);
    return *(bool *)arg;
}

static bool move_reader(pare_node *n, int input, void *arg)
{
    pare_value *zero;

    (void)input;
    *(pare_status *)arg = moved_zero(n->graph, n->in[2], PARE_u8, HALF, &zero);
    if (*(pare_status *)arg == PARE_OK)
        pare_node_set_in(n, 2, zero);
    return *(pare_status *)arg == PARE_OK;
}

/* quantize to s8 whose readers are all dequantize nodes. */
static pare_status unsign_activation(pare_graph *g, pare_node *q, bool *changed)
{
    bool        all = true;
    pare_status status = PARE_OK;
    pare_value *zero;

    if (!zero_is(q, PARE_s8) || pare_value_is_output(q->out[0]))
        return PARE_OK;
    pare_value_each_user(q->out[0], reads_as_s8, &all);
    if (!all)
        return PARE_OK;
    *changed = true;
    PARE_TRY(moved_zero(g, q->in[2], PARE_u8, HALF, &zero));
    pare_node_set_in(q, 2, zero);
    pare_value_each_user(q->out[0], move_reader, &status);
    q->out[0]->t.dtype = PARE_u8;
    return status == PARE_OK ? pare_value_set_q(q->out[0], NULL) : status;
}

static bool all_half(const pare_tensor *zero)
{
    for (int64_t i = 0; i < pare_shape_count(&zero->shape); i++)
        if (pare_tensor_int(zero, i) != HALF)
            return false;
    return true;
}

/* dequantize(u8 constant, zero point 128) of a float that a layer reads as its weights. */
static pare_status sign_weights(pare_graph *g, pare_node *dq, bool *changed)
{
    const pare_node *user = pare_value_only_user(dq->out[0]);
    pare_value      *codes = dq->in[0], *zero, *made;

    if (!zero_is(dq, PARE_u8) || !pare_value_is_const(codes) || !all_half(&dq->in[2]->t) || !user ||
        !(user->op->traits & PARE_LINEAR_OP) || user->n_in < 2 || user->in[1] != dq->out[0])
        return PARE_OK;
    *changed = true;
    PARE_TRY(moved_zero(g, codes, PARE_s8, -HALF, &made));
    PARE_TRY(moved_zero(g, dq->in[2], PARE_s8, -HALF, &zero));
    pare_node_set_in(dq, 0, made);
    pare_node_set_in(dq, 2, zero);
    return PARE_OK;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op == &pare_op_quantize_linear)
        return unsign_activation(g, n, changed);
    if (n->op == &pare_op_dequantize_linear)
        return sign_weights(g, n, changed);
    return PARE_OK;
}

const pare_pass pare_pass_unsign = {
    .name = "unsign",
    .doc = "s8 activations become u8, u8 weights become s8",
    .rewrite = rewrite,
};
