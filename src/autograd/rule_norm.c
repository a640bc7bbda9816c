/* SPDX-License-Identifier: Apache-2.0 */
/* rule_norm.c - gradients of normalizations */
#include <string.h>

#include "autograd/rules.h"

/* Mean and variance are those of this very x: merge_stats(image_stats(x)). */
static bool has_batch_stats(const pare_node *n)
{
    const pare_node *const merge = n->in[3]->producer;

    return merge && strcmp(merge->op->name, "merge_stats") == 0 && merge->out[0] == n->in[3] && merge->n_out > 1 &&
           merge->out[1] == n->in[4] && merge->in[0]->producer &&
           strcmp(merge->in[0]->producer->op->name, "image_stats") == 0 && merge->in[0]->producer->in[0] == n->in[0];
}

/*
 * With statistics of the batch x has the whole gradient, the way through mean and variance included. With others these
 * are numbers like any: dx = dy scale / sqrt(var + epsilon), a normalization with mean and bias 0.
 */
pare_status pare_grad_batch_normalization(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]), *const x = n->in[0], *sums, *grad[2], *dx;
    const bool whole = has_batch_stats(n);

    if (!whole && (pare_tape_wants(t, n->in[3]) || pare_tape_wants(t, n->in[4])))
        return pare_tape_refuse(n, "flows into mean and variance only where they are merge_stats(image_stats(x))");
    if (whole || pare_tape_wants(t, n->in[1]) || pare_tape_wants(t, n->in[2])) {
        PARE_TRY(
            pare_tape_like(t, n, "batch_norm_grad_sums", NULL, 3, (pare_value *const[]){ dy, x, n->in[3] }, &sums));
        PARE_TRY(
            pare_tape_like_all(t, n, "batch_norm_grad_merge", 2, (pare_value *const[]){ sums, n->in[4] }, 2, grad));
        PARE_TRY(pare_tape_give(t, n->in[2], grad[0]));
        PARE_TRY(pare_tape_give(t, n->in[1], grad[1]));
    }
    if (!pare_tape_wants(t, x))
        return PARE_OK;
    if (whole) {
        PARE_TRY(pare_tape_like(t, n, "batch_norm_grad", NULL, 7,
                                (pare_value *const[]){ dy, x, n->in[1], n->in[3], n->in[4], grad[0], grad[1] }, &dx));
    } else {
        pare_value *zero;

        PARE_TRY(pare_tape_full(t, &n->in[3]->t.shape, 0, &zero));
        PARE_TRY(pare_tape_like(t, n, n->op->name, NULL, 5, (pare_value *const[]){ dy, n->in[1], zero, zero, n->in[4] },
                                &dx));
    }
    return pare_tape_give(t, x, dx);
}

/* ----------------------------------------------------------------------------------------------------- rows of numbers */

