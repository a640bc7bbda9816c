/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_parse.c - NodeProto and AttributeProto to small structs in the reader's arena */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "io/onnx.h"

/* --------------------------------------------------------------------------------------------------- attributes */

enum {
    MAX_ATTRS = 64,    /* of one node: the richest op of ONNX has about fifteen */
    MAX_JOINED = 1024, /* characters of a list of strings                       */
};

const char *pare_onnx_text(pare_onnx *file, pare_field *f)
{
    const char *const text = pare_field_text(f, file->arena);

    file->no_memory |= !text && !f->message->bad;
    f->message->bad |= !text;
    return text ? text : "";
}

const char *pare_onnx_name(pare_onnx *file, pare_field *f)
{
    const char *const name = pare_field_name(f, file->arena);

    file->no_memory |= !name && !f->message->bad;
    f->message->bad |= !name;
    return name ? name : "";
}

/* Doubles the room of a list in the arena; old room is left behind, which at most doubles the whole. */
static void *room_for_one(pare_onnx *file, void *list, int n, size_t item)
{
    if (n & (n - 1))
        return list;

    void *const more = n < INT_MAX / 2 ? pare_arena_alloc(file->arena, (n ? 2 * (size_t)n : 1) * item) : NULL;
    if (more && n)
        memcpy(more, list, (size_t)n * item);
    file->no_memory |= !more;
    return more;
}

static void add_ints(pare_onnx *file, pare_field *f, pare_onnx_attr *a)
{
    uint64_t number;

    while (pare_field_number(f, PARE_WIRE_VARINT, &number)) {
        a->ints = a->floats ? NULL : room_for_one(file, a->ints, a->n, sizeof(*a->ints));
        if (!a->ints) {
            f->message->bad = true;
            return;
        }
        a->ints[a->n++] = (int64_t)number;
    }
}

static void add_floats(pare_onnx *file, pare_field *f, pare_onnx_attr *a)
{
    uint64_t number;

    while (pare_field_number(f, PARE_WIRE_32, &number)) {
        const uint32_t bits = (uint32_t)number;
        a->floats = a->ints ? NULL : room_for_one(file, a->floats, a->n, sizeof(*a->floats));
        if (!a->floats) {
            f->message->bad = true;
            return;
        }
        memcpy(&a->floats[a->n++], &bits, sizeof(bits));
    }
}

/* Lists of strings are short (the activations of an LSTM) and become one string: "Sigmoid,Tanh,Tanh". */
static void add_string(pare_onnx *file, pare_field *f, pare_onnx_attr *a)
{
    const char *const text = pare_onnx_name(file, f);

    if (a->s && strlen(a->s) > MAX_JOINED)
        f->message->bad = true;
    a->s = a->s && !f->message->bad ? pare_arena_printf(file->arena, "%s,%s", a->s, text) : text;
    file->no_memory |= !a->s;
    f->message->bad |= !a->s;
}

static void parse_attr_field(pare_onnx *file, pare_field *f, pare_onnx_attr *a, bool *refers)
{
    switch (f->number) {
    case ONNX_ATTR_NAME:
        a->name = pare_onnx_name(file, f);
        break;
    case ONNX_ATTR_TYPE:
        a->kind = (pare_onnx_kind)pare_field_int(f);
        break;
    case ONNX_ATTR_F:
        a->f = pare_field_float(f);
        break;
    case ONNX_ATTR_I:
        a->i = pare_field_int(f);
        break;
    case ONNX_ATTR_S:
    case ONNX_ATTR_STRINGS:
        add_string(file, f, a);
        break;
    case ONNX_ATTR_T:
    case ONNX_ATTR_G:
        a->message = pare_field_bytes(f);
        break;
    case ONNX_ATTR_FLOATS:
        add_floats(file, f, a);
        break;
    case ONNX_ATTR_INTS:
        add_ints(file, f, a);
        break;
    case ONNX_ATTR_REF:
        *refers = true;
        break;
    }
}

