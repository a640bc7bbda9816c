/* SPDX-License-Identifier: Apache-2.0 */
/* qat_layers.c - weights, the norms that are folded into them, and biases, as integers will hold them */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "flow/convert.h"
#include "flow/qat_builder.h"

extern const pare_op pare_op_gemm, pare_op_matmul, pare_op_batch_normalization;

/* [C] in the shape that it has beside weights whose channels lie on `axis`. */
static pare_status beside(pare_qat_builder *b, pare_value *f, const pare_value *w, int axis, pare_node *before,
                          pare_value **out)
{
    int64_t       dims[PARE_MAX_RANK];
    const int64_t rank = w->t.shape.rank;
    pare_tensor   t = pare_tensor_of(PARE_s64, pare_shape_of(1, &rank));
    pare_value   *in[2] = { f };

    for (int i = 0; i < rank; i++)
        dims[i] = i == axis ? w->t.shape.dim[axis] : 1;
    t.data = dims;
    PARE_TRY(pare_graph_add_const(b->g, "shape", &t, &in[1]));
    return pare_qat_add(b, "reshape", NULL, f->name, before, 2, in, 1, out);
}

/* Scales of weights: by the largest of each channel, or learned within bounds that follow it. */
static pare_status weight_scale(pare_qat_builder *b, const pare_decision *d, const char *name, pare_value *w, int axis,
                                const int bounds[2], pare_node *before, pare_value **scale, const char **learn)
{
    pare_value *range[2], *in[2];
    char        attrs[ATTRS];

    *learn = "none";
    if (d->config.granularity == PARE_PER_TENSOR) {
        PARE_TRY(pare_qat_add(b, "reduce_min", "keepdims=0", name, before, 1, &w, 1, &range[0]));
        PARE_TRY(pare_qat_add(b, "reduce_max", "keepdims=0", name, before, 1, &w, 1, &range[1]));
    } else {
        snprintf(attrs, sizeof(attrs), "axis=%d", axis);
        PARE_TRY(pare_qat_add(b, "value_range", attrs, name, before, 1, &w, 2, range));
    }
    snprintf(attrs, sizeof(attrs), "lo=%d hi=%d symmetric=1", bounds[0], bounds[1]);
    PARE_TRY(pare_qat_add(b, "choose_qparams", attrs, name, before, 2, range, 1, scale));
    if (!pare_qat_number_of(b->qat, name, ".scale"))
        return PARE_OK;
    *learn = "lsq";
    PARE_TRY(pare_qat_number_value(b, name, ".scale", &in[0]));
    in[1] = *scale;
    return pare_qat_add(b, "bound_scale", NULL, name, before, 2, in, 1, scale);
}

static pare_status fake_weights(pare_qat_builder *b, const pare_decision *d, const char *name, pare_value *w, int axis,
                                pare_node *before, pare_value **out)
{
    const int   hi = (1 << (d->config.weight_bits - 1)) - 1;
    const int   bounds[2] = { d->config.weight_bits >= 4 ? -hi : -hi - 1, hi };
    const char *learn;
    pare_value *scale;
    char        attrs[ATTRS];

    PARE_TRY(weight_scale(b, d, name, w, axis, bounds, before, &scale, &learn));
    snprintf(attrs, sizeof(attrs), "lo=%d hi=%d axis=%d learn=\"%s\"", bounds[0], bounds[1],
             d->config.granularity == PARE_PER_TENSOR ? -1 : axis, learn);
    return pare_qat_add(b, "fake_quantize", attrs, name, before, 2, (pare_value *const[]){ w, scale }, 1, out);
}

/* The batch norm that conversion folds into n; NULL: there is none. */
static pare_node *folded_norm(const pare_qat_builder *b, const pare_node *n)
{
    pare_node *const bn = pare_value_only_user(n->out[0]);

    if (!bn || bn->op != &pare_op_batch_normalization || bn->in[0] != n->out[0])
        return NULL;
    for (const pare_node *m = b->q->g->first; m; m = m->next)
        if (strcmp(m->name, bn->name) == 0)
            return NULL;
    return bn;
}

/* n, whose input 1 holds folded weights, gets the bias that goes with them, and the norm behind it goes. */
static pare_status fold_bias(pare_qat_builder *b, pare_node *n, pare_node *bn, pare_value *f)
{
    pare_value *const old = n->n_in > 2 ? n->in[2] : NULL;
    pare_value       *centred, *scaled, *bias;

    if (n->op == &pare_op_matmul)
        PARE_TRY(pare_node_become(n, &pare_op_gemm));
    if (old)
        PARE_TRY(pare_qat_add(b, "sub", NULL, n->name, n, 2, (pare_value *const[]){ old, bn->in[3] }, 1, &centred));
    else
        PARE_TRY(pare_qat_add(b, "neg", NULL, n->name, n, 1, &bn->in[3], 1, &centred));
    PARE_TRY(pare_qat_add(b, "mul", NULL, n->name, n, 2, (pare_value *const[]){ centred, f }, 1, &scaled));
    PARE_TRY(pare_qat_add(b, "add", NULL, n->name, n, 2, (pare_value *const[]){ scaled, bn->in[2] }, 1, &bias));
    if (n->n_in > 2)
        pare_node_set_in(n, 2, bias);
    else
        PARE_TRY(pare_node_add_in(n, bias));
    pare_graph_absorb(bn);
    return PARE_OK;
}

