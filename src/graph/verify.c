/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - everything that must hold between passes; the sentence names the first thing that does not */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "graph/graph.h"

/* Values are marked with the uses counted so far, and shown to be there by DEFINED. */
enum { DEFINED = 1 << 30 };

static pare_status bad_node(const pare_node *n, const char *what)
{
    return pare_fail(PARE_ERR_DATA, "node '%s' (%s): %s", n->name, n->op->name, what);
}

static pare_status bad_value(const pare_value *v, const char *what)
{
    return pare_fail(PARE_ERR_DATA, "value '%s': %s", v->name, what);
}

/* ----------------------------------------------------------------------------------------------------------- values */

static pare_status check_q(const pare_value *v)
{
    const pare_qparams *const q = v->t.q;
    int64_t                   wanted = 1;

    if (!q)
        return PARE_OK;
    if (pare_dtype_kind(v->t.dtype) != PARE_KIND_INT)
        return bad_value(v, "has scales, but its dtype is not an integer");
    if (q->n < 1 || q->block < 0 || !q->scale)
        return bad_value(v, "has no scale");
    if (v->has_shape && (q->n > 1 || q->block > 0)) {
        if (q->axis < 0 || q->axis >= v->t.shape.rank)
            return bad_value(v, "its scales run along an axis that it does not have");
        wanted = v->t.shape.dim[q->axis];
        if (q->block > 0) {
            pare_shape blocks = v->t.shape;

            blocks.dim[q->axis] = (wanted + q->block - 1) / q->block;
            wanted = pare_shape_count(&blocks);
        }
        if (wanted >= 0 && wanted != q->n)
            return bad_value(v, "the number of scales does not fit its shape");
    }
    for (int i = 0; i < q->n; i++) {
        if (!(q->scale[i] > 0) || isinf(q->scale[i]))
            return bad_value(v, "a scale is not a positive number");
        if (q->zero && (q->zero[i] < pare_dtype_lo(v->t.dtype) || q->zero[i] > pare_dtype_hi(v->t.dtype)))
            return bad_value(v, "a zero point lies outside of its dtype");
    }
    return PARE_OK;
}

/* A slice has the pixels of its home and some of its channels. */
static pare_status check_home(const pare_value *v)
{
    const pare_value *const home = v->home;

    if (!home)
        return PARE_OK;
    if (pare_graph_find(v->graph, home->name) != home)
        return bad_value(v, "shares memory with a value that is gone");
    if (home->graph != v->graph || v->format != PARE_CHANNELS_LAST || home->format != PARE_CHANNELS_LAST)
        return bad_value(v, "shares memory with a value of another graph or format");
    if (!v->has_shape || !home->has_shape)
        return PARE_OK;
    if (v->t.dtype != home->t.dtype || v->t.shape.rank != home->t.shape.rank)
        return bad_value(v, "shares memory with a value of another dtype or rank");
    for (int i = 0; i < v->t.shape.rank; i++)
        if (i == 1 ? v->home_channel < 0 || v->home_channel + v->t.shape.dim[1] > home->t.shape.dim[1]
                   : v->t.shape.dim[i] != home->t.shape.dim[i])
            return bad_value(v, "is no slice of the value whose memory it shares");
    for (const pare_value *slow = v, *fast = home; fast; slow = slow->home, fast = fast->home ? fast->home->home : NULL)
        if (slow == fast)
            return bad_value(v, "shares memory with itself");
    return PARE_OK;
}

static pare_status check_value(const pare_graph *g, const pare_value *v)
{
    const int sources = v->is_input + (v->producer != NULL) + (v->t.data != NULL);

    if (!v->name || !*v->name || pare_graph_find(g, v->name) != v)
        return bad_value(v, "cannot be found under its name");
    if (v->graph != g)
        return bad_value(v, "is listed in a graph that does not own it");
    if (sources > 1)
        return bad_value(v, "is more than one of input, constant and result");
    if (v->n_uses < 0)
        return bad_value(v, "has a negative number of uses");
    if ((unsigned)v->t.dtype >= PARE_N_DTYPES)
        return bad_value(v, "has a dtype that does not exist");
    if (v->has_shape) {
        if (v->t.dtype == PARE_NO_DTYPE)
            return bad_value(v, "has a shape but no dtype");
        if (v->t.shape.rank < 0 || v->t.shape.rank > PARE_MAX_RANK)
            return bad_value(v, "has an impossible rank");
        for (int i = 0; i < v->t.shape.rank; i++)
            if (v->t.shape.dim[i] < PARE_DIM_ANY)
                return bad_value(v, "has a negative dimension");
    }
    if (v->t.data && (!v->has_shape || pare_tensor_bytes(&v->t) < 0))
        return bad_value(v, "is a constant without fixed shape");
    PARE_TRY(check_home(v));
    return check_q(v);
}

