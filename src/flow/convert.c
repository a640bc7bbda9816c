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
#include "flow/quantization.h"
#include "passes/qdq.h"
#include "tensor/qparams.h"

extern const pare_op pare_op_conv, pare_op_gemm, pare_op_matmul, pare_op_pad;

/* ------------------------------------------------------------------------------------------------ constants, nodes */

static pare_status add_const(pare_graph *g, const char *name, pare_dtype dtype, pare_shape shape, const void *data,
                             pare_value **out)
{
    pare_tensor t = pare_tensor_of(dtype, shape);

    t.data = (void *)(uintptr_t)data;
    return pare_graph_add_const(g, name, &t, out);
}

/* "name_suffix" in the graph's arena. */
static const char *suffixed(pare_graph *g, const char *name, const char *suffix)
{
    const char *s = pare_arena_printf(g->arena, "%s_%s", name, suffix);

    return s ? s : suffix;
}

/* The scale and zero point inputs of Q and DQ nodes; one pair serves both nodes of an activation. */
typedef struct q_inputs {
    pare_value *scale, *zero; /* zero NULL: symmetric, the input is left out */
    int         axis;         /* -1: per tensor                              */
} q_inputs;

/* Constants for q: scalars when it has no axis. */
static pare_status add_q_inputs(pare_graph *g, const char *name, const pare_qparams *q, pare_dtype dtype, q_inputs *out)
{
    const pare_shape shape = q->axis < 0 ? pare_shape_of(0, NULL) : pare_shape_of(1, (const int64_t[]){ q->n });
    pare_tensor      zero  = pare_tensor_of(dtype, shape);

    *out = (q_inputs){ .axis = q->axis };
    PARE_TRY(add_const(g, suffixed(g, name, "scale"), PARE_f32, shape, q->scale, &out->scale));
    if (!q->zero)
        return PARE_OK;
    PARE_TRY(pare_tensor_alloc(&zero));
    for (int i = 0; i < q->n; i++)
        pare_tensor_set_int(&zero, i, q->zero[i]);
    const pare_status status = pare_graph_add_const(g, suffixed(g, name, "zero"), &zero, &out->zero);

    pare_tensor_release(&zero);
    return status;
}

static pare_status add_q_node(pare_graph *g, const pare_op *op, pare_value *from, pare_value *to, const q_inputs *q,
                              pare_node *before)
{
    pare_value *in[3] = { from, q->scale, q->zero };
    pare_node  *made;

    PARE_TRY(pare_graph_add_node(g, op, NULL, q->zero ? 3 : 2, in, 1, &to, before, &made));
    if (q->axis >= 0)
        pare_node_set_i(made, "axis", q->axis);
    return PARE_OK;
}

/* dequantize(constant integers) as a float value named after what it stands for. */
static pare_status add_dequantized(pare_graph *g, const pare_value *like, const pare_tensor *integers,
                                   const pare_qparams *q, pare_node *before, pare_value **real)
{
    pare_value *codes;
    q_inputs    in;

    PARE_TRY(pare_graph_add_const(g, suffixed(g, like->name, "q"), integers, &codes));
    PARE_TRY(pare_graph_add_value(g, suffixed(g, like->name, "dq"), real));
    (*real)->t         = pare_tensor_of(PARE_f32, integers->shape);
    (*real)->has_shape = true;
    PARE_TRY(add_q_inputs(g, like->name, q, integers->dtype, &in));
    return add_q_node(g, &pare_op_dequantize_linear, codes, *real, &in, before);
}

/* --------------------------------------------------------------------------------------------------- activations */

/* From the range of the group to one scale and zero point; fixed ones win. */
static pare_status activation_params(const pare_quantization *q, const pare_value *v, float *scale, int32_t *zero)
{
    int id = v->id;

    while (q->values[id].group != id)
        id = q->values[id].group;
    if (q->values[id].fixed_scale > 0) {
        *scale = q->values[id].fixed_scale;
        *zero  = q->values[id].fixed_zero;
        return PARE_OK;
    }
    const pare_status status =
        pare_qparams_choose(q->values[id].min, q->values[id].max, PARE_AFFINE, pare_qrange_of(PARE_u8, false), 0, scale, zero);

    return status == PARE_OK ? PARE_OK
                             : pare_fail_in(status, "%s: value '%s'", q->g->file ? q->g->file : q->g->name, v->name);
}

