/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - looking at a graph: users, bodies, numbers, calls */
#include "base/alloc.h"
#include "base/status.h"
#include "graph/graph.h"

bool pare_value_is_const(const pare_value *v)
{
    return v->t.data != NULL;
}

bool pare_value_is_output(const pare_value *v)
{
    for (int i = 0; i < v->graph->n_outputs; i++)
        if (v->graph->outputs[i] == v)
            return true;
    return false;
}

bool pare_value_visible(const pare_value *v, const pare_graph *g)
{
    for (; g; g = g->parent)
        if (v->graph == g)
            return true;
    return false;
}

pare_graph *pare_node_body(const pare_node *n, int index)
{
    if (!(n->op->traits & PARE_HAS_BODY))
        return NULL;
    for (const pare_attr *a = n->op->attrs; a && a->name; a++) {
        pare_graph *const *const body = (pare_graph *const *)((const char *)n->attrs + a->offset);

        if (a->type == PARE_ATTR_GRAPH && *body && index-- == 0)
            return *body;
    }
    return NULL;
}

/* Inputs are walked from the last to the first, so that fn may replace the one it is shown. */
static bool each_user_in(pare_graph *g, const pare_value *v, bool (*fn)(pare_node *n, int input, void *arg), void *arg)
{
    pare_graph *body;

    for (pare_node *n = g->first, *next; n; n = next) {
        next = n->next;
        for (int i = n->n_in - 1; i >= 0; i--)
            if (n->in[i] == v && !fn(n, i, arg))
                return false;
        for (int i = 0; (body = pare_node_body(n, i)); i++)
            if (!each_user_in(body, v, fn, arg))
                return false;
    }
    return true;
}

void pare_value_each_user(const pare_value *v, bool (*fn)(pare_node *n, int input, void *arg), void *arg)
{
    if (v->n_uses > 0)
        each_user_in(v->graph, v, fn, arg);
}

static bool remember(pare_node *n, int input, void *arg)
{
    (void)input;
    *(pare_node **)arg = n;
    return false;
}

pare_node *pare_value_only_user(const pare_value *v)
{
    pare_node *user = NULL;

    if (v->n_uses == 1 && !pare_value_is_output(v))
        pare_value_each_user(v, remember, &user);
    return user;
}

int pare_graph_n_nodes(const pare_graph *g)
{
    int n = 0;

    for (const pare_node *node = g->first; node; node = node->next)
        n++;
    return n;
}

void pare_graph_number(pare_graph *g)
{
    pare_graph *body;

    g->n_values = 0;
    for (pare_value *v = g->values; v; v = v->next)
        v->id = g->n_values++;
    for (const pare_node *n = g->first; n; n = n->next)
        for (int i = 0; (body = pare_node_body(n, i)); i++)
            pare_graph_number(body);
}

pare_call *pare_node_call(const pare_node *n)
{
    struct block {
        pare_call    call;
        pare_tensor *tensors[];
    } * block;
    const size_t pointers = (size_t)n->n_in + (size_t)n->n_out;
    const size_t front = (sizeof(*block) + pointers * sizeof(void *) + 15) / 16 * 16;
    const size_t bytes = front + (size_t)n->n_out * sizeof(pare_tensor);
    pare_tensor *result;

    block = pare_calloc(1, bytes);
    if (!block) {
        pare_fail_memory(bytes, "a call");
        return NULL;
    }
    result = (pare_tensor *)(void *)((char *)block + front);
    block->call = (pare_call){ .op = n->op, .attrs = n->attrs, .n_in = n->n_in, .n_out = n->n_out };
    block->call.out = block->tensors;
    block->call.in = (const pare_tensor **)(void *)(block->tensors + n->n_out);
    for (int i = 0; i < n->n_in; i++)
        block->call.in[i] = n->in[i] ? &n->in[i]->t : NULL;
    for (int i = 0; i < n->n_out; i++) {
        if (!n->out[i])
            continue;
        result[i].dtype = n->out[i]->t.dtype;
        result[i].q = n->out[i]->t.q;
        block->tensors[i] = &result[i];
    }
    return &block->call;
}
