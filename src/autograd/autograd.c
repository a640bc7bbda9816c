/* SPDX-License-Identifier: Apache-2.0 */
/* autograd.c - the walk from the loss back: every node's rule, once, when all that reads its outputs has been there */
#include <math.h>
#include <stdio.h>

#include "autograd/rules.h"
#include "autograd/tape.h"
#include "base/alloc.h"
#include "base/status.h"

static pare_status zero(pare_tape *t, pare_node *n)
{
    (void)t, (void)n;
    return PARE_OK;
}

#define PARE_GRAD(op)          extern const pare_op pare_op_##op;
#define PARE_GRAD_BY(op, rule) PARE_GRAD(op)
#define PARE_GRAD_ZERO(op)     PARE_GRAD(op)
#include "autograd/rules.def"
#undef PARE_GRAD
#undef PARE_GRAD_BY
#undef PARE_GRAD_ZERO

static const struct {
    const pare_op  *op;
    pare_grad_rule *rule;
} rules[] = {
#define PARE_GRAD(op)          { &pare_op_##op, pare_grad_##op },
#define PARE_GRAD_BY(op, rule) { &pare_op_##op, pare_grad_##rule },
#define PARE_GRAD_ZERO(op)     { &pare_op_##op, zero },
#include "autograd/rules.def"
#undef PARE_GRAD
#undef PARE_GRAD_BY
#undef PARE_GRAD_ZERO
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

pare_grad_rule *pare_grad_find(const pare_op *op)
{
    for (int i = 0; i < N_RULES; i++)
        if (rules[i].op == op)
            return rules[i].rule;
    return NULL;
}

/* Wanted is what is asked for, and every float that is computed from it. */
static void mark_wanted(pare_tape *t, int n, pare_value *const wrt[])
{
    for (int i = 0; i < n; i++)
        pare_tape_entry_of(t, wrt[i])->wanted = true;
    for (const pare_node *node = t->g->first; node; node = node->next) {
        bool any = false;

        for (int i = 0; i < node->n_in; i++)
            any |= pare_tape_wants(t, node->in[i]);
        for (int i = 0; i < node->n_out && any; i++)
            if (node->out[i] && node->out[i]->t.dtype == PARE_f32)
                pare_tape_entry_of(t, node->out[i])->wanted = true;
    }
}

/* A clamp behind the op's own result: nothing flows where it holds the result. */
static pare_status undo_clamp(pare_tape *t, const pare_node *n)
{
    pare_tape_entry *const e = pare_tape_entry_of(t, n->out[0]);
    char                   text[96];

    if (!e || !e->grad || !(n->op->traits & PARE_CAN_CLAMP))
        return PARE_OK;
    const float lo = pare_node_f(n, "clamp_lo"), hi = pare_node_f(n, "clamp_hi");

    if (!(lo > -INFINITY) && !(hi < INFINITY))
        return PARE_OK;
    snprintf(text, sizeof(text), "alpha=%.9g beta=%.9g", (double)lo, (double)hi);
    return pare_tape_like(t, NULL, "clamp_grad", text, 2, (pare_value *const[]){ e->grad, n->out[0] }, &e->grad);
}

static pare_status visit(pare_tape *t, pare_node *n)
{
    pare_grad_rule *const rule = pare_grad_find(n->op);
    bool                  flows = false, wanted = false;

    for (int i = 0; i < n->n_out; i++)
        flows |= pare_tape_grad(t, n->out[i]) != NULL;
    for (int i = 0; i < n->n_in; i++)
        wanted |= pare_tape_wants(t, n->in[i]);
    if (!flows || !wanted)
        return PARE_OK;
    t->at = n;
    if (!rule)
        return pare_fail_in(pare_tape_refuse(n, "is not known"), "node '%s'", n->name);
    pare_status status = undo_clamp(t, n);

    if (status == PARE_OK)
        status = rule(t, n);
    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "node '%s'", n->name);
}

static pare_status walk_back(pare_tape *t, pare_value *loss)
{
    pare_node *const last = t->g->last;
    pare_value      *one;

    PARE_TRY(pare_tape_full(t, &loss->t.shape, 1.0f, &one));
    PARE_TRY(pare_tape_give(t, loss, one));
    for (pare_node *n = last; n; n = n->prev)
        PARE_TRY(visit(t, n));
    return PARE_OK;
}

pare_status pare_autograd(pare_graph *g, pare_value *loss, int n, pare_value *const wrt[], pare_value *grads[])
{
    pare_tape   t = { .g = g };
    pare_status status;

    PARE_TRY(pare_graph_infer(g, true));
    if (loss->t.dtype != PARE_f32 || pare_shape_count(&loss->t.shape) != 1)
        return pare_fail(PARE_ERR_SHAPE, "the loss '%s' must be one float; take the mean of it", loss->name);
    t.n = g->n_values;
    t.entries = pare_calloc((size_t)t.n + 1, sizeof(*t.entries));
    if (!t.entries)
        return pare_fail_memory((size_t)t.n * sizeof(*t.entries), "gradients");
    for (pare_value *v = g->values; v; v = v->next)
        t.entries[v->id].value = v;
    mark_wanted(&t, n, wrt);
    status = walk_back(&t, loss);
    for (int i = 0; i < n; i++)
        grads[i] = status == PARE_OK ? pare_tape_grad(&t, wrt[i]) : NULL;
    pare_free(t.entries);
    return status;
}
