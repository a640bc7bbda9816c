/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_write_node.c - a node as NodeProto, by its op's attribute table; a clamp becomes a Relu or Clip behind it */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

static void begin_attr(pare_wire *w, const char *name)
{
    pare_wire_begin(w, ONNX_NODE_ATTRIBUTE);
    pare_wire_text(w, ONNX_ATTR_NAME, name);
}

static void end_attr(pare_wire *w, pare_onnx_kind kind)
{
    pare_wire_int(w, ONNX_ATTR_TYPE, kind);
    pare_wire_end(w);
}

/* "Sigmoid,Tanh" as the list that it was. */
static void write_strings(pare_wire *w, const char *joined)
{
    while (*joined) {
        const size_t n = strcspn(joined, ",");

        pare_wire_bytes(w, ONNX_ATTR_STRINGS, joined, n);
        joined += n + (joined[n] == ',');
    }
}

static pare_status write_attr(pare_onnx_writer *w, const pare_attr *a, const void *field)
{
    pare_wire *const wire = &w->wire;

    begin_attr(wire, a->name);
    switch (a->type) {
    case PARE_ATTR_INT:
        pare_wire_int(wire, ONNX_ATTR_I, *(const int64_t *)field);
        end_attr(wire, ONNX_KIND_INT);
        break;
    case PARE_ATTR_DTYPE:
        pare_wire_int(wire, ONNX_ATTR_I, pare_dtype_to_onnx(*(const pare_dtype *)field));
        end_attr(wire, ONNX_KIND_INT);
        break;
    case PARE_ATTR_FLOAT:
        pare_wire_float(wire, ONNX_ATTR_F, *(const float *)field);
        end_attr(wire, ONNX_KIND_FLOAT);
        break;
    case PARE_ATTR_STRING:
        pare_wire_text(wire, ONNX_ATTR_S, *(const char *const *)field);
        end_attr(wire, ONNX_KIND_STRING);
        break;
    case PARE_ATTR_STRINGS:
        write_strings(wire, *(const char *const *)field);
        end_attr(wire, ONNX_KIND_STRINGS);
        break;
    case PARE_ATTR_FLOATS:
        for (int i = 0; i < ((const pare_floats *)field)->n; i++)
            pare_wire_float(wire, ONNX_ATTR_FLOATS, ((const pare_floats *)field)->v[i]);
        end_attr(wire, ONNX_KIND_FLOATS);
        break;
    case PARE_ATTR_INTS:
        for (int i = 0; i < ((const pare_ints *)field)->n; i++)
            pare_wire_int(wire, ONNX_ATTR_INTS, ((const pare_ints *)field)->v[i]);
        end_attr(wire, ONNX_KIND_INTS);
        break;
    case PARE_ATTR_TENSOR:
        PARE_TRY(pare_onnx_write_tensor(w, ONNX_ATTR_T, NULL, *(const pare_tensor *const *)field));
        end_attr(wire, ONNX_KIND_TENSOR);
        break;
    case PARE_ATTR_GRAPH:
        pare_wire_begin(wire, ONNX_ATTR_G);
        PARE_TRY(pare_onnx_write_graph(w, *(struct pare_graph *const *)field));
        pare_wire_end(wire);
        end_attr(wire, ONNX_KIND_GRAPH);
        break;
    }
    return PARE_OK;
}

static void write_list_attr(pare_wire *w, const char *name, const pare_tensor *t)
{
    begin_attr(w, name);
    for (int64_t i = 0; i < pare_shape_count(&t->shape); i++)
        pare_wire_int(w, ONNX_ATTR_INTS, pare_tensor_int(t, i));
    end_attr(w, ONNX_KIND_INTS);
}

/* The bounds of an op with PARE_CAN_CLAMP; the whole line when it has none. */
typedef struct clamp {
    float lo, hi;
} clamp;

static clamp clamp_of(const pare_node *n)
{
    const pare_attr *const lo = pare_attr_find(n->op, "clamp_lo"), *const hi = pare_attr_find(n->op, "clamp_hi");
    clamp c = { -INFINITY, INFINITY };

    if ((n->op->traits & PARE_CAN_CLAMP) && lo && hi) {
        c.lo = *(const float *)((const char *)n->attrs + lo->offset);
        c.hi = *(const float *)((const char *)n->attrs + hi->offset);
    }
    return c;
}

static bool clamps(clamp c)
{
    return c.lo > -INFINITY || c.hi < INFINITY;
}

static pare_status write_attrs(pare_onnx_writer *w, const pare_node *n)
{
    for (const pare_attr *a = n->op->attrs; a && a->name; a++) {
        const bool is_clamp = strcmp(a->name, "clamp_lo") == 0 || strcmp(a->name, "clamp_hi") == 0;
        if (pare_onnx_attr_is_default(a, n->attrs) && (a->internal || !pare_onnx_is_required(n->op, a)))
            continue;
        if (a->internal && is_clamp && (n->op->traits & PARE_CAN_CLAMP))
            continue;
        if (a->internal)
            return pare_fail(PARE_ERR_UNSUPPORTED, "node '%s': ONNX has no attribute '%s' of %s", n->name, a->name,
                             n->op->onnx);
        PARE_TRY(write_attr(w, a, (const char *)n->attrs + a->offset));
    }
    return PARE_OK;
}

