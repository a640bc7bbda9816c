/* SPDX-License-Identifier: Apache-2.0 */
/* rule_elementwise.c - gradients of ops that work element by element, with broadcasting */
#include <stdio.h>
#include <string.h>

#include "autograd/rules.h"

/* OP_grad(dy, x or y) with the attributes of the op; which of both is the row's in ops/unary_grad.def. */
pare_status pare_grad_unary(pare_tape *t, pare_node *n)
{
    static const char *const of_result[] = {
#define PARE_UNARY_GRAD(name, of, ...) #of[0] == 'y' ? #name : "",
#define PARE_UNARY_GRAD_OF(name, of, ...)
#include "ops/unary_grad.def"
#undef PARE_UNARY_GRAD
#undef PARE_UNARY_GRAD_OF
    };
    const bool  by_tanh = pare_attr_find(n->op, "approximate") && strcmp(pare_node_s(n, "approximate"), "tanh") == 0;
    pare_value *of = n->in[0], *dx;
    char        name[64];

    for (size_t i = 0; i < sizeof(of_result) / sizeof(of_result[0]); i++)
        if (strcmp(of_result[i], n->op->name) == 0)
            of = n->out[0];
    snprintf(name, sizeof(name), "%s%s_grad", n->op->name, by_tanh ? "_tanh" : "");
    PARE_TRY(pare_tape_like(t, n, name, NULL, 2, (pare_value *const[]){ pare_tape_grad(t, n->out[0]), of }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_neg(pare_tape *t, pare_node *n)
{
    pare_value *dx;

    PARE_TRY(pare_tape_unary(t, "neg", pare_tape_grad(t, n->out[0]), &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Gives input `input` a gradient of the result's shape, summed over what was repeated. */
static pare_status give(pare_tape *t, pare_node *n, int input, pare_value *grad)
{
    PARE_TRY(pare_tape_unbroadcast(t, grad, &n->in[input]->t.shape, &grad));
    return pare_tape_give(t, n->in[input], grad);
}

pare_status pare_grad_add(pare_tape *t, pare_node *n)
{
    for (int i = 0; i < 2; i++)
        if (pare_tape_wants(t, n->in[i]))
            PARE_TRY(give(t, n, i, pare_tape_grad(t, n->out[0])));
    return PARE_OK;
}

pare_status pare_grad_sub(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    pare_value       *minus;

    if (pare_tape_wants(t, n->in[0]))
        PARE_TRY(give(t, n, 0, dy));
    if (!pare_tape_wants(t, n->in[1]))
        return PARE_OK;
    PARE_TRY(pare_tape_unbroadcast(t, dy, &n->in[1]->t.shape, &minus));
    PARE_TRY(pare_tape_unary(t, "neg", minus, &minus));
    return pare_tape_give(t, n->in[1], minus);
}

pare_status pare_grad_mul(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    pare_value       *product;

    for (int i = 0; i < 2; i++)
        if (pare_tape_wants(t, n->in[i])) {
            PARE_TRY(pare_tape_binary(t, "mul", dy, n->in[1 - i], &product));
            PARE_TRY(give(t, n, i, product));
        }
    return PARE_OK;
}

/* y = a / b: da = dy / b, db = -da y. */
pare_status pare_grad_div(pare_tape *t, pare_node *n)
{
    pare_value *da, *db;

    PARE_TRY(pare_tape_binary(t, "div", pare_tape_grad(t, n->out[0]), n->in[1], &da));
    if (pare_tape_wants(t, n->in[0]))
        PARE_TRY(give(t, n, 0, da));
    if (!pare_tape_wants(t, n->in[1]))
        return PARE_OK;
    PARE_TRY(pare_tape_binary(t, "mul", da, n->out[0], &db));
    PARE_TRY(pare_tape_unbroadcast(t, db, &n->in[1]->t.shape, &db));
    PARE_TRY(pare_tape_unary(t, "neg", db, &db));
    return pare_tape_give(t, n->in[1], db);
}

/* ------------------------------------------------------------------------------------- any number of inputs, choices */

pare_status pare_grad_sum(pare_tape *t, pare_node *n)
{
    for (int i = 0; i < n->n_in; i++)
        if (pare_tape_wants(t, n->in[i]))
            PARE_TRY(give(t, n, i, pare_tape_grad(t, n->out[0])));
    return PARE_OK;
}

pare_status pare_grad_mean(pare_tape *t, pare_node *n)
{
    pare_value *count, *share;

    PARE_TRY(pare_tape_float(t, (float)n->n_in, &count));
    PARE_TRY(pare_tape_binary(t, "div", pare_tape_grad(t, n->out[0]), count, &share));
    for (int i = 0; i < n->n_in; i++)
        if (pare_tape_wants(t, n->in[i]))
            PARE_TRY(give(t, n, i, share));
    return PARE_OK;
}

/* 1 where a and b are equal, else 0, broadcast. */
static pare_status equality(pare_tape *t, pare_value *a, pare_value *b, pare_value **out)
{
    PARE_TRY(pare_tape_binary(t, "equal", a, b, out));
    return pare_tape_like(t, NULL, "cast", "to=f32", 1, out, out);
}

/* Inputs that are equal to the result share its gradient evenly. */
pare_status pare_grad_extreme(pare_tape *t, pare_node *n)
{
    pare_value *total = NULL, *share, *is, *grad;

    for (int i = 0; i < n->n_in; i++) {
        PARE_TRY(equality(t, n->in[i], n->out[0], &is));
        if (!total)
            total = is;
        else
            PARE_TRY(pare_tape_binary(t, "add", total, is, &total));
    }
    PARE_TRY(pare_tape_binary(t, "div", pare_tape_grad(t, n->out[0]), total, &share));
    for (int i = 0; i < n->n_in; i++)
        if (pare_tape_wants(t, n->in[i])) {
            PARE_TRY(equality(t, n->in[i], n->out[0], &is));
            PARE_TRY(pare_tape_binary(t, "mul", share, is, &grad));
            PARE_TRY(give(t, n, i, grad));
        }
    return PARE_OK;
}

/* What is inside the bounds, or on them, passes. */
pare_status pare_grad_clip(pare_tape *t, pare_node *n)
{
    pare_value *inside, *zero, *dx;

    PARE_TRY(pare_tape_binary(t, "equal", n->in[0], n->out[0], &inside));
    PARE_TRY(pare_tape_float(t, 0, &zero));
    PARE_TRY(pare_tape_like(t, NULL, "where", NULL, 3,
                            (pare_value *const[]){ inside, pare_tape_grad(t, n->out[0]), zero }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_where(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    pare_value       *zero, *grad;

    PARE_TRY(pare_tape_float(t, 0, &zero));
    for (int i = 1; i < 3; i++)
        if (pare_tape_wants(t, n->in[i])) {
            pare_value *const in[] = { n->in[0], i == 1 ? dy : zero, i == 1 ? zero : dy };

            PARE_TRY(pare_tape_like(t, NULL, "where", NULL, 3, in, &grad));
            PARE_TRY(give(t, n, i, grad));
        }
    return PARE_OK;
}

/* y = x where x >= 0, else slope x. */
pare_status pare_grad_prelu(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    pare_value       *zero, *below, *product, *grad;

    PARE_TRY(pare_tape_float(t, 0, &zero));
    PARE_TRY(pare_tape_binary(t, "less", n->in[0], zero, &below));
    if (pare_tape_wants(t, n->in[0])) {
        PARE_TRY(pare_tape_binary(t, "mul", dy, n->in[1], &product));
        PARE_TRY(pare_tape_like(t, NULL, "where", NULL, 3, (pare_value *const[]){ below, product, dy }, &grad));
        PARE_TRY(pare_tape_give(t, n->in[0], grad));
    }
    if (!pare_tape_wants(t, n->in[1]))
        return PARE_OK;
    PARE_TRY(pare_tape_binary(t, "mul", dy, n->in[0], &product));
    PARE_TRY(pare_tape_like(t, NULL, "where", NULL, 3, (pare_value *const[]){ below, product, zero }, &grad));
    return give(t, n, 1, grad);
}

/* y = a^b: da = dy b a^(b - 1), db = dy y log a. */
pare_status pare_grad_pow(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]), *const a = n->in[0], *const b = n->in[1];
    pare_value *one, *less, *grad;

    if (b->t.dtype != PARE_f32)
        return pare_tape_refuse(n, "is known for float exponents only");
    if (pare_tape_wants(t, a)) {
        PARE_TRY(pare_tape_float(t, 1, &one));
        PARE_TRY(pare_tape_binary(t, "sub", b, one, &less));
        PARE_TRY(pare_tape_binary(t, "pow", a, less, &grad));
        PARE_TRY(pare_tape_binary(t, "mul", grad, b, &grad));
        PARE_TRY(pare_tape_binary(t, "mul", grad, dy, &grad));
        PARE_TRY(give(t, n, 0, grad));
    }
    if (!pare_tape_wants(t, b))
        return PARE_OK;
    PARE_TRY(pare_tape_unary(t, "log", a, &grad));
    PARE_TRY(pare_tape_binary(t, "mul", grad, n->out[0], &grad));
    PARE_TRY(pare_tape_binary(t, "mul", grad, dy, &grad));
    return give(t, n, 1, grad);
}
