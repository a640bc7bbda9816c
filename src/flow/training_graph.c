/* SPDX-License-Identifier: Apache-2.0 */
/* training_graph.c - a training step as a graph: the model, a loss behind it, gradients of every parameter */
#include "flow/training_graph.h"

#include <string.h>

#include "autograd/autograd.h"
#include "base/alloc.h"
#include "base/status.h"
#include "passes/pass.h"

static const pare_pass *const tidy_passes[] = {
    &pare_pass_settle_shapes,   &pare_pass_fold_const,      &pare_pass_inline_if,   &pare_pass_fold_const,
    &pare_pass_remove_identity, &pare_pass_use_global_pool, &pare_pass_remove_dead, NULL,
};

pare_status pare_train_tidy(const pare_graph *model, pare_graph **out)
{
    pare_graph *g;

    *out = NULL;
    PARE_TRY(pare_graph_clone(model, &g));
    pare_status status = pare_graph_infer(g, false);

    if (status == PARE_OK)
        status = pare_passes_run(g, tidy_passes, NULL);
    if (status == PARE_OK)
        *out = g;
    else
        pare_graph_destroy(g);
    return status;
}

static pare_status fix_batch(pare_graph *g, int64_t batch)
{
    if (g->n_inputs < 1 || g->n_outputs < 1)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: a model without inputs or outputs cannot be trained",
                         g->file ? g->file : g->name);
    for (int i = 0; i < g->n_inputs; i++) {
        pare_value *const v = g->inputs[i];

        if (v->t.shape.rank > 0 && (v->t.shape.dim[0] == PARE_DIM_ANY || i == 0))
            v->t.shape.dim[0] = batch;
        pare_tensor_set_dense(&v->t);
    }
    return pare_graph_infer(g, true);
}

/* A node at the end; its outputs are new values. */
static pare_status add_node(pare_graph *g, const char *op, int n_in, pare_value *const *in, int n_out, pare_value **out,
                            pare_node **made)
{
    for (int i = 0; i < n_out; i++)
        PARE_TRY(pare_graph_add_value(g, op, &out[i]));
    return pare_graph_add_node(g, pare_op_find(op), NULL, n_in, in, n_out, out, NULL, made);
}

/* The mean of all elements, a single number. */
static pare_status add_mean(pare_graph *g, pare_value *x, pare_value **out)
{
    pare_node *mean;

    PARE_TRY(add_node(g, "reduce_mean", 1, &x, 1, out, &mean));
    pare_node_set_i(mean, "keepdims", 0);
    return PARE_OK;
}

static pare_status add_cross_entropy(pare_training_graph *t, const pare_trainer_options *o, pare_value *y,
                                     pare_value **loss, pare_value **probs)
{
    pare_graph *const g = t->g;
    const pare_node  *last = y->producer;
    pare_value       *target, *out[2];
    pare_node        *node;
    char              text[PARE_SHAPE_TEXT];

    /* The loss has a softmax of its own, so that of a model that ends with one is passed over. */
    if (last && strcmp(last->op->name, "softmax") == 0)
        y = last->in[0];
    if (y->t.shape.rank != 2)
        return pare_fail(PARE_ERR_SHAPE,
                         "%s: the cross entropy needs a row of classes for each sample, the output is %s",
                         g->file ? g->file : g->name, pare_shape_text(&y->t.shape, text));
    t->classes = (int)y->t.shape.dim[1];
    PARE_TRY(pare_graph_add_input(g, "target", o->targets ? PARE_f32 : PARE_s64,
                                  &(pare_shape){ o->targets ? 2 : 1, { y->t.shape.dim[0], t->classes } }, &target));
    t->target = g->n_inputs - 1;
    PARE_TRY(add_node(g, "softmax_cross_entropy", 2, (pare_value *const[]){ y, target }, 2, out, &node));
    pare_node_set_f(node, "label_smoothing", o->label_smoothing);
    *probs = out[1];
    return add_mean(g, out[0], loss);
}

static pare_status add_mse(pare_training_graph *t, const pare_trainer_options *o, pare_value *y, pare_value **loss)
{
    pare_graph *const g = t->g;
    pare_value       *target = g->inputs[0], *difference, *square;
    char              want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT];

    if (o->targets) {
        PARE_TRY(pare_graph_add_input(g, "target", PARE_f32, &y->t.shape, &target));
        t->target = g->n_inputs - 1;
        t->classes = y->t.shape.rank == 2 ? (int)y->t.shape.dim[1] : 0;
    } else if (!pare_shape_equal(&y->t.shape, &target->t.shape) || target->t.dtype != PARE_f32) {
        return pare_fail(PARE_ERR_SHAPE, "%s: loss mse compares the output %s with the sample %s; they must be alike",
                         g->file ? g->file : g->name, pare_shape_text(&y->t.shape, got),
                         pare_shape_text(&target->t.shape, want));
    }
    PARE_TRY(add_node(g, "sub", 2, (pare_value *const[]){ y, target }, 1, &difference, NULL));
    PARE_TRY(add_node(g, "mul", 2, (pare_value *const[]){ difference, difference }, 1, &square, NULL));
    return add_mean(g, square, loss);
}

