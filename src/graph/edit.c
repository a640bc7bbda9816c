/* SPDX-License-Identifier: Apache-2.0 */
/* edit.c - changing a graph: every function keeps uses, names and owners right */
#include <assert.h>
#include <string.h>

#include "base/status.h"
#include "graph/graph.h"

void pare_node_set_in(pare_node *n, int index, pare_value *v)
{
    assert(index >= 0 && index < n->n_in);
    if (v)
        v->n_uses++;
    if (n->in[index])
        n->in[index]->n_uses--;
    n->in[index] = v;
}

pare_status pare_node_add_in(pare_node *n, pare_value *v)
{
    pare_value **const in = pare_arena_alloc(n->graph->arena, (size_t)(n->n_in + 1) * sizeof(*in));

    if (!in)
        return pare_fail_memory((size_t)(n->n_in + 1) * sizeof(*in), "the inputs of a node");
    for (int i = 0; i < n->n_in; i++)
        in[i] = n->in[i];
    n->in = in;
    n->n_in++;
    pare_node_set_in(n, n->n_in - 1, v);
    return PARE_OK;
}

typedef struct replacement {
    pare_value *from, *to;
} replacement;

static bool replace_input(pare_node *n, int input, void *arg)
{
    const replacement *r = arg;

    pare_node_set_in(n, input, r->to);
    return r->from->n_uses > 0;
}

static void replace_outputs(pare_graph *g, pare_value *from, pare_value *to)
{
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == from) {
            g->outputs[i] = to;
            from->n_uses--;
            to->n_uses++;
        }
}

void pare_graph_replace_uses(pare_graph *g, pare_value *from, pare_value *to)
{
    if (from == to)
        return;
    pare_value_each_user(from, replace_input, &(replacement){ from, to });
    replace_outputs(pare_graph_outermost(g), from, to);
    for (pare_graph *b = pare_graph_outermost(g)->bodies; b; b = b->next_body)
        replace_outputs(b, from, to);
}

/* ---------------------------------------------------------------------------------------------------------- removal */

static void empty_graph(pare_graph *g)
{
    while (g->first)
        pare_graph_remove_node(g->first);
    for (int i = 0; i < g->n_outputs; i++)
        g->outputs[i]->n_uses--;
    g->n_outputs = 0;
}

/* Lets go of what attributes hold: bytes of tensors, and bodies, whose reads of outer values end. */
static void release_attrs(pare_node *n)
{
    for (const pare_attr *a = n->op->attrs; a && a->name; a++) {
        void *const at = (char *)n->attrs + a->offset;

        if (a->type == PARE_ATTR_TENSOR && *(pare_tensor **)at)
            pare_tensor_release(*(pare_tensor **)at);
        if (a->type == PARE_ATTR_GRAPH && *(pare_graph **)at)
            empty_graph(*(pare_graph **)at);
    }
}

/* The node keeps its `next`, so that a walk which stands on it finds back into the list. */
void pare_graph_remove_node(pare_node *n)
{
    pare_graph *const g = n->graph;

    assert(g);
    for (int i = 0; i < n->n_in; i++)
        pare_node_set_in(n, i, NULL);
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            n->out[i]->producer = NULL;
    release_attrs(n);
    if (n->prev)
        n->prev->next = n->next;
    else
        g->first = n->next;
    if (n->next)
        n->next->prev = n->prev;
    else
        g->last = n->prev;
    pare_map_set(&pare_graph_outermost(g)->node_names, n->name, NULL);
    n->graph = NULL;
}

static void sweep_one(pare_graph *g)
{
    pare_value **link = &g->values;

    g->values_tail = NULL;
    for (pare_value *v = g->values; v; v = v->next) {
        if (v->n_uses == 0 && !v->producer && !v->is_input) {
            pare_tensor_release(&v->t);
            pare_map_set(&pare_graph_outermost(g)->names, v->name, NULL); /* the name is there, so this cannot fail */
            g->n_values--;
            continue;
        }
        *link = v;
        link = &v->next;
        g->values_tail = v;
    }
    *link = NULL;
}