/* Marks the values of a graph as listed, not yet defined, not yet used. */
static pare_status check_values(pare_graph *g)
{
    for (pare_value *v = g->values; v; v = v->next) {
        PARE_TRY(check_value(g, v));
        v->mark = v->is_input || v->t.data ? DEFINED : 0;
        if (!v->next && v != g->values_tail)
            return bad_value(v, "is last in the list but not the list's tail");
    }
    for (int i = 0; i < g->n_inputs; i++)
        if (!g->inputs[i]->is_input)
            return bad_value(g->inputs[i], "is among the inputs but not marked as one");
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------------ nodes */

static pare_status check_attr(const pare_node *n, const pare_attr *a)
{
    const void *const at = (const char *)n->attrs + a->offset;
    const pare_ints  *ints;
    const pare_graph *body;

    switch (a->type) {
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        return a->s && !*(const char *const *)at ? bad_node(n, "a string attribute is missing") : PARE_OK;
    case PARE_ATTR_INTS:
        ints = at;
        if (ints->n < 0 || ints->n > (int)(sizeof(ints->v) / sizeof(ints->v[0])))
            return bad_node(n, "a list attribute has an impossible length");
        return PARE_OK;
    case PARE_ATTR_FLOATS:
        if (((const pare_floats *)at)->n < 0 || ((const pare_floats *)at)->n > PARE_MAX_FLOATS)
            return bad_node(n, "a list attribute has an impossible length");
        return PARE_OK;
    case PARE_ATTR_DTYPE:
        if ((unsigned)*(const pare_dtype *)at >= PARE_N_DTYPES)
            return bad_node(n, "a dtype attribute has no such dtype");
        return PARE_OK;
    case PARE_ATTR_GRAPH:
        body = *(pare_graph *const *)at;
        if (!body || body->parent != n->graph)
            return bad_node(n, body ? "a body does not belong to its graph" : "a body is missing");
        return PARE_OK;
    default:
        return PARE_OK;
    }
}

static pare_status check_attrs(const pare_node *n)
{
    for (const pare_attr *a = n->op->attrs; a && a->name; a++)
        PARE_TRY(check_attr(n, a));
    if (n->op->traits & PARE_CAN_CLAMP && !(pare_node_f(n, "clamp_lo") <= pare_node_f(n, "clamp_hi")))
        return bad_node(n, "clamp_lo is above clamp_hi");
    return PARE_OK;
}

static pare_status check_ends(const pare_graph *g, const pare_node *n)
{
    if (n->n_in < n->op->min_in || (n->op->max_in >= 0 && n->n_in > n->op->max_in))
        return bad_node(n, "has a number of inputs that its op does not take");
    if (n->n_out < n->op->min_out || n->n_out > n->op->max_out)
        return bad_node(n, "has a number of outputs that its op does not give");
    for (int i = 0; i < n->n_in; i++) {
        pare_value *const v = n->in[i];

        if (!v && i < n->op->min_in)
            return bad_node(n, "a required input is left out");
        if (!v)
            continue;
        if (!pare_value_visible(v, g))
            return pare_fail(PARE_ERR_DATA, "node '%s' (%s): reads '%s' of another graph", n->name, n->op->name,
                             v->name);
        if (!(v->mark & DEFINED))
            return pare_fail(PARE_ERR_DATA, "node '%s' (%s): reads '%s' before it is made", n->name, n->op->name,
                             v->name);
        v->mark++;
    }
    for (int i = 0; i < n->n_out; i++) {
        const pare_value *const v = n->out[i];

        if (v && (v->producer != n || v->graph != g))
            return pare_fail(PARE_ERR_DATA, "node '%s' (%s): its output '%s' names another producer", n->name,
                             n->op->name, v->name);
    }
    return PARE_OK;
}

static pare_status check_graph(pare_graph *g)
{
    pare_graph *body;

    PARE_TRY(check_values(g));
    for (pare_node *n = g->first; n; n = n->next) {
        if (n->graph != g || (n->prev ? n->prev->next : g->first) != n || (n->next ? n->next->prev : g->last) != n)
            return bad_node(n, "is not linked into its graph's list");
        PARE_TRY(check_attrs(n));
        PARE_TRY(check_ends(g, n));
        for (int i = 0; (body = pare_node_body(n, i)); i++)
            PARE_TRY(check_graph(body));
        for (int i = 0; i < n->n_out; i++)
            if (n->out[i])
                n->out[i]->mark |= DEFINED;
    }
    for (int i = 0; i < g->n_outputs; i++) {
        if (!pare_value_visible(g->outputs[i], g) || !(g->outputs[i]->mark & DEFINED))
            return bad_value(g->outputs[i], "is an output, but nobody makes it");
        g->outputs[i]->mark++;
    }
    return PARE_OK;
}

/* Once all readers have been seen. A producer that is in no list has left its output undefined. */
static pare_status check_uses(const pare_graph *g)
{
    const pare_graph *body;

    for (const pare_value *v = g->values; v; v = v->next) {
        if (v->producer && !(v->mark & DEFINED))
            return bad_value(v, "its producer is not in the graph");
        if ((v->mark & ~DEFINED) != v->n_uses)
            return pare_fail(PARE_ERR_DATA, "value '%s': %d uses are counted, %d are there", v->name, v->n_uses,
                             v->mark & ~DEFINED);
    }
    for (const pare_node *n = g->first; n; n = n->next)
        for (int i = 0; (body = pare_node_body(n, i)); i++)
            PARE_TRY(check_uses(body));
    return PARE_OK;
}

pare_status pare_graph_verify(const pare_graph *g)
{
    pare_status status = check_graph((pare_graph *)(uintptr_t)g); /* writes marks only */

    if (status == PARE_OK)
        status = check_uses(g);
    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "%s", g->file ? g->file : g->name);
}
