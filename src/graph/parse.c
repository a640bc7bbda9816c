/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - text IR to a graph (graph/text.h shows the language) */
#include <string.h>

#include "base/status.h"
#include "graph/graph.h"
#include "graph/text.h"

enum {
    MAX_ENDS = 64,  /* inputs or outputs of one node in text    */
    MAX_DEPTH = 32, /* bodies inside bodies: each is a recursion */
};

static pare_status parse_body(pare_text *t, pare_graph *g, bool braces);

/* ------------------------------------------------------------------------------------------------------------ names */

static bool is_defined(const pare_value *v)
{
    return v->is_input || v->producer || v->t.data;
}

static pare_status new_value(pare_text *t, pare_graph *g, const char *name, pare_value **out)
{
    PARE_TRY(pare_graph_add_value(g, name, out));
    if (strcmp((*out)->name, name) != 0)
        return pare_text_fail(t, "the name '%s' is taken in another body", name);
    return PARE_OK;
}

/* "%x", "@x" or "?". A name that was not seen yet is defined further down, or never, which parse_body finds. */
static pare_status parse_ref(pare_text *t, pare_graph *g, pare_value **out)
{
    const char *name;

    *out = NULL;
    if (pare_text_try(t, "?"))
        return PARE_OK;
    if (!pare_text_try(t, "%"))
        PARE_TRY(pare_text_expect(t, "@"));
    PARE_TRY(pare_text_name(t, &name));
    *out = pare_graph_find(g, name);
    return *out ? PARE_OK : new_value(t, g, name, out);
}

