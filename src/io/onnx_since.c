/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_since.c - which operator set a graph needs, by the rows of onnx_since.def and the dtypes in it */
#include <string.h>

#include "io/onnx.h"
#include "tensor/tensor.h"

typedef enum kind { OP, ATTR, TEXT, INPUT, SMALL, LIST, ALWAYS } kind;

static const struct row {
    kind        kind;
    const char *op;
    int         set;
    const char *attr;
    int         input;
} rows[] = {
#define PARE_ONNX_SINCE(kind, op, set, attr, input) { kind, op, set, attr, input },
#include "io/onnx_since.def"
#undef PARE_ONNX_SINCE
};
enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

bool pare_onnx_attr_is_default(const pare_attr *a, const void *attrs)
{
    const void *const field = (const char *)attrs + a->offset;

    switch (a->type) {
    case PARE_ATTR_INT:
        return *(const int64_t *)field == a->i;
    case PARE_ATTR_FLOAT:
        return memcmp(field, &a->f, sizeof(float)) == 0;
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS: {
        const char *const s = *(const char *const *)field;
        return s == a->s || (s && a->s && strcmp(s, a->s) == 0) || !s;
    }
    case PARE_ATTR_INTS:
        return ((const pare_ints *)field)->n == 0;
    case PARE_ATTR_FLOATS:
        return ((const pare_floats *)field)->n == 0;
    case PARE_ATTR_DTYPE:
        return *(const pare_dtype *)field == (pare_dtype)a->i;
    case PARE_ATTR_TENSOR:
        return *(const pare_tensor *const *)field == NULL;
    case PARE_ATTR_GRAPH:
        return *(struct pare_graph *const *)field == NULL;
    }
    return true;
}

static bool attr_is_used(const pare_node *n, const char *name)
{
    const pare_attr *const a = pare_attr_find(n->op, name);

    return a && !pare_onnx_attr_is_default(a, n->attrs);
}

/* `what` is "attribute=value". */
static bool attr_has_text(const pare_node *n, const char *what)
{
    const size_t length = strcspn(what, "=");

    for (const pare_attr *a = n->op->attrs; a && a->name; a++)
        if (a->type == PARE_ATTR_STRING && strlen(a->name) == length && memcmp(a->name, what, length) == 0) {
            const char *const text = *(const char *const *)((const char *)n->attrs + a->offset);
            return text && strcmp(text, what + length + 1) == 0;
        }
    return false;
}

static bool input_is_there(const pare_node *n, int i)
{
    return i < n->n_in && n->in[i];
}

static bool input_is_small(const pare_node *n)
{
    const pare_dtype dtype = input_is_there(n, 0) ? n->in[0]->t.dtype : PARE_NO_DTYPE;

    return dtype != PARE_NO_DTYPE && pare_dtype_kind(dtype) == PARE_KIND_INT && pare_dtype_bits(dtype) <= 16;
}

static bool can_be_attribute(const pare_node *n, int i)
{
    const pare_value *const v = n->in[i];

    return pare_value_is_const(v) && v->t.dtype == PARE_s64 && v->t.shape.rank == 1 &&
           pare_shape_count(&v->t.shape) <= PARE_MAX_INTS;
}

/* Types that came with a set, whatever the op. */
static int since_dtype(pare_dtype dtype)
{
    const int bits = pare_dtype_bits(dtype);

    return bits == 2 ? 25 : bits == 4 ? 21 : 13;
}

static int since_values(const pare_node *n)
{
    const bool quantizes = strcmp(n->op->onnx, "QuantizeLinear") == 0 || strcmp(n->op->onnx, "DequantizeLinear") == 0;
    int        set = PARE_ONNX_FIRST;

    for (int i = 0; i < n->n_in + n->n_out; i++) {
        const pare_value *const v = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
        if (!v || v->t.dtype == PARE_NO_DTYPE)
            continue;
        int needed = since_dtype(v->t.dtype);
        if (quantizes && (v->t.dtype == PARE_u16 || v->t.dtype == PARE_s16))
            needed = 21;
        if (quantizes && (v->t.dtype == PARE_f16 || v->t.dtype == PARE_bf16))
            needed = 19;
        set = needed > set ? needed : set;
    }
    return set;
}

int pare_onnx_since_node(const pare_node *n)
{
    int set = PARE_ONNX_FIRST;

    if (!n->op->onnx)
        return set;
    set = since_values(n);
    for (int i = 0; i < N_ROWS; i++) {
        const struct row *const r = &rows[i];
        if (strcmp(r->op, n->op->onnx) != 0 || r->set <= set)
            continue;
        if (r->kind == OP || (r->kind == ATTR && attr_is_used(n, r->attr)) ||
            (r->kind == TEXT && attr_has_text(n, r->attr)) || (r->kind == SMALL && input_is_small(n)) ||
            (r->kind == INPUT && input_is_there(n, r->input)) ||
            (r->kind == LIST && input_is_there(n, r->input) && !can_be_attribute(n, r->input)))
            set = r->set;
    }
    return set;
}

int pare_onnx_since(const pare_graph *g, const pare_node **why)
{
    int set = PARE_ONNX_FIRST;

    *why = NULL;
    for (const pare_node *n = g->first; n; n = n->next) {
        const pare_node *inner = n;
        int              needed = pare_onnx_since_node(n);
        for (const pare_attr *a = n->op->attrs; a && a->name; a++) {
            if (a->type != PARE_ATTR_GRAPH)
                continue;
            const pare_graph *const body = *(struct pare_graph *const *)((const char *)n->attrs + a->offset);
            const pare_node        *of_body = NULL;
            const int               of = body ? pare_onnx_since(body, &of_body) : 0;
            if (of > needed) {
                needed = of;
                inner = of_body;
            }
        }
        if (needed > set) {
            set = needed;
            *why = inner;
        }
    }
    return set;
}

const char *pare_onnx_as_attribute(const pare_node *n, int index, int opset)
{
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].kind == LIST && rows[i].input == index && opset < rows[i].set &&
            strcmp(rows[i].op, n->op->onnx) == 0 && input_is_there(n, index) && can_be_attribute(n, index))
            return rows[i].attr;
    return NULL;
}

bool pare_onnx_is_required(const pare_op *op, const pare_attr *attr)
{
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].kind == ALWAYS && strcmp(rows[i].op, op->onnx) == 0 && strcmp(rows[i].attr, attr->name) == 0)
            return true;
    return false;
}

/* The IR version of the ONNX release that brought the set. */
int pare_onnx_ir_version(int opset)
{
    static const int versions[PARE_ONNX_NEWEST - PARE_ONNX_FIRST + 1] = {
        /* 13 */ 7, 7, 8, 8, 8, 8, /* 19 */ 9, 9, 10, 10, 11, 12, 13,
    };
    return versions[opset - PARE_ONNX_FIRST];
}
