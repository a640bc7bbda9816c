/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - from a graph with fixed shapes to steps over one block of memory */
#include "exec/plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "exec/slabs.h"

extern const pare_op pare_op_concat, pare_op_split, pare_op_slice;

/* The value whose bytes `id` really uses. */
static int root_of(const pare_plan *p, int id)
{
    while (p->places[id].kind == PARE_PLACE_VIEW || p->places[id].kind == PARE_PLACE_SLICE)
        id = p->places[id].root;
    return id;
}

/* A reshape of dense bytes costs nothing, unless it would make a graph output out of memory that is not ours. */
static bool is_view(const pare_plan *p, const pare_node *n)
{
    if (!(n->op->traits & PARE_VIEW) || !n->out[0] || n->out[0]->format != PARE_DENSE || n->in[0]->format != PARE_DENSE)
        return false;
    return p->places[root_of(p, n->in[0]->id)].kind == PARE_PLACE_BLOCK || !pare_value_is_output(n->out[0]);
}

/* A concat into which all inputs were written, or a piece, or pieces, that are read where the whole lies. */
static bool is_in_place(const pare_node *n)
{
    int64_t channel = 0;

    if (n->op == &pare_op_concat) {
        for (int i = 0; i < n->n_in; channel += n->in[i++]->t.shape.dim[1])
            if (n->in[i]->home != n->out[0] || n->in[i]->home_channel != channel)
                return false;
        return true;
    }
    if (n->op != &pare_op_split && n->op != &pare_op_slice)
        return false;
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] && n->out[i]->home != n->in[0])
            return false;
    return true;
}

/* A slice's home may be made later: it needs its memory when the first of its slices does. */
static void place_value(pare_plan *p, const pare_value *v, int index)
{
    pare_place *const  place = &p->places[v->id];
    pare_tensor *const t = &p->tensors[v->id];

    if (v->home) {
        const pare_tensor *home = &p->tensors[v->home->id];

        place_value(p, v->home, index);
        memcpy(t->stride, home->stride, sizeof(t->stride));
        memcpy(t->halo, home->halo, sizeof(t->halo));
        *place = (pare_place){ .kind = PARE_PLACE_SLICE,
                               .root = v->home->id,
                               .offset = (size_t)v->home_channel * pare_dtype_size(t->dtype) };
    } else if (place->kind != PARE_PLACE_BLOCK) {
        *place = (pare_place){ .kind = PARE_PLACE_BLOCK, .first = index, .last = index };
        pare_layout_of(v, t, &place->bytes, &place->interior);
    }
}

static void place_outputs(pare_plan *p, pare_plan_step *s, int index)
{
    s->view = is_view(p, s->node) || is_in_place(s->node);
    for (int i = 0; i < s->node->n_out; i++) {
        const pare_value *v = s->node->out[i];

        if (!v)
            continue;
        place_value(p, v, index);
        if (s->view && i == 0 && is_view(p, s->node))
            p->places[v->id] = (pare_place){ .kind = PARE_PLACE_VIEW, .root = s->node->in[0]->id };
    }
}

static void keep_until(pare_plan *p, const pare_value *v, int step)
{
    if (v->graph != p->g || v->t.data)
        return;
    pare_place *const place = &p->places[root_of(p, v->id)];

    if (place->last < step)
        place->last = step;
}

/* What a node reads, and what its bodies, and the bodies in them, read of this graph at its step. */
static void keep_inputs(pare_plan *p, const pare_node *n, int step)
{
    const pare_graph *body;

    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            keep_until(p, n->in[i], step);
    for (int k = 0; (body = pare_node_body(n, k)); k++) {
        for (const pare_node *inner = body->first; inner; inner = inner->next)
            keep_inputs(p, inner, step);
        for (int i = 0; i < body->n_outputs; i++)
            keep_until(p, body->outputs[i], step);
    }
}

/*
 * Inputs are read where the caller has them. Codes are copied: integer kernels may read the guard bytes behind them,
 * which the caller's memory lacks.
 */
static void place_input(pare_plan *p, const pare_value *v, int index)
{
    pare_place *const  place = &p->places[v->id];
    pare_tensor *const t = &p->tensors[v->id];

    *place = (pare_place){ .kind = PARE_PLACE_INPUT, .input = index };
    pare_tensor_set_dense(t);
    if (pare_dtype_kind(t->dtype) != PARE_KIND_INT || pare_dtype_size(t->dtype) != 1)
        return;
    place->kind = PARE_PLACE_BLOCK;
    pare_layout_of(v, t, &place->bytes, &place->interior);
}

