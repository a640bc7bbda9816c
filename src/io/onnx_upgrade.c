/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_upgrade.c - lifts nodes of older operator sets to the newest one, by the rows of onnx_upgrade.def */
#include <string.h>

#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

typedef struct lift lift;
typedef pare_status action(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r);

struct lift {
    const char *op;
    int         last;
    action     *apply;
    const char *attr;
    int         input;
};

/* ------------------------------------------------------------------------------------------------------- actions */

/* A float becomes a scalar (the bounds of Clip), an integer a list of one (the k of TopK). */
static bool as_tensor(pare_onnx_attr *a, pare_tensor *t)
{
    const bool       scalar = a->kind == ONNX_KIND_FLOAT;
    const bool       listed = a->kind == ONNX_KIND_INTS || a->kind == ONNX_KIND_FLOATS;
    const int64_t    count = listed ? a->n : 1;
    const pare_dtype dtype = scalar || a->kind == ONNX_KIND_FLOATS ? PARE_f32 : PARE_s64;

    *t = pare_tensor_of(dtype, pare_shape_of(scalar ? 0 : 1, &count));
    if (a->kind == ONNX_KIND_FLOAT)
        t->data = &a->f;
    else if (a->kind == ONNX_KIND_INT || count == 0)
        t->data = &a->i;
    else
        t->data = a->kind == ONNX_KIND_INTS ? (void *)a->ints : (void *)a->floats;
    return listed || scalar || a->kind == ONNX_KIND_INT;
}

/* The attribute becomes a constant input. */
static pare_status to_input(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    pare_onnx_attr *const a = pare_onnx_attr_find(n, r->attr);

    if (!a)
        return PARE_OK;
    if (r->input < n->n_in)
        return pare_fail(PARE_ERR_DATA, "%s has '%s' both as attribute and as input", n->label, r->attr);

    pare_tensor *const t = pare_arena_alloc(scope->file->arena, sizeof(*t));
    if (!t)
        return pare_fail_memory(sizeof(*t), "an attribute");
    if (!as_tensor(a, t))
        return pare_fail(PARE_ERR_DATA, "%s: attribute '%s' has the wrong type %d", n->label, r->attr, (int)a->kind);
    while (n->n_in <= r->input)
        n->in[n->n_in++] = (pare_onnx_input){ .name = "" };
    n->in[r->input] = (pare_onnx_input){ .made = t, .stem = r->attr };
    pare_onnx_attr_drop(n, r->attr);
    return PARE_OK;
}

static pare_status drop_attr(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    (void)scope;
    pare_onnx_attr_drop(n, r->attr);
    return PARE_OK;
}

/* Outputs from r->input on have a meaning only in training; whoever reads one is refused by name. */
static pare_status drop_outputs(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    for (int i = r->input; i < n->n_out; i++)
        if (n->out[i][0] && !pare_map_set(&scope->file->dropped, n->out[i], (void *)(uintptr_t)n->type))
            return pare_fail_memory(strlen(n->out[i]), "a name");
    if (n->n_out > r->input)
        n->n_out = r->input;
    return PARE_OK;
}

static const pare_tensor *constant_input(const pare_onnx_scope *scope, const pare_onnx_node *n, int i)
{
    if (i >= n->n_in || n->in[i].made)
        return i >= n->n_in ? NULL : n->in[i].made;
    const pare_value *const v = pare_onnx_lookup(scope, n->in[i].name);
    return v && pare_value_is_const(v) ? &v->t : NULL;
}

static bool is_constant_zero(const pare_onnx_scope *scope, const pare_onnx_node *n, int i)
{
    const pare_tensor *const t = constant_input(scope, n, i);

    return t && pare_shape_count(&t->shape) == 1 && pare_tensor_real(t, 0) == 0;
}

/* Dropout drops nothing outside of training (its ratio and seed mean nothing then), nor with a ratio of 0. */
static pare_status inference(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    if (r->input < n->n_in && n->in[r->input].name[0] && !is_constant_zero(scope, n, r->input) &&
        !is_constant_zero(scope, n, 1))
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: training_mode is not a constant false; export for inference",
                         n->label);
    n->n_in = n->n_in > 1 ? 1 : n->n_in;
    pare_onnx_attr_drop(n, r->attr);
    return PARE_OK;
}

static pare_status new_name(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    (void)scope;
    n->type = r->attr;
    return PARE_OK;
}

static pare_status refuse(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    return pare_fail(PARE_ERR_UNSUPPORTED, "%s: the form of operator set %d is not supported, only that after %d",
                     n->label, scope->file->opset, r->last);
}

static pare_status add_string_attr(pare_onnx_scope *scope, pare_onnx_node *n, const char *name, const char *value)
{
    pare_onnx_attr *const a = pare_arena_alloc(scope->file->arena, sizeof(*a));

    if (!a)
        return pare_fail_memory(sizeof(*a), "an attribute");
    *a = (pare_onnx_attr){ .name = name, .kind = ONNX_KIND_STRING, .s = value, .next = n->attrs };
    n->attrs = a;
    return PARE_OK;
}