static pare_status fake_layer(pare_qat_builder *b, const pare_decision *d, pare_node *n)
{
    pare_value *const w = n->in[1];
    const int         axis = pare_channel_axis(n);
    pare_node *const  bn = folded_norm(b, n);
    pare_value       *f, *along, *folded, *faked;
    char              attrs[ATTRS];

    if (!bn) {
        PARE_TRY(fake_weights(b, d, w->name, w, axis, n, &faked));
        pare_node_set_in(n, 1, faked);
        return PARE_OK;
    }
    snprintf(attrs, sizeof(attrs), "epsilon=%.9g", (double)pare_node_f(bn, "epsilon"));
    PARE_TRY(pare_qat_add(b, "batch_norm_factor", attrs, bn->name, n, 2, (pare_value *const[]){ bn->in[1], bn->in[4] },
                          1, &f));
    PARE_TRY(beside(b, f, w, axis, n, &along));
    PARE_TRY(pare_qat_add(b, "mul", NULL, w->name, n, 2, (pare_value *const[]){ w, along }, 1, &folded));
    PARE_TRY(fake_weights(b, d, w->name, folded, axis, n, &faked));
    if (b->phase->freeze_batch_norm) {
        pare_node_set_in(n, 1, faked);
        return fold_bias(b, n, bn, f);
    }
    PARE_TRY(pare_qat_add(b, "div", NULL, w->name, n, 2, (pare_value *const[]){ faked, along }, 1, &folded));
    pare_node_set_in(n, 1, folded);
    return PARE_OK;
}

/* Layers first: they look for the norms behind them. */
pare_status pare_qat_fake_layers(pare_qat_builder *b)
{
    for (int i = 0; i < b->q->n_decisions; i++) {
        const pare_decision *const d = &b->q->decisions[i];
        pare_node *const           n = pare_qat_is_weighted(d) ? pare_qat_node(b->g, d->node->name) : NULL;

        if (pare_qat_is_weighted(d) && (!n || n->n_in < 2 || !n->in[1] || !pare_value_is_const(n->in[1])))
            return pare_fail(PARE_ERR_UNSUPPORTED,
                             "node '%s': its weights are made by other nodes of the model; leave it in float",
                             d->node->name);
        if (n)
            PARE_TRY(fake_layer(b, d, n));
    }
    return PARE_OK;
}

/* The scale of what a layer reads. */
static pare_status input_scale(pare_qat_builder *b, const pare_decision *d, pare_node *before, pare_value **scale)
{
    const pare_value *const      x = d->node->in[0];
    const pare_value_plan *const p = &b->q->values[pare_quantization_leader(b->q, x->id)];
    const char                  *key = pare_qat_input_key(b->qat, d), *learn;
    pare_value                  *sz[2];
    pare_status                  status;

    if (!key)
        return pare_fail_memory(0, "the name of a range");
    if (d->coarse)
        status = pare_qat_scale_of(b, key, d->config.activation_bits, before, sz, &learn);
    else if (p->fixed_scale > 0)
        status = pare_qat_fixed_scale(b, p, sz);
    else
        status = pare_qat_scale_of(b, pare_qat_value_key(b->q, x), p->bits, before, sz, &learn);
    *scale = sz[0];
    return status;
}

/* Where the bias of a layer is: an input of n, or of the add behind a matmul; NULL: there is none. */
static pare_node *bias_place(const pare_qat_builder *b, const pare_decision *d, pare_node *n, int *input)
{
    const pare_node *const add_node = pare_quantization_bias_add(d->node);

    *input = 2;
    if (n->op != &pare_op_matmul)
        return n->n_in > 2 && n->in[2] ? n : NULL;
    pare_node *const add_here = add_node ? pare_qat_node(b->g, add_node->name) : NULL;

    if (add_here)
        *input = add_here->in[0] == n->out[0] ? 1 : 0;
    return add_here;
}

/* An integer bias has the scale of the products, so few bits round it, too. Those behind a norm in training are none. */
pare_status pare_qat_fake_biases(pare_qat_builder *b)
{
    for (int i = 0; i < b->q->n_decisions; i++) {
        const pare_decision *const d = &b->q->decisions[i];
        pare_node *const           n = pare_qat_is_weighted(d) ? pare_qat_node(b->g, d->node->name) : NULL;
        const pare_node *const     weights = n ? n->in[1]->producer : NULL;
        int                        input;
        pare_node *const           at = n ? bias_place(b, d, n, &input) : NULL;
        pare_value                *sx = NULL, *scale, *faked;
        char                       attrs[ATTRS];

        if (!at || !weights || strcmp(weights->op->name, "fake_quantize") != 0)
            continue;
        PARE_TRY(input_scale(b, d, n, &sx));
        PARE_TRY(pare_qat_add(b, "mul", NULL, n->name, n, 2, (pare_value *const[]){ sx, weights->in[1] }, 1, &scale));
        snprintf(attrs, sizeof(attrs), "lo=-1073741824 hi=1073741824 axis=%d",
                 d->config.granularity == PARE_PER_TENSOR ? -1 : 0);
        PARE_TRY(pare_qat_add(b, "fake_quantize", attrs, n->name, at, 2, (pare_value *const[]){ at->in[input], scale },
                              1, &faked));
        pare_node_set_in(at, input, faked);
    }
    return PARE_OK;
}
