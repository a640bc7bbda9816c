/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_node.c - a parsed node to a node of the graph, by its op's descriptor and attribute table */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

/* --------------------------------------------------------------------------------------------------- attributes */

static const struct {
    const char *op, *attr, *value;
} neutral[] = {
#define PARE_ONNX_NEUTRAL(op, attr, value) { op, attr, value },
#include "io/onnx_neutral.def"
#undef PARE_ONNX_NEUTRAL
};

/* As onnx_neutral.def spells it. An empty list is "". */
static const char *value_text(const pare_onnx_attr *a, char text[32])
{
    text[0] = '\0';
    if (a->kind == ONNX_KIND_INT)
        snprintf(text, 32, "%lld", (long long)a->i);
    else if (a->kind == ONNX_KIND_FLOAT)
        snprintf(text, 32, "%g", (double)a->f);
    else if (a->kind == ONNX_KIND_STRING || a->kind == ONNX_KIND_STRINGS)
        return a->s;
    else if (a->n > 0 || a->kind == ONNX_KIND_TENSOR || a->kind == ONNX_KIND_GRAPH)
        snprintf(text, 32, "...");
    return text;
}

static bool is_neutral(const pare_onnx_node *n, const pare_onnx_attr *a)
{
    char              room[32];
    const char *const text = value_text(a, room);

    for (size_t i = 0; i < sizeof(neutral) / sizeof(*neutral); i++)
        if (strcmp(neutral[i].op, n->type) == 0 && strcmp(neutral[i].attr, a->name) == 0 &&
            (strcmp(neutral[i].value, "*") == 0 || strcmp(neutral[i].value, text) == 0))
            return true;
    return false;
}

static pare_status fill_tensor(pare_onnx_scope *scope, const pare_onnx_attr *a, pare_node *node)
{
    pare_tensor t = { 0 };
    const char *name;

    PARE_TRY(pare_onnx_read_tensor(scope->file, a->message, &t, &name));
    const pare_status status = pare_node_set_tensor(node, a->name, &t);
    pare_tensor_release(&t);
    return status;
}

static pare_status fill_body(pare_onnx_scope *scope, const pare_onnx_attr *a, pare_node *node)
{
    pare_graph *body;

    PARE_TRY(pare_graph_create_body(scope->g, a->name, &body));
    pare_node_set_graph(node, a->name, body);
    return pare_onnx_read_graph(scope->file, a->message, body, scope);
}

static pare_status fill_ints(const pare_onnx_node *n, const pare_onnx_attr *a, pare_ints *field)
{
    if (a->n > PARE_MAX_INTS)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: attribute '%s' has %d numbers, more than %d", n->label, a->name,
                         a->n, PARE_MAX_INTS);
    field->n = a->n;
    if (a->n > 0)
        memcpy(field->v, a->ints, (size_t)a->n * sizeof(*a->ints));
    return PARE_OK;
}

static pare_status fill_floats(const pare_onnx_node *n, const pare_onnx_attr *a, pare_floats *field)
{
    if (a->n > PARE_MAX_FLOATS)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: attribute '%s' has %d numbers, more than %d", n->label, a->name,
                         a->n, PARE_MAX_FLOATS);
    field->n = a->n;
    if (a->n > 0)
        memcpy(field->v, a->floats, (size_t)a->n * sizeof(*a->floats));
    return PARE_OK;
}

static pare_status fill_dtype(const pare_onnx_node *n, const pare_onnx_attr *a, pare_dtype *field)
{
    *field = pare_dtype_from_onnx(a->i);
    if (*field == PARE_NO_DTYPE && a->i != 0)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: attribute '%s' names element type %lld, which is not supported",
                         n->label, a->name, (long long)a->i);
    return PARE_OK;
}

/* The kind in the file that fills each type of our table. */
static bool kind_fits(pare_attr_type type, pare_onnx_kind kind)
{
    static const pare_onnx_kind kinds[] = {
        [PARE_ATTR_INT] = ONNX_KIND_INT,       [PARE_ATTR_FLOAT] = ONNX_KIND_FLOAT,
        [PARE_ATTR_STRING] = ONNX_KIND_STRING, [PARE_ATTR_INTS] = ONNX_KIND_INTS,
        [PARE_ATTR_DTYPE] = ONNX_KIND_INT,     [PARE_ATTR_TENSOR] = ONNX_KIND_TENSOR,
        [PARE_ATTR_GRAPH] = ONNX_KIND_GRAPH,   [PARE_ATTR_STRINGS] = ONNX_KIND_STRINGS,
        [PARE_ATTR_FLOATS] = ONNX_KIND_FLOATS,
    };
    return kinds[type] == kind || (type == PARE_ATTR_STRING && kind == ONNX_KIND_STRINGS);
}

static pare_status fill_attr(pare_onnx_scope *scope, const pare_onnx_node *n, const pare_onnx_attr *a, pare_node *node)
{
    const pare_attr *const row = pare_attr_find(node->op, a->name);

    if (!row || row->internal) {
        if (is_neutral(n, a))
            return PARE_OK;
        char room[32];
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: attribute '%s' = %s is not supported", n->label, a->name,
                         value_text(a, room));
    }
    if (!kind_fits(row->type, a->kind))
        return pare_fail(PARE_ERR_DATA, "%s: attribute '%s' has the wrong type %d", n->label, a->name, (int)a->kind);

    void *const field = (char *)node->attrs + row->offset;
    switch (row->type) {
    case PARE_ATTR_INT:
        *(int64_t *)field = a->i;
        return PARE_OK;
    case PARE_ATTR_FLOAT:
        *(float *)field = a->f;
        return PARE_OK;
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        return pare_node_set_s(node, a->name, a->s);
    case PARE_ATTR_INTS:
        return fill_ints(n, a, field);
    case PARE_ATTR_FLOATS:
        return fill_floats(n, a, field);
    case PARE_ATTR_DTYPE:
        return fill_dtype(n, a, field);
    case PARE_ATTR_TENSOR:
        return fill_tensor(scope, a, node);
    case PARE_ATTR_GRAPH:
        return fill_body(scope, a, node);
    }
    return PARE_OK;
}

