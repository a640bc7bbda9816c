/* SPDX-License-Identifier: Apache-2.0 */
/* rule_reduce.c - gradients of reductions: what comes back to one result goes to all elements that it was made of */
#include "autograd/rules.h"

/* The input's shape with 1 where an axis was reduced. */
static pare_status kept_shape(const pare_node *n, pare_shape *kept)
{
    const pare_shape *const x = &n->in[0]->t.shape, *const y = &n->out[0]->t.shape;
    bool reduced[PARE_MAX_RANK] = { false };

    *kept = *x;
    if (pare_node_i(n, "keepdims")) {
        *kept = *y;
        return PARE_OK;
    }
    if (n->n_in > 1 && n->in[1]) {
        const pare_tensor *const axes = &n->in[1]->t;

        if (!axes->data)
            return pare_tape_refuse(n, "needs constant axes where keepdims is 0; run fold_const before");
        for (int64_t i = 0; i < pare_shape_count(&axes->shape); i++) {
            const int64_t axis = pare_tensor_int(axes, i);
            reduced[axis < 0 ? axis + x->rank : axis] = true;
        }
    }
    for (int i = 0; i < x->rank; i++)
        if (reduced[i] || (y->rank == 0))
            kept->dim[i] = 1;
    return PARE_OK;
}

/* A result's gradient with dimensions of 1 where the input's axes are gone. */
static pare_status keep(pare_tape *t, pare_node *n, pare_value *v, pare_value **out)
{
    pare_shape kept;

    PARE_TRY(kept_shape(n, &kept));
    return pare_tape_reshape(t, v, &kept, out);
}

static pare_status spread(pare_tape *t, pare_node *n, pare_value *grad)
{
    pare_value *shape, *dx;

    PARE_TRY(pare_tape_ints(t, n->in[0]->t.shape.rank, n->in[0]->t.shape.dim, &shape));
    PARE_TRY(pare_tape_binary(t, "expand", grad, shape, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_reduce_sum(pare_tape *t, pare_node *n)
{
    pare_value *dy;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    return spread(t, n, dy);
}

pare_status pare_grad_reduce_mean(pare_tape *t, pare_node *n)
{
    const int64_t from = pare_shape_count(&n->in[0]->t.shape), to = pare_shape_count(&n->out[0]->t.shape);
    pare_value   *dy, *share;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(pare_tape_float(t, from > 0 ? (float)to / (float)from : 0, &share));
    PARE_TRY(pare_tape_binary(t, "mul", dy, share, &dy));
    return spread(t, n, dy);
}

/* ----------------------------------------------------------------------------------- reductions that are no averages */

/* dx = factor * dy, both with the input's axes, dy repeated along the reduced ones. */
static pare_status give_product(pare_tape *t, pare_node *n, pare_value *factor, pare_value *dy)
{
    pare_value *dx;

    PARE_TRY(pare_tape_binary(t, "mul", factor, dy, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_reduce_sum_square(pare_tape *t, pare_node *n)
{
    pare_value *dy, *twice;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(pare_tape_binary(t, "add", dy, dy, &twice));
    return give_product(t, n, n->in[0], twice);
}

pare_status pare_grad_reduce_l1(pare_tape *t, pare_node *n)
{
    pare_value *dy, *sign;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(pare_tape_unary(t, "sign", n->in[0], &sign));
    return give_product(t, n, sign, dy);
}

/* dx = x dy / y */
pare_status pare_grad_reduce_l2(pare_tape *t, pare_node *n)
{
    pare_value *dy, *y;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(keep(t, n, n->out[0], &y));
    PARE_TRY(pare_tape_binary(t, "div", dy, y, &dy));
    return give_product(t, n, n->in[0], dy);
}

/* y = log(s): dx = dy / s = dy e^-y */
pare_status pare_grad_reduce_log_sum(pare_tape *t, pare_node *n)
{
    pare_value *dy, *y;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(keep(t, n, n->out[0], &y));
    PARE_TRY(pare_tape_unary(t, "exp", y, &y));
    PARE_TRY(pare_tape_binary(t, "div", dy, y, &dy));
    return spread(t, n, dy);
}

/* dx = dy e^(x - y) */
pare_status pare_grad_reduce_log_sum_exp(pare_tape *t, pare_node *n)
{
    pare_value *dy, *y, *share;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(keep(t, n, n->out[0], &y));
    PARE_TRY(pare_tape_binary(t, "sub", n->in[0], y, &share));
    PARE_TRY(pare_tape_unary(t, "exp", share, &share));
    return give_product(t, n, share, dy);
}

/* dx = dy y / x, which has no value where x is 0. */
pare_status pare_grad_reduce_prod(pare_tape *t, pare_node *n)
{
    pare_value *dy, *y, *dx;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(keep(t, n, n->out[0], &y));
    PARE_TRY(pare_tape_binary(t, "mul", dy, y, &dy));
    PARE_TRY(pare_tape_binary(t, "div", dy, n->in[0], &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* reduce_max, reduce_min: elements that are equal to the result share its gradient evenly. */
pare_status pare_grad_reduce_extreme(pare_tape *t, pare_node *n)
{
    pare_value *dy, *y, *is, *count;

    PARE_TRY(keep(t, n, pare_tape_grad(t, n->out[0]), &dy));
    PARE_TRY(keep(t, n, n->out[0], &y));
    PARE_TRY(pare_tape_binary(t, "equal", n->in[0], y, &is));
    PARE_TRY(pare_tape_like(t, NULL, "cast", "to=f32", 1, &is, &is));
    PARE_TRY(pare_tape_unbroadcast(t, is, &y->t.shape, &count));
    PARE_TRY(pare_tape_binary(t, "div", dy, count, &dy));
    return give_product(t, n, is, dy);
}
