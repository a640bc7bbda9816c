/* SPDX-License-Identifier: Apache-2.0 */
/* clone.c - a deep copy that shares constant bytes; names, unique in a graph and its bodies, pair old with new */
#include <assert.h>
#include <string.h>

#include "base/status.h"
#include "graph/graph.h"

static pare_status copy_graph(const pare_graph *from, pare_graph *to);

static pare_status no_memory(void)
{
    return pare_fail_memory(sizeof(pare_value), "a copy of a graph");
}

/* The copy of an old value, which is in `to` or around it. */
static pare_value *twin(const pare_graph *to, const pare_value *old)
{
    return old ? pare_graph_find(to, old->name) : NULL;
}

static pare_status copy_value(const pare_value *old, pare_graph *to)
{
    pare_value *v;

    if (old->is_input)
        PARE_TRY(pare_graph_add_input(to, old->name, old->t.dtype, old->has_shape ? &old->t.shape : NULL, &v));
    else
        PARE_TRY(pare_graph_add_value(to, old->name, &v));
    assert(strcmp(v->name, old->name) == 0);
    if (old->t.data) {
        PARE_TRY(pare_value_set_const(v, &old->t));
    } else {
        v->t = old->t;
        v->t.q = NULL;
        v->t.buf = NULL;
        PARE_TRY(pare_value_set_q(v, old->t.q));
    }
    v->has_shape = old->has_shape;
    v->format = old->format;
    memcpy(v->halo, old->halo, sizeof(v->halo));
    v->home_channel = old->home_channel;
    for (int i = 0; i < PARE_MAX_RANK; i++)
        if (old->dim_name[i] && !(v->dim_name[i] = pare_arena_strdup(to->arena, old->dim_name[i])))
            return no_memory();
    return PARE_OK;
}

/* Attributes that point somewhere; the others were copied as bytes and these were cleared. */
static pare_status copy_pointer_attr(const pare_node *old, pare_node *n, const pare_attr *a)
{
    const void *const from = (const char *)old->attrs + a->offset;

    if ((a->type == PARE_ATTR_STRING || a->type == PARE_ATTR_STRINGS) && *(const char *const *)from)
        return pare_node_set_s(n, a->name, *(const char *const *)from);
    if (a->type == PARE_ATTR_TENSOR && *(const pare_tensor *const *)from)
        return pare_node_set_tensor(n, a->name, *(const pare_tensor *const *)from);
    if (a->type == PARE_ATTR_GRAPH && *(pare_graph *const *)from) {
        const pare_graph *const body = *(pare_graph *const *)from;
        pare_graph             *copy;

        PARE_TRY(pare_graph_create_body(n->graph, body->name, &copy));
        pare_node_set_graph(n, a->name, copy);
        return copy_graph(body, copy);
    }
    return PARE_OK;
}

pare_status pare_node_copy_attrs(const pare_node *old, pare_node *n)
{
    memcpy(n->attrs, old->attrs, old->op->attrs_size);
    for (const pare_attr *a = old->op->attrs; a && a->name; a++)
        if (a->type == PARE_ATTR_STRING || a->type == PARE_ATTR_STRINGS || a->type == PARE_ATTR_TENSOR ||
            a->type == PARE_ATTR_GRAPH)
            memset((char *)n->attrs + a->offset, 0, sizeof(void *));
    for (const pare_attr *a = old->op->attrs; a && a->name; a++)
        PARE_TRY(copy_pointer_attr(old, n, a));
    return PARE_OK;
}

static pare_status copy_node(const pare_node *old, pare_graph *to)
{
    pare_value **const in = pare_arena_alloc(to->arena, (size_t)old->n_in * sizeof(*in));
    pare_value **const out = pare_arena_alloc(to->arena, (size_t)old->n_out * sizeof(*out));
    pare_node         *n;

    if (!in || !out)
        return no_memory();
    for (int i = 0; i < old->n_in; i++)
        in[i] = twin(to, old->in[i]);
    for (int i = 0; i < old->n_out; i++)
        out[i] = twin(to, old->out[i]);
    PARE_TRY(pare_graph_add_node(to, old->op, old->name, old->n_in, in, old->n_out, out, NULL, &n));
    if (old->note && !(n->note = pare_arena_strdup(to->arena, old->note)))
        return no_memory();
    return pare_node_copy_attrs(old, n);
}

/* Inputs come first and in their order, since making one appends it to the list of inputs. */
static pare_status copy_graph(const pare_graph *from, pare_graph *to)
{
    to->opset = from->opset;
    if (from->file)
        PARE_TRY(pare_graph_set_file(to, from->file));
    for (int i = 0; i < from->n_inputs; i++)
        PARE_TRY(copy_value(from->inputs[i], to));
    for (const pare_value *v = from->values; v; v = v->next)
        if (!v->is_input)
            PARE_TRY(copy_value(v, to));
    for (const pare_value *v = from->values; v; v = v->next)
        if (v->home)
            twin(to, v)->home = twin(to, v->home);
    for (const pare_node *n = from->first; n; n = n->next)
        PARE_TRY(copy_node(n, to));
    for (int i = 0; i < from->n_outputs; i++)
        PARE_TRY(pare_graph_add_output(to, twin(to, from->outputs[i])));
    for (int i = 0; i < from->n_meta; i++)
        PARE_TRY(pare_graph_add_meta(to, from->meta[2 * i], from->meta[2 * i + 1]));
    return PARE_OK;
}

pare_status pare_graph_clone(const pare_graph *g, pare_graph **out)
{
    pare_graph *copy;
    pare_status status;

    *out = NULL;
    PARE_TRY(pare_graph_create(g->name, &copy));
    copy->serial = pare_graph_outermost(g)->serial;
    status = copy_graph(g, copy);
    if (status != PARE_OK) {
        pare_graph_destroy(copy);
        return status;
    }
    *out = copy;
    return PARE_OK;
}