/* ---------------------------------------------------------------------------------------------- inputs, outputs */

static pare_status unknown_op(const pare_onnx *file, const pare_onnx_node *n)
{
    if (pare_map_get(&file->functions, n->type))
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "%s calls a local function of the model; inline functions before loading", n->label);
    if (n->domain[0])
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "%s: ops of the domain %s are not supported; export the model with ONNX's own ops", n->label,
                         n->domain);
    return pare_fail(PARE_ERR_UNSUPPORTED, "%s: this op is not supported", n->label);
}

static pare_status resolve_input(pare_onnx_scope *scope, const pare_onnx_node *n, int i, pare_value **out)
{
    const pare_onnx_input *const in = &n->in[i];

    *out = NULL;
    if (in->made) {
        const char *const whose = n->n_out > 0 ? n->out[0] : n->name;
        const char *const name = pare_arena_printf(scope->file->arena, "%s_%s", whose, in->stem);
        return name ? pare_graph_add_const(scope->g, name, in->made, out) : pare_fail_memory(1, "a name");
    }
    if (!in->name || !in->name[0])
        return PARE_OK;
    *out = pare_onnx_lookup(scope, in->name);
    if (*out)
        return PARE_OK;

    const char *const trained = pare_map_get(&scope->file->dropped, in->name);
    if (trained)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s reads '%s', which %s makes only in training", n->label, in->name,
                         trained);
    return pare_fail(PARE_ERR_DATA, "%s reads '%s', which is no input, initializer or output of any node", n->label,
                     in->name);
}

static bool is_given(const pare_onnx_node *n, int i)
{
    return i < n->n_in && (n->in[i].made || (n->in[i].name && n->in[i].name[0]));
}

static pare_status check_counts(const pare_onnx_node *n, const pare_op *op)
{
    for (int i = 0; i < op->min_in; i++)
        if (!is_given(n, i))
            return pare_fail(PARE_ERR_DATA, "%s: input %d is missing", n->label, i);
    if (op->max_in >= 0 && n->n_in > op->max_in)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s has %d inputs; at most %d are supported", n->label, n->n_in,
                         op->max_in);
    if (n->n_out < op->min_out)
        return pare_fail(PARE_ERR_DATA, "%s has %d outputs; at least %d are needed", n->label, n->n_out, op->min_out);
    if (n->n_out > op->max_out)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s has %d outputs; at most %d are supported", n->label, n->n_out,
                         op->max_out);
    return PARE_OK;
}

/* ONNX does not ask for unique node names; where one is taken the output's stands for it. */
static const char *node_name(const pare_onnx_scope *scope, const pare_onnx_node *n)
{
    const pare_graph *top = scope->g;

    while (top->parent)
        top = top->parent;
    return n->name[0] && !pare_map_get(&top->node_names, n->name) ? n->name : NULL;
}

static pare_status add_node(pare_onnx_scope *scope, const pare_onnx_node *n, const pare_op *op, pare_node **out)
{
    const size_t       count = (size_t)n->n_in + (size_t)n->n_out + 1;
    pare_value **const values = pare_arena_alloc(scope->file->arena, count * sizeof(*values));

    if (!values)
        return pare_fail_memory((size_t)n->n_in * sizeof(*values), "a node");
    for (int i = 0; i < n->n_in; i++)
        PARE_TRY(resolve_input(scope, n, i, &values[i]));
    for (int i = 0; i < n->n_out; i++)
        values[n->n_in + i] = n->out[i][0] ? pare_map_get(&scope->values, n->out[i]) : NULL;
    return pare_graph_add_node(scope->g, op, node_name(scope, n), n->n_in, values, n->n_out, values + n->n_in, NULL,
                               out);
}

static pare_status note_late(pare_onnx *file, pare_node *node)
{
    pare_onnx_late *const late = pare_arena_alloc(file->arena, sizeof(*late));

    if (!late)
        return pare_fail_memory(sizeof(*late), "a node");
    *late = (pare_onnx_late){ .node = node, .next = file->late };
    file->late = late;
    return PARE_OK;
}

pare_status pare_onnx_build_node(pare_onnx_scope *scope, pare_onnx_node *n)
{
    const pare_op *const op = n->domain[0] ? NULL : pare_op_find_onnx(n->type);
    pare_node           *node;

    if (!op)
        return unknown_op(scope->file, n);
    while (n->n_in > 0 && !is_given(n, n->n_in - 1))
        n->n_in--;
    while (n->n_out > op->min_out && !n->out[n->n_out - 1][0])
        n->n_out--;
    PARE_TRY(check_counts(n, op));
    PARE_TRY(add_node(scope, n, op, &node));
    for (const pare_onnx_attr *a = n->attrs; a; a = a->next)
        PARE_TRY(fill_attr(scope, n, a, node));
    for (const pare_attr *a = op->attrs; a && a->name; a++)
        if (a->type == PARE_ATTR_GRAPH && !pare_onnx_attr_find(n, a->name))
            return pare_fail(PARE_ERR_DATA, "%s: attribute '%s' is missing", n->label, a->name);
    return n->coerced ? note_late(scope->file, node) : PARE_OK;
}
