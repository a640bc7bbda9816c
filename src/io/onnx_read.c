/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_read.c - GraphProto to a graph: constants, inputs, nodes in any order, outputs */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

/* ------------------------------------------------------------------------------------------------- names, values */

pare_value *pare_onnx_lookup(const pare_onnx_scope *scope, const char *name)
{
    for (; scope; scope = scope->outer) {
        pare_value *const v = pare_map_get(&scope->values, name);
        if (v)
            return v;
    }
    return NULL;
}

static pare_status declare(pare_onnx_scope *scope, const char *name, pare_value *v)
{
    return pare_map_set(&scope->values, name, v) ? PARE_OK : pare_fail_memory(strlen(name), "a name");
}

static pare_status check_new(const pare_onnx_scope *scope, const char *name, const char *what)
{
    if (!name[0])
        return pare_fail(PARE_ERR_DATA, "%s has no name", what);
    if (pare_map_get(&scope->values, name))
        return pare_fail(PARE_ERR_DATA, "the name '%s' of %s is taken; names must be unique", name, what);
    return PARE_OK;
}

static pare_status add_const(pare_onnx_scope *scope, const char *name, pare_tensor *t, const char *what)
{
    pare_value *v;
    pare_status status = check_new(scope, name, what);

    if (status == PARE_OK)
        status = pare_graph_add_const(scope->g, name, t, &v);
    pare_tensor_release(t);
    return status == PARE_OK ? declare(scope, name, v) : status;
}

static pare_status read_initializers(pare_onnx_scope *scope, pare_cursor message)
{
    pare_field f;

    while (pare_field_next(&message, &f)) {
        pare_tensor t = { 0 };
        const char *name;
        if (f.number == ONNX_GRAPH_SPARSE)
            return pare_fail(PARE_ERR_UNSUPPORTED, "the model has sparse initializers; store them densely");
        if (f.number != ONNX_GRAPH_INITIALIZER)
            continue;
        PARE_TRY(pare_onnx_read_tensor(scope->file, pare_field_bytes(&f), &t, &name));
        PARE_TRY(add_const(scope, name, &t, "an initializer"));
    }
    return message.bad ? pare_fail(PARE_ERR_DATA, "the graph is damaged or cut off") : PARE_OK;
}

/* An input with an initializer (all of them before IR version 4) is a constant. */
static pare_status read_inputs(pare_onnx_scope *scope, pare_cursor message)
{
    pare_field     f;
    pare_onnx_info info;
    pare_value    *v;

    while (pare_field_next(&message, &f)) {
        if (f.number != ONNX_GRAPH_INPUT)
            continue;
        PARE_TRY(pare_onnx_parse_info(scope->file, pare_field_bytes(&f), &info));
        const pare_value *const taken = pare_map_get(&scope->values, info.name);
        if (taken && pare_value_is_const(taken))
            continue;
        PARE_TRY(check_new(scope, info.name, "an input"));
        if (info.dtype == PARE_NO_DTYPE && !scope->outer)
            return pare_fail(PARE_ERR_DATA, "input '%s' has no element type", info.name);
        PARE_TRY(pare_graph_add_input(scope->g, info.name, info.dtype, &info.shape, &v));
        v->has_shape = info.has_shape;
        for (int i = 0; i < info.shape.rank; i++)
            if (info.dim_name[i] && !(v->dim_name[i] = pare_arena_strdup(scope->g->arena, info.dim_name[i])))
                return pare_fail_memory(strlen(info.dim_name[i]), "a name");
        PARE_TRY(declare(scope, info.name, v));
    }
    return PARE_OK;
}

/* -------------------------------------------------------------------------------------------------------- nodes */

static pare_tensor list_of(pare_dtype dtype, bool scalar, int n, void *data)
{
    const int64_t count = n;
    pare_tensor   t = pare_tensor_of(dtype, scalar ? pare_shape_of(0, NULL) : pare_shape_of(1, &count));

    t.data = data;
    return t;
}

/* A Constant node in any of its forms becomes a constant. */
static pare_status read_constant(pare_onnx_scope *scope, const pare_onnx_node *n)
{
    pare_onnx_attr *const a = n->attrs;
    pare_tensor           t = { 0 };
    const char           *name;

    if (n->n_out != 1 || !a || a->next)
        return pare_fail(PARE_ERR_DATA, "%s must have one value and one output", n->label);
    if (strcmp(a->name, "value") == 0 && a->kind == ONNX_KIND_TENSOR)
        PARE_TRY(pare_onnx_read_tensor(scope->file, a->message, &t, &name));
    else if (strcmp(a->name, "value_int") == 0 && a->kind == ONNX_KIND_INT)
        t = list_of(PARE_s64, true, 1, &a->i);
    else if (strcmp(a->name, "value_float") == 0 && a->kind == ONNX_KIND_FLOAT)
        t = list_of(PARE_f32, true, 1, &a->f);
    else if (strcmp(a->name, "value_ints") == 0 && a->kind == ONNX_KIND_INTS)
        t = list_of(PARE_s64, false, a->n, a->n ? a->ints : &a->i);
    else if (strcmp(a->name, "value_floats") == 0 && a->kind == ONNX_KIND_FLOATS)
        t = list_of(PARE_f32, false, a->n, a->n ? (void *)a->floats : &a->f);
    else
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: constants of the form '%s' are not supported", n->label, a->name);
    return add_const(scope, n->out[0], &t, n->label);
}

