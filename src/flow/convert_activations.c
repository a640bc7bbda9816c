/* SPDX-License-Identifier: Apache-2.0 */
/* convert_activations.c - scales of activations, and the Q/DQ pairs that bring them into the graph */
#include <math.h>

#include "base/status.h"
#include "flow/convert.h"
#include "passes/qdq.h"

extern const pare_op pare_op_clip;

/* Codes 0 .. 2^bits - 1. */
typedef struct activation {
    float   scale;
    int32_t zero;
    int     bits;
} activation;

static pare_qrange codes_of(int bits)
{
    return (pare_qrange){ 0, (1 << bits) - 1 };
}

/* From the range of the group to one scale and zero point; fixed ones win. */
static pare_status activation_params(const pare_quantization *q, const pare_value *v, activation *a)
{
    const pare_value_plan *const p = &q->values[pare_quantization_leader(q, v->id)];

    *a = (activation){ p->fixed_scale, p->fixed_zero, p->bits };
    if (p->fixed_scale > 0)
        return PARE_OK;
    const pare_status status =
        pare_qparams_choose(p->min, p->max, PARE_AFFINE, codes_of(p->bits), 0, &a->scale, &a->zero);

    return status == PARE_OK ? PARE_OK
                             : pare_fail_in(status, "%s: value '%s'", q->g->file ? q->g->file : q->g->name, v->name);
}

pare_status pare_convert_choose_input(const pare_quantization *q, pare_decision *d)
{
    const pare_value_plan *const p = &q->values[pare_quantization_leader(q, d->node->in[0]->id)];
    const pare_qrange            codes = codes_of(d->config.activation_bits);
    float                        min = p->min, max = p->max;
    activation                   a;

    if (!d->coarse) {
        PARE_TRY(activation_params(q, d->node->in[0], &a));
        d->in_scale = a.scale;
        d->in_zero = a.zero;
        return PARE_OK;
    }
    if (d->in_scale > 0)
        return PARE_OK;
    if (d->in_max > d->in_min) {
        min = d->in_min;
        max = d->in_max;
    } else if (p->fixed_scale > 0) {
        min = (float)(0 - p->fixed_zero) * p->fixed_scale;
        max = (float)(255 - p->fixed_zero) * p->fixed_scale;
    }
    return pare_qparams_choose(min, max, PARE_AFFINE, codes, 0, &d->in_scale, &d->in_zero);
}

/* u8 codes that stay below 2^bits: a Clip in front, which any engine knows, and which lowering turns into bounds. */
static pare_status clip_value(pare_graph *g, pare_value *from, const activation *a, pare_node *before, pare_value **to)
{
    const float bound[2] = { (float)(0 - a->zero) * a->scale, (float)(codes_of(a->bits).hi - a->zero) * a->scale };
    pare_value *in[3] = { from };

    *to = from;
    if (a->bits == 8)
        return PARE_OK;
    for (int i = 0; i < 2; i++) {
        pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(0, NULL));

        t.data = (void *)&bound[i];
        PARE_TRY(pare_graph_add_const(g, pare_convert_name(g, from->name, i ? "high" : "low"), &t, &in[1 + i]));
    }
    PARE_TRY(pare_graph_add_value(g, pare_convert_name(g, from->name, "clip"), to));
    (*to)->t = pare_tensor_of(PARE_f32, from->t.shape);
    (*to)->has_shape = from->has_shape;
    return pare_graph_add_node(g, &pare_op_clip, NULL, 3, in, 1, to, before, NULL);
}

/* v -> Q -> DQ -> real, in front of `before`. */
static pare_status add_pair(pare_graph *g, pare_value *v, const activation *a, pare_value *real, pare_node *before)
{
    const pare_qparams params = { .scale = &a->scale, .zero = &a->zero, .n = 1, .axis = -1 };
    pare_value        *codes, *clipped;
    pare_q_inputs      in;

    PARE_TRY(pare_convert_q_inputs(g, &params, PARE_u8, &in));
    PARE_TRY(pare_graph_add_value(g, pare_convert_name(g, v->name, "q"), &codes));
    codes->t = pare_tensor_of(PARE_u8, v->t.shape);
    real->t = pare_tensor_of(PARE_f32, v->t.shape);
    codes->has_shape = real->has_shape = v->has_shape;
    PARE_TRY(clip_value(g, v, a, before, &clipped));
    PARE_TRY(pare_convert_q_node(g, &pare_op_quantize_linear, clipped, codes, &in, before));
    return pare_convert_q_node(g, &pare_op_dequantize_linear, codes, real, &in, before);
}

/* v -> Q -> DQ -> all readers. What reads v by name afterwards reads the dequantized value, except graph inputs. */
pare_status pare_convert_value(const pare_quantization *q, pare_value *v)
{
    pare_graph *g = q->g;
    pare_value *real;
    activation  a;
    pare_node  *at = v->producer ? v->producer->next : g->first;

    PARE_TRY(activation_params(q, v, &a));
    PARE_TRY(pare_graph_add_value(g, pare_convert_name(g, v->name, v->is_input ? "dq" : "f"), &real));
    pare_graph_replace_uses(g, v, real);
    if (!v->is_input)
        pare_graph_swap_names(v, real);
    return add_pair(g, v, &a, real, at);
}

/* Once more, with fewer bits, for one layer. */
pare_status pare_convert_input(const pare_quantization *q, const pare_decision *d)
{
    pare_graph      *g = q->g;
    pare_value      *real;
    const activation a = { d->in_scale, d->in_zero, d->config.activation_bits };

    PARE_TRY(pare_graph_add_value(g, pare_convert_name(g, d->node->name, "in"), &real));
    PARE_TRY(add_pair(g, d->node->in[0], &a, real, d->node));
    pare_node_set_in(d->node, 0, real);
    return PARE_OK;
}

/* A constant operand of an add or mul: u8 codes of its own range. */
pare_status pare_convert_const_operand(const pare_quantization *q, pare_value *v)
{
    pare_graph  *g = q->g;
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
    PARE_GOTO(pare_convert_constant(g, v, &codes, &params, g->first, &real));
    pare_graph_replace_uses(g, v, real);
out:
    pare_tensor_release(&codes);
    if (status != PARE_OK)
        pare_fail_in(status, "%s: constant '%s'", g->file ? g->file : g->name, v->name);
    return status;
}
