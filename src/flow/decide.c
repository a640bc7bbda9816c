/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c - which nodes run on integers, and which values are quantized for them
 *
 * 1. Every node gets its settings from the mapping and its rule from the target. 2. Layers with weights are taken
 * first; what lies between them follows where its inputs are integers anyway. 3. What only moves or combines elements
 * falls back to float when no integer layer reads its result. 4. Values that integer nodes exchange are quantized; ops that
 * only move elements share one scale between inputs and outputs.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/quantization.h"
#include "quant/qconfig.h"

extern const pare_op pare_op_conv, pare_op_gemm, pare_op_matmul, pare_op_add, pare_op_pad, pare_op_resize;

bool pare_quantization_is_data(const pare_decision *d, int i)
{
    if (!d->rule || !d->node->in[i])
        return false;
    switch (d->rule->role) {
    case PARE_QROLE_BINARY:
        return true;
    case PARE_QROLE_MOVES:
        return i == 0 || strcmp(d->node->op->name, "concat") == 0;
    default:
        return i == 0;
    }
}

pare_node *pare_quantization_bias_add(const pare_node *n)
{
    pare_node *add = n->op == &pare_op_matmul ? pare_value_only_user(n->out[0]) : NULL;

    if (!add || add->op != &pare_op_add || add->in[0] == add->in[1])
        return NULL;
    const pare_value *b = add->in[0] == n->out[0] ? add->in[1] : add->in[0];

    const pare_value *w = n->in[1];

    return pare_value_is_const(b) && b->t.dtype == PARE_f32 && b->t.shape.rank == 1 && w->t.shape.rank == 2 &&
                   b->t.shape.dim[0] == w->t.shape.dim[1]
               ? add
               : NULL;
}

static pare_decision *find(const pare_quantization *q, const pare_node *n)
{
    for (int i = 0; n && i < q->n_decisions; i++)
        if (q->decisions[i].node == n)
            return &q->decisions[i];
    return NULL;
}

const pare_decision *pare_quantization_of(const pare_quantization *q, const pare_node *n)
{
    return find(q, n);
}

/* ------------------------------------------------------------------------------------------------ one node alone */

static bool is_f32_const(const pare_value *v)
{
    return v && pare_value_is_const(v) && v->t.dtype == PARE_f32;
}

static const char *weights_refused(const pare_node *n)
{
    if (n->n_in < 2 || !is_f32_const(n->in[1]))
        return "its weights are not constant";
    if (n->op == &pare_op_matmul && n->in[1]->t.shape.rank != 2)
        return "its weights are not a matrix";
    if (n->op == &pare_op_gemm &&
        (pare_node_f(n, "alpha") != 1 || pare_node_f(n, "beta") != 1 || pare_node_i(n, "transA")))
        return "it scales or transposes its activations";
    if (n->n_in > 2 && n->in[2] && !is_f32_const(n->in[2]))
        return "its bias is not constant";
    if (n->op == &pare_op_gemm && n->n_in > 2 && n->in[2] &&
        pare_shape_count(&n->in[2]->t.shape) != n->in[1]->t.shape.dim[pare_node_i(n, "transB") ? 0 : 1])
        return "its bias is not one number per output";
    return NULL;
}

static const char *recurrent_refused(const pare_node *n)
{
    return n->n_in > 2 && is_f32_const(n->in[1]) && is_f32_const(n->in[2]) ? NULL : "its weights are not constant";
}

static const char *others_refused(const pare_decision *d)
{
    const pare_node *const n = d->node;

    if (n->op == &pare_op_resize && strcmp(pare_node_s(n, "mode"), "nearest") != 0)
        return "it interpolates";
    if (n->op == &pare_op_pad && n->n_in > 2 && n->in[2] && pare_value_is_const(n->in[2]) &&
        pare_tensor_real(&n->in[2]->t, 0) != 0)
        return "it pads with another number than 0";
    for (int i = 0; i < d->node->n_in; i++)
        if (d->node->in[i] && !pare_quantization_is_data(d, i) && !pare_value_is_const(d->node->in[i]))
            return "a parameter is known only at run time";
    return NULL;
}

/* Why this node cannot be quantized the way `mode` says; NULL: it can. */
static const char *refused(const pare_decision *d, pare_qmode mode)
{
    if (d->node->op->traits & PARE_HAS_BODY)
        return "the layers in its branches stay in float";
    if (!d->rule)
        return "the target has no integer form of it";
    if (mode == PARE_QMODE_STATIC && !d->rule->can_static)
        return "it has no static integer form";
    if (mode == PARE_QMODE_DYNAMIC && !d->rule->can_dynamic)
        return "dynamic quantization is for layers with weights";
    switch (d->rule->role) {
    case PARE_QROLE_WEIGHTED:
        return weights_refused(d->node);
    case PARE_QROLE_RECURRENT:
        return recurrent_refused(d->node);
    default:
        return others_refused(d);
    }
}

static bool on_floats(const pare_node *n)
{
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i])
            return n->out[i]->t.dtype == PARE_f32 || n->out[i]->t.dtype == PARE_NO_DTYPE;
    return false;
}

/* Layers that only exist to compute shapes or move constants are not worth a line. */
static void settle(pare_decision *d, pare_qmode model_mode)
{
    pare_qmode mode = d->config.mode;

    d->layer = on_floats(d->node);
    if (mode == PARE_QMODE_AUTO || mode == PARE_QMODE_DEFAULT)
        mode = d->rule && d->rule->role == PARE_QROLE_RECURRENT ? PARE_QMODE_DYNAMIC : model_mode;
    if (mode == PARE_QMODE_FLOAT)
        d->reason = d->config.reason ? d->config.reason : "a rule keeps it in float";
    else if (!d->layer)
        d->reason = "it does not work on floats";
    else
        d->reason = refused(d, mode);
    d->mode = d->reason ? PARE_QMODE_FLOAT : mode;
    if (!d->reason)
        d->reason = "";
}

