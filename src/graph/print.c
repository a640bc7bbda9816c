/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - a graph as text IR, which parse.c reads back */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "graph/graph.h"
#include "graph/text.h"

/* A heap string that grows; once memory is short, nothing more is added. */
typedef struct printer {
    char *text;
    int   n, cap;
    int   indent;
    bool  failed;
} printer;

static void print(printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(printer *p, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || p->failed || !pare_grow(&p->text, &p->cap, p->n + n + 1, 1))
        p->failed = true;
    else
        p->n += vsnprintf(p->text + p->n, (size_t)n + 1, format, again);
    va_end(again);
}

static void print_quoted(printer *p, const char *s)
{
    print(p, "\"");
    for (; *s; s++) {
        const unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            print(p, "\\%c", c);
        else if (c < 32 || c == 127)
            print(p, "\\x%02x", c);
        else
            print(p, "%c", c);
    }
    print(p, "\"");
}

static void print_name(printer *p, const char *name)
{
    bool plain = *name != '\0';

    for (const char *s = name; *s; s++)
        plain &= pare_text_is_bare(*s);
    if (plain)
        print(p, "%s", name);
    else
        print_quoted(p, name);
}

static void print_ref(printer *p, const pare_value *v)
{
    if (!v) {
        print(p, "?");
        return;
    }
    print(p, pare_value_is_const(v) ? "@" : "%%");
    print_name(p, v->name);
}

/* ---------------------------------------------------------------------------------------------------------- tensors */

static void print_type(printer *p, const pare_tensor *t, bool has_shape, const char *const *dim_name)
{
    print(p, "%s", pare_dtype_name(t->dtype));
    if (!has_shape)
        return;
    print(p, "[");
    for (int i = 0; i < t->shape.rank; i++) {
        if (i > 0)
            print(p, ",");
        if (t->shape.dim[i] != PARE_DIM_ANY)
            print(p, "%" PRId64, t->shape.dim[i]);
        else if (dim_name && dim_name[i])
            print_name(p, dim_name[i]);
        else
            print(p, "?");
    }
    print(p, "]");
}

static void print_floats(printer *p, const float *values, int n, bool list)
{
    if (list)
        print(p, "[");
    for (int i = 0; i < n; i++)
        print(p, "%s%.9g", i > 0 ? "," : "", (double)values[i]);
    if (list)
        print(p, "]");
}

static void print_zeros(printer *p, const int32_t *values, int n, bool list)
{
    if (list)
        print(p, "[");
    for (int i = 0; i < n; i++)
        print(p, "%s%d", i > 0 ? "," : "", values[i]);
    if (list)
        print(p, "]");
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return h;
}

static const uint64_t hash_start = UINT64_C(14695981039346656037);

static void print_q(printer *p, const pare_qparams *q)
{
    const bool list = q->n > 1 || q->block > 0;

    print(p, "q(");
    if (q->n > PARE_TEXT_MAX_ITEMS) {
        uint64_t h = hash_bytes(hash_start, q->scale, (int64_t)q->n * 4);

        if (q->zero)
            h = hash_bytes(h, q->zero, (int64_t)q->n * 4);
        if (q->offset)
            h = hash_bytes(h, q->offset, (int64_t)q->n * 4);
        print(p, "n=%d hash=0x%016" PRIx64, q->n, h);
    } else {
        print_floats(p, q->scale, q->n, list);
        if (q->zero) {
            print(p, ", ");
            print_zeros(p, q->zero, q->n, list);
        }
        if (q->offset) {
            print(p, ", offset=");
            print_floats(p, q->offset, q->n, list);
        }
    }
    if (list)
        print(p, ", axis=%d", q->axis);
    if (q->block)
        print(p, ", block=%d", q->block);
    print(p, ")");
}

/* Up to 16 elements written out; of more, dtype, shape and a hash of the bytes. */
static void print_data(printer *p, const pare_tensor *t)
{
    const int64_t n = pare_shape_count(&t->shape);
    const bool    real = pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT;

    if (n > PARE_TEXT_MAX_ITEMS) {
        print(p, " hash=0x%016" PRIx64, hash_bytes(hash_start, t->data, pare_tensor_bytes(t)));
        return;
    }
    print(p, " {");
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            print(p, ",");
        if (real)
            print(p, "%.*g", t->dtype == PARE_f64 ? 17 : 9, pare_tensor_real(t, i));
        else
            print(p, "%" PRId64, pare_tensor_int(t, i));
    }
    print(p, "}");
}

/* ------------------------------------------------------------------------------------------------------- statements */

static void print_graph(printer *p, const pare_graph *g);

static bool is_default(const pare_attr *a, const void *at)
{
    const char *s;

    switch (a->type) {
    case PARE_ATTR_INT:
        return *(const int64_t *)at == a->i;
    case PARE_ATTR_DTYPE:
        return *(const pare_dtype *)at == (pare_dtype)a->i;
    case PARE_ATTR_FLOAT:
        return memcmp(at, &a->f, sizeof(a->f)) == 0;
    case PARE_ATTR_INTS:
        return ((const pare_ints *)at)->n == 0;
    case PARE_ATTR_FLOATS:
        return ((const pare_floats *)at)->n == 0;
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        s = *(const char *const *)at;
        return s == a->s || (s && a->s && strcmp(s, a->s) == 0);
    case PARE_ATTR_TENSOR:
        return !*(const pare_tensor *const *)at;
    case PARE_ATTR_GRAPH:
        return !*(pare_graph *const *)at;
    }
    return true;
}

