/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold_bn.c - batch normalization into weights and bias of the convolution or matrix product before it.
 *
 * With f = gamma / sqrt(var + eps), each operation one float32 operation: W' = W * f, b' = (b - mean) * f + beta.
 */
#include <math.h>

#include "base/status.h"
#include "passes/pass.h"

extern const pare_op pare_op_batch_normalization, pare_op_conv, pare_op_gemm, pare_op_matmul;

enum { X, GAMMA, BETA, MEAN, VAR, N_BN };

/* Which output channel weight number i belongs to: i / inner % per_group, plus per_group for each group before it. */
typedef struct layout {
    int64_t channels;  /* of the output                     */
    int64_t inner;     /* weights in a row with one channel */
    int64_t per_group; /* channels of a group               */
    int64_t depth;     /* times a group's channels come by  */
} layout;

static int64_t channel_of(const layout *l, int64_t i)
{
    return i / l->inner % l->per_group + i / (l->inner * l->per_group) / l->depth * l->per_group;
}

static bool layout_of(const pare_node *n, layout *l)
{
    const pare_shape *const w = &n->in[1]->t.shape;
    const int64_t           count = pare_shape_count(w);

    if (count <= 0 || w->rank < 2)
        return false;
    if (n->op == &pare_op_conv) {
        *l = (layout){ w->dim[0], count / w->dim[0], w->dim[0], 1 };
        return true;
    }
    if (n->op == pare_op_find("conv_transpose")) {
        const int64_t group = pare_node_i(n, "group");

        *l = (layout){ w->dim[1] * group, count / w->dim[0] / w->dim[1], w->dim[1], w->dim[0] / group };
        return group > 0 && w->dim[0] % group == 0;
    }
    if (n->op == &pare_op_gemm) {
        *l = pare_node_i(n, "transB") ? (layout){ w->dim[0], w->dim[1], w->dim[0], 1 }
                                      : (layout){ w->dim[1], 1, w->dim[1], w->dim[0] };
        return pare_node_f(n, "alpha") == 1 && pare_node_f(n, "beta") == 1;
    }
    if (n->op == &pare_op_matmul) {
        *l = (layout){ w->dim[1], 1, w->dim[1], w->dim[0] };
        return w->rank == 2 && n->in[0]->has_shape && n->in[0]->t.shape.rank == 2;
    }
    return false;
}

static bool is_float_const(const pare_value *v, int64_t count)
{
    return v && pare_value_is_const(v) && v->t.dtype == PARE_f32 && pare_shape_count(&v->t.shape) == count;
}

static bool unclamped(const pare_node *n)
{
    return !(n->op->traits & PARE_CAN_CLAMP) ||
           (pare_node_f(n, "clamp_lo") == -INFINITY && pare_node_f(n, "clamp_hi") == INFINITY);
}

/* The layer before, when its weights are constants and only the normalization reads its result. */
static bool can_fold(const pare_node *bn, layout *l)
{
    const pare_node *const n = bn->in[X]->producer;

    if (!n || n->graph != bn->graph || n->n_in < 2 || !n->in[1] || !pare_value_is_const(n->in[1]))
        return false;
    if (n->in[1]->t.dtype != PARE_f32 || !layout_of(n, l) || !unclamped(n) || pare_value_only_user(bn->in[X]) != bn)
        return false;
    if (n->n_in > 2 && n->in[2] && !is_float_const(n->in[2], l->channels))
        return false;
    for (int i = GAMMA; i < N_BN; i++)
        if (!is_float_const(bn->in[i], l->channels))
            return false;
    return true;
}

static const float *floats(const pare_value *v)
{
    return v->t.data;
}

/* Fills new weights and bias, [channels]. */
static void fold(const pare_node *bn, const pare_node *n, const layout *l, pare_tensor *weights, pare_tensor *bias)
{
    const float   eps = pare_node_f(bn, "epsilon");
    const int64_t count = pare_shape_count(&weights->shape);
    float *const w = weights->data, *const b = bias->data;

    for (int64_t i = 0; i < count; i++) {
        const int64_t c = channel_of(l, i);

        w[i] = floats(n->in[1])[i] * (floats(bn->in[GAMMA])[c] / sqrtf(floats(bn->in[VAR])[c] + eps));
    }
    for (int64_t c = 0; c < l->channels; c++) {
        const float f = floats(bn->in[GAMMA])[c] / sqrtf(floats(bn->in[VAR])[c] + eps);
        const float old = n->n_in > 2 && n->in[2] ? floats(n->in[2])[c] : 0;

        b[c] = (old - floats(bn->in[MEAN])[c]) * f + floats(bn->in[BETA])[c];
    }
}

/* Puts a first bias behind the weights. */
static pare_status add_bias(pare_node *n, const pare_tensor *bias)
{
    const char *const name = pare_arena_printf(n->graph->arena, "%s_bias", n->name);
    pare_value       *b;

    if (!name)
        return pare_fail_memory(sizeof(*b), "a bias");
    PARE_TRY(pare_graph_add_const(n->graph, name, bias, &b));
    if (n->n_in < 3)
        return pare_node_add_in(n, b);
    pare_node_set_in(n, 2, b);
    return PARE_OK;
}

static pare_status put_in(pare_node *bn, pare_node *n, const pare_tensor *weights, const pare_tensor *bias)
{
    if (n->op == &pare_op_matmul)
        PARE_TRY(pare_node_become(n, &pare_op_gemm));
    PARE_TRY(pare_node_replace_const(n, 1, weights));
    if (n->n_in > 2 && n->in[2])
        PARE_TRY(pare_node_replace_const(n, 2, bias));
    else
        PARE_TRY(add_bias(n, bias));
    pare_node_set_f(n, "clamp_lo", pare_node_f(bn, "clamp_lo"));
    pare_node_set_f(n, "clamp_hi", pare_node_f(bn, "clamp_hi"));
    pare_graph_absorb(bn);
    return PARE_OK;
}

static pare_status rewrite(pare_graph *g, pare_node *bn, bool *changed)
{
    layout      l;
    pare_status status;

    (void)g;
    if (bn->op != &pare_op_batch_normalization || !can_fold(bn, &l))
        return PARE_OK;

    pare_node *const n = bn->in[X]->producer;
    pare_tensor      weights = pare_tensor_of(PARE_f32, n->in[1]->t.shape);
    pare_tensor      bias = pare_tensor_of(PARE_f32, pare_shape_of(1, &l.channels));

    PARE_GOTO(pare_tensor_alloc(&weights));
    PARE_GOTO(pare_tensor_alloc(&bias));
    fold(bn, n, &l, &weights, &bias);
    *changed = true;
    status = put_in(bn, n, &weights, &bias);
out:
    pare_tensor_release(&weights);
    pare_tensor_release(&bias);
    return status;
}

const pare_pass pare_pass_fold_bn = {
    .name = "fold_bn",
    .doc = "batch normalization goes into weights and bias of the layer before it",
    .rewrite = rewrite,
};
