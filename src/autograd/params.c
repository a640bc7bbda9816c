/* SPDX-License-Identifier: Apache-2.0 */
/* params.c - constants become inputs, batch norms take the statistics of the batch */
#include "autograd/params.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* Where ops read parameters: bit i is input i; those that `decays` names are weights. */
static const struct reader {
    const char *op;
    unsigned    inputs, decays;
} readers[] = {
    { "conv", 6, 2 },
    { "conv_transpose", 6, 2 },
    { "gemm", 6, 2 },
    { "matmul", 3, 3 },
    { "gather", 1, 1 },
    { "lstm", 14, 6 },
    { "gru", 14, 6 },
    { "rnn", 14, 6 },
    { "prelu", 2, 0 },
    { "batch_normalization", 6, 0 },
    { "layer_normalization", 6, 0 },
    { "group_normalization", 6, 0 },
    { "instance_normalization", 6, 0 },
    { "add", 3, 3 }, /* biases and learned embeddings, but no single numbers */
    { "sub", 1, 0 }, /* a bias from which a mean is taken */
    { "mul", 3, 3 },
    { "batch_norm_factor", 1, 0 },
    { "bound_scale", 1, 0 },
    { "fake_quantize", 7, 1 },
};

static const struct reader *reader_of(const pare_op *op)
{
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        if (strcmp(readers[i].op, op->name) == 0)
            return &readers[i];
    return NULL;
}

static bool chosen(const pare_param_filter *filter, const pare_value *v)
{
    return !filter || !filter->trains || filter->trains(filter->arg, v->name);
}

/* Single numbers of elementwise ops are parts of a formula; those of fake_quantize are what its attribute says. */
static bool is_formula(const pare_node *n, int i)
{
    if (strcmp(n->op->name, "fake_quantize") != 0)
        return n->op->traits & PARE_ELEMENTWISE && pare_shape_count(&n->in[i]->t.shape) <= 1;
    const char *const learn = pare_node_s(n, "learn");

    return (i == 1 && strcmp(learn, "none") == 0) || (i == 2 && strcmp(learn, "lsq+") != 0);
}

/* Input i of n is a constant that can be trained. */
static bool is_parameter(const pare_node *n, const struct reader *r, int i)
{
    const pare_value *const v = n->in[i];

    return r->inputs >> i & 1 && v && pare_value_is_const(v) && v->t.dtype == PARE_f32 && !is_formula(n, i);
}

static pare_status append(pare_params *p, const pare_param *param)
{
    pare_param *const list = pare_realloc(p->list, (size_t)(p->n + 1) * sizeof(*list));

    if (!list)
        return pare_fail_memory((size_t)(p->n + 1) * sizeof(*list), "parameters");
    p->list = list;
    list[p->n] = *param;
    list[p->n++].initial.buf = pare_buf_ref(param->initial.buf);
    return PARE_OK;
}

static int real_rank(const pare_shape *s)
{
    int n = 0;

    for (int i = 0; i < s->rank; i++)
        n += s->dim[i] > 1;
    return n;
}

static pare_status become_input(pare_value *v)
{
    pare_tensor t = v->t;

    v->t = (pare_tensor){ 0 };
    const pare_status status = pare_value_set_input(v, t.dtype, &t.shape);

    pare_tensor_release(&t);
    return status;
}

/* The constant becomes an input that is trained. */
static pare_status release(pare_params *p, pare_value *v, bool decays)
{
    PARE_TRY(append(p, &(pare_param){ .name = v->name,
                                      .value = v,
                                      .trained = true,
                                      .decay = decays && real_rank(&v->t.shape) >= 2,
                                      .initial = v->t }));
    return become_input(v);
}

/* ------------------------------------------------------------------------------------------------------ batch norms */

