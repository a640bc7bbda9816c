/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle_shapes.c - what a model computes from shapes, but not from the batch, becomes constant
 *
 * Exporters write x.view(n, c / 2, h * w) as a dozen nodes on Shape, because the batch is open. Two copies of the graph
 * get batch 2 and batch 3; a value that folds to the same constant in both does not depend on the batch. A target of
 * Reshape that differs in one place gets 0 or -1 there.
 */
#include <string.h>

#include "base/status.h"
#include "passes/pass.h"
#include "tensor/tensor.h"

extern const pare_op pare_op_reshape;

/* The same graph at two batches. */
typedef struct twins {
    pare_graph *two, *three;
} twins;

static const pare_pass *const fold_passes[] = {
    &pare_pass_fold_const,
    &pare_pass_inline_if,
    &pare_pass_fold_const,
    NULL,
};

static bool has_open_batch(const pare_graph *g)
{
    for (int i = 0; i < g->n_inputs; i++)
        if (g->inputs[i]->t.shape.rank > 0 && g->inputs[i]->t.shape.dim[0] == PARE_DIM_ANY)
            return true;
    return false;
}

static pare_status make_twin(const pare_graph *g, int64_t batch, pare_graph **out)
{
    pare_graph *twin;
    pare_status status;

    PARE_TRY(pare_graph_clone(g, &twin));
    for (int i = 0; i < twin->n_inputs; i++) {
        pare_tensor *const t = &twin->inputs[i]->t;

        if (t->shape.rank > 0 && t->shape.dim[0] == PARE_DIM_ANY)
            t->shape.dim[0] = batch;
    }
    PARE_GOTO(pare_graph_infer(twin, false));
    PARE_GOTO(pare_passes_run(twin, fold_passes, NULL));
    *out = twin;
    return PARE_OK;
out:
    pare_graph_destroy(twin);
    return status;
}

/* The constant that stands for v in a twin; NULL: none. */
static const pare_tensor *constant_in(const pare_graph *twin, const pare_value *v)
{
    const pare_value *const there = pare_graph_find(twin, v->name);

    return there && pare_value_is_const(there) ? &there->t : NULL;
}

static bool same(const pare_tensor *a, const pare_tensor *b)
{
    return a->dtype == b->dtype && pare_shape_equal(&a->shape, &b->shape) && pare_tensor_is_dense(a) &&
           pare_tensor_is_dense(b) && memcmp(a->data, b->data, (size_t)pare_tensor_bytes(a)) == 0;
}

static pare_status keep_equal(const twins *t, pare_node *n)
{
    bool wanted = false;

    if (n->op->traits & PARE_HAS_BODY)
        return PARE_OK;
    for (int i = 0; i < n->n_out; i++) {
        pare_value *const        v = n->out[i];
        const pare_tensor *const a = v ? constant_in(t->two, v) : NULL, *const b = v ? constant_in(t->three, v) : NULL;

        if (a && b && same(a, b)) {
            v->producer = NULL;
            n->out[i] = NULL;
            PARE_TRY(pare_value_set_const(v, a));
        }
        wanted = wanted || n->out[i];
    }
    if (!wanted)
        pare_graph_remove_node(n);
    return PARE_OK;
}

/* The only place where two targets of Reshape differ; -1: none, or more than one. */
static int64_t only_difference(const pare_tensor *a, const pare_tensor *b)
{
    int64_t at = -1;

    if (a->dtype != PARE_s64 || b->dtype != PARE_s64 || a->shape.rank != 1 || !pare_shape_equal(&a->shape, &b->shape))
        return -1;
    for (int64_t i = 0; i < a->shape.dim[0]; i++) {
        const bool differs = pare_tensor_int(a, i) != pare_tensor_int(b, i);

        if (differs && at >= 0)
            return -1;
        at = differs ? i : at;
    }
    return at;
}

/* x, as it is in a twin, has `size` elements along axis `at`. */
static bool has_size(const pare_graph *twin, const pare_value *x, int64_t at, int64_t size)
{
    const pare_value *const there = pare_graph_find(twin, x->name);

    return there && there->has_shape && at < there->t.shape.rank && there->t.shape.dim[at] == size;
}

/* What a Reshape says in place `at`, whatever the batch: 0 (as the input), -1 (what is left); 1: nothing does. */
static int64_t open_place(const twins *t, const pare_node *n, const pare_tensor *a, const pare_tensor *b, int64_t at)
{
    const int64_t x = pare_tensor_int(a, at), y = pare_tensor_int(b, at);

    if (pare_node_i(n, "allowzero") == 0 && has_size(t->two, n->in[0], at, x) && has_size(t->three, n->in[0], at, y))
        return 0;
    for (int64_t i = 0; i < a->shape.dim[0]; i++)
        if (pare_tensor_int(a, i) <= 0)
            return 1;
    return y > 0 ? -1 : 1;
}

static pare_status open_reshape(pare_graph *g, const twins *t, pare_node *n)
{
    if (n->op != &pare_op_reshape || pare_value_is_const(n->in[1]))
        return PARE_OK;

    const pare_tensor *const a = constant_in(t->two, n->in[1]), *const b = constant_in(t->three, n->in[1]);
    const int64_t at = a && b ? only_difference(a, b) : -1;
    const int64_t place = at < 0 ? 1 : open_place(t, n, a, b, at);
    pare_tensor   target;
    pare_value   *v;

    if (place == 1)
        return PARE_OK;
    target = pare_tensor_of(PARE_s64, a->shape);
    PARE_TRY(pare_tensor_alloc(&target));
    pare_tensor_copy(&target, a);
    ((int64_t *)target.data)[at] = place;
    const pare_status status = pare_graph_add_const(g, n->in[1]->name, &target, &v);
    pare_tensor_release(&target);
    PARE_TRY(status);
    pare_node_set_in(n, 1, v);
    return PARE_OK;
}

/* Where a shape stays open, the dtype at least is known; passes ask for it. */
static void keep_dtypes(pare_graph *g, const twins *t)
{
    for (pare_value *v = g->values; v; v = v->next) {
        const pare_value *const there = v->t.dtype == PARE_NO_DTYPE ? pare_graph_find(t->two, v->name) : NULL;

        if (there)
            v->t.dtype = there->t.dtype;
    }
}

static pare_status settle(pare_graph *g, const twins *t)
{
    for (pare_node *n = g->first, *next; n; n = next) {
        next = n->next;
        PARE_TRY(open_reshape(g, t, n));
        PARE_TRY(keep_equal(t, n));
    }
    keep_dtypes(g, t);
    return PARE_OK;
}

static pare_status run(pare_graph *g)
{
    twins       t = { 0 };
    pare_status status;

    if (!has_open_batch(g))
        return PARE_OK;
    status = make_twin(g, 2, &t.two);
    if (status == PARE_OK)
        status = make_twin(g, 3, &t.three);
    /* A model that refuses these batches is left as it is; whoever runs it gets the sentence that belongs to it. */
    if (status == PARE_OK)
        status = settle(g, &t);
    else if (status != PARE_ERR_MEMORY)
        status = PARE_OK;
    pare_graph_destroy(t.two);
    pare_graph_destroy(t.three);
    return status;
}

const pare_pass pare_pass_settle_shapes = {
    .name = "settle_shapes",
    .doc = "what is computed from shapes, but not from the batch, becomes constant",
    .run = run,
};