static pare_status place_values(pare_plan *p)
{
    int index = 0;

    for (const pare_value *v = p->g->values; v; v = v->next) {
        p->tensors[v->id] = v->t;
        if (v->t.data)
            p->places[v->id].kind = PARE_PLACE_CONST;
    }
    for (int i = 0; i < p->g->n_inputs; i++)
        place_input(p, p->g->inputs[i], i);
    for (const pare_node *n = p->g->first; n; n = n->next, index++) {
        p->steps[index].node = n;
        place_outputs(p, &p->steps[index], index);
        keep_inputs(p, n, index);
    }
    for (int i = 0; i < p->g->n_outputs; i++)
        keep_until(p, p->g->outputs[i], p->n_steps);

    p->block_bytes = pare_place_all(p->places, p->n_values);
    return p->block_bytes == SIZE_MAX ? pare_fail_memory(sizeof(void *) * (size_t)p->n_values, "the memory plan")
                                      : PARE_OK;
}

/* Inputs and outputs of all slabs. */
static void note_whole(pare_plan *p)
{
    for (int i = 0; i < p->g->n_inputs + p->g->n_outputs; i++) {
        const pare_value *const v = i < p->g->n_inputs ? p->g->inputs[i] : p->g->outputs[i - p->g->n_inputs];

        p->whole[i] = p->tensors[v->id];
        if (p->slabs > 1) {
            p->whole[i].shape.dim[0] *= p->slabs;
            pare_tensor_set_dense(&p->whole[i]);
        }
    }
}

static pare_status check_ready(const pare_graph *g)
{
    for (const pare_value *v = g->values; v; v = v->next)
        if ((v->is_input || (v->producer && v->n_uses)) &&
            (v->t.dtype == PARE_NO_DTYPE || !v->has_shape || pare_shape_count(&v->t.shape) < 0))
            return pare_fail(PARE_ERR_DYNAMIC, "%s: the shape of '%s' is not fixed before the model runs",
                             g->file ? g->file : g->name, v->name);
    return PARE_OK;
}

pare_status pare_plan_create(pare_graph *g, const pare_plan_options *options, pare_plan **out)
{
    const pare_plan_options defaults = { 0 }, *const o = options ? options : &defaults;
    pare_status status = PARE_OK;

    PARE_TRY(check_ready(g));
    pare_plan *const p = pare_calloc(1, sizeof(*p));
    if (!p)
        return pare_fail_memory(sizeof(*p), "a plan");
    pare_graph_number(g);
    p->g = g;
    p->n_steps = pare_graph_n_nodes(g);
    p->n_values = g->n_values;
    p->steps = pare_calloc((size_t)p->n_steps + 1, sizeof(*p->steps));
    p->tensors = pare_calloc((size_t)p->n_values + 1, sizeof(*p->tensors));
    p->places = pare_calloc((size_t)p->n_values + 1, sizeof(*p->places));
    p->whole = pare_calloc((size_t)(g->n_inputs + g->n_outputs) + 1, sizeof(*p->whole));
    p->carries = pare_calloc((size_t)p->n_values + 1, sizeof(*p->carries));
    p->slabs = 1;
    if (!p->steps || !p->tensors || !p->places || !p->whole || !p->carries)
        PARE_GOTO(pare_fail_memory(sizeof(*p->tensors) * (size_t)p->n_values, "a plan"));
    if (!o->reference)
        PARE_GOTO(pare_slabs_cut(g, o->slab, &p->slabs, p->carries));
    PARE_GOTO(place_values(p));
    note_whole(p);
    PARE_GOTO(pare_plan_prepare(p, o));
    *out = p;
    return PARE_OK;
out:
    p->g = NULL; /* the caller keeps it, and the constants */
    if (p->slabs > 1)
        pare_slabs_join(g, p->slabs, p->carries);
    if (p->store == o->packed)
        p->store = NULL;
    pare_plan_destroy(p);
    return status;
}

void pare_plan_destroy(pare_plan *p)
{
    if (!p)
        return;
    for (int i = 0; p->steps && i < p->n_steps; i++)
        if (p->steps[i].step.release)
            p->steps[i].step.release(p->steps[i].step.state);
    pare_store_destroy(p->store);
    pare_free(p->steps);
    pare_free(p->tensors);
    pare_free(p->places);
    pare_free(p->whole);
    pare_free(p->carries);
    pare_graph_destroy(p->g);
    pare_free(p);
}

int pare_plan_n_inputs(const pare_plan *p)
{
    return p->g->n_inputs;
}

int pare_plan_n_outputs(const pare_plan *p)
{
    return p->g->n_outputs;
}

const char *pare_plan_input(const pare_plan *p, int index, const pare_tensor **shape)
{
    *shape = &p->whole[index];
    return p->g->inputs[index]->name;
}

const char *pare_plan_output(const pare_plan *p, int index, const pare_tensor **shape)
{
    *shape = &p->whole[p->g->n_inputs + index];
    return p->g->outputs[index]->name;
}

size_t pare_plan_context_bytes(const pare_plan *p)
{
    return p->block_bytes + p->scratch_bytes;
}

int pare_plan_n_steps(const pare_plan *p)
{
    return p->n_steps;
}
