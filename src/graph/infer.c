/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer.c - dtype and shape of every value, front to back.
 *
 * Shapes may depend on values that are themselves computed from shapes (Shape -> Gather -> Concat -> Reshape). So small
 * results of known inputs are evaluated on the way and kept beside the graph until inference ends; turning them into
 * constants of the graph is passes/fold_const's work.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "graph/graph.h"
#include "tensor/qparams.h"

enum {
    KNOWN_MAX = 64,       /* elements of a result that is kept: shapes, axes, pads, sizes                         */
    SOURCE_MAX = 1 << 16, /* elements read to compute it: an embedding of a constant is not worth it at each call */
};

static const int64_t LARGEST_SHAPE = INT64_C(1) << 40;

/* The graph being inferred, what is known of its values, and the same of the graphs around it. */
typedef struct scope {
    const struct scope *outer;
    pare_graph         *g;
    pare_tensor        *known; /* [n_values] by id; data NULL: only dtype and shape */
    bool                strict;
} scope;

static pare_status infer_graph(pare_graph *g, bool strict, const scope *outer);

static const pare_tensor *look(const scope *s, const pare_value *v)
{
    for (; s; s = s->outer)
        if (s->g == v->graph && s->known[v->id].data)
            return &s->known[v->id];
    return &v->t;
}

static void forget(pare_node *n)
{
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            n->out[i]->has_shape = false;
}

/*
 * Qparams of an integer result are the graph's: ops read them from the value they write, and those that know better
 * say so. They go with the dtype.
 */
static pare_status write_output(pare_value *v, const pare_tensor *result)
{
    const bool                same = v->t.dtype == result->dtype;
    const pare_qparams *const q = same && pare_dtype_kind(result->dtype) == PARE_KIND_INT ? v->t.q : NULL;

    v->t = pare_tensor_of(result->dtype, result->shape);
    v->has_shape = true;
    v->t.q = q;
    return !result->q || pare_qparams_equal(result->q, q) ? PARE_OK : pare_value_set_q(v, result->q);
}

/* ---------------------------------------------------------------------------------------------------- known values */

static bool is_source(const pare_call *call, int i, int64_t *elements)
{
    const pare_tensor *const t = call->in[i];
    const int64_t            count = t ? pare_shape_count(&t->shape) : 0;

    if (!t || (i == 0 && count >= 0 && call->op->traits & PARE_SHAPE_ONLY))
        return true;
    *elements += count;
    return t->data && !t->q && *elements <= SOURCE_MAX;
}

static bool worth_knowing(const pare_node *n, const pare_call *call)
{
    int64_t elements = 0;

    if (!n->op->forward || n->op->traits & (PARE_HAS_BODY | PARE_INTEGER))
        return false;
    for (int i = 0; i < call->n_in; i++)
        if (!is_source(call, i, &elements))
            return false;
    for (int i = 0; i < call->n_out; i++) {
        const int64_t count = call->out[i] ? pare_shape_count(&call->out[i]->shape) : 0;

        if (count < 0 || count > KNOWN_MAX || (call->out[i] && call->out[i]->q))
            return false;
    }
    return true;
}

/* What fails here, fails again at run time with a better sentence; only lack of memory ends inference. */
static pare_status evaluate(const scope *s, const pare_node *n, const pare_call *call)
{
    const pare_status status = pare_op_eval(call);

    if (status != PARE_OK)
        return status == PARE_ERR_MEMORY ? status : PARE_OK;
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            s->known[n->out[i]->id] = *call->out[i];
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------------ nodes */

/*
 * No tensor has more elements than LARGEST_SHAPE, not even if its dimensions of 0 and its open ones were 1: so nothing
 * that is computed from a shape later (strides, padded bytes, their sums) can overflow.
 */
static pare_status check_size(const pare_shape *shape, const char *what, const char *name)
{
    int64_t count = 1;
    char    text[PARE_SHAPE_TEXT];

    for (int i = 0; i < shape->rank; i++) {
        const int64_t dim = shape->dim[i] > 1 ? shape->dim[i] : 1;

        if (dim > LARGEST_SHAPE / count)
            return pare_fail(PARE_ERR_SHAPE, "%s '%s' of shape %s is larger than any memory", what, name,
                             pare_shape_text(shape, text));
        count *= dim;
    }
    return PARE_OK;
}

/* PARE_ERR_DYNAMIC is a failure only where everything must come out fixed. */
static pare_status unknown(const scope *s, pare_node *n, pare_status status)
{
    if (status != PARE_ERR_DYNAMIC || s->strict)
        return status;
    forget(n);
    return PARE_OK;
}

static pare_status infer_call(const scope *s, pare_node *n, const pare_call *call)
{
    char text[PARE_SHAPE_TEXT];

    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            call->in[i] = look(s, n->in[i]);

    const pare_status status = pare_op_infer(call);
    if (status != PARE_OK)
        return unknown(s, n, status);
    for (int i = 0; i < n->n_out; i++) {
        if (!n->out[i])
            continue;
        PARE_TRY(check_size(&call->out[i]->shape, n->op->name, n->out[i]->name));
        PARE_TRY(write_output(n->out[i], call->out[i]));
        if (s->strict && pare_shape_count(&n->out[i]->t.shape) < 0)
            return pare_fail(PARE_ERR_DYNAMIC, "%s: the shape %s of '%s' is not fixed", n->op->name,
                             pare_shape_text(&n->out[i]->t.shape, text), n->out[i]->name);
    }
    return worth_knowing(n, call) ? evaluate(s, n, call) : PARE_OK;
}

static pare_status infer_plain(const scope *s, pare_node *n)
{
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && !n->in[i]->has_shape)
            return unknown(s, n,
                           pare_fail(PARE_ERR_DYNAMIC, "%s: the shape of its input '%s' is not known", n->op->name,
                                     n->in[i]->name));

    pare_call *const call = pare_node_call(n);
    if (!call)
        return PARE_ERR_MEMORY;
    const pare_status status = infer_call(s, n, call);
    pare_free(call);
    return status;
}