static void print_ints(printer *p, const int64_t *values, int n)
{
    print(p, "[");
    for (int i = 0; i < n; i++)
        print(p, "%s%" PRId64, i > 0 ? "," : "", values[i]);
    print(p, "]");
}

static void print_attr(printer *p, const pare_attr *a, const void *at)
{
    print(p, " %s=", a->name);
    switch (a->type) {
    case PARE_ATTR_INT:
        print(p, "%" PRId64, *(const int64_t *)at);
        break;
    case PARE_ATTR_DTYPE:
        print(p, "%s", pare_dtype_name(*(const pare_dtype *)at));
        break;
    case PARE_ATTR_FLOAT:
        print(p, "%.9g", (double)*(const float *)at);
        break;
    case PARE_ATTR_INTS:
        print_ints(p, ((const pare_ints *)at)->v, ((const pare_ints *)at)->n);
        break;
    case PARE_ATTR_FLOATS:
        print_floats(p, ((const pare_floats *)at)->v, ((const pare_floats *)at)->n, true);
        break;
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        print_quoted(p, *(const char *const *)at ? *(const char *const *)at : "");
        break;
    case PARE_ATTR_TENSOR:
        print_type(p, *(const pare_tensor *const *)at, true, NULL);
        print_data(p, *(const pare_tensor *const *)at);
        break;
    case PARE_ATTR_GRAPH:
        print(p, "{\n");
        p->indent++;
        print_graph(p, *(pare_graph *const *)at);
        p->indent--;
        print(p, "%*s}", 4 * p->indent, "");
        break;
    }
}

/* What is not inferred: qparams and the place in memory. */
static void print_annotation(printer *p, const pare_value *v)
{
    const int *const h = &v->halo[0][0];

    if (!v->t.q && v->format == PARE_DENSE)
        return;
    print(p, " :");
    if (v->t.q) {
        print(p, " %s ", pare_dtype_name(v->t.dtype));
        print_q(p, v->t.q);
    }
    if (v->format == PARE_CHANNELS_LAST)
        print(p, " channels_last");
    if (h[0] | h[1] | h[2] | h[3])
        print(p, " halo=[%d,%d,%d,%d]", h[0], h[1], h[2], h[3]);
    if (v->home) {
        print(p, " in(");
        print_ref(p, v->home);
        print(p, ", %" PRId64 ")", v->home_channel);
    }
}

static void print_node(printer *p, const pare_node *n)
{
    print(p, "%*s", 4 * p->indent, "");
    for (int i = 0; i < n->n_out; i++) {
        if (i > 0)
            print(p, ", ");
        print_ref(p, n->out[i]);
        if (n->out[i])
            print_annotation(p, n->out[i]);
    }
    print(p, " = %s(", n->op->name);
    for (int i = 0; i < n->n_in; i++) {
        if (i > 0)
            print(p, ", ");
        print_ref(p, n->in[i]);
    }
    print(p, ")");
    for (const pare_attr *a = n->op->attrs; a && a->name; a++)
        if (!is_default(a, (const char *)n->attrs + a->offset))
            print_attr(p, a, (const char *)n->attrs + a->offset);
    print(p, "\n");
}

static void print_source(printer *p, const pare_value *v, const char *word)
{
    print(p, "%*s", 4 * p->indent, "");
    print_ref(p, v);
    print(p, " = %s ", word);
    print_type(p, &v->t, v->has_shape, v->dim_name);
    if (pare_value_is_const(v))
        print_data(p, &v->t);
    if (v->t.q) {
        print(p, " ");
        print_q(p, v->t.q);
    }
    print(p, "\n");
}

static void print_graph(printer *p, const pare_graph *g)
{
    for (int i = 0; i < g->n_inputs; i++)
        print_source(p, g->inputs[i], "input");
    for (const pare_value *v = g->values; v; v = v->next)
        if (pare_value_is_const(v))
            print_source(p, v, "const");
    for (const pare_node *n = g->first; n; n = n->next)
        print_node(p, n);
    print(p, "%*sreturn", 4 * p->indent, "");
    for (int i = 0; i < g->n_outputs; i++) {
        print(p, i > 0 ? ", " : " ");
        print_ref(p, g->outputs[i]);
    }
    print(p, "\n");
}

/* Our own metadata: it decides what passes do. */
static void print_meta(printer *p, const pare_graph *g)
{
    for (int i = 0; i < g->n_meta; i++) {
        if (strncmp(g->meta[2 * i], "pare.", 5) != 0)
            continue;
        print(p, "meta ");
        print_quoted(p, g->meta[2 * i]);
        print(p, " ");
        print_quoted(p, g->meta[2 * i + 1]);
        print(p, "\n");
    }
}

pare_status pare_graph_print(const pare_graph *g, char **text)
{
    printer p = { 0 };

    print(&p, "graph ");
    print_name(&p, g->name);
    print(&p, "\n");
    print_meta(&p, g);
    print_graph(&p, g);
    *text = p.text;
    if (!p.failed)
        return PARE_OK;
    pare_free(p.text);
    *text = NULL;
    return pare_fail_memory((size_t)p.n, "a graph's text");
}
