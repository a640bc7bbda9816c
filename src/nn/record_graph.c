/* SPDX-License-Identifier: Apache-2.0 */
/* record_graph.c - a graph of its own of what a record has recorded */
#include "base/status.h"
#include "nn/record.h"
#include "passes/pass.h"

/* A graph output is made by a node and stands once among the outputs; what is not gets a copy. */
static pare_var *as_output(pare_record *r, int i, pare_var *const outputs[])
{
    bool again = false;

    for (int j = 0; j < i; j++)
        again |= outputs[j] == outputs[i];
    return again || (outputs[i] && !outputs[i]->value->producer) ? pare_unary(r, "identity", outputs[i]) : outputs[i];
}

static pare_status add_outputs(pare_record *r, int n, pare_var *const outputs[], const char **names)
{
    for (int i = 0; i < n; i++) {
        if (outputs[i] && outputs[i]->record != r)
            return pare_fail(PARE_ERR_ARG, "output %d of the graph belongs to another record", i);
        pare_var *const v = as_output(r, i, outputs);

        PARE_TRY(pare_record_status(r));
        if (!v)
            return pare_fail(PARE_ERR_ARG, "output %d of the graph is no variable", i);
        names[i] = v->value->name;
    }
    return PARE_OK;
}

pare_status pare_record_graph(pare_record *r, int n, pare_var *const outputs[], pare_graph **out)
{
    static const pare_pass *const passes[] = { &pare_pass_remove_dead, NULL };
    pare_graph                   *g;
    pare_status                   status;

    PARE_TRY(pare_record_status(r));
    if (!r->g)
        return pare_fail(PARE_ERR_ARG, "this record only runs; create it with mode PARE_RECORD to get a graph");
    const char **const names = pare_arena_alloc(r->arena, (size_t)(n + 1) * sizeof(*names));
    if (!names)
        return pare_fail_memory((size_t)n * sizeof(*names), "the outputs of a graph");
    PARE_TRY(add_outputs(r, n, outputs, names));
    PARE_TRY(pare_graph_clone(r->g, &g));
    for (int i = 0; i < n; i++)
        PARE_GOTO(pare_graph_add_output(g, pare_graph_find(g, names[i])));
    PARE_GOTO(pare_passes_run(g, passes, NULL));
    PARE_GOTO(pare_graph_infer(g, false));
    PARE_GOTO(pare_graph_verify(g));
    *out = g;
    return PARE_OK;
out:
    pare_graph_destroy(g);
    return status;
}
