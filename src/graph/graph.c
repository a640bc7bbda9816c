/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - building and destroying graphs */
#include "graph/graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

pare_graph *pare_graph_outermost(const pare_graph *g)
{
    while (g->parent)
        g = g->parent;
    return (pare_graph *)(uintptr_t)g;
}

static pare_status no_memory(void)
{
    return pare_fail_memory(sizeof(pare_value), "a graph");
}

pare_status pare_graph_create(const char *name, pare_graph **out)
{
    pare_arena *const arena = pare_arena_create();
    pare_graph *const g = arena ? pare_arena_alloc(arena, sizeof(*g)) : NULL;

    *out = NULL;
    if (g)
        g->name = pare_arena_strdup(arena, name ? name : "");
    if (!g || !g->name) {
        pare_arena_destroy(arena);
        return no_memory();
    }
    g->arena = arena;
    *out = g;
    return PARE_OK;
}

pare_status pare_graph_create_body(pare_graph *parent, const char *name, pare_graph **out)
{
    pare_graph *const top = pare_graph_outermost(parent);
    pare_graph *const body = pare_arena_alloc(parent->arena, sizeof(*body));

    *out = NULL;
    if (!body || !(body->name = pare_arena_strdup(parent->arena, name ? name : "")))
        return no_memory();
    body->arena = parent->arena;
    body->file = parent->file;
    body->opset = parent->opset;
    body->parent = parent;
    body->next_body = top->bodies;
    top->bodies = body;
    *out = body;
    return PARE_OK;
}

/* Bytes are all that lives outside the arena: of constants and of tensors in attributes. */
static void release_bytes(pare_graph *g)
{
    for (pare_value *v = g->values; v; v = v->next)
        pare_tensor_release(&v->t);
    while (g->first)
        pare_graph_remove_node(g->first);
}

void pare_graph_destroy(pare_graph *g)
{
    if (!g)
        return;
    assert(!g->parent);
    for (pare_graph *b = g->bodies; b; b = b->next_body)
        release_bytes(b);
    release_bytes(g);
    pare_map_free(&g->names);
    pare_map_free(&g->node_names);
    pare_arena_destroy(g->arena);
}

/* Room for one more pointer in an arena array that doubles. */
static bool grow_pointers(pare_arena *arena, void *items, int n, int *cap)
{
    void    **old, **grown;
    const int more = *cap ? 2 * *cap : 4;

    if (n < *cap)
        return true;
    memcpy(&old, items, sizeof(old));
    grown = pare_arena_alloc(arena, (size_t)more * sizeof(*grown));
    if (!grown)
        return false;
    if (n > 0)
        memcpy(grown, old, (size_t)n * sizeof(*grown));
    memcpy(items, &grown, sizeof(grown));
    *cap = more;
    return true;
}

const char *pare_graph_free_name(pare_graph *g, const pare_map *map, const char *name)
{
    char number[16];

    if (!pare_map_get(map, name))
        return pare_arena_strdup(g->arena, name);

    char *const longer = pare_arena_alloc(g->arena, strlen(name) + sizeof(number) + 1);
    for (int i = 1; longer; i++) {
        snprintf(number, sizeof(number), "_%d", i);
        strcat(strcpy(longer, name), number);
        if (!pare_map_get(map, longer))
            break;
    }
    return longer;
}

pare_status pare_graph_add_value(pare_graph *g, const char *name, pare_value **out)
{
    pare_graph *const top = pare_graph_outermost(g);
    pare_value *const v = pare_arena_alloc(g->arena, sizeof(*v));
    char              number[16];

    *out = NULL;
    if (!name || !*name) {
        do
            snprintf(number, sizeof(number), "%d", ++top->serial);
        while (pare_map_get(&top->names, number));
        name = number;
    }
    if (!v || !(v->name = pare_graph_free_name(g, &top->names, name)) || !pare_map_set(&top->names, v->name, v))
        return no_memory();
    v->graph = g;
    if (g->values_tail)
        g->values_tail->next = v;
    else
        g->values = v;
    g->values_tail = v;
    g->n_values++;
    *out = v;
    return PARE_OK;
}

pare_status pare_value_set_input(pare_value *v, pare_dtype dtype, const pare_shape *shape)
{
    pare_graph *const g = v->graph;

    assert(!v->producer && !v->is_input && !v->t.data);
    if (!grow_pointers(g->arena, &g->inputs, g->n_inputs, &g->inputs_cap))
        return no_memory();
    v->is_input = true;
    v->has_shape = shape != NULL;
    v->t = pare_tensor_of(dtype, shape ? *shape : (pare_shape){ .rank = 0 });
    g->inputs[g->n_inputs++] = v;
    return PARE_OK;
}

pare_status pare_graph_add_input(pare_graph *g, const char *name, pare_dtype dtype, const pare_shape *shape,
                                 pare_value **out)
{
    PARE_TRY(pare_graph_add_value(g, name, out));
    return pare_value_set_input(*out, dtype, shape);
}

