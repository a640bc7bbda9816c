/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spell_dynamic.c - float activations times dequantized weights become DynamicQuantizeLinear and MatMulInteger
 *
 * The form in which ONNX Runtime computes dynamic layers in integers (NUMERICS.md 7, the ONNX scheme): one scale for
 * the tensor, y = (float)acc * (sx * sw[n]), then + b[n]. Layers that read the same x share its codes.
 */
#include "base/status.h"
#include "passes/lower.h"
#include "passes/pass.h"

extern const pare_op pare_op_dynamic_quantize_linear, pare_op_matmul_integer, pare_op_cast, pare_op_mul;

/* The s8 matrix that n multiplies by, its scales for all outputs or one each; NULL: n is no such layer. */
static pare_value *codes_of(const pare_node *n, bool *rows)
{
    const bool gemm = n->op == &pare_op_gemm;

    if (!gemm && n->op != &pare_op_matmul)
        return NULL;
    if (gemm && (pare_node_f(n, "alpha") != 1 || pare_node_f(n, "beta") != 1 || pare_node_i(n, "transA")))
        return NULL;
    *rows = gemm && pare_node_i(n, "transB");
    pare_value *const w = pare_qdq_source(n->in[1]);

    if (!w || !pare_value_is_const(w) || w->t.dtype != PARE_s8 || w->t.shape.rank != 2 || w->t.q->block != 0)
        return NULL;
    for (int i = 0; w->t.q->zero && i < w->t.q->n; i++)
        if (w->t.q->zero[i] != 0)
            return NULL;
    return w->t.q->n == 1 || w->t.q->axis == (*rows ? 0 : 1) ? w : NULL;
}

/* The codes as [K][N]: plain integers, which carry no scale. */
static pare_status matrix(pare_graph *g, const pare_value *w, bool rows, pare_value **out)
{
    pare_tensor view = rows ? pare_tensor_permuted(&w->t, (const int[]){ 1, 0 }) : w->t, t;

    view.q = NULL;
    t = pare_tensor_of(PARE_s8, view.shape);
    PARE_TRY(pare_tensor_alloc(&t));
    pare_tensor_copy(&t, &view);
    const pare_status status = pare_graph_add_const(g, w->name, &t, out);

    pare_tensor_release(&t);
    return status;
}

/* The scales: a scalar, or [N]. */
static pare_status weight_scales(pare_graph *g, const pare_value *w, pare_value **out)
{
    const int64_t n = w->t.q->n;
    pare_tensor   t = pare_tensor_of(PARE_f32, pare_shape_of(n > 1, &n));

    t.data = (void *)(uintptr_t)w->t.q->scale;
    return pare_graph_add_const(g, w->name, &t, out);
}

static bool note_quantizer(pare_node *user, int input, void *found)
{
    (void)input;
    if (user->op == &pare_op_dynamic_quantize_linear)
        *(pare_node **)found = user;
    return true;
}

/* codes, scale, zero point of x: those of an earlier layer, or of a new node in front of n. */
static pare_status quantized(pare_graph *g, pare_node *n, pare_value *const **out)
{
    pare_node  *found = NULL;
    pare_value *made[3];

    pare_value_each_user(n->in[0], note_quantizer, &found);
    for (int i = 0; !found && i < 3; i++)
        PARE_TRY(pare_graph_add_value(g, n->in[0]->name, &made[i]));
    if (!found)
        PARE_TRY(pare_graph_add_node(g, &pare_op_dynamic_quantize_linear, NULL, 1, n->in, 3, made, n, &found));
    *out = found->out;
    return PARE_OK;
}

/* op(a, b) in front of `before`; *out NULL: a new value named like `like`. */
static pare_status apply(pare_graph *g, const pare_op *op, pare_value *a, pare_value *b, pare_node *before,
                         const pare_value *like, pare_value **out, pare_node **made)
{
    pare_value *in[2] = { a, b };

    if (!*out)
        PARE_TRY(pare_graph_add_value(g, like->name, out));
    return pare_graph_add_node(g, op, NULL, b ? 2 : 1, in, 1, out, before, made);
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    bool              rows;
    pare_value *const w = codes_of(n, &rows);

    if (!w || n->in[0]->t.dtype != PARE_f32 || pare_qdq_source(n->in[0]))
        return PARE_OK;
    pare_value *const bias = n->n_in > 2 ? n->in[2] : NULL, *const y = n->out[0];
    pare_value *const *x, *b, *sw, *acc = NULL, *real = NULL, *s = NULL, *scaled = bias ? NULL : y, *last = y;
    pare_node         *made;
    float              lo, hi;

    *changed = true;
    pare_lower_clamp_of(n, &lo, &hi);
    PARE_TRY(matrix(g, w, rows, &b));
    PARE_TRY(weight_scales(g, w, &sw));
    PARE_TRY(quantized(g, n, &x));
    pare_node *const after = n->next;

    pare_graph_remove_node(n);
    PARE_TRY(pare_graph_add_value(g, y->name, &acc));
    PARE_TRY(pare_graph_add_node(g, &pare_op_matmul_integer, NULL, 3, (pare_value *const[]){ x[0], b, x[2] }, 1, &acc,
                                 after, &made));
    PARE_TRY(apply(g, &pare_op_cast, acc, NULL, after, y, &real, &made));
    PARE_TRY(apply(g, &pare_op_mul, x[1], sw, after, y, &s, &made));
    PARE_TRY(apply(g, &pare_op_mul, real, s, after, y, &scaled, &made));
    if (bias)
        PARE_TRY(apply(g, &pare_op_add, scaled, bias, after, y, &last, &made));
    pare_node_set_f(made, "clamp_lo", lo);
    pare_node_set_f(made, "clamp_hi", hi);
    return PARE_OK;
}

const pare_pass pare_pass_spell_dynamic = {
    .name = "spell_dynamic",
    .doc = "float activations times dequantized weights become DynamicQuantizeLinear and MatMulInteger",
    .rewrite = rewrite,
};