/* v -> Q -> DQ -> all readers. What reads v by name afterwards reads the dequantized value, except graph inputs. */
static pare_status quantize_value(const pare_quantization *q, pare_value *v)
{
    pare_graph  *g = q->g;
    pare_value  *codes, *real;
    float        scale;
    int32_t      zero;
    pare_qparams params = { .scale = &scale, .zero = &zero, .n = 1, .axis = -1 };
    q_inputs     in;
    pare_node   *at = v->producer ? v->producer->next : g->first;

    PARE_TRY(activation_params(q, v, &scale, &zero));
    PARE_TRY(add_q_inputs(g, v->name, &params, PARE_u8, &in));
    PARE_TRY(pare_graph_add_value(g, suffixed(g, v->name, "q"), &codes));
    PARE_TRY(pare_graph_add_value(g, suffixed(g, v->name, v->is_input ? "dq" : "f"), &real));
    codes->t         = pare_tensor_of(PARE_u8, v->t.shape);
    real->t          = pare_tensor_of(PARE_f32, v->t.shape);
    codes->has_shape = real->has_shape = v->has_shape;
    pare_graph_replace_uses(g, v, real);
    PARE_TRY(add_q_node(g, &pare_op_quantize_linear, v, codes, &in, at));
    PARE_TRY(add_q_node(g, &pare_op_dequantize_linear, codes, real, &in, at));
    if (!v->is_input)
        pare_graph_swap_names(v, real);
    return PARE_OK;
}

/* A constant operand of an add or mul: u8 codes of its own range. */
static pare_status quantize_const(const pare_quantization *q, pare_value *v)
{
    pare_graph  *g     = q->g;
    pare_tensor  codes = pare_tensor_of(PARE_u8, v->t.shape);
    float        min = 0, max = 0, scale;
    int32_t      zero;
    pare_qparams params = { .scale = &scale, .zero = &zero, .n = 1, .axis = -1 };
    pare_value  *real;
    pare_status  status;

    for (int64_t i = 0; i < pare_shape_count(&v->t.shape); i++) {
        const float x = (float)pare_tensor_real(&v->t, i);

        min = x < min || isnan(x) ? x : min;
        max = x > max || isnan(x) ? x : max;
    }
    PARE_GOTO(pare_qparams_choose(min, max, PARE_AFFINE, pare_qrange_of(PARE_u8, false), 0, &scale, &zero));
    codes.q = &params;
    PARE_GOTO(pare_tensor_alloc(&codes));
    pare_tensor_quantize(&v->t, &codes, pare_qrange_of(PARE_u8, false));
    codes.q = NULL;
    PARE_GOTO(add_dequantized(g, v, &codes, &params, g->first, &real));
    pare_graph_replace_uses(g, v, real);
out:
    pare_tensor_release(&codes);
    if (status != PARE_OK)
        pare_fail_in(status, "%s: constant '%s'", g->file ? g->file : g->name, v->name);
    return status;
}

/* ------------------------------------------------------------------------------------------------------- weights */

/* Output channels lie on this axis. */
static int channel_axis(const pare_node *n, int input)
{
    if (n->op == &pare_op_conv)
        return 0;
    if (n->op == &pare_op_gemm)
        return pare_node_i(n, "transB") ? 0 : 1;
    (void)input;
    return 1; /* matmul [K][N]; lstm, gru [directions][gates][...] */
}

/* The largest magnitude of each index of `axis` (one for all when !per_channel). */
static pare_status magnitudes(const pare_value *w, int axis, bool per_channel, float *max)
{
    const int64_t n = per_channel ? w->t.shape.dim[axis] : 1;
    int64_t       inner = 1;

    for (int i = axis + 1; i < w->t.shape.rank; i++)
        inner *= w->t.shape.dim[i];
    memset(max, 0, sizeof(float) * (size_t)n);
    for (int64_t i = 0; i < pare_shape_count(&w->t.shape); i++) {
        const float x = fabsf((float)pare_tensor_real(&w->t, i));
        float      *m = &max[per_channel ? i / inner % n : 0];

        if (!isfinite(x))
            return pare_fail(PARE_ERR_NUMERIC, "weights '%s' hold %s", w->name, isnan(x) ? "NaN" : "an infinity");
        *m = x > *m ? x : *m;
    }
    return PARE_OK;
}

