/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gradients.c - the record walked backwards: gradients as nodes behind what was recorded
 *
 * Where the record also runs, the gradients' graph is planned and run as one; the forward pass is part of it. So it
 * costs a plan each time: training over many steps goes through a trainer, which plans once.
 */
#include "autograd/autograd.h"
#include "base/alloc.h"
#include "base/status.h"
#include "exec/plan.h"
#include "nn/record.h"
#include "passes/pass.h"

/* The numbers that went into an input of the recorded graph; its copies have the same name. */
static const pare_tensor *input_of(const pare_record *r, const pare_value *input)
{
    const pare_value *const v = pare_graph_find(r->g, input->name);

    for (const pare_var *i = r->vars; i; i = i->next)
        if (i->value == v)
            return &i->t;
    return NULL;
}

static pare_status run(const pare_record *r, const pare_plan *plan, const pare_graph *g, int n, pare_var *const grads[])
{
    const pare_tensor **const in = pare_calloc((size_t)g->n_inputs + 1, sizeof(*in));
    pare_context             *ctx = NULL;
    pare_status               status;

    if (!in)
        return pare_fail_memory(sizeof(*in), "inputs");
    for (int i = 0; i < g->n_inputs; i++)
        in[i] = input_of(r, g->inputs[i]);
    PARE_GOTO(pare_context_create(plan, &ctx));
    PARE_GOTO(pare_context_run(ctx, r->options.pool, in, NULL, 0));
    for (int i = 0, k = 0; i < n; i++) {
        if (!grads[i])
            continue;
        const pare_tensor *const t = pare_context_output(ctx, k++);

        grads[i]->t = pare_tensor_of(t->dtype, t->shape);
        PARE_GOTO(pare_tensor_alloc(&grads[i]->t));
        pare_tensor_copy(&grads[i]->t, t);
    }
out:
    pare_context_destroy(ctx);
    pare_free(in);
    return status;
}

/* Fills the numbers of all gradients that there are. */
static pare_status compute(pare_record *r, int n, pare_var *const grads[])
{
    static const pare_pass *const passes[] = { &pare_pass_choose_layout, NULL };
    pare_var                    **there = pare_arena_alloc(r->arena, sizeof(*there) * (size_t)(n + 1));
    pare_graph                   *g = NULL;
    pare_plan                    *plan = NULL;
    pare_status                   status = PARE_OK;
    int                           k = 0;

    if (!there)
        return pare_fail_memory(sizeof(*there), "gradients");
    for (int i = 0; i < n; i++)
        if (grads[i])
            there[k++] = grads[i];
    if (k == 0)
        return PARE_OK;
    PARE_GOTO(pare_record_graph(r, k, there, &g));
    PARE_GOTO(pare_graph_infer(g, true));
    PARE_GOTO(pare_passes_run(g, passes, NULL));
    PARE_GOTO(pare_plan_create(g, NULL, &plan));
    PARE_GOTO(run(r, plan, g, n, grads));
    g = NULL;
out:
    if (plan)
        pare_plan_destroy(plan); /* it has the graph */
    else
        pare_graph_destroy(g);
    return status;
}

static pare_status check(const pare_record *r, const pare_var *loss, int n, pare_var *const wrt[])
{
    if (!r->g)
        return pare_fail(PARE_ERR_ARG, "gradients need what was recorded: create the record with PARE_RUN_AND_RECORD");
    if (!loss || loss->record != r || pare_shape_count(&loss->t.shape) != 1 || loss->t.dtype != PARE_f32)
        return pare_fail(PARE_ERR_ARG, "gradients are of one float, the loss, of the same record");
    for (int i = 0; i < n; i++)
        if (!wrt[i] || wrt[i]->record != r)
            return pare_fail(PARE_ERR_ARG, "variable %d, whose gradient is wanted, is not of this record", i);
    return PARE_OK;
}

static pare_status append(pare_record *r, pare_var *loss, int n, pare_var *const wrt[], pare_value **from,
                          pare_value **to)
{
    PARE_TRY(check(r, loss, n, wrt));
    if (!from || !to)
        return pare_fail_memory(sizeof(*from) * (size_t)n, "gradients");
    for (int i = 0; i < n; i++)
        from[i] = wrt[i]->value;
    return pare_autograd(r->g, loss->value, n, from, to);
}

pare_status pare_record_gradients(pare_record *r, pare_var *loss, int n, pare_var *const wrt[], pare_var *grads[])
{
    pare_value **const from = pare_arena_alloc(r->arena, sizeof(*from) * (size_t)(n + 1));
    pare_value **const to = pare_arena_alloc(r->arena, sizeof(*to) * (size_t)(n + 1));
    pare_status        status;

    for (int i = 0; i < n; i++)
        grads[i] = NULL;
    PARE_TRY(pare_record_status(r));
    status = append(r, loss, n, wrt, from, to);
    for (int i = 0; status == PARE_OK && i < n; i++) {
        const pare_tensor like = pare_tensor_of(PARE_f32, wrt[i]->t.shape);

        grads[i] = to[i] ? pare_record_add(r, &like, to[i]) : NULL;
        status = r->status;
    }
    if (status == PARE_OK && pare_record_runs(r))
        status = compute(r, n, grads);
    return status == PARE_OK ? PARE_OK : pare_record_fail(r, status);
}