/* Resize 10 and Upsample: scales were the second input, coordinates were x / scale, nearest was rounding down. */
static pare_status resize_10(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    (void)r;
    if (n->n_in != 2)
        return pare_fail(PARE_ERR_DATA, "%s has %d inputs instead of 2", n->label, n->n_in);
    n->in[2] = n->in[1];
    n->in[1] = (pare_onnx_input){ .name = "" };
    n->n_in = 3;
    pare_onnx_attr *const mode = pare_onnx_attr_find(n, "mode");
    if (mode && mode->s && strcmp(mode->s, "bilinear") == 0)
        mode->s = "linear";
    PARE_TRY(add_string_attr(scope, n, "coordinate_transformation_mode", "asymmetric"));
    return add_string_attr(scope, n, "nearest_mode", "floor");
}

/* Exporters fill optional inputs with constants that have no element. */
static pare_status drop_empty(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    for (int i = r->input; i < n->n_in; i++) {
        const pare_tensor *const t = constant_input(scope, n, i);
        if (t && pare_shape_count(&t->shape) == 0)
            n->in[i] = (pare_onnx_input){ .name = "" };
    }
    return PARE_OK;
}

static pare_status grid_mode(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    pare_onnx_attr *const mode = pare_onnx_attr_find(n, r->attr);

    (void)scope;
    if (mode && mode->s && strcmp(mode->s, "bilinear") == 0)
        mode->s = "linear";
    else if (mode && mode->s && strcmp(mode->s, "bicubic") == 0)
        mode->s = "cubic";
    return PARE_OK;
}

/* Softmax saw its input as a matrix, rows up to `axis` (1 unless given). Finished when the rank is known. */
static pare_status coerce(pare_onnx_scope *scope, pare_onnx_node *n, const lift *r)
{
    pare_onnx_attr *const given = pare_onnx_attr_find(n, r->attr);

    n->coerced = true;
    if (given)
        return PARE_OK;
    pare_onnx_attr *const a = pare_arena_alloc(scope->file->arena, sizeof(*a));
    if (!a)
        return pare_fail_memory(sizeof(*a), "an attribute");
    *a = (pare_onnx_attr){ .name = r->attr, .kind = ONNX_KIND_INT, .i = 1, .next = n->attrs };
    n->attrs = a;
    return PARE_OK;
}

/* --------------------------------------------------------------------------------------------------------- rows */

static const lift rows[] = {
#define PARE_ONNX_UPGRADE(op, last, apply, attr, input) { op, last, apply, attr, input },
#include "io/onnx_upgrade.def"
#undef PARE_ONNX_UPGRADE
};

pare_status pare_onnx_upgrade(pare_onnx_scope *scope, pare_onnx_node *n)
{
    if (n->domain[0])
        return PARE_OK;
    if (scope->file->opset == 0)
        return pare_fail(PARE_ERR_DATA, "%s: the model does not say which ONNX operator set it uses", n->label);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (scope->file->opset <= rows[i].last && strcmp(rows[i].op, n->type) == 0)
            PARE_TRY(rows[i].apply(scope, n, &rows[i]));
    return PARE_OK;
}

/* -------------------------------------------------------------------------------------------------- coerced softmax */

/* y = reshape(softmax(flatten(x, axis), -1), shape(x)), whatever the rank is. */
static pare_status spell_out(pare_node *n, int64_t axis)
{
    pare_graph *const    g = n->graph;
    const pare_op *const op = n->op, *const flatten = pare_op_find_onnx("Flatten"),
                         *const reshape = pare_op_find_onnx("Reshape"), *const shape = pare_op_find_onnx("Shape");
    pare_value *const x = n->in[0], *const y = n->out[0];
    pare_node *const  next = n->next;
    pare_node        *made;
    pare_value       *flat, *soft, *dims;
    const char *const name = n->name;

    if (!flatten || !reshape || !shape)
        return pare_fail(PARE_ERR_UNSUPPORTED, "node '%s': %s of this operator set needs flatten and reshape", name,
                         op->name);
    PARE_TRY(pare_graph_add_value(g, pare_arena_printf(g->arena, "%s_shape", y->name), &dims));
    PARE_TRY(pare_graph_add_value(g, pare_arena_printf(g->arena, "%s_flat", y->name), &flat));
    PARE_TRY(pare_graph_add_value(g, pare_arena_printf(g->arena, "%s_2d", y->name), &soft));
    pare_graph_remove_node(n);
    PARE_TRY(pare_graph_add_node(g, shape, NULL, 1, &x, 1, &dims, next, &made));
    PARE_TRY(pare_graph_add_node(g, flatten, NULL, 1, &x, 1, &flat, next, &made));
    pare_node_set_i(made, "axis", axis);
    PARE_TRY(pare_graph_add_node(g, op, name, 1, &flat, 1, &soft, next, &made));
    pare_node_set_i(made, "axis", -1);
    return pare_graph_add_node(g, reshape, NULL, 2, (pare_value *[]){ soft, dims }, 1, &y, next, &made);
}

pare_status pare_onnx_upgrade_late(pare_onnx *file, bool *changed)
{
    *changed = false;
    for (const pare_onnx_late *l = file->late; l; l = l->next) {
        const pare_value *const x = l->node->in[0];
        const pare_attr *const  attr = pare_attr_find(l->node->op, "axis");
        const int64_t           axis = *(const int64_t *)((const char *)l->node->attrs + attr->offset);
        if (axis == -1 || (x->has_shape && axis == x->t.shape.rank - 1)) {
            pare_node_set_i(l->node, "axis", -1);
            continue;
        }
        PARE_TRY(spell_out(l->node, axis));
        *changed = true;
    }
    return PARE_OK;
}