typedef struct weight_scales {
    float *scale; /* [n] */
    int    n, axis;
} weight_scales;

static pare_status choose_weight_scales(const pare_value *w, int axis, const pare_qconfig *c, weight_scales *s)
{
    const bool        per_channel = c->granularity != 2;
    const int         hi          = (1 << (c->weight_bits - 1)) - 1;
    const pare_qrange range       = { c->weight_bits >= 4 ? -hi : -hi - 1, hi };

    s->n     = per_channel ? (int)w->t.shape.dim[axis] : 1;
    s->axis  = per_channel ? axis : -1;
    s->scale = pare_calloc((size_t)s->n + 1, sizeof(float));
    if (!s->scale)
        return pare_fail_memory(sizeof(float) * (size_t)s->n, "weight scales");
    PARE_TRY(magnitudes(w, axis, per_channel, s->scale));
    for (int i = 0; i < s->n; i++) {
        int32_t zero;

        PARE_TRY(pare_qparams_choose(-s->scale[i], s->scale[i], PARE_SYMMETRIC, range, 0, &s->scale[i], &zero));
    }
    return PARE_OK;
}

/*
 * A channel whose bias does not fit 30 bits, or whose sum might leave them, gets a larger weight scale: fewer weight
 * levels, but no overflow (NUMERICS.md 3). 30 bits leave room for both together.
 */
static void widen_for_bias(weight_scales *s, float sx, const pare_value *bias)
{
    const float limit = 1073741824.0f; /* 2^30 */

    for (int64_t c = 0; bias && c < pare_shape_count(&bias->t.shape); c++) {
        float *const sw = &s->scale[s->n > 1 ? c : 0];
        const float  b  = fabsf((float)pare_tensor_real(&bias->t, c));

        if (b / (sx * *sw) > limit)
            *sw = b / (sx * limit);
    }
}

/*
 * ONNX Runtime makes an integer Gemm or MatMul only of weights that have zero points (a Conv needs none). They are all 0,
 * so layers of equal width share one constant.
 */
static pare_status zero_points_for_ort(pare_graph *g, pare_node *dq, const weight_scales *s)
{
    const char *const name = pare_arena_printf(g->arena, "zeros_%d", s->axis < 0 ? 0 : s->n);
    pare_value       *zero = name ? pare_graph_find(g, name) : NULL;
    const pare_dtype  dtype = dq->in[0]->t.dtype;
    pare_status       status = PARE_OK;

    if (!zero || !pare_value_is_const(zero) || zero->t.dtype != dtype || pare_shape_count(&zero->t.shape) != s->n) {
        pare_tensor t = pare_tensor_of(dtype, dq->in[1]->t.shape);

        PARE_TRY(pare_tensor_alloc(&t));
        status = pare_graph_add_const(g, name, &t, &zero);
        pare_tensor_release(&t);
    }
    return status == PARE_OK ? pare_node_add_in(dq, zero) : status;
}

/* in[input] of n becomes dequantize(s8 constant). */
static pare_status quantize_weights(pare_graph *g, pare_node *n, int input, const weight_scales *s, int bits)
{
    pare_value *const  w  = n->in[input];
    const int          hi = (1 << (bits - 1)) - 1;
    const pare_qparams q  = { .scale = s->scale, .n = s->n, .axis = s->axis };
    pare_tensor        t  = pare_tensor_of(PARE_s8, w->t.shape);
    pare_value        *real;
    pare_status        status;

    t.q = &q;
    PARE_GOTO(pare_tensor_alloc(&t));
    pare_tensor_quantize(&w->t, &t, (pare_qrange){ bits >= 4 ? -hi : -hi - 1, hi });
    t.q = NULL;
    PARE_GOTO(add_dequantized(g, w, &t, &q, n, &real));
    pare_node_set_in(n, input, real);
    if (n->op == &pare_op_gemm || n->op == &pare_op_matmul)
        status = zero_points_for_ort(g, real->producer, s);
out:
    pare_tensor_release(&t);
    return status;
}

