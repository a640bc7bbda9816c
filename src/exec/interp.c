/* SPDX-License-Identifier: Apache-2.0 */
/* interp.c - the reference interpreter */
#include "exec/interp.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* What the interpreter knows while it runs one graph: a tensor per value, and where to ask for outer values. */
typedef struct frame {
    const pare_graph *g;
    pare_tensor      *t;    /* [g->n_values], by value id; data NULL: not computed or already released */
    int              *left; /* [g->n_values] readers still to come                                      */
    const pare_tensor *(*outer)(void *env, const pare_value *v);
    void           *env;
    const pare_tap *taps;
    int             n_taps;
} frame;

static const pare_tensor *look(void *env, const pare_value *v)
{
    const frame *f = env;

    if (v->t.data)
        return &v->t;
    return v->graph == f->g ? &f->t[v->id] : f->outer(f->env, v);
}

static pare_status show(const frame *f, const pare_value *v, const pare_tensor *t)
{
    for (int i = 0; i < f->n_taps; i++)
        if (strcmp(f->taps[i].value, v->name) == 0)
            PARE_TRY(f->taps[i].see(f->taps[i].user, t));
    return PARE_OK;
}

/* Releases what nobody will read again; constants and outer values are not ours. */
static void done_reading(frame *f, const pare_value *v)
{
    if (v && v->graph == f->g && !v->t.data && --f->left[v->id] == 0)
        pare_tensor_release(&f->t[v->id]);
}

static pare_status run_node(frame *f, const pare_node *n)
{
    const pare_tensor **in = pare_calloc((size_t)n->n_in + 1, sizeof(*in));
    pare_tensor       **out = pare_calloc((size_t)n->n_out + 1, sizeof(*out));
    pare_status         status;

    if (!in || !out) {
        status = pare_fail_memory(sizeof(*in) * (size_t)n->n_in, "a call");
        goto end;
    }
    for (int i = 0; i < n->n_in; i++)
        in[i] = n->in[i] ? look(f, n->in[i]) : NULL;
    for (int i = 0; i < n->n_out; i++)
        out[i] = n->out[i] ? &f->t[n->out[i]->id] : NULL;

    const pare_call call = { n->op, n->attrs, n->n_in, n->n_out, in, out };
    /* Lowered integer ops read the output's qparams from the value they write. */
    for (int i = 0; i < n->n_out; i++)
        if (out[i]) {
            out[i]->dtype = n->out[i]->t.dtype;
            out[i]->q = n->out[i]->t.q;
        }
    status = n->op->traits & PARE_HAS_BODY ? pare_interp_body(&call, look, f) : pare_op_eval(&call);
    for (int i = 0; status == PARE_OK && i < n->n_out; i++)
        if (out[i]) {
            out[i]->q = n->out[i]->t.q ? n->out[i]->t.q : out[i]->q;
            status = show(f, n->out[i], out[i]);
        }
    if (status != PARE_OK) {
        status = pare_fail_in(status, "%s: node '%s'", f->g->file ? f->g->file : f->g->name, n->name);
        goto end;
    }
    for (int i = 0; i < n->n_in; i++)
        done_reading(f, n->in[i]);
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] && f->left[n->out[i]->id] == 0)
            pare_tensor_release(out[i]);
end:
    pare_free(in);
    pare_free(out);
    return status;
}

/* Counts how often the frame itself will be read: body captures count once more, so they live to the end. */
static void count_readers(frame *f)
{
    for (const pare_value *v = f->g->values; v; v = v->next)
        f->left[v->id] = v->n_uses;
}