/* One branch's result into the value, or its agreement with what another branch gave. */
static pare_status merge_output(const pare_node *n, pare_value *v, const pare_value *from, bool first)
{
    if (first) {
        const bool has_shape = from->has_shape;

        PARE_TRY(write_output(v, &from->t));
        v->has_shape = has_shape;
        return PARE_OK;
    }
    if (v->t.dtype != from->t.dtype)
        return pare_fail(PARE_ERR_SHAPE, "%s: '%s' is %s in one branch and %s in another", n->op->name, v->name,
                         pare_dtype_name(v->t.dtype), pare_dtype_name(from->t.dtype));
    v->has_shape = v->has_shape && from->has_shape && pare_shape_equal(&v->t.shape, &from->t.shape);
    return PARE_OK;
}

/* The only body that can run, where the condition is known; NULL: any of them. */
static pare_graph *chosen_body(const scope *s, const pare_node *n)
{
    const pare_tensor *const condition = n->n_in > 0 && n->in[0] ? look(s, n->in[0]) : NULL;
    const char              *name;

    if (!condition || !condition->data || pare_shape_count(&condition->shape) != 1)
        return NULL;
    name = pare_tensor_int(condition, 0) ? "then_branch" : "else_branch";
    return pare_attr_find(n->op, name) ? pare_node_graph(n, name) : NULL;
}

static pare_status infer_bodies(const scope *s, pare_node *n)
{
    pare_graph *const chosen = chosen_body(s, n);
    pare_graph       *body;
    bool              first = true;

    for (int i = 0; (body = pare_node_body(n, i)); i++) {
        if (chosen && body != chosen)
            continue;
        PARE_TRY(infer_graph(body, s->strict, s));
        if (body->n_outputs != n->n_out)
            return pare_fail(PARE_ERR_DATA, "%s: a branch has %d outputs, the node %d", n->op->name, body->n_outputs,
                             n->n_out);
        for (int k = 0; k < n->n_out; k++)
            if (n->out[k])
                PARE_TRY(merge_output(n, n->out[k], body->outputs[k], first));
        first = false;
    }
    for (int k = 0; s->strict && k < n->n_out; k++)
        if (n->out[k] && !n->out[k]->has_shape)
            return pare_fail(PARE_ERR_DYNAMIC, "%s: the shape of '%s' depends on which branch runs", n->op->name,
                             n->out[k]->name);
    return PARE_OK;
}

static pare_status infer_graph(pare_graph *g, bool strict, const scope *outer)
{
    scope       s = { .outer = outer, .g = g, .strict = strict };
    pare_status status = PARE_OK;

    s.known = pare_calloc((size_t)g->n_values + 1, sizeof(*s.known));
    if (!s.known)
        return pare_fail_memory((size_t)g->n_values * sizeof(*s.known), "known values");
    for (pare_node *n = g->first; n && status == PARE_OK; n = n->next) {
        status = n->op->traits & PARE_HAS_BODY ? infer_bodies(&s, n) : infer_plain(&s, n);
        if (status != PARE_OK)
            pare_fail_in(status, "node '%s'", n->name);
    }
    for (int i = 0; i < g->n_values; i++)
        pare_tensor_release(&s.known[i]);
    pare_free(s.known);
    return status;
}

pare_status pare_graph_infer(pare_graph *g, bool strict)
{
    pare_status status = PARE_OK;

    pare_graph_number(g);
    for (int i = 0; i < g->n_inputs && status == PARE_OK; i++)
        if (g->inputs[i]->has_shape)
            status = check_size(&g->inputs[i]->t.shape, "input", g->inputs[i]->name);
    for (int i = 0; i < g->n_inputs && strict && status == PARE_OK; i++)
        if (!g->inputs[i]->has_shape || pare_shape_count(&g->inputs[i]->t.shape) < 0)
            status =
                pare_fail(PARE_ERR_DYNAMIC, "the shape of input '%s' is not fixed; give its sizes", g->inputs[i]->name);
    if (status == PARE_OK)
        status = infer_graph(g, strict, NULL);
    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "%s", g->file ? g->file : g->name);
}