static pare_status parse_attr(pare_onnx *file, pare_cursor message, const pare_onnx_node *n, pare_onnx_attr **out)
{
    pare_onnx_attr *const a = pare_arena_alloc(file->arena, sizeof(*a));
    pare_field            f;
    bool                  refers = false;

    if (!a)
        return pare_fail_memory(sizeof(*a), "an attribute");
    a->message = pare_cursor_of("", 0);
    while (pare_field_next(&message, &f))
        parse_attr_field(file, &f, a, &refers);

    if (message.bad || !a->name || !a->name[0] || (a->ints && a->kind != ONNX_KIND_INTS) ||
        (a->floats && a->kind != ONNX_KIND_FLOATS))
        return pare_fail(PARE_ERR_DATA, "%s: attribute '%s' is damaged", n->label, a->name ? a->name : "");
    if (refers)
        return pare_fail(PARE_ERR_DATA, "%s: attribute '%s' refers to a function's, outside of any function", n->label,
                         a->name);
    if (a->kind <= ONNX_KIND_NONE || a->kind > ONNX_KIND_STRINGS)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: attribute '%s' has the unsupported type %d", n->label, a->name,
                         (int)a->kind);
    if ((a->kind == ONNX_KIND_STRING || a->kind == ONNX_KIND_STRINGS) && !a->s)
        a->s = "";
    *out = a;
    return PARE_OK;
}

pare_onnx_attr *pare_onnx_attr_find(const pare_onnx_node *n, const char *name)
{
    for (pare_onnx_attr *a = n->attrs; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

void pare_onnx_attr_drop(pare_onnx_node *n, const char *name)
{
    for (pare_onnx_attr **a = &n->attrs; *a; a = &(*a)->next)
        if (strcmp((*a)->name, name) == 0) {
            *a = (*a)->next;
            return;
        }
}

/* -------------------------------------------------------------------------------------------------------- nodes */

/* First walk: everything but attributes, whose sentences want the node's label. */
static pare_status parse_names(pare_onnx *file, pare_cursor message, pare_onnx_node *n)
{
    pare_cursor again = message;
    pare_field  f;
    int         n_in = 0, n_out = 0;

    while (pare_field_next(&again, &f)) {
        n_in += f.number == ONNX_NODE_INPUT;
        n_out += f.number == ONNX_NODE_OUTPUT;
    }
    n->in = pare_arena_alloc(file->arena, ((size_t)n_in + PARE_ONNX_SPARE_INPUTS) * sizeof(*n->in));
    n->out = pare_arena_alloc(file->arena, ((size_t)n_out + 1) * sizeof(*n->out));
    if (!n->in || !n->out)
        return pare_fail_memory((size_t)n_in * sizeof(*n->in), "a node");

    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_NODE_INPUT)
            n->in[n->n_in++].name = pare_onnx_name(file, &f);
        else if (f.number == ONNX_NODE_OUTPUT)
            n->out[n->n_out++] = pare_onnx_name(file, &f);
        else if (f.number == ONNX_NODE_NAME)
            n->name = pare_onnx_name(file, &f);
        else if (f.number == ONNX_NODE_TYPE)
            n->type = pare_onnx_name(file, &f);
        else if (f.number == ONNX_NODE_DOMAIN)
            n->domain = pare_onnx_name(file, &f);
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "node '%s' (%s) is damaged", n->name ? n->name : "", n->type ? n->type : "");
    if (!n->type[0])
        return pare_fail(PARE_ERR_DATA, "node '%s' does not say which op it is", n->name);
    if (strcmp(n->domain, "ai.onnx") == 0)
        n->domain = "";

    const char *const called = n->name[0] ? n->name : n->n_out > 0 ? n->out[0] : "";
    n->label =
        pare_arena_printf(file->arena, "node '%s' (%s%s%s)", called, n->domain, n->domain[0] ? "." : "", n->type);
    return n->label ? PARE_OK : pare_fail_memory(strlen(called), "a node");
}

pare_status pare_onnx_parse_node(pare_onnx *file, pare_cursor message, pare_onnx_node **out)
{
    pare_onnx_node *const n = pare_arena_alloc(file->arena, sizeof(*n));
    pare_field            f;

    if (!n)
        return pare_fail_memory(sizeof(*n), "a node");
    n->name = n->type = n->domain = "";
    PARE_TRY(parse_names(file, message, n));

    pare_onnx_attr **end = &n->attrs;
    int              count = 0;
    while (pare_field_next(&message, &f)) {
        if (f.number != ONNX_NODE_ATTRIBUTE)
            continue;
        if (count++ == MAX_ATTRS)
            return pare_fail(PARE_ERR_DATA, "%s has more than %d attributes", n->label, MAX_ATTRS);
        PARE_TRY(parse_attr(file, pare_field_bytes(&f), n, end));
        if (pare_onnx_attr_find(n, (*end)->name) != *end)
            return pare_fail(PARE_ERR_DATA, "%s: attribute '%s' is given twice", n->label, (*end)->name);
        end = &(*end)->next;
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "%s is damaged", n->label);
    *out = n;
    return PARE_OK;
}