static pare_status add_node(pare_node *before, const char *op, pare_value *in, int n_out, pare_value *out[],
                            pare_node **made)
{
    const pare_op *const descriptor = pare_op_find(op);
    char                 name[256];

    for (int i = 0; i < n_out; i++) {
        snprintf(name, sizeof(name), "%s/%s", before->name, op);
        PARE_TRY(pare_graph_add_value(before->graph, name, &out[i]));
    }
    return pare_graph_add_node(before->graph, descriptor, NULL, 1, &in, n_out, out, before, made);
}

/* y = batch_normalization(x, scale, bias, mean, var) of merge_stats(image_stats(x)) */
static pare_status use_batch(pare_params *p, pare_node *n)
{
    const pare_shape *const x = &n->in[0]->t.shape;
    int64_t                 pixels = 1;
    pare_value             *parts, *batch[2];
    pare_node              *stats;

    if (!n->in[0]->has_shape || x->rank < 2 || pare_shape_count(x) < 0)
        return pare_fail(PARE_ERR_DYNAMIC, "node '%s': a batch norm is trained with fixed shapes only", n->name);
    for (int i = 2; i < x->rank; i++)
        pixels *= x->dim[i];
    PARE_TRY(add_node(n, "image_stats", n->in[0], 1, &parts, NULL));
    PARE_TRY(add_node(n, "merge_stats", parts, 2, batch, &stats));
    pare_node_set_i(stats, "count", pixels);
    for (int i = 0; i < 2; i++) {
        pare_value *const running = n->in[3 + i];

        PARE_TRY(append(p, &(pare_param){ .name = running->name,
                                          .value = running,
                                          .initial = running->t,
                                          .batch = batch[i],
                                          .count = x->dim[0] * pixels,
                                          .momentum = pare_node_f(n, "momentum") }));
        pare_node_set_in(n, 3 + i, batch[i]);
        if (running->n_uses > 0) /* weights are folded with it */
            PARE_TRY(become_input(running));
    }
    return PARE_OK;
}

static bool takes_batch(const pare_node *n, const pare_param_filter *filter)
{
    return strcmp(n->op->name, "batch_normalization") == 0 && pare_value_is_const(n->in[3]) &&
           pare_value_is_const(n->in[4]) && !(filter && filter->freeze_statistics) && chosen(filter, n->in[3]);
}

/* ---------------------------------------------------------------------------------------------------- moving ranges */

/* The running range of a moving_range becomes an input; what the node makes is its next content. */
static pare_status move_range(pare_params *p, pare_node *n)
{
    for (int i = 0; i < 2; i++) {
        pare_value *const running = n->in[2 + i];

        if (!pare_value_is_const(running))
            continue;
        PARE_TRY(release(p, running, false));
        p->list[p->n - 1].trained = false;
        p->list[p->n - 1].batch = n->out[i];
    }
    return PARE_OK;
}

static pare_status free_all(pare_graph *g, const pare_param_filter *filter, pare_params *p)
{
    PARE_TRY(pare_graph_infer(g, false));
    for (pare_node *n = g->first; n; n = n->next) {
        const struct reader *const r = reader_of(n->op);

        for (int i = 0; r && i < n->n_in; i++)
            if (is_parameter(n, r, i) && chosen(filter, n->in[i]))
                PARE_TRY(release(p, n->in[i], r->decays >> i & 1));
        if (takes_batch(n, filter))
            PARE_TRY(use_batch(p, n));
        if (strcmp(n->op->name, "moving_range") == 0)
            PARE_TRY(move_range(p, n));
    }
    return PARE_OK;
}

pare_status pare_params_free(pare_graph *g, const pare_param_filter *filter, pare_params *out)
{
    pare_status status;

    *out = (pare_params){ 0 };
    status = free_all(g, filter, out);
    if (status != PARE_OK)
        pare_params_drop(out);
    return status;
}

void pare_params_drop(pare_params *params)
{
    for (int i = 0; i < params->n; i++)
        pare_tensor_release(&params->list[i].initial);
    pare_free(params->list);
    *params = (pare_params){ 0 };
}
