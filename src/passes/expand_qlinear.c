/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand_qlinear.c - QLinearConv and QLinearMatMul become dequantize -> conv, matmul -> quantize
 *
 * One form for all quantized files: the lowering passes then see only Q/DQ pairs. The integers that come out are those of
 * the integer op after lowering; a node that is not lowered computes in float and may differ by one step.
 */
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_qlinear_conv, pare_op_qlinear_matmul, pare_op_conv, pare_op_matmul;

static pare_status new_float(pare_graph *g, const pare_value *like, pare_value **out)
{
    PARE_TRY(pare_graph_add_value(g, like->name, out));
    (*out)->t = pare_tensor_of(PARE_f32, like->t.shape);
    (*out)->has_shape = like->has_shape;
    return PARE_OK;
}

/* dequantize(codes, scale, zero) in front of `before`; scales of more than one entry run along `axis`. */
static pare_status dequantized(pare_graph *g, pare_value *const in[3], int axis, pare_node *before, pare_value **out)
{
    pare_node *made;

    PARE_TRY(new_float(g, in[0], out));
    PARE_TRY(pare_graph_add_node(g, &pare_op_dequantize_linear, NULL, 3, in, 1, out, before, &made));
    pare_node_set_i(made, "axis", axis);
    return PARE_OK;
}

/* The s32 bias of QLinearConv at scale sx * sw[c], for constants; *out NULL: there is none. */
static pare_status dequantized_bias(pare_graph *g, pare_node *n, pare_value **out)
{
    pare_value       *in[2] = { n->n_in > 8 ? n->in[8] : NULL };
    const pare_value *sx = n->in[1], *sw = n->in[4];
    pare_node        *made;

    *out = NULL;
    if (!in[0])
        return PARE_OK;
    pare_tensor t = pare_tensor_of(PARE_f32, sw->t.shape);

    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t i = 0; i < pare_shape_count(&t.shape); i++)
        ((float *)t.data)[i] = (float)pare_tensor_real(&sx->t, 0) * (float)pare_tensor_real(&sw->t, i);
    const pare_status status = pare_graph_add_const(g, sw->name, &t, &in[1]);

    pare_tensor_release(&t);
    PARE_TRY(status);
    PARE_TRY(new_float(g, in[0], out));
    PARE_TRY(pare_graph_add_node(g, &pare_op_dequantize_linear, NULL, 2, in, 1, out, n, &made));
    pare_node_set_i(made, "axis", 0);
    return PARE_OK;
}

static bool constant_params(const pare_node *n)
{
    const int inputs[] = { 1, 2, 4, 5, 6, 7 };

    for (int i = 0; i < 6; i++)
        if (!n->in[inputs[i]] || !pare_value_is_const(n->in[inputs[i]]))
            return false;
    return n->n_in < 9 || !n->in[8] || pare_value_is_const(n->in[8]);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    const bool  conv = n->op == &pare_op_qlinear_conv;
    pare_value *in[3], *real, *const out = n->out[0];
    pare_node *made, *q;

    if ((!conv && n->op != &pare_op_qlinear_matmul) || !constant_params(n))
        return PARE_OK;
    *changed = true;
    PARE_TRY(dequantized(g, &n->in[0], 1, n, &in[0]));
    PARE_TRY(dequantized(g, &n->in[3], conv ? 0 : 1, n, &in[1]));
    in[2] = NULL;
    if (conv)
        PARE_TRY(dequantized_bias(g, n, &in[2]));
    PARE_TRY(new_float(g, out, &real));
    PARE_TRY(
        pare_graph_add_node(g, conv ? &pare_op_conv : &pare_op_matmul, NULL, in[2] ? 3 : 2, in, 1, &real, n, &made));
    pare_qdq_copy_attrs(made, n);
    pare_value *const quantize[3] = { real, n->in[6], n->in[7] };

    return pare_qdq_replace(g, &pare_op_quantize_linear, NULL, 3, quantize, out, &q);
}

const pare_pass pare_pass_expand_qlinear = {
    .name = "expand_qlinear",
    .doc = "QLinearConv, QLinearMatMul become dequantize -> conv, matmul -> quantize",
    .rewrite = rewrite,
};
