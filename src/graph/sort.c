/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort.c - nodes into execution order: depth first from each node to what it reads, with a stack of our own, because
 * a chain may be as long as the graph. A graph in order comes out unchanged.
 */
#include "base/alloc.h"
#include "base/status.h"
#include "graph/graph.h"

enum { WAITING, ON_STACK, PLACED };

static const char *file_of(const pare_graph *g)
{
    return g->file ? g->file : g->name;
}

/* The first node of `g` that must come before `user`, read by `user` itself or by its bodies' nodes (`reader`). */
static pare_status find_missing(pare_graph *g, const pare_node *user, const pare_node *reader, pare_node **missing)
{
    pare_graph *body;

    for (int i = 0; i < reader->n_in && !*missing; i++) {
        const pare_value *const v = reader->in[i];

        if (!v || v->graph != g)
            continue;
        if (!v->producer && !v->is_input && !pare_value_is_const(v))
            return pare_fail(PARE_ERR_DATA, "%s: node '%s' reads '%s', which nobody makes", file_of(g), reader->name,
                             v->name);
        if (v->producer && v->producer != user && v->producer->mark != PLACED)
            *missing = v->producer;
        if (v->producer == user)
            return pare_fail(PARE_ERR_DATA, "%s: node '%s' reads its own result '%s'", file_of(g), user->name, v->name);
    }
    for (int i = 0; !*missing && (body = pare_node_body(reader, i)); i++) {
        for (const pare_node *n = body->first; n && !*missing; n = n->next)
            PARE_TRY(find_missing(g, user, n, missing));
        for (int j = 0; j < body->n_outputs && !*missing; j++) {
            pare_node *const p = body->outputs[j]->graph == g ? body->outputs[j]->producer : NULL;

            if (p && p->mark != PLACED)
                *missing = p;
        }
    }
    return PARE_OK;
}

/* Appends to `order` the node and all it needs. */
static pare_status place(pare_graph *g, pare_node *root, pare_node **stack, pare_node **order, int *placed)
{
    int depth = 1;

    stack[0] = root;
    root->mark = ON_STACK;
    while (depth > 0) {
        pare_node *const n = stack[depth - 1];
        pare_node       *missing = NULL;

        PARE_TRY(find_missing(g, n, n, &missing));
        if (!missing) {
            n->mark = PLACED;
            order[(*placed)++] = n;
            depth--;
        } else if (missing->mark == ON_STACK) {
            return pare_fail(PARE_ERR_DATA, "%s: node '%s' is on a cycle: it needs its own result through '%s'",
                             file_of(g), missing->name, n->name);
        } else {
            missing->mark = ON_STACK;
            stack[depth++] = missing;
        }
    }
    return PARE_OK;
}

static void relink(pare_graph *g, pare_node *const *order, int n)
{
    for (int i = 0; i < n; i++) {
        order[i]->prev = i > 0 ? order[i - 1] : NULL;
        order[i]->next = i < n - 1 ? order[i + 1] : NULL;
    }
    g->first = n > 0 ? order[0] : NULL;
    g->last = n > 0 ? order[n - 1] : NULL;
}

pare_status pare_graph_sort(pare_graph *g)
{
    const int         n = pare_graph_n_nodes(g);
    pare_node **const order = pare_calloc((size_t)n + 1, 2 * sizeof(*order)); /* [n] placed, then [n] stack */
    int               placed = 0;
    pare_status       status = PARE_OK;
    pare_graph       *body;

    if (!order)
        return pare_fail_memory((size_t)n * 2 * sizeof(*order), "sorting a graph");
    for (pare_node *node = g->first; node; node = node->next)
        node->mark = WAITING;
    for (pare_node *node = g->first; node; node = node->next) {
        if (node->mark == WAITING)
            PARE_GOTO(place(g, node, order + n, order, &placed));
    }
    relink(g, order, n);
    for (pare_node *node = g->first; node; node = node->next)
        for (int i = 0; (body = pare_node_body(node, i)); i++)
            PARE_GOTO(pare_graph_sort(body));
out:
    pare_free(order);
    return status;
}