static pare_status write_inputs(pare_onnx_writer *w, const pare_node *n)
{
    int last = n->n_in;

    while (last > 0 && (!n->in[last - 1] || pare_onnx_as_attribute(n, last - 1, w->opset)))
        last--;
    for (int i = 0; i < last; i++)
        pare_wire_text(&w->wire, ONNX_NODE_INPUT,
                       n->in[i] && !pare_onnx_as_attribute(n, i, w->opset) ? n->in[i]->name : "");
    return PARE_OK;
}

/* A node that is called like its first output needs no name of its own: reading gives it that one. */
static void write_head(pare_wire *w, const char *name, const char *output, const char *type)
{
    if (strcmp(name, output) != 0)
        pare_wire_text(w, ONNX_NODE_NAME, name);
    pare_wire_text(w, ONNX_NODE_TYPE, type);
}

/* A float scalar the clamp reads; written as a Constant node, so that it stands beside its only reader. */
static pare_status write_bound(pare_onnx_writer *w, const char *name, float value)
{
    pare_wire *const wire = &w->wire;

    pare_wire_begin(wire, ONNX_GRAPH_NODE);
    pare_wire_text(wire, ONNX_NODE_OUTPUT, name);
    write_head(wire, name, name, "Constant");
    begin_attr(wire, "value_float");
    pare_wire_float(wire, ONNX_ATTR_F, value);
    end_attr(wire, ONNX_KIND_FLOAT);
    pare_wire_end(wire);
    return PARE_OK;
}

/* A name for something that only the file has. */
static const char *made_name(pare_onnx_writer *w, const pare_node *n, const char *what)
{
    const char *const whose = n->out[0] ? n->out[0]->name : n->name;
    const char       *name = pare_arena_printf(w->arena, "%s_%s", whose, what);

    for (int i = 2; name && pare_graph_find(n->graph, name); i++)
        name = pare_arena_printf(w->arena, "%s_%s%d", whose, what, i);
    return name;
}

static pare_status write_clamp(pare_onnx_writer *w, const pare_node *n, clamp c, const char *from)
{
    pare_wire *const  wire = &w->wire;
    const bool        relu = c.lo == 0 && c.hi == INFINITY;
    const char *const lo = made_name(w, n, "min"), *const hi = made_name(w, n, "max");
    const char *const name = made_name(w, n, "clamp");

    if (!lo || !hi || !name)
        return pare_fail_memory(1, "a name");
    if (!relu && c.lo > -INFINITY)
        PARE_TRY(write_bound(w, lo, c.lo));
    if (!relu && c.hi < INFINITY)
        PARE_TRY(write_bound(w, hi, c.hi));
    pare_wire_begin(wire, ONNX_GRAPH_NODE);
    pare_wire_text(wire, ONNX_NODE_INPUT, from);
    if (!relu)
        pare_wire_text(wire, ONNX_NODE_INPUT, c.lo > -INFINITY ? lo : "");
    if (!relu && c.hi < INFINITY)
        pare_wire_text(wire, ONNX_NODE_INPUT, hi);
    pare_wire_text(wire, ONNX_NODE_OUTPUT, n->out[0]->name);
    write_head(wire, name, n->out[0]->name, relu ? "Relu" : "Clip");
    pare_wire_end(wire);
    return PARE_OK;
}

/*
 * Outputs that nobody wants have no name, where ONNX lets them be left out: neither those that the op must have nor
 * those in a row of any length (Split) may be.
 */
static pare_status write_outputs(pare_onnx_writer *w, const pare_node *n, const char *first)
{
    const bool any = n->op->max_out == PARE_MAX_OUTPUTS;
    int        last = n->n_out;

    while (last > n->op->min_out && !any && !n->out[last - 1])
        last--;
    for (int i = 0; i < last; i++) {
        const char *name = i == 0 ? first : n->out[i] ? n->out[i]->name : "";

        if (!n->out[i] && (any || i < n->op->min_out))
            name = made_name(w, n, pare_arena_printf(w->arena, "unread%d", i));
        if (!name)
            return pare_fail_memory(1, "a name");
        pare_wire_text(&w->wire, ONNX_NODE_OUTPUT, name);
    }
    return PARE_OK;
}

pare_status pare_onnx_write_node(pare_onnx_writer *w, const pare_node *n)
{
    pare_wire *const wire = &w->wire;
    const clamp      c = clamp_of(n);
    const char      *first = n->out[0] ? n->out[0]->name : "";

    if (!n->op->onnx)
        return pare_fail(PARE_ERR_UNSUPPORTED, "node '%s': %s is no op of ONNX; save the graph before it is lowered",
                         n->name, n->op->name);
    if (clamps(c) && !(first = made_name(w, n, "unclamped")))
        return pare_fail_memory(1, "a name");

    pare_wire_begin(wire, ONNX_GRAPH_NODE);
    PARE_TRY(write_inputs(w, n));
    PARE_TRY(write_outputs(w, n, first));
    write_head(wire, n->name, first, n->op->onnx);
    PARE_TRY(write_attrs(w, n));
    for (int i = 0; i < n->n_in; i++) {
        const char *const attr = pare_onnx_as_attribute(n, i, w->opset);
        if (attr)
            write_list_attr(wire, attr, &n->in[i]->t);
    }
    pare_wire_end(wire);
    return clamps(c) ? write_clamp(w, n, c, first) : PARE_OK;
}
