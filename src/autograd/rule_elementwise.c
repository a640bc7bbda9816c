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
