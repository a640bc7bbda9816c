/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.c - decisions and ranges become Q/DQ pairs, integer weights and integer biases in the graph
 *
 * Written so that ONNX Runtime runs the result in integers too: u8 activations, s8 weights per output channel, s32 bias at
 * scale sx * sw[c], a pair around every integer op, no Relu or Clip between an op and its quantize (the range does it).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/convert.h"
#include "passes/qdq.h"

extern const pare_op pare_op_conv_transpose, pare_op_matmul, pare_op_pad;

/* ---------------------------------------------------------------------------------------------------------- layers */

/* Where the bias of a layer is: node and input; NULL node: it has none. */
static pare_node *bias_place(pare_node *n, const pare_quantization *q, int *input)
{
    pare_node *add = pare_quantization_bias_add(n);

    if (n->n_in > 2 && n->in[2] && n->op != &pare_op_matmul) {
        *input = 2;
        return n;
    }
    if (add && pare_quantization_of(q, add) && pare_quantization_of(q, add)->bias) {
        *input = add->in[0] == n->out[0] ? 1 : 0;
        return add;
    }
    return NULL;
}

static pare_status convert_static(const pare_quantization *q, pare_decision *d)
{
    pare_node *const   n = d->node;
    int                input = 0;
    pare_node *const   at = bias_place(n, q, &input);
    pare_weight_scales s = { 0 };
    pare_status        status;

    PARE_GOTO(pare_convert_choose_input(q, d));
    PARE_GOTO(pare_weight_scales_choose(n->in[1], pare_channel_axis(n), &d->config, &s));
    for (int c = 0; d->weight_scale && c < s.n; c++) { /* as op bound_scale */
        const float least = 0.25f * s.scale[c], learned = d->weight_scale[c];

        s.scale[c] = learned < least ? least : learned > s.scale[c] ? s.scale[c] : learned;
    }
    pare_weight_scales_widen(&s, d->in_scale, at ? at->in[input] : NULL);
    PARE_GOTO(pare_convert_weights(q->g, n, 1, &s, d->config.weight_bits));
    if (at)
        PARE_GOTO(pare_convert_bias(q->g, at, input, d->in_scale, &s));
out:
    pare_free(s.scale);
    return status;
}

static pare_status convert_dynamic(const pare_quantization *q, const pare_decision *d)
{
    const int last = d->rule->role == PARE_QROLE_RECURRENT ? 2 : 1;

    for (int input = 1; input <= last; input++) {
        pare_weight_scales s = { 0 };
        pare_status        status;

        PARE_GOTO(pare_weight_scales_choose(d->node->in[input], pare_channel_axis(d->node), &d->config, &s));
        PARE_GOTO(pare_convert_weights(q->g, d->node, input, &s, d->config.weight_bits));
    out:
        pare_free(s.scale);
        PARE_TRY(status);
    }
    return PARE_OK;
}

/* A clamp at zero, or from above, is the range's work once the output is quantized: q starts at zero point 0. */
static void drop_clamp(pare_quantization *q, const pare_decision *d)
{
    const pare_value *const v = d->node->n_out ? d->node->out[0] : NULL;

    if (!v || !q->values[v->id].quantized || !(d->node->op->traits & PARE_CAN_CLAMP))
        return;
    pare_value_plan *const p = &q->values[pare_quantization_leader(q, v->id)];

    if (p->fixed_scale > 0)
        return;
    if (pare_node_f(d->node, "clamp_lo") == 0 && p->min >= 0)
        pare_node_set_f(d->node, "clamp_lo", -INFINITY);
    if (p->max <= pare_node_f(d->node, "clamp_hi"))
        pare_node_set_f(d->node, "clamp_hi", INFINITY);
}

/*
 * dequantize -> pad -> quantize becomes a pad of the codes with the zero point: ONNX Runtime has no integer form of the
 * former, and the latter is the same numbers in any engine.
 */