/* Qparams in the arena. NULL gives NULL. */
static pare_status keep_q(pare_arena *arena, const pare_qparams *q, const pare_qparams **out)
{
    pare_qparams *copy;

    *out = NULL;
    if (!q)
        return PARE_OK;

    const size_t bytes = (size_t)q->n * sizeof(float);
    float       *scale = pare_arena_alloc(arena, bytes);
    int32_t     *zero = q->zero ? pare_arena_alloc(arena, bytes) : NULL;
    float       *offset = q->offset ? pare_arena_alloc(arena, bytes) : NULL;

    copy = pare_arena_alloc(arena, sizeof(*copy));
    if (!copy || !scale || (q->zero && !zero) || (q->offset && !offset))
        return no_memory();
    *copy = *q;
    copy->scale = memcpy(scale, q->scale, bytes);
    if (zero)
        copy->zero = memcpy(zero, q->zero, bytes);
    if (offset)
        copy->offset = memcpy(offset, q->offset, bytes);
    *out = copy;
    return PARE_OK;
}

pare_status pare_graph_keep_tensor(pare_graph *g, const pare_tensor *t, pare_tensor *out)
{
    pare_tensor         copy = pare_tensor_of(t->dtype, t->shape);
    const pare_qparams *q;

    assert(t->data);
    PARE_TRY(keep_q(g->arena, t->q, &q));
    if (t->buf && pare_tensor_is_dense(t)) {
        copy.buf = pare_buf_ref(t->buf);
        copy.data = t->data;
    } else {
        PARE_TRY(pare_tensor_alloc(&copy));
        pare_tensor_copy(&copy, t);
    }
    copy.q = q;
    *out = copy;
    return PARE_OK;
}

pare_status pare_value_set_const(pare_value *v, const pare_tensor *t)
{
    assert(!v->producer && !v->is_input && !v->t.data);
    PARE_TRY(pare_graph_keep_tensor(v->graph, t, &v->t));
    v->has_shape = true;
    return PARE_OK;
}

pare_status pare_graph_add_const(pare_graph *g, const char *name, const pare_tensor *t, pare_value **out)
{
    PARE_TRY(pare_graph_add_value(g, name, out));
    return pare_value_set_const(*out, t);
}

pare_status pare_value_set_q(pare_value *v, const pare_qparams *q)
{
    return keep_q(v->graph->arena, q, &v->t.q);
}

pare_status pare_graph_add_output(pare_graph *g, pare_value *v)
{
    assert(pare_value_visible(v, g));
    if (!grow_pointers(g->arena, &g->outputs, g->n_outputs, &g->outputs_cap))
        return no_memory();
    g->outputs[g->n_outputs++] = v;
    v->n_uses++;
    return PARE_OK;
}

pare_status pare_graph_set_file(pare_graph *g, const char *file)
{
    g->file = pare_arena_strdup(g->arena, file);
    return g->file ? PARE_OK : no_memory();
}

pare_value *pare_graph_find(const pare_graph *g, const char *name)
{
    pare_value *const v = pare_map_get(&pare_graph_outermost(g)->names, name);

    return v && pare_value_visible(v, g) ? v : NULL;
}

const char *pare_graph_meta(const pare_graph *g, const char *key)
{
    for (int i = 0; i < g->n_meta; i++)
        if (strcmp(g->meta[2 * i], key) == 0)
            return g->meta[2 * i + 1];
    return NULL;
}

pare_status pare_graph_add_meta(pare_graph *g, const char *key, const char *value)
{
    const char *const k = pare_arena_strdup(g->arena, key), *const v = pare_arena_strdup(g->arena, value);

    for (int i = 0; i < g->n_meta && v; i++)
        if (strcmp(g->meta[2 * i], key) == 0) {
            g->meta[2 * i + 1] = v;
            return PARE_OK;
        }
    if (!k || !v || !grow_pointers(g->arena, &g->meta, 2 * g->n_meta, &g->meta_cap))
        return no_memory();
    g->meta[2 * g->n_meta] = k;
    g->meta[2 * g->n_meta + 1] = v;
    g->n_meta++;
    return PARE_OK;
}

/* ---------------------------------------------------------------------------------------------------------- outside */

int pare_graph_n_inputs(const pare_graph *g)
{
    return g->n_inputs;
}

int pare_graph_n_outputs(const pare_graph *g)
{
    return g->n_outputs;
}

static const char *describe(const pare_value *v, pare_dtype *dtype, pare_shape *shape)
{
    if (dtype)
        *dtype = v->t.dtype;
    if (shape)
        *shape = v->t.shape;
    return v->name;
}

const char *pare_graph_input(const pare_graph *g, int index, pare_dtype *dtype, pare_shape *shape)
{
    return index < 0 || index >= g->n_inputs ? NULL : describe(g->inputs[index], dtype, shape);
}

const char *pare_graph_output(const pare_graph *g, int index, pare_dtype *dtype, pare_shape *shape)
{
    return index < 0 || index >= g->n_outputs ? NULL : describe(g->outputs[index], dtype, shape);
}
