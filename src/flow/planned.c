/* SPDX-License-Identifier: Apache-2.0 */
/* planned.c - plans of one graph, by the shapes of its inputs */
#include "flow/planned.h"

#include "base/alloc.h"
#include "base/status.h"

enum { MAX_INPUTS = 16 };

struct pare_planned_shape {
    pare_shape          shapes[MAX_INPUTS];
    pare_plan          *plan;
    pare_context       *ctx;
    pare_planned_shape *next;
};

static void release(pare_planned_shape *s)
{
    pare_context_destroy(s->ctx);
    pare_plan_destroy(s->plan);
    pare_free(s);
}

void pare_planned_clear(pare_planned *p)
{
    while (p->all) {
        pare_planned_shape *const s = p->all;

        p->all = s->next;
        release(s);
    }
}

static bool fits(const pare_planned_shape *s, int n, const pare_tensor *const in[])
{
    for (int i = 0; i < n; i++)
        if (!pare_shape_equal(&s->shapes[i], &in[i]->shape))
            return false;
    return true;
}

static pare_status check(const pare_graph *graph, int n, const pare_tensor *const in[])
{
    if (n != pare_graph_n_inputs(graph) || n > MAX_INPUTS)
        return pare_fail(PARE_ERR_ARG, "it takes %d inputs, not %d", pare_graph_n_inputs(graph), n);
    for (int i = 0; i < n; i++)
        if (!in[i])
            return pare_fail(PARE_ERR_ARG, "input '%s' was not given", pare_graph_input(graph, i, NULL, NULL));
    return PARE_OK;
}

pare_status pare_planned_context(pare_planned *p, const pare_graph *graph, int n, const pare_tensor *const in[],
                                 pare_context **out)
{
    PARE_TRY(check(graph, n, in));
    for (pare_planned_shape *s = p->all; s; s = s->next)
        if (fits(s, n, in)) {
            *out = s->ctx;
            return PARE_OK;
        }
    pare_planned_shape *const s = pare_calloc(1, sizeof(*s));
    pare_status               status;

    if (!s)
        return pare_fail_memory(sizeof(*s), "a plan");
    for (int i = 0; i < n; i++)
        s->shapes[i] = in[i]->shape;
    PARE_GOTO(pare_compile(graph, &(pare_compile_options){ .shapes = s->shapes, .taps = p->taps }, &s->plan));
    PARE_GOTO(pare_context_create(s->plan, &s->ctx));
    s->next = p->all;
    p->all = s;
    *out = s->ctx;
    return PARE_OK;
out:
    release(s);
    return status;
}