static pare_status pad_codes(pare_graph *g, pare_node *pad)
{
    pare_node *const  dq = pad->in[0]->producer;
    pare_node *const  sink = pare_value_only_user(pad->out[0]);
    pare_value *const y = pad->out[0];

    if (!dq || dq->op != &pare_op_dequantize_linear || !sink || sink->op != &pare_op_quantize_linear)
        return PARE_OK;
    pare_node_set_in(pad, 0, dq->in[0]);
    if (pad->n_in > 2)
        pare_node_set_in(pad, 2, dq->in[2]);
    else
        PARE_TRY(pare_node_add_in(pad, dq->in[2]));
    pare_value *const codes = sink->out[0];

    y->t.dtype = PARE_u8;
    pare_graph_replace_uses(g, codes, y);
    pare_graph_remove_node(sink);
    pare_graph_swap_names(y, codes);
    if (dq->out[0]->n_uses == 0)
        pare_graph_remove_node(dq);
    return PARE_OK;
}

/* n reads a dequantize, and nothing but a quantize reads n. */
static bool is_between_integers(const pare_node *n)
{
    const pare_node *const from = n->in[0]->producer, *const to = pare_value_only_user(n->out[0]);

    return from && to && from->op == &pare_op_dequantize_linear && to->op == &pare_op_quantize_linear;
}

static bool is_f32_const(const pare_value *v)
{
    return pare_value_is_const(v) && v->t.dtype == PARE_f32;
}

/*
 * A transposed convolution runs on floats, but ONNX Runtime gives plain float weights and biases between a dequantize
 * and a quantize scales of its own making, one per tensor. So they become integers here, a scale per output channel.
 */
static pare_status convert_in_between(pare_graph *g, const pare_decision *d)
{
    pare_node *const   n = d->node;
    pare_weight_scales s = { 0 };
    pare_status        status;

    if (n->op != &pare_op_conv_transpose || d->config.mode == PARE_QMODE_FLOAT || !is_between_integers(n) ||
        !is_f32_const(n->in[1]))
        return PARE_OK;
    const pare_value *const sx = n->in[0]->producer->in[1];

    PARE_GOTO(pare_weight_scales_choose(n->in[1], pare_channel_axis(n), &d->config, &s));
    PARE_GOTO(pare_convert_weights(g, n, 1, &s, d->config.weight_bits));
    /* With groups a scale belongs to several output channels, so that the bias has no scales to follow. */
    if (n->n_in > 2 && n->in[2] && is_f32_const(n->in[2]) && pare_node_i(n, "group") == 1 && pare_value_is_const(sx))
        PARE_GOTO(pare_convert_bias(g, n, 2, (float)pare_tensor_real(&sx->t, 0), &s));
out:
    pare_free(s.scale);
    return status;
}

pare_status pare_quantization_convert(pare_quantization *q)
{
    bool dynamic = false;

    for (int i = 0; i < q->n_decisions; i++) {
        pare_decision *const d = &q->decisions[i];
        pare_status          status = PARE_OK;

        if (d->mode == PARE_QMODE_STATIC)
            drop_clamp(q, d);
        if (d->mode == PARE_QMODE_STATIC && d->rule->role == PARE_QROLE_WEIGHTED)
            status = convert_static(q, d);
        else if (d->mode == PARE_QMODE_DYNAMIC)
            status = convert_dynamic(q, d);
        dynamic |= d->mode == PARE_QMODE_DYNAMIC;
        if (status != PARE_OK)
            return pare_fail_in(status, "%s: node '%s'", q->g->file ? q->g->file : q->g->name, d->node->name);
    }
    /* Values that this loop adds come behind those that it looks at, and are not numbered. */
    pare_value *v = q->g->values;

    for (int i = 0; v && i < q->n_values; i++, v = v->next) {
        if (!q->values[v->id].quantized)
            continue;
        PARE_TRY(pare_value_is_const(v) ? pare_convert_const_operand(q, v) : pare_convert_value(q, v));
    }
    for (int i = 0; i < q->n_decisions; i++)
        if (q->decisions[i].coarse)
            PARE_TRY(pare_convert_input(q, &q->decisions[i]));
    for (int i = 0; i < q->n_decisions; i++)
        if (q->decisions[i].mode == PARE_QMODE_STATIC && q->decisions[i].node->op == &pare_op_pad)
            PARE_TRY(pad_codes(q->g, q->decisions[i].node));
    for (int i = 0; i < q->n_decisions; i++)
        PARE_TRY(convert_in_between(q->g, &q->decisions[i]));
    return dynamic ? pare_graph_add_meta(q->g, "pare.dynamic", "1") : PARE_OK;
}
