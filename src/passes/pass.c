/* SPDX-License-Identifier: Apache-2.0 */
/* pass.c - the list of passes, and the driver that walks, repeats, infers and verifies */
#include "passes/pass.h"

#include <string.h>

#include "base/status.h"

static const pare_pass *const passes_list[] = {
#define PARE_PASS(name) &pare_pass_##name,
#include "passes/passes.def"
#undef PARE_PASS
};

enum {
    N_PASSES = sizeof(passes_list) / sizeof(passes_list[0]),
    MAX_WALKS = 1000, /* a pass that is not done by then undoes its own work */
};

const pare_pass *pare_pass_at(int index)
{
    return index >= 0 && index < N_PASSES ? passes_list[index] : NULL;
}

const pare_pass *pare_pass_find(const char *name)
{
    for (int i = 0; i < N_PASSES; i++)
        if (strcmp(passes_list[i]->name, name) == 0)
            return passes_list[i];
    return NULL;
}

/* The node to go on with: removed ones keep their links, which lead back into the list. */
static pare_node *still_there(pare_node *n, bool backward)
{
    while (n && !n->graph)
        n = backward ? n->prev : n->next;
    return n;
}

static pare_status walk(const pare_pass *pass, pare_graph *g, int *changes)
{
    pare_graph *body;

    for (pare_node *n = pass->backward ? g->last : g->first, *next; n; n = next) {
        pare_node *const after = pass->backward ? n->prev : n->next;
        bool             changed = false;

        for (int i = 0; (body = pare_node_body(n, i)); i++)
            PARE_TRY(walk(pass, body, changes));

        const pare_status status = pass->rewrite(g, n, &changed);
        if (status != PARE_OK)
            return n->graph ? pare_fail_in(status, "node '%s'", n->name) : status;
        *changes += changed;

        /* A node that is still there knows its neighbour best: new ones may stand behind it. */
        next = still_there(n->graph ? (pass->backward ? n->prev : n->next) : after, pass->backward);
    }
    return PARE_OK;
}

static pare_status run_once(const pare_pass *pass, pare_graph *g, int *changes)
{
    if (pass->run) {
        *changes = 1; /* it does not say */
        return pass->run(g);
    }
    for (int i = 0; i < MAX_WALKS; i++) {
        int now = 0;

        PARE_TRY(walk(pass, g, &now));
        *changes += now;
        if (now == 0 || !pass->repeat)
            return PARE_OK;
    }
    return pare_fail(PARE_ERR_DATA, "still changes the graph after %d walks", MAX_WALKS);
}

static pare_status run_pass(const pare_pass *pass, pare_graph *g, const pare_pass_trace *trace)
{
    int changes = 0;

    PARE_TRY(run_once(pass, g, &changes));
    if (changes > 0) {
        pare_graph_sweep(g);
        PARE_TRY(pare_graph_infer(g, false));
    }
    PARE_TRY(pare_graph_verify(g));
    return trace ? trace->after(trace->user, pass, g, changes) : PARE_OK;
}

pare_status pare_passes_run(pare_graph *g, const pare_pass *const passes[], const pare_pass_trace *trace)
{
    for (int i = 0; passes[i]; i++) {
        const pare_status status = run_pass(passes[i], g, trace);

        if (status != PARE_OK)
            return pare_fail_in(status, "pass %s", passes[i]->name);
    }
    return PARE_OK;
}