/* The bias (an input of the layer itself or of the add behind it) becomes dequantize(s32) at scale sx * sw[c]. */
static pare_status quantize_bias(pare_graph *g, pare_node *n, int input, float sx, const weight_scales *s)
{
    pare_value *const b     = n->in[input];
    const int64_t     count = pare_shape_count(&b->t.shape);
    pare_tensor       t     = pare_tensor_of(PARE_s32, pare_shape_of(1, &count));
    float *const      scale = pare_calloc((size_t)count + 1, sizeof(*scale));
    pare_value       *real;
    pare_status       status;

    if (!scale)
        return pare_fail_memory(sizeof(*scale) * (size_t)count, "bias scales");
    PARE_GOTO(pare_tensor_alloc(&t));
    for (int64_t c = 0; c < count; c++) {
        scale[c]      = sx * s->scale[s->n > 1 ? c : 0];
        const float v = (float)pare_tensor_real(&b->t, c);

        if (!isfinite(v)) {
            status = pare_fail(PARE_ERR_NUMERIC, "bias '%s' holds %s", b->name, isnan(v) ? "NaN" : "an infinity");
            goto out;
        }
        ((int32_t *)t.data)[c] = (int32_t)rintf(v / scale[c]);
    }
    const pare_qparams q = { .scale = scale, .n = s->n > 1 ? (int)count : 1, .axis = s->n > 1 ? 0 : -1 };

    PARE_GOTO(add_dequantized(g, b, &t, &q, n, &real));
    pare_node_set_in(n, input, real);
out:
    pare_tensor_release(&t);
    pare_free(scale);
    return status;
}

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

static pare_status convert_static(const pare_quantization *q, const pare_decision *d)
{
    pare_node *const n = d->node;
    int              input = 0;
    pare_node *const at    = bias_place(n, q, &input);
    weight_scales    s     = { 0 };
    float            sx;
    int32_t          zero;
    pare_status      status;

    PARE_GOTO(activation_params(q, n->in[0], &sx, &zero));
    PARE_GOTO(choose_weight_scales(n->in[1], channel_axis(n, 1), &d->config, &s));
    widen_for_bias(&s, sx, at ? at->in[input] : NULL);
    PARE_GOTO(quantize_weights(q->g, n, 1, &s, d->config.weight_bits));
    if (at)
        PARE_GOTO(quantize_bias(q->g, at, input, sx, &s));
out:
    pare_free(s.scale);
    return status;
}

static pare_status convert_dynamic(const pare_quantization *q, const pare_decision *d)
{
    const int last = d->rule->role == PARE_QROLE_RECURRENT ? 2 : 1;

    for (int input = 1; input <= last; input++) {
        weight_scales s = { 0 };
        pare_status   status;

        PARE_GOTO(choose_weight_scales(d->node->in[input], channel_axis(d->node, input), &d->config, &s));
        PARE_GOTO(quantize_weights(q->g, d->node, input, &s, d->config.weight_bits));
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
    int id = v->id;

    while (q->values[id].group != id)
        id = q->values[id].group;
    pare_value_plan *const p = &q->values[id];

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
    pare_node *const  dq   = pad->in[0]->producer;
    pare_node *const  sink = pare_value_only_user(pad->out[0]);
    pare_value *const y    = pad->out[0];

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

pare_status pare_quantization_convert(pare_quantization *q)
{
    bool dynamic = false;

    for (int i = 0; i < q->n_decisions; i++) {
        const pare_decision *d = &q->decisions[i];
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
        PARE_TRY(pare_value_is_const(v) ? quantize_const(q, v) : quantize_value(q, v));
    }
    for (int i = 0; i < q->n_decisions; i++)
        if (q->decisions[i].mode == PARE_QMODE_STATIC && q->decisions[i].node->op == &pare_op_pad)
            PARE_TRY(pad_codes(q->g, q->decisions[i].node));
    return dynamic ? pare_graph_add_meta(q->g, "pare.dynamic", "1") : PARE_OK;
}