/* --------------------------------------------------------------------------------------------- the model as a whole */

/* Auto: convolutions reuse each weight for many pixels and have stable ranges; Linear and recurrent layers do not. */
static pare_qmode choose_mode(pare_quantization *q, const pare_quantize_options *o)
{
    const pare_qconfig global = pare_mapping_find(&o->mapping, "", "");
    int                convs = 0;

    for (int i = 0; i < q->n_decisions; i++)
        convs += q->decisions[i].node->op == &pare_op_conv;
    if (global.mode == PARE_QMODE_STATIC || global.mode == PARE_QMODE_DYNAMIC) {
        q->mode = global.mode == PARE_QMODE_STATIC ? "static" : "dynamic";
        q->reason = "as asked";
        return global.mode;
    }
    q->mode = convs ? "static" : "dynamic";
    q->reason = convs ? "it has convolutions, whose activations keep stable ranges and dominate the time"
                      : "it is made of Linear or recurrent layers, whose activations vary from sample to sample";
    return convs ? PARE_QMODE_STATIC : PARE_QMODE_DYNAMIC;
}

/* ------------------------------------------------------------------------------------------------- neighbourhoods */

/* Layers with weights stay; the others need an input that is integers already. */
static bool follows(const pare_quantization *q, const pare_decision *d, const bool *taken)
{
    for (int i = 0; i < d->node->n_in; i++) {
        const pare_value *v = d->node->in[i];

        if (!pare_quantization_is_data(d, i) || v->graph != q->g || pare_value_is_const(v))
            continue;
        if (v->producer) {
            const pare_decision *p = find(q, v->producer);

            if (p && taken[p - q->decisions])
                return true;
        }
        for (int j = 0; j < q->n_decisions; j++)
            if (taken[j] && q->decisions[j].rule->role == PARE_QROLE_WEIGHTED && q->decisions[j].node->in[0] == v)
                return true;
    }
    return false;
}

static pare_status take_followers(pare_quantization *q)
{
    bool *const taken = pare_calloc((size_t)q->n_decisions + 1, sizeof(*taken));

    if (!taken)
        return pare_fail_memory((size_t)q->n_decisions, "decisions");
    for (int i = 0; i < q->n_decisions; i++)
        taken[i] = pare_quantization_is_static(&q->decisions[i]) && q->decisions[i].rule->role == PARE_QROLE_WEIGHTED;
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < q->n_decisions; i++)
            if (!taken[i] && pare_quantization_is_static(&q->decisions[i]) && follows(q, &q->decisions[i], taken))
                taken[i] = again = true;
    }
    for (int i = 0; i < q->n_decisions; i++)
        if (!taken[i] && pare_quantization_is_static(&q->decisions[i])) {
            q->decisions[i].mode = PARE_QMODE_FLOAT;
            q->decisions[i].reason = "its inputs are floats";
        }
    pare_free(taken);
    return PARE_OK;
}

static bool useful(const pare_quantization *q, const pare_decision *d)
{
    if (d->rule->role == PARE_QROLE_WEIGHTED || d->rule->role == PARE_QROLE_POOL || d->bias)
        return true;
    for (int i = 0; i < d->node->n_out; i++)
        if (d->node->out[i] && pare_quantization_readers(q, d->node->out[i]))
            return true;
    return false;
}

static void drop_useless(pare_quantization *q)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = q->n_decisions - 1; i >= 0; i--)
            if (pare_quantization_is_static(&q->decisions[i]) && !useful(q, &q->decisions[i])) {
                q->decisions[i].mode = PARE_QMODE_FLOAT;
                q->decisions[i].reason = "no integer layer reads its result";
                again = true;
            }
    }
}

pare_status pare_quantization_decide(pare_graph *g, const pare_quantize_options *o, pare_quantization *q)
{
    int i = 0;

    *q = (pare_quantization){ .g = g, .n_decisions = pare_graph_n_nodes(g) };
    pare_graph_number(g);
    q->n_values = g->n_values;
    q->decisions = pare_calloc((size_t)q->n_decisions + 1, sizeof(*q->decisions));
    q->values = pare_calloc((size_t)q->n_values + 1, sizeof(*q->values));
    if (!q->decisions || !q->values)
        return pare_fail_memory(sizeof(*q->values) * (size_t)q->n_values, "decisions");
    for (pare_node *n = g->first; n; n = n->next, i++)
        q->decisions[i] = (pare_decision){ .node = n,
                                           .rule = pare_backend_rule(n->op->name),
                                           .config = pare_mapping_find(&o->mapping, n->op->name, n->name) };
    const pare_qmode mode = choose_mode(q, o);

    for (i = 0; i < q->n_decisions; i++)
        settle(&q->decisions[i], mode);
    for (i = 0; i < q->n_decisions; i++) {
        pare_node *const add =
            pare_quantization_is_static(&q->decisions[i]) ? pare_quantization_bias_add(q->decisions[i].node) : NULL;

        if (add && pare_quantization_is_static(find(q, add)))
            find(q, add)->bias = true;
    }
    PARE_TRY(take_followers(q));
    drop_useless(q);
    pare_quantization_choose_values(q);
    return pare_quantization_check(q, o);
}

void pare_quantization_clear(pare_quantization *q)
{
    pare_free(q->decisions);
    pare_free(q->values);
    *q = (pare_quantization){ 0 };
}

bool pare_quantization_needs_data(const pare_quantization *q)
{
    for (int i = 0; i < q->n_values; i++)
        if (q->values[i].observed)
            return true;
    return false;
}