static pare_status add_loss(pare_training_graph *t, const pare_trainer_options *o, pare_value **loss,
                            pare_value **probs)
{
    pare_value *const y = t->g->outputs[0];

    *probs = NULL;
    if (!o->loss || strcmp(o->loss, "cross-entropy") == 0)
        return add_cross_entropy(t, o, y, loss, probs);
    if (strcmp(o->loss, "mse") == 0)
        return add_mse(t, o, y, loss);
    return pare_fail(PARE_ERR_ARG, "unknown loss '%s' (cross-entropy, mse)", o->loss);
}

static pare_status add_gradients(pare_training_graph *t, pare_value *loss, pare_value **grads)
{
    pare_params *const p = &t->params;
    pare_value **const wrt = pare_calloc((size_t)p->n + 1, sizeof(pare_value *));
    pare_value **const found = pare_calloc((size_t)p->n + 1, sizeof(pare_value *));
    pare_status        status = pare_fail_memory((size_t)p->n * sizeof(*wrt), "gradients");
    int                n = 0;

    if (wrt && found) {
        for (int i = 0; i < p->n; i++)
            if (p->list[i].trained)
                wrt[n++] = p->list[i].value;
        status =
            n ? pare_autograd(t->g, loss, n, wrt, found)
              : pare_fail(PARE_ERR_ARG, "%s: nothing to train: no parameters", t->g->file ? t->g->file : t->g->name);
        n = 0;
        for (int i = 0; i < p->n && status == PARE_OK; i++)
            grads[i] = p->list[i].trained ? found[n++] : p->list[i].batch;
    }
    pare_free(wrt);
    pare_free(found);
    return status;
}

/* The number of the output; a value that is one already is not added again. */
static pare_status add_output(pare_graph *g, pare_value *v, int *index)
{
    for (*index = 0; *index < g->n_outputs; ++*index)
        if (g->outputs[*index] == v)
            return PARE_OK;
    return pare_graph_add_output(g, v);
}

static pare_status set_outputs(pare_training_graph *t, pare_value *loss, pare_value *probs, pare_value *const *grads)
{
    pare_graph *const g = t->g;
    int               at;

    for (int i = 0; i < g->n_outputs; i++)
        g->outputs[i]->n_uses--;
    g->n_outputs = 0;
    PARE_TRY(pare_graph_add_output(g, loss));
    if (probs)
        PARE_TRY(add_output(g, probs, &t->probs));
    for (int i = 0; i < t->params.n; i++)
        if (grads[i]) {
            PARE_TRY(add_output(g, grads[i], &at));
            t->output[i] = at;
        }
    return PARE_OK;
}

static pare_status number_params(pare_training_graph *t)
{
    const size_t n = (size_t)t->params.n;

    t->input = pare_calloc(n + 1, sizeof(*t->input));
    t->output = pare_calloc(n + 1, sizeof(*t->output));
    if (!t->input || !t->output)
        return pare_fail_memory(n * sizeof(*t->input), "parameters");
    for (int i = 0; i < t->params.n; i++) {
        t->input[i] = t->output[i] = -1;
        for (int k = 0; k < t->g->n_inputs; k++)
            if (t->g->inputs[k] == t->params.list[i].value)
                t->input[i] = k;
    }
    return PARE_OK;
}

static pare_status make(pare_training_graph *t, const pare_trainer_options *o, int64_t batch)
{
    const pare_param_filter filter = { o->trains, o->user, o->freeze_statistics };
    pare_value             *loss, *probs, **grads;

    PARE_TRY(fix_batch(t->g, batch));
    t->model_inputs = t->g->n_inputs;
    PARE_TRY(pare_params_free(t->g, &filter, &t->params));
    PARE_TRY(number_params(t));
    PARE_TRY(add_loss(t, o, &loss, &probs));
    PARE_TRY(pare_graph_infer(t->g, true));
    grads = pare_calloc((size_t)t->params.n + 1, sizeof(pare_value *));
    if (!grads)
        return pare_fail_memory((size_t)t->params.n * sizeof(*grads), "gradients");
    pare_status status = add_gradients(t, loss, grads);

    if (status == PARE_OK)
        status = set_outputs(t, loss, probs, grads);
    pare_free(grads);
    return status;
}

pare_status pare_training_graph_make(const pare_graph *model, const pare_trainer_options *options, int64_t batch,
                                     pare_training_graph *t)
{
    *t = (pare_training_graph){ .target = -1, .probs = -1 };
    PARE_TRY(pare_graph_clone(model, &t->g));
    return make(t, options, batch);
}

void pare_training_graph_clear(pare_training_graph *t)
{
    pare_params_drop(&t->params);
    pare_free(t->input);
    pare_free(t->output);
    pare_graph_destroy(t->g);
    *t = (pare_training_graph){ 0 };
}
