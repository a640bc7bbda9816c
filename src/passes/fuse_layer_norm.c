/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuse_layer_norm.c - (x - mean) / sqrt(var + eps) * scale + bias, spelled in means, becomes layer_normalization
 *
 * var is the mean of (x - mean)^2, as a power or a product; both means run over the last axes and keep them.
 */
#include "base/status.h"
#include "passes/match.h"
#include "passes/pass.h"

extern const pare_op pare_op_layer_normalization, pare_op_reduce_mean, pare_op_sub, pare_op_pow, pare_op_mul,
    pare_op_add, pare_op_sqrt, pare_op_div;

/* How many of the last axes a reduce_mean over v reduces, and keeps as 1; 0: other axes. */
static int last_axes(const pare_node *mean)
{
    const pare_shape *const shape = &mean->in[0]->t.shape;
    const pare_value *const axes = mean->n_in > 1 ? mean->in[1] : NULL;
    unsigned                seen = 0;

    if (!axes || !pare_value_is_const(axes) || !mean->in[0]->has_shape || !pare_node_i(mean, "keepdims"))
        return 0;
    const int64_t n = pare_shape_count(&axes->t.shape);

    if (n < 1 || n > shape->rank)
        return 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t given = pare_tensor_int(&axes->t, i);

        seen |= 1u << (given < 0 ? given + shape->rank : given);
    }
    return seen == ((1u << n) - 1) << (shape->rank - n) ? (int)n : 0;
}

/* The x of x - mean(x) over `n` last axes (0: any number, which *n becomes). */
static pare_value *centred(const pare_value *v, const pare_graph *g, int *n)
{
    const pare_node *const sub = pare_match_maker(v, &pare_op_sub, g);
    const pare_node *const mean = sub ? pare_match_maker(sub->in[1], &pare_op_reduce_mean, g) : NULL;
    const int              axes = mean && mean->in[0] == sub->in[0] ? last_axes(mean) : 0;

    if (!axes || (*n && *n != axes))
        return NULL;
    *n = axes;
    return sub->in[0];
}

/* The base of a square. */
static const pare_value *root_of(const pare_value *v, const pare_graph *g)
{
    const pare_node *const pow = pare_match_maker(v, &pare_op_pow, g), *const mul =
                                                                           pare_match_maker(v, &pare_op_mul, g);
    float exponent;

    if (pow && pare_match_scalar(pow->in[1], &exponent) && exponent == 2)
        return pow->in[0];
    return mul && mul->in[0] == mul->in[1] ? mul->in[0] : NULL;
}

/* Whether v is sqrt(mean((x - mean(x))^2) + eps) over the last n axes. */
static bool is_deviation(const pare_value *v, const pare_graph *g, const pare_value *x, int n, float *eps)
{
    const pare_node *const sqrt = pare_match_maker(v, &pare_op_sqrt, g);
    const pare_node *const add = sqrt ? pare_match_maker(sqrt->in[0], &pare_op_add, g) : NULL;

    for (int i = 0; add && i < 2; i++) {
        const pare_node *const mean = pare_match_maker(add->in[i], &pare_op_reduce_mean, g);
        const pare_value      *d = mean && last_axes(mean) == n ? root_of(mean->in[0], g) : NULL;

        if (d && centred(d, g, &n) == x && pare_match_scalar(add->in[1 - i], eps))
            return true;
    }
    return false;
}

/* The reader of n that is of this op and whose other operand is a constant for the last `axes` axes of x. */
static pare_node *with_constant(const pare_node *n, const pare_op *op, const pare_value *x, int axes)
{
    pare_node *const        next = pare_match_reader(n, op);
    const pare_value *const c = next ? pare_match_other(next, n->out[0]) : NULL;
    const pare_shape        box = pare_shape_of(axes, x->t.shape.dim + x->t.shape.rank - axes);
    pare_shape              both;

    if (!c || !pare_value_is_const(c) || c->t.dtype != PARE_f32 || !pare_shape_broadcast(&c->t.shape, &box, &both) ||
        !pare_shape_equal(&both, &box))
        return NULL;
    return next;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    int               axes = 0;
    float             eps = 0;
    pare_value *const x = n->op == &pare_op_div ? centred(n->in[0], g, &axes) : NULL;

    if (!x || x->t.dtype != PARE_f32 || !is_deviation(n->in[1], g, x, axes, &eps))
        return PARE_OK;
    pare_node *const mul = with_constant(n, &pare_op_mul, x, axes);
    pare_node *const add = mul ? with_constant(mul, &pare_op_add, x, axes) : NULL, *const last = add ? add : mul;

    if (!mul)
        return PARE_OK;
    pare_value *const in[3] = { x, pare_match_other(mul, n->out[0]), add ? pare_match_other(add, mul->out[0]) : NULL };
    pare_value *const y = last->out[0];
    pare_node *const  after = last->next;
    const char *const name = last->name;
    pare_node        *made;

    *changed = true;
    pare_graph_remove_node(last);
    PARE_TRY(pare_graph_add_node(g, &pare_op_layer_normalization, name, add ? 3 : 2, in, 1, &y, after, &made));
    pare_node_set_i(made, "axis", -axes);
    pare_node_set_f(made, "epsilon", eps);
    return PARE_OK;
}

const pare_pass pare_pass_fuse_layer_norm = {
    .name = "fuse_layer_norm",
    .doc = "a layer norm that is spelled in means becomes layer_normalization",
    .rewrite = rewrite,
};
