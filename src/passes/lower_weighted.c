/* SPDX-License-Identifier: Apache-2.0 */
/* lower_weighted.c - dequantize -> conv, gemm, matmul -> quantize becomes one integer op */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "passes/lower.h"
#include "passes/pass.h"

/* The matmul of a 3-D Linear is followed by an Add of its bias; seen as one layer. */
static pare_node *bias_add(const pare_node *n)
{
    pare_node *add = n->op == &pare_op_matmul ? pare_value_only_user(n->out[0]) : NULL;

    if (!add || add->op != &pare_op_add || add->in[0] == add->in[1])
        return NULL;
    const pare_value *b = add->in[0] == n->out[0] ? add->in[1] : add->in[0];
    const pare_value *i = pare_qdq_source(b);
    const pare_value *c = i ? i : b;

    return pare_value_is_const(c) && c->t.shape.rank == 1 ? add : NULL;
}

static pare_value *bias_of(const pare_node *n, const pare_node *add)
{
    if (add)
        return add->in[0] == n->out[0] ? add->in[1] : add->in[0];
    return n->n_in > 2 ? n->in[2] : NULL;
}

/* An s32 constant [channels] for the bias: the file's own, or a float bias rounded at scale sx * sw[c]. */
static pare_status integer_bias(pare_graph *g, pare_value *bias, const pare_value *x, const pare_value *w, pare_value **out)
{
    pare_value *own = pare_qdq_source(bias);

    *out = NULL;
    if (!bias)
        return PARE_OK;
    if (own && own->t.dtype == PARE_s32 && own->t.shape.rank == 1) {
        *out = own;
        return PARE_OK;
    }
    if (!pare_value_is_const(bias) || bias->t.dtype != PARE_f32)
        return PARE_OK;
    const int64_t n = pare_shape_count(&bias->t.shape);
    pare_tensor   t = pare_tensor_of(PARE_s32, pare_shape_of(1, &n));

    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t c = 0; c < n; c++) {
        const float scale = x->t.q->scale[0] * w->t.q->scale[w->t.q->n > 1 ? c : 0];
        const float q     = rintf((float)pare_tensor_real(&bias->t, c) / scale);

        ((int32_t *)t.data)[c] = q < -2147483520.0f ? -2147483520 : q > 2147483520.0f ? 2147483520 : (int32_t)q;
    }
    const pare_status status = pare_graph_add_const(g, bias->name, &t, out);

    pare_tensor_release(&t);
    return status;
}

/* Clamps of the float node are bounds of the integer one; a float result is clamped by a node of its own. */
static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const pare_op *const op = pare_lower_integer_op(n);
    pare_value *const    x  = op ? pare_qdq_source(n->in[0]) : NULL;

    if (!x || !pare_q_is_u8(x))
        return PARE_OK;
    pare_value *w;

    PARE_TRY(pare_lower_weights(g, n, &w));
    if (!w)
        return PARE_OK;
    pare_node *const  add  = bias_add(n);
    pare_value *const last = add ? add->out[0] : n->out[0], *const bias = bias_of(n, add);
    pare_node *const  sink = pare_qdq_sink(last);
    pare_value       *b, *in[PARE_Q_INPUTS] = { x, w };
    pare_node        *made;

    PARE_TRY(integer_bias(g, bias, x, w, &b));
    if (bias && !b)
        return PARE_OK; /* a bias that is no constant: the float form stays */
    if (sink && !pare_q_is_u8(sink->out[0]))
        return PARE_OK;
    in[PARE_Q_BIAS] = b;
    *changed        = true;
    if (!sink)
        return pare_lower_float_output(g, op, n, b ? PARE_Q_BIAS + 1 : 2, in, last);
    PARE_TRY(pare_qdq_replace(g, op, n, b ? PARE_Q_BIAS + 1 : 2, in, sink->out[0], &made));
    if (add)
        pare_lower_copy_clamp(made, add);
    return PARE_OK;
}

const pare_pass pare_pass_lower_weighted = {
    .name    = "lower_weighted",
    .doc     = "dequantize -> conv, gemm, matmul -> quantize becomes qconv, qgemm",
    .rewrite = rewrite,
};