static pare_status check_new(pare_text *t, const pare_graph *g, const pare_value *v)
{
    return v->graph != g || is_defined(v) ? pare_text_fail(t, "'%s' is defined twice", v->name) : PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------- statements */

/* "(%home, 64)" */
static pare_status parse_home(pare_text *t, pare_value *v)
{
    PARE_TRY(pare_text_expect(t, "("));
    PARE_TRY(parse_ref(t, v->graph, &v->home));
    PARE_TRY(pare_text_expect(t, ","));
    PARE_TRY(pare_text_int(t, &v->home_channel));
    return pare_text_expect(t, ")");
}

static pare_status parse_annotation(pare_text *t, pare_value *v)
{
    const pare_qparams *q;
    const char         *word;
    int64_t             halo[4];
    int                 n;

    while (pare_text_word(t, &word)) {
        if (strcmp(word, "q") == 0) {
            PARE_TRY(pare_text_qparams(t, &q));
            v->t.q = q;
        } else if (strcmp(word, "channels_last") == 0) {
            v->format = PARE_CHANNELS_LAST;
        } else if (strcmp(word, "halo") == 0) {
            PARE_TRY(pare_text_expect(t, "="));
            PARE_TRY(pare_text_ints(t, halo, 4, &n));
            for (int i = 0; i < n; i++)
                v->halo[i / 2][i % 2] = (int)halo[i];
        } else if (strcmp(word, "in") == 0) {
            PARE_TRY(parse_home(t, v));
        } else if ((v->t.dtype = pare_dtype_parse(word)) == PARE_NO_DTYPE) {
            return pare_text_fail(t, "'%s' is no dtype", word);
        }
    }
    return PARE_OK;
}

/* "= input f32[N,3] q(...)" */
static pare_status parse_input(pare_text *t, pare_value *v)
{
    pare_tensor type;
    bool        has_shape;

    PARE_TRY(pare_text_type(t, &type, &has_shape, v->dim_name));
    PARE_TRY(pare_value_set_input(v, type.dtype, has_shape ? &type.shape : NULL));
    return pare_text_try(t, "q") ? pare_text_qparams(t, &v->t.q) : PARE_OK;
}

static pare_status parse_const(pare_text *t, pare_value *v)
{
    pare_tensor tensor;
    bool        has_shape;
    pare_status status;

    PARE_TRY(pare_text_type(t, &tensor, &has_shape, NULL));
    status = pare_text_data(t, &tensor);
    if (status == PARE_OK && pare_text_try(t, "q"))
        status = pare_text_qparams(t, &tensor.q);
    if (status == PARE_OK)
        status = pare_value_set_const(v, &tensor);
    pare_tensor_release(&tensor);
    return status;
}

/* "[0.5,1]" */
static pare_status parse_floats(pare_text *t, pare_node *n, const char *attr)
{
    float  values[PARE_MAX_FLOATS];
    double real;
    int    count = 0;

    PARE_TRY(pare_text_expect(t, "["));
    if (!pare_text_try(t, "]")) {
        do {
            if (count == PARE_MAX_FLOATS)
                return pare_text_fail(t, "a list has more than %d entries", PARE_MAX_FLOATS);
            PARE_TRY(pare_text_real(t, &real));
            values[count++] = (float)real;
        } while (pare_text_try(t, ","));
        PARE_TRY(pare_text_expect(t, "]"));
    }
    pare_node_set_floats(n, attr, count, values);
    return PARE_OK;
}

static pare_status parse_attr(pare_text *t, pare_node *n, const pare_attr *a)
{
    int64_t     ints[sizeof(((pare_ints *)0)->v) / sizeof(int64_t)];
    const char *word;
    double      real;
    int         count;
    pare_graph *body;
    pare_tensor tensor;
    bool        has_shape;
    pare_status status;

    switch (a->type) {
    case PARE_ATTR_INT:
        PARE_TRY(pare_text_int(t, ints));
        pare_node_set_i(n, a->name, ints[0]);
        return PARE_OK;
    case PARE_ATTR_FLOAT:
        PARE_TRY(pare_text_real(t, &real));
        pare_node_set_f(n, a->name, (float)real);
        return PARE_OK;
    case PARE_ATTR_INTS:
        PARE_TRY(pare_text_ints(t, ints, (int)(sizeof(ints) / sizeof(ints[0])), &count));
        pare_node_set_ints(n, a->name, count, ints);
        return PARE_OK;
    case PARE_ATTR_FLOATS:
        return parse_floats(t, n, a->name);
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        PARE_TRY(pare_text_string(t, &word));
        return pare_node_set_s(n, a->name, word);
    case PARE_ATTR_DTYPE:
        if (!pare_text_word(t, &word) || (pare_dtype_parse(word) == PARE_NO_DTYPE && strcmp(word, "none") != 0))
            return pare_text_fail(t, "attribute '%s' must be a dtype", a->name);
        pare_node_set_i(n, a->name, pare_dtype_parse(word));
        return PARE_OK;
    case PARE_ATTR_TENSOR:
        PARE_TRY(pare_text_type(t, &tensor, &has_shape, NULL));
        status = pare_text_data(t, &tensor);
        if (status == PARE_OK)
            status = pare_node_set_tensor(n, a->name, &tensor);
        pare_tensor_release(&tensor);
        return status;
    case PARE_ATTR_GRAPH:
        PARE_TRY(pare_text_expect(t, "{"));
        if (t->depth == MAX_DEPTH)
            return pare_text_fail(t, "bodies are nested more than %d deep", MAX_DEPTH);
        PARE_TRY(pare_graph_create_body(n->graph, a->name, &body));
        pare_node_set_graph(n, a->name, body);
        t->depth++;
        status = parse_body(t, body, true);
        t->depth--;
        return status;
    }
    return PARE_OK;
}

/* Attributes follow as long as a word with '=' behind it does. */
static pare_status parse_attrs(pare_text *t, pare_node *n)
{
    pare_text   before = *t;
    const char *word;

    while (pare_text_word(t, &word) && pare_text_try(t, "=")) {
        const pare_attr *const a = pare_attr_find(n->op, word);

        if (!a)
            return pare_text_fail(t, "%s has no attribute '%s'", n->op->name, word);
        PARE_TRY(parse_attr(t, n, a));
        before = *t;
    }
    *t = before;
    return PARE_OK;
}

static pare_status parse_node(pare_text *t, pare_graph *g, const char *word, int n_out, pare_value *const *out)
{
    const pare_op *const op = pare_op_find(word);
    pare_value          *in[MAX_ENDS];
    int                  n_in = 0;
    pare_node           *n;

    if (!op)
        return pare_text_fail(t, "there is no op '%s'", word);
    PARE_TRY(pare_text_expect(t, "("));
    if (!pare_text_try(t, ")")) {
        do {
            if (n_in == MAX_ENDS)
                return pare_text_fail(t, "more than %d inputs", MAX_ENDS);
            PARE_TRY(parse_ref(t, g, &in[n_in++]));
        } while (pare_text_try(t, ","));
        PARE_TRY(pare_text_expect(t, ")"));
    }
    for (int i = 0; i < n_out; i++)
        for (int j = 0; j < i; j++)
            if (out[i] && out[i] == out[j])
                return pare_text_fail(t, "'%s' is defined twice", out[i]->name);
    PARE_TRY(pare_graph_add_node(g, op, NULL, n_in, in, n_out, out, NULL, &n));
    return parse_attrs(t, n);
}

static pare_status parse_statement(pare_text *t, pare_graph *g)
{
    pare_value *out[MAX_ENDS];
    int         n = 0;
    const char *word;

    do {
        if (n == MAX_ENDS)
            return pare_text_fail(t, "more than %d outputs", MAX_ENDS);
        PARE_TRY(parse_ref(t, g, &out[n]));
        if (out[n])
            PARE_TRY(check_new(t, g, out[n]));
        if (pare_text_try(t, ":")) {
            if (!out[n])
                return pare_text_fail(t, "an output that is left out has no dtype");
            PARE_TRY(parse_annotation(t, out[n]));
        }
        n++;
    } while (pare_text_try(t, ","));
    PARE_TRY(pare_text_expect(t, "="));
    if (!pare_text_word(t, &word))
        return pare_text_fail(t, "'input', 'const' or an op expected");
    if (strcmp(word, "input") == 0 && n == 1 && out[0])
        return parse_input(t, out[0]);
    if (strcmp(word, "const") == 0 && n == 1 && out[0])
        return parse_const(t, out[0]);
    return parse_node(t, g, word, n, out);
}

static pare_status parse_return(pare_text *t, pare_graph *g)
{
    pare_value *v;

    if (*t->at && !strchr(" \t", *t->at))
        return PARE_OK;
    do {
        PARE_TRY(parse_ref(t, g, &v));
        if (!v)
            return pare_text_fail(t, "an output cannot be left out");
        PARE_TRY(pare_graph_add_output(g, v));
    } while (pare_text_try(t, ","));
    return PARE_OK;
}

static pare_status parse_body(pare_text *t, pare_graph *g, bool braces)
{
    while (!pare_text_try(t, "return")) {
        if (pare_text_end(t))
            return pare_text_fail(t, "'return' is missing");
        PARE_TRY(parse_statement(t, g));
    }
    PARE_TRY(parse_return(t, g));
    if (braces)
        PARE_TRY(pare_text_expect(t, "}"));
    else if (!pare_text_end(t))
        return pare_text_fail(t, "text follows after 'return'");
    for (const pare_value *v = g->values; v; v = v->next)
        if (!is_defined(v))
            return pare_text_fail(t, "'%s' is read, but never defined", v->name);
    return PARE_OK;
}

/* "meta "pare.dynamic" "1"", any number of them */
static pare_status parse_meta(pare_text *t, pare_graph *g)
{
    const char *key, *value;

    while (pare_text_try(t, "meta")) {
        PARE_TRY(pare_text_string(t, &key));
        PARE_TRY(pare_text_string(t, &value));
        PARE_TRY(pare_graph_add_meta(g, key, value));
    }
    return PARE_OK;
}

pare_status pare_node_parse_attrs(pare_node *n, const char *text)
{
    pare_text   t = { .at = text ? text : "", .arena = n->graph->arena, .line = 1 };
    pare_status status = parse_attrs(&t, n);

    if (status == PARE_OK && !pare_text_end(&t))
        status = pare_text_fail(&t, "NAME=VALUE expected before '%s'", t.at);
    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "%s: attributes '%s'", n->op->name, text);
}

pare_status pare_graph_parse(const char *text, pare_graph **out)
{
    pare_text   t = { .at = text, .line = 1 };
    pare_graph *g;
    pare_status status;

    *out = NULL;
    PARE_TRY(pare_graph_create("text", &g));
    t.arena = g->arena;
    if (pare_text_try(&t, "graph ")) {
        while (*t.at == ' ')
            t.at++;
        PARE_GOTO(pare_text_name(&t, &g->name));
    }
    PARE_GOTO(parse_meta(&t, g));
    PARE_GOTO(parse_body(&t, g, false));
    *out = g;
    return PARE_OK;
out:
    pare_graph_destroy(g);
    return status;
}