static pare_status run_frame(frame *f, const pare_tensor *const in[], pare_tensor out[])
{
    pare_status status = PARE_OK;

    f->t = pare_calloc((size_t)f->g->n_values + 1, sizeof(*f->t));
    f->left = pare_calloc((size_t)f->g->n_values + 1, sizeof(*f->left));
    if (!f->t || !f->left) {
        status = pare_fail_memory((size_t)f->g->n_values * sizeof(*f->t), "the interpreter's values");
        goto out;
    }
    count_readers(f);
    for (int i = 0; i < f->g->n_inputs; i++) {
        f->t[f->g->inputs[i]->id] = *in[i];
        f->t[f->g->inputs[i]->id].buf = NULL; /* borrowed: releasing it does nothing */
        PARE_GOTO(show(f, f->g->inputs[i], in[i]));
    }
    for (const pare_node *n = f->g->first; n; n = n->next)
        PARE_GOTO(run_node(f, n));

    for (int i = 0; i < f->g->n_outputs; i++) {
        const pare_tensor *t = look(f, f->g->outputs[i]);

        if (!out[i].data) {
            out[i] = pare_tensor_of(t->dtype, t->shape);
            PARE_GOTO(pare_tensor_alloc(&out[i]));
        } else if (!pare_shape_equal(&out[i].shape, &t->shape) || out[i].dtype != t->dtype) {
            status = pare_fail(PARE_ERR_SHAPE, "output '%s' has another shape or dtype than planned",
                               f->g->outputs[i]->name);
            goto out;
        }
        pare_tensor_copy(&out[i], t);
    }
out:
    for (int i = 0; f->t && i < f->g->n_values; i++)
        pare_tensor_release(&f->t[i]);
    pare_free(f->t);
    pare_free(f->left);
    return status;
}

static pare_status run_graph(frame *f, const pare_tensor *const in[], pare_tensor out[])
{
    const pare_status status = run_frame(f, in, out);

    if (status != PARE_OK)
        for (int i = 0; i < f->g->n_outputs; i++)
            pare_tensor_release(&out[i]);
    return status;
}

pare_status pare_interp_run_taps(const pare_graph *g, const pare_tensor *const in[], pare_tensor out[],
                                 const pare_tap *taps, int n_taps)
{
    frame f = { .g = g, .taps = taps, .n_taps = n_taps };

    for (int i = 0; i < g->n_outputs; i++)
        out[i] = (pare_tensor){ 0 };
    pare_graph_number((pare_graph *)(uintptr_t)g);
    return run_graph(&f, in, out);
}

pare_status pare_interp_run(const pare_graph *g, const pare_tensor *const in[], pare_tensor out[])
{
    return pare_interp_run_taps(g, in, out, NULL, 0);
}

/* If is the only op with bodies so far; its attributes are its two graphs, in this order. */
pare_status pare_interp_body(const pare_call *call, const pare_tensor *(*lookup)(void *env, const pare_value *v),
                             void            *env)
{
    const pare_attr *attr = pare_attr_find(call->op, pare_tensor_int(call->in[0], 0) ? "then_branch" : "else_branch");
    frame            f = { .outer = lookup, .env = env };
    pare_tensor      out[PARE_MAX_OUTPUTS] = { 0 };

    if (!attr || pare_shape_count(&call->in[0]->shape) != 1)
        return pare_fail(PARE_ERR_SHAPE, "%s: the condition must be one boolean", call->op->name);
    memcpy(&f.g, (const char *)call->attrs + attr->offset, sizeof(f.g));
    if (!f.g || f.g->n_outputs != call->n_out || call->n_out > PARE_MAX_OUTPUTS)
        return pare_fail(PARE_ERR_SHAPE, "%s: the branch has %d outputs, the node %d", call->op->name,
                         f.g ? f.g->n_outputs : 0, call->n_out);
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i] && call->out[i]->data)
            out[i] = *call->out[i];
    PARE_TRY(run_graph(&f, NULL, out));
    /* A plan's tensors were written through and stay untouched: other threads look at them meanwhile. */
    for (int i = 0; i < call->n_out; i++) {
        if (!call->out[i])
            pare_tensor_release(&out[i]);
        else if (!call->out[i]->data)
            *call->out[i] = out[i];
    }
    return PARE_OK;
}
