/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - making nodes, and their attributes by name */
#include <assert.h>
#include <string.h>

#include "base/status.h"
#include "graph/graph.h"

static pare_status no_memory(void)
{
    return pare_fail_memory(sizeof(pare_node), "a graph");
}

/* The node's place in the list, before `before` or at the end. */
static void link_node(pare_graph *g, pare_node *n, pare_node *before)
{
    n->graph = g;
    n->next = before;
    n->prev = before ? before->prev : g->last;
    if (n->prev)
        n->prev->next = n;
    else
        g->first = n;
    if (before)
        before->prev = n;
    else
        g->last = n;
}

pare_status pare_graph_add_node(pare_graph *g, const pare_op *op, const char *name, int n_in, pare_value *const *in,
                                int n_out, pare_value *const *out, pare_node *before, pare_node **result)
{
    pare_graph *const top = pare_graph_outermost(g);
    pare_node *const  n = pare_arena_alloc(g->arena, sizeof(*n));

    if (result)
        *result = NULL;
    if ((!name || !*name) && n_out > 0 && out[0])
        name = out[0]->name;
    if (!n || !(n->attrs = pare_arena_alloc(g->arena, op->attrs_size)) ||
        !(n->in = pare_arena_alloc(g->arena, (size_t)n_in * sizeof(*in))) ||
        !(n->out = pare_arena_alloc(g->arena, (size_t)n_out * sizeof(*out))) ||
        !(n->name = pare_graph_free_name(g, &top->node_names, name && *name ? name : op->name)) ||
        !pare_map_set(&top->node_names, n->name, n))
        return no_memory();
    n->op = op;
    n->n_in = n_in;
    n->n_out = n_out;
    pare_attrs_default(op, n->attrs);
    for (int i = 0; i < n_in; i++)
        pare_node_set_in(n, i, in[i]);
    for (int i = 0; i < n_out; i++) {
        assert(!out[i] || (!out[i]->producer && !out[i]->is_input && !out[i]->t.data && out[i]->graph == g));
        n->out[i] = out[i];
        if (out[i])
            out[i]->producer = n;
    }
    link_node(g, n, before);
    if (result)
        *result = n;
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------- attributes */

static void *field(const pare_node *n, const char *attr, pare_attr_type type)
{
    const pare_attr *const a = pare_attr_find(n->op, attr);

    assert(a && (a->type == type || (type == PARE_ATTR_INT && a->type == PARE_ATTR_DTYPE) ||
                 (type == PARE_ATTR_STRING && a->type == PARE_ATTR_STRINGS)));
    (void)type;
    return (char *)n->attrs + a->offset;
}

void pare_node_set_i(pare_node *n, const char *attr, int64_t value)
{
    void *const at = field(n, attr, PARE_ATTR_INT);

    if (pare_attr_find(n->op, attr)->type == PARE_ATTR_DTYPE)
        *(pare_dtype *)at = (pare_dtype)value;
    else
        *(int64_t *)at = value;
}

int64_t pare_node_i(const pare_node *n, const char *attr)
{
    const void *const at = field(n, attr, PARE_ATTR_INT);

    return pare_attr_find(n->op, attr)->type == PARE_ATTR_DTYPE ? (int64_t) * (const pare_dtype *)at
                                                                : *(const int64_t *)at;
}

void pare_node_set_f(pare_node *n, const char *attr, float value)
{
    *(float *)field(n, attr, PARE_ATTR_FLOAT) = value;
}

float pare_node_f(const pare_node *n, const char *attr)
{
    return *(const float *)field(n, attr, PARE_ATTR_FLOAT);
}

void pare_node_set_ints(pare_node *n, const char *attr, int count, const int64_t *values)
{
    pare_ints *const ints = field(n, attr, PARE_ATTR_INTS);

    assert(count >= 0 && count <= (int)(sizeof(ints->v) / sizeof(ints->v[0])));
    memset(ints, 0, sizeof(*ints));
    ints->n = count;
    for (int i = 0; i < count; i++)
        ints->v[i] = values[i];
}

void pare_node_set_floats(pare_node *n, const char *attr, int count, const float *values)
{
    pare_floats *const floats = field(n, attr, PARE_ATTR_FLOATS);

    assert(count >= 0 && count <= PARE_MAX_FLOATS);
    memset(floats, 0, sizeof(*floats));
    floats->n = count;
    for (int i = 0; i < count; i++)
        floats->v[i] = values[i];
}

const pare_ints *pare_node_ints(const pare_node *n, const char *attr)
{
    return field(n, attr, PARE_ATTR_INTS);
}

pare_status pare_node_set_s(pare_node *n, const char *attr, const char *value)
{
    const char *const copy = pare_arena_strdup(n->graph->arena, value);

    if (!copy)
        return no_memory();
    *(const char **)field(n, attr, PARE_ATTR_STRING) = copy;
    return PARE_OK;
}

const char *pare_node_s(const pare_node *n, const char *attr)
{
    return *(const char *const *)field(n, attr, PARE_ATTR_STRING);
}

pare_status pare_node_set_tensor(pare_node *n, const char *attr, const pare_tensor *t)
{
    pare_tensor **const at = field(n, attr, PARE_ATTR_TENSOR);
    pare_tensor *const  copy = pare_arena_alloc(n->graph->arena, sizeof(*copy));

    if (!copy)
        return no_memory();
    PARE_TRY(pare_graph_keep_tensor(n->graph, t, copy));
    if (*at)
        pare_tensor_release(*at);
    *at = copy;
    return PARE_OK;
}

void pare_node_set_graph(pare_node *n, const char *attr, pare_graph *body)
{
    assert(body->parent == n->graph);
    *(pare_graph **)field(n, attr, PARE_ATTR_GRAPH) = body;
}

pare_graph *pare_node_graph(const pare_node *n, const char *attr)
{
    return *(pare_graph *const *)field(n, attr, PARE_ATTR_GRAPH);
}