void pare_graph_sweep(pare_graph *g)
{
    sweep_one(g);
    if (!g->parent)
        for (pare_graph *b = g->bodies; b; b = b->next_body)
            sweep_one(b);
}

/* ------------------------------------------------------------------------------------------------------------ names */

void pare_graph_swap_names(pare_value *a, pare_value *b)
{
    pare_map *const   names = &pare_graph_outermost(a->graph)->names;
    const char *const name = a->name;

    a->name = b->name;
    b->name = name;
    pare_map_set(names, a->name, a);
    pare_map_set(names, b->name, b);
}

static bool can_rename(const pare_value *x, const pare_value *y)
{
    return x->producer && x->graph == y->graph && !pare_value_is_output(x);
}

static void take_place(pare_value *x, pare_value *y)
{
    pare_graph_swap_names(x, y);
    memcpy(x->dim_name, y->dim_name, sizeof(x->dim_name));
}

static bool others_unread(const pare_node *n)
{
    for (int i = 1; i < n->n_out; i++)
        if (n->out[i] && n->out[i]->n_uses > 0)
            return false;
    return true;
}

bool pare_graph_bypass(pare_node *n)
{
    pare_value *const x = n->in[0], *const y = n->out[0];

    assert(x && y);
    if (!others_unread(n))
        return false;
    if (pare_value_is_output(y)) {
        if (!can_rename(x, y))
            return false;
        take_place(x, y);
    }
    pare_graph_replace_uses(n->graph, y, x);
    pare_graph_remove_node(n);
    return true;
}

bool pare_graph_absorb(pare_node *n)
{
    pare_value *const x = n->in[0], *const y = n->out[0];

    assert(x && y);
    if (!others_unread(n) || !can_rename(x, y))
        return false;
    take_place(x, y);
    pare_graph_replace_uses(n->graph, y, x);
    pare_graph_remove_node(n);
    return true;
}

pare_status pare_node_replace_const(pare_node *n, int index, const pare_tensor *t)
{
    pare_value *const old = n->in[index];
    pare_value       *fresh;

    PARE_TRY(pare_graph_add_const(n->graph, old->name, t, &fresh));
    pare_node_set_in(n, index, fresh);
    if (old->n_uses == 0 && !old->producer && !old->is_input)
        pare_graph_swap_names(old, fresh);
    return PARE_OK;
}

pare_status pare_node_become(pare_node *n, const pare_op *op)
{
    void *const attrs = pare_arena_alloc(n->graph->arena, op->attrs_size);

    if (!attrs)
        return pare_fail_memory(op->attrs_size, "attributes");
    release_attrs(n);
    pare_attrs_default(op, attrs);
    n->op = op;
    n->attrs = attrs;
    return PARE_OK;
}

/* ----------------------------------------------------------------------------------------------------------- bodies */

void pare_graph_unpack_body(pare_node *n, pare_graph *body)
{
    pare_graph *const g = n->graph;

    assert(body->parent == g && body->n_inputs == 0);
    for (pare_node *m = body->first; m; m = m->next)
        m->graph = g;
    for (pare_value *v = body->values; v; v = v->next)
        v->graph = g;
    for (pare_graph *b = pare_graph_outermost(g)->bodies; b; b = b->next_body)
        if (b->parent == body)
            b->parent = g;
    if (body->first) {
        body->first->prev = n->prev;
        body->last->next = n;
        if (n->prev)
            n->prev->next = body->first;
        else
            g->first = body->first;
        n->prev = body->last;
    }
    if (body->values) {
        if (g->values_tail)
            g->values_tail->next = body->values;
        else
            g->values = body->values;
        g->values_tail = body->values_tail;
        g->n_values += body->n_values;
    }
    body->first = body->last = NULL;
    body->values = body->values_tail = NULL;
    body->n_values = 0;
}