/* All nodes of the graph that are not constants, as a list in the file's order. */
static pare_status read_nodes(pare_onnx_scope *scope, pare_cursor message, pare_onnx_node **list)
{
    pare_field f;

    *list = NULL;
    while (pare_field_next(&message, &f)) {
        if (f.number != ONNX_GRAPH_NODE)
            continue;
        PARE_TRY(pare_onnx_parse_node(scope->file, pare_field_bytes(&f), list));
        if ((*list)->domain[0] == '\0' && strcmp((*list)->type, "Constant") == 0) {
            PARE_TRY(read_constant(scope, *list));
            *list = NULL;
        } else {
            list = &(*list)->next;
        }
    }
    return PARE_OK;
}

/* Outputs first, so that nodes may come in any order and so that a taken name is found before it is used. */
static pare_status build_nodes(pare_onnx_scope *scope, pare_onnx_node *list)
{
    pare_value *v;

    for (pare_onnx_node *n = list; n; n = n->next) {
        PARE_TRY(pare_onnx_upgrade(scope, n));
        for (int i = 0; i < n->n_out; i++) {
            if (!n->out[i][0])
                continue;
            PARE_TRY(check_new(scope, n->out[i], n->label));
            PARE_TRY(pare_graph_add_value(scope->g, n->out[i], &v));
            PARE_TRY(declare(scope, n->out[i], v));
        }
    }
    for (pare_onnx_node *n = list; n; n = n->next)
        PARE_TRY(pare_onnx_build_node(scope, n));
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------- outputs */

/* The type that the file declares holds until inference knows better; the shape waits for what inference finds. */
static pare_status hint(pare_onnx_scope *scope, pare_value *v, const pare_onnx_info *info)
{
    pare_onnx_hint *const h = pare_arena_alloc(scope->file->arena, sizeof(*h));

    if (!h)
        return pare_fail_memory(sizeof(*h), "an output");
    if (scope->outer || v->is_input || pare_value_is_const(v))
        return PARE_OK;
    v->t.dtype = info->dtype;
    *h = (pare_onnx_hint){ .value = v, .has_shape = info->has_shape, .shape = info->shape, .next = scope->file->hints };
    memcpy(h->dim_name, info->dim_name, sizeof(h->dim_name));
    scope->file->hints = h;
    return PARE_OK;
}

static pare_status read_outputs(pare_onnx_scope *scope, pare_cursor message)
{
    pare_field     f;
    pare_onnx_info info;

    while (pare_field_next(&message, &f)) {
        if (f.number != ONNX_GRAPH_OUTPUT)
            continue;
        PARE_TRY(pare_onnx_parse_info(scope->file, pare_field_bytes(&f), &info));
        pare_value *const v = pare_onnx_lookup(scope, info.name);
        const char *const trained = pare_map_get(&scope->file->dropped, info.name);
        if (!v && trained)
            return pare_fail(PARE_ERR_UNSUPPORTED, "output '%s' is made by %s only in training", info.name, trained);
        if (!v)
            return pare_fail(PARE_ERR_DATA, "output '%s' is made by no node", info.name);
        if (!scope->outer && pare_map_get(&scope->listed, v->name))
            return pare_fail(PARE_ERR_DATA, "output '%s' is listed twice", info.name);
        if (!pare_map_set(&scope->listed, v->name, v))
            return pare_fail_memory(strlen(v->name), "a name");
        PARE_TRY(hint(scope, v, &info));
        PARE_TRY(pare_graph_add_output(scope->g, v));
    }
    if (scope->g->n_outputs == 0)
        return pare_fail(PARE_ERR_DATA, "the graph has no outputs");
    return PARE_OK;
}

static pare_status read_name(pare_onnx_scope *scope, pare_cursor message)
{
    pare_field  f;
    const char *name = NULL;

    while (pare_field_next(&message, &f))
        if (f.number == ONNX_GRAPH_NAME)
            name = pare_onnx_name(scope->file, &f);
    if (name && name[0])
        scope->g->name = pare_arena_strdup(scope->g->arena, name);
    return scope->g->name ? PARE_OK : pare_fail_memory(1, "a name");
}

static pare_status read_graph_parts(pare_onnx_scope *scope, pare_cursor message)
{
    pare_onnx_node *nodes;

    PARE_TRY(read_name(scope, message));
    PARE_TRY(read_initializers(scope, message));
    PARE_TRY(read_inputs(scope, message));
    PARE_TRY(read_nodes(scope, message, &nodes));
    PARE_TRY(build_nodes(scope, nodes));
    return read_outputs(scope, message);
}

pare_status pare_onnx_read_graph(pare_onnx *file, pare_cursor message, pare_graph *g, const pare_onnx_scope *outer)
{
    enum { LEVELS = 3 }; /* graph, node, attribute */
    pare_onnx_scope scope = { .file = file, .g = g, .outer = outer };

    if (file->depth + LEVELS > PARE_WIRE_DEPTH)
        return pare_fail(PARE_ERR_DATA, "graphs are nested more than %d deep", PARE_WIRE_DEPTH / LEVELS);
    file->depth += LEVELS;
    const pare_status status = read_graph_parts(&scope, message);
    file->depth -= LEVELS;
    pare_map_free(&scope.values);
    pare_map_free(&scope.listed);
    return status;
}
