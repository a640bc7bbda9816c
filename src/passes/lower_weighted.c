/* SPDX-License-Identifier: Apache-2.0 */
/* lower_weighted.c - dequantize -> conv, gemm, matmul -> quantize becomes one integer op */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "passes/lower.h"
#include "passes/pass.h"

/* The matmul of a 3-D Linear is followed by an Add of its bias, one number per channel; seen as one layer. */
static pare_node *bias_add(const pare_node *n, const pare_value *w)
{
    pare_node *add = n->op == &pare_op_matmul ? pare_value_only_user(n->out[0]) : NULL;

    if (!add || add->op != &pare_op_add || add->in[0] == add->in[1])
        return NULL;
    const pare_value *b = add->in[0] == n->out[0] ? add->in[1] : add->in[0];
    const pare_value *i = pare_qdq_source(b);
    const pare_value *c = i ? i : b;

    if (!pare_value_is_const(c) || c->t.shape.rank != 1 || c->t.shape.dim[0] != pare_lower_channels(n, w))
        return NULL;
    return add;
}

static pare_value *bias_of(const pare_node *n, const pare_node *add)
{
    if (add)
        return add->in[0] == n->out[0] ? add->in[1] : add->in[0];
    return n->n_in > 2 ? n->in[2] : NULL;
}

/* What one step of the accumulator of channel c is worth. */
static float step_of(const pare_value *x, const pare_value *w, int64_t c)
{
    return x->t.q->scale[0] * w->t.q->scale[w->t.q->n > 1 ? c : 0];
}

/* An s32 bias [channels] of the file counts the accumulator's own steps; writers round the product differently. */
static bool in_steps(const pare_value *bias, const pare_value *x, const pare_value *w)
{
    const pare_qparams *q = bias->t.q;

    for (int64_t c = 0; c < bias->t.shape.dim[0]; c++) {
        const float step = step_of(x, w, c);

        if (!(fabsf(q->scale[q->n > 1 ? c : 0] - step) <= step * 1e-6f) || (q->zero && q->zero[q->n > 1 ? c : 0] != 0))
            return false;
    }
    return true;
}

static float bias_value(const pare_value *bias, int64_t c)
{
    const pare_qparams *q = bias->t.q;
    const int64_t       i = q && q->n > 1 ? c : 0;

    if (!q)
        return (float)pare_tensor_real(&bias->t, c);
    return (float)(pare_tensor_int(&bias->t, c) - (q->zero ? q->zero[i] : 0)) * q->scale[i];
}

/*
 * An s32 constant [channels] for the bias: the file's own, or its real numbers rounded at scale sx * sw[c]. *out is
 * NULL when the float form must stay: the bias is computed, is not one number per channel, or does not fit.
 */
static pare_status integer_bias(pare_graph *g, pare_value *bias, const pare_value *x, const pare_value *w,
                                int64_t channels, pare_value **out)
{
    pare_value *const own = pare_qdq_source(bias), *const from = own ? own : bias;
    pare_tensor t = pare_tensor_of(PARE_s32, pare_shape_of(1, &channels));
    pare_status status = PARE_OK;
    bool        fits = true;

    *out = NULL;
    if (!pare_value_is_const(from) || !pare_lower_per_channel(&from->t.shape, channels) ||
        (own ? own->t.q->block > 0 : bias->t.dtype != PARE_f32))
        return PARE_OK;
    if (own && own->t.dtype == PARE_s32 && own->t.shape.rank == 1 && in_steps(own, x, w)) {
        *out = own;
        return PARE_OK;
    }
    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t c = 0; c < channels; c++) {
        const float q = rintf(bias_value(from, c) / step_of(x, w, c));

        fits &= fabsf(q) < 2147483648.0f;
        ((int32_t *)t.data)[c] = fits ? (int32_t)q : 0;
    }
    if (fits)
        status = pare_graph_add_const(g, bias->name, &t, out);
    pare_tensor_release(&t);
    return status;
}

/* Clamps of the float node are bounds of the integer one. */
static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const pare_op *const op = pare_lower_integer_op(n);
    pare_value *const    x = op ? pare_qdq_source(n->in[0]) : NULL;

    if (!x || !pare_q_is_u8(x))
        return PARE_OK;
    pare_value *const w = pare_lower_weights_of(n);

    if (!w)
        return PARE_OK;
    pare_node *const  add = bias_add(n, w);
    pare_value *const last = add ? add->out[0] : n->out[0], *const bias = bias_of(n, add);
    pare_node *const sink = pare_qdq_sink(last);
    pare_value      *b = NULL, *in[PARE_Q_INPUTS] = { x };
    pare_node       *made;

    if (sink && !pare_q_is_u8(sink->out[0]))
        return PARE_OK;
    if (bias)
        PARE_TRY(integer_bias(g, bias, x, w, pare_lower_channels(n, w), &b));
    if (bias && !b)
        return PARE_OK;
    PARE_TRY(pare_lower_weights(g, n, w, &in[PARE_Q_W]));
    in[PARE_Q_BIAS] = b;
    *changed = true;
    if (!sink)
        return pare_lower_float_output(g, op, n, b ? PARE_Q_BIAS + 1 : 2, in, last);
    PARE_TRY(pare_qdq_replace(g, op, n, b ? PARE_Q_BIAS + 1 : 2, in, sink->out[0], &made));
    if (add)
        pare_lower_copy_clamp(made, add);
    return PARE_OK;
}

const pare_pass pare_pass_lower_weighted = {
    .name = "lower_weighted",
    .doc = "dequantize -> conv, gemm, matmul -> quantize becomes qconv, qgemm",
    .rewrite = rewrite,
};