/* OP_grad(dy, y) along the same axis. */
static pare_status by_result(pare_tape *t, pare_node *n, const char *op)
{
    pare_value *dx;

    PARE_TRY(pare_tape_like(t, n, op, NULL, 2, (pare_value *const[]){ pare_tape_grad(t, n->out[0]), n->out[0] }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_softmax(pare_tape *t, pare_node *n)
{
    return by_result(t, n, "softmax_grad");
}

pare_status pare_grad_log_softmax(pare_tape *t, pare_node *n)
{
    return by_result(t, n, "log_softmax_grad");
}

/* y = x / s, s the norm along the axis: dx = (dy - s' sum(dy y)) / s with s' = y for p 2 and sign(x) for p 1. */
pare_status pare_grad_lp_normalization(pare_tape *t, pare_node *n)
{
    const bool        squares = pare_node_i(n, "p") == 2;
    const int64_t     asked = pare_node_i(n, "axis"), axis = asked < 0 ? asked + n->in[0]->t.shape.rank : asked;
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    pare_value       *axes, *size, *sum, *slope = n->out[0], *dx;

    PARE_TRY(pare_tape_ints(t, 1, &axis, &axes));
    PARE_TRY(pare_tape_binary(t, squares ? "reduce_l2" : "reduce_l1", n->in[0], axes, &size));
    PARE_TRY(pare_tape_binary(t, "mul", dy, n->out[0], &sum));
    PARE_TRY(pare_tape_binary(t, "reduce_sum", sum, axes, &sum));
    if (!squares)
        PARE_TRY(pare_tape_unary(t, "sign", n->in[0], &slope));
    PARE_TRY(pare_tape_binary(t, "mul", slope, sum, &dx));
    PARE_TRY(pare_tape_binary(t, "sub", dy, dx, &dx));
    PARE_TRY(pare_tape_binary(t, "div", dx, size, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* x as a matrix whose rows are normalized, `size` elements each. */
static pare_status as_rows(pare_tape *t, pare_value *x, int64_t size, pare_value **out)
{
    const int64_t    count = pare_shape_count(&x->t.shape);
    const pare_shape rows = pare_shape_of(2, (const int64_t[]){ size ? count / size : 0, size });

    return pare_tape_reshape(t, x, &rows, out);
}

/* v, which is broadcast to the normalized axes `box`, as one row of as many numbers. */
static pare_status as_row(pare_tape *t, pare_value *v, const pare_shape *box, pare_value **out)
{
    const int64_t    n = pare_shape_count(box);
    const pare_shape row = pare_shape_of(1, &n);
    pare_value      *dims;

    if (!pare_shape_equal(&v->t.shape, box)) {
        PARE_TRY(pare_tape_ints(t, box->rank, box->dim, &dims));
        PARE_TRY(pare_tape_binary(t, "expand", v, dims, &v));
    }
    return pare_tape_reshape(t, v, &row, out);
}

/* A gradient of a row given to what was broadcast to it. */
static pare_status give_row(pare_tape *t, pare_value *v, pare_value *grad, const pare_shape *box)
{
    PARE_TRY(pare_tape_reshape(t, grad, box, &grad));
    PARE_TRY(pare_tape_unbroadcast(t, grad, &v->t.shape, &grad));
    return pare_tape_give(t, v, grad);
}

pare_status pare_grad_layer_normalization(pare_tape *t, pare_node *n)
{
    const pare_shape *const s = &n->in[0]->t.shape;
    const int64_t           asked = pare_node_i(n, "axis"), axis = asked < 0 ? asked + s->rank : asked;
    const pare_shape        box = pare_shape_of(s->rank - (int)axis, s->dim + axis);
    pare_value *const       bias = n->n_in > 2 ? n->in[2] : NULL;
    pare_value             *x, *dy, *scale, *out[2], *params[2];

    PARE_TRY(as_rows(t, n->in[0], pare_shape_count(&box), &x));
    PARE_TRY(as_rows(t, pare_tape_grad(t, n->out[0]), pare_shape_count(&box), &dy));
    PARE_TRY(as_row(t, n->in[1], &box, &scale));
    PARE_TRY(pare_tape_like_all(t, n, "layer_norm_grad", 3, (pare_value *const[]){ dy, x, scale }, 2, out));
    PARE_TRY(pare_tape_reshape(t, out[0], s, &out[0]));
    PARE_TRY(pare_tape_give(t, n->in[0], out[0]));
    if (!pare_tape_wants(t, n->in[1]) && !pare_tape_wants(t, bias))
        return PARE_OK;
    PARE_TRY(
        pare_tape_like_all(t, NULL, "layer_norm_grad_params", 3, (pare_value *const[]){ dy, x, out[1] }, 2, params));
    if (pare_tape_wants(t, n->in[1]))
        PARE_TRY(give_row(t, n->in[1], params[0], &box));
    return pare_tape_wants(t, bias) ? give_row(t, bias, params[1], &box) : PARE_OK;
}

/* Each group of channels of an image is a row without scale; scale and bias [C] are outside of it. */
static pare_status by_groups(pare_tape *t, pare_node *n, int64_t groups)
{
    const pare_shape *const s = &n->in[0]->t.shape;
    const int64_t           rows = s->dim[0] * groups, size = rows > 0 ? pare_shape_count(s) / rows : 0;
    pare_shape              channel = { .rank = s->rank - 1 };
    pare_value *const       dy = pare_tape_grad(t, n->out[0]);
    pare_value             *x, *scale, *ones, *grad, *out[2];

    for (int i = 0; i < channel.rank; i++)
        channel.dim[i] = i == 0 ? s->dim[1] : 1;
    PARE_TRY(as_rows(t, n->in[0], size, &x));
    PARE_TRY(pare_tape_full(t, &(pare_shape){ 1, { size } }, 1, &ones));
    if (pare_tape_wants(t, n->in[0])) {
        PARE_TRY(pare_tape_reshape(t, n->in[1], &channel, &scale));
        PARE_TRY(pare_tape_binary(t, "mul", dy, scale, &grad));
        PARE_TRY(as_rows(t, grad, size, &grad));
        PARE_TRY(pare_tape_like_all(t, n, "layer_norm_grad", 3, (pare_value *const[]){ grad, x, ones }, 2, out));
        PARE_TRY(pare_tape_reshape(t, out[0], s, &grad));
        PARE_TRY(pare_tape_give(t, n->in[0], grad));
    }
    if (pare_tape_wants(t, n->in[1])) {
        PARE_TRY(pare_tape_like(t, n, "layer_normalization", NULL, 2, (pare_value *const[]){ x, ones }, &grad));
        PARE_TRY(pare_tape_reshape(t, grad, s, &grad));
        PARE_TRY(pare_tape_binary(t, "mul", dy, grad, &grad));
        PARE_TRY(pare_tape_unary(t, "channel_sums", grad, &grad));
        PARE_TRY(pare_tape_give(t, n->in[1], grad));
    }
    if (!pare_tape_wants(t, n->in[2]))
        return PARE_OK;
    PARE_TRY(pare_tape_unary(t, "channel_sums", dy, &grad));
    return pare_tape_give(t, n->in[2], grad);
}

pare_status pare_grad_group_normalization(pare_tape *t, pare_node *n)
{
    return by_groups(t, n, pare_node_i(n, "num_groups"));
}

pare_status pare_grad_instance_normalization(pare_tape *t, pare_node *n)
{
    return by_groups(t, n, n->in[0]->t.shape.dim[1]);
}
