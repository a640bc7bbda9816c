/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_bias.c - the constant added to a dynamic layer's float result becomes its bias: the same two roundings */
#include "base/status.h"
#include "passes/lower.h"
#include "passes/match.h"
#include "passes/pass.h"

/* A layer with row scales whose float result nothing has been added to, clamped or read otherwise. */
static pare_node *open_layer(const pare_value *v, const pare_node *add)
{
    pare_node *const n = pare_match_maker(v, &pare_op_qgemm, add->graph);
    float            lo, hi;

    if (!n || n->n_in <= PARE_Q_ROWS || !n->in[PARE_Q_ROWS] || v->t.q || pare_value_only_user(v) != add ||
        (n->n_in > PARE_Q_BIAS_F32 && n->in[PARE_Q_BIAS_F32]))
        return NULL;
    pare_lower_clamp_of(n, &lo, &hi);
    return isinf(lo) && isinf(hi) ? n : NULL;
}

static bool is_bias(const pare_value *v, const pare_node *layer)
{
    return pare_value_is_const(v) && v->t.dtype == PARE_f32 && v->t.shape.rank == 1 &&
           v->t.shape.dim[0] == layer->in[PARE_Q_W]->t.shape.dim[0];
}

static pare_status rewrite(pare_graph *g, pare_node *add, bool *changed)
{
    float lo, hi;

    (void)g;
    for (int i = 0; add->op == &pare_op_add && i < 2; i++) {
        pare_node *const  layer = open_layer(add->in[i], add);
        pare_value *const bias = add->in[1 - i];

        if (!layer || !is_bias(bias, layer))
            continue;
        pare_lower_clamp_of(add, &lo, &hi);
        pare_node_set_in(add, 0, layer->out[0]);
        if (!pare_graph_absorb(add))
            return PARE_OK;
        *changed = true;
        while (layer->n_in <= PARE_Q_BIAS_F32)
            PARE_TRY(pare_node_add_in(layer, NULL));
        pare_node_set_in(layer, PARE_Q_BIAS_F32, bias);
        pare_node_set_f(layer, "clamp_lo", lo);
        pare_node_set_f(layer, "clamp_hi", hi);
        return PARE_OK;
    }
    return PARE_OK;
}

const pare_pass pare_pass_fuse_bias = {
    .name = "fuse_bias",
    .doc = "the constant added to a dynamic layer's result becomes its bias",
    .rewrite = rewrite,
};
