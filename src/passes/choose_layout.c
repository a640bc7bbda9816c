/* SPDX-License-Identifier: Apache-2.0 */
/*
 * choose_layout.c - which values lie channels-last, and with how much halo
 *
 * Ops with PARE_WANTS_CHANNELS_LAST read and write channels-last; elementwise ops and moves that keep the axes pass the
 * format on; everything else is dense (every op reads any strides, so no conversion is needed there). Gradients lie like
 * what they are gradients of: conv_weight_grad wants both x and dY channels-last. Graph inputs and
 * outputs are the caller's and stay dense: an `identity` node with a channels-last output converts where a convolution
 * reads one directly, and one with a dense output where a graph output would be channels-last.
 */
#include "base/status.h"
#include "ops/conv.h"
#include "passes/pass.h"

#include <string.h>

extern const pare_op pare_op_conv, pare_op_conv_add, pare_op_qconv, pare_op_identity, pare_op_concat, pare_op_split,
    pare_op_slice, pare_op_pad, pare_op_qaverage_pool, pare_op_interleave, pare_op_resize, pare_op_lut, pare_op_qadd,
    pare_op_qmul, pare_op_conv_weight_grad, pare_op_batch_normalization, pare_op_batch_norm_grad;

static bool has_pixels(const pare_value *v)
{
    return v && v->has_shape && (v->t.shape.rank == 3 || v->t.shape.rank == 4);
}

/* Ops that keep the axes where they are, whatever their memory order. */
static bool keeps_axes(const pare_node *n)
{
    return (n->op->traits & PARE_ELEMENTWISE) || n->op == &pare_op_concat || n->op == &pare_op_split ||
           n->op == &pare_op_slice || n->op == &pare_op_pad || n->op == &pare_op_interleave || n->op == &pare_op_lut ||
           n->op == &pare_op_qadd || n->op == &pare_op_qmul || n->op == &pare_op_batch_normalization ||
           n->op == &pare_op_batch_norm_grad ||
           (n->op == &pare_op_resize && strcmp(pare_node_s(n, "mode"), "nearest") == 0);
}

/* A global pool makes one pixel: dense, so that flattening it costs nothing. */
static bool is_one_pixel(const pare_value *v)
{
    for (int i = 2; i < v->t.shape.rank; i++)
        if (v->t.shape.dim[i] != 1)
            return false;
    return true;
}

static bool reads_channels_last(const pare_node *n)
{
    for (int i = 0; i < n->n_in; i++)
        if (has_pixels(n->in[i]) && n->in[i]->format == PARE_CHANNELS_LAST)
            return true;
    return false;
}

/* Convolutions and the like read their first input channels-last, a weight gradient both, conv_add what it adds. */
static bool wants_channels_last(const pare_node *n, int input)
{
    return n->op == &pare_op_conv_weight_grad || (n->op == &pare_op_conv_add && input == 3) ||
           (input == 0 && (n->op->traits & PARE_WANTS_CHANNELS_LAST));
}

/* A quantize whose reader is a convolution: the conversion happens while quantizing. */
static bool feeds_channels_last(pare_node *user, int input, void *arg)
{
    if (wants_channels_last(user, input))
        *(bool *)arg = true;
    return true;
}

static void choose(pare_node *n)
{
    for (int i = 0; i < n->n_out; i++) {
        pare_value *const v = n->out[i];
        bool              wanted = false;

        if (!has_pixels(v) || pare_value_is_output(v) || v->t.shape.dim[1] < 1)
            continue;
        pare_value_each_user(v, feeds_channels_last, &wanted);
        if (is_one_pixel(v) && !wanted)
            continue;
        if ((n->op->traits & PARE_WANTS_CHANNELS_LAST) || (keeps_axes(n) && (wanted || reads_channels_last(n))) ||
            ((n->op->traits & PARE_INTEGER) && wanted))
            v->format = PARE_CHANNELS_LAST;
    }
}

typedef struct search {
    const pare_graph *g;
    pare_value       *found;
} search;

static bool note_copy(pare_node *user, int input, void *arg)
{
    search *s = arg;

    (void)input;
    if (user->op == &pare_op_identity && user->graph == s->g && user->out[0]->format == PARE_CHANNELS_LAST)
        s->found = user->out[0];
    return !s->found;
}

/* A copy of an input in front of n that lies as n wants it: one for all convolutions that read it. */
static pare_status convert_input(pare_graph *g, pare_node *n, int input)
{
    pare_value *const v = n->in[input], *copy;
    search            s = { .g = g };
    pare_node        *made;

    pare_value_each_user(v, note_copy, &s);
    if (s.found) {
        pare_node_set_in(n, input, s.found);
        return PARE_OK;
    }
    PARE_TRY(pare_graph_add_value(g, v->name, &copy));
    copy->t = pare_tensor_of(v->t.dtype, v->t.shape);
    copy->has_shape = true;
    copy->format = PARE_CHANNELS_LAST;
    if (v->t.q)
        PARE_TRY(pare_value_set_q(copy, v->t.q));
    PARE_TRY(pare_graph_add_node(g, &pare_op_identity, NULL, 1, &v, 1, &copy, n, &made));
    pare_node_set_in(n, input, copy);
    return PARE_OK;
}

static bool is_windowed(const pare_node *n)
{
    return (n->op == &pare_op_conv || n->op == &pare_op_conv_add || n->op == &pare_op_qconv ||
            n->op == &pare_op_conv_weight_grad) &&
           has_pixels(n->in[0]);
}

/* The graph output stays dense: a copy of a channels-last value that the node writes into and the others read. */
static pare_status convert_output(pare_graph *g, pare_node *n)
{
    pare_value *const v = n->out[0], *inner;
    pare_node        *made;

    PARE_TRY(pare_graph_add_value(g, v->name, &inner));
    inner->t = pare_tensor_of(v->t.dtype, v->t.shape);
    inner->has_shape = true;
    inner->format = PARE_CHANNELS_LAST;
    if (v->t.q)
        PARE_TRY(pare_value_set_q(inner, v->t.q));
    n->out[0] = inner;
    inner->producer = n;
    v->producer = NULL;
    for (pare_node *user = n->next; user; user = user->next)
        for (int i = 0; i < user->n_in; i++)
            if (user->in[i] == v)
                pare_node_set_in(user, i, inner);
    return pare_graph_add_node(g, &pare_op_identity, NULL, 1, &inner, 1, &v, n->next, &made);
}

static void widen(int halo[2][2], const pare_window_2d *w)
{
    const int need[2][2] = { { w->top, w->bottom }, { w->left, w->right } };

    for (int axis = 0; axis < 2; axis++)
        for (int end = 0; end < 2; end++)
            if (halo[axis][end] < need[axis][end])
                halo[axis][end] = need[axis][end];
}

/* An average that counts its padding reads it like pixels. */
static bool is_padded_average(const pare_node *n)
{
    return n->op == &pare_op_qaverage_pool && has_pixels(n->in[0]) && n->in[0]->format == PARE_CHANNELS_LAST &&
           pare_node_i(n, "count_include_pad");
}

/* The reader's padding becomes border in memory. */
static pare_status reserve_halo(pare_node *n)
{
    const bool     has_weights = is_windowed(n) && n->op != &pare_op_conv_weight_grad;
    pare_window    window;
    pare_window_2d w;

    /* The attribute structs of convolutions and pools begin with the window. */
    PARE_TRY(
        pare_window_resolve(n->attrs, &n->in[0]->t.shape, has_weights ? &n->in[1]->t.shape.dim[2] : NULL, &window));
    if (pare_window_as_2d(&window, &w))
        widen(n->in[0]->halo, &w);
    return PARE_OK;
}

static pare_status run(pare_graph *g)
{
    for (pare_node *n = g->first; n; n = n->next)
        choose(n);
    for (pare_node *n = g->first; n; n = n->next) {
        if (is_padded_average(n))
            PARE_TRY(reserve_halo(n));
        if (!is_windowed(n))
            continue;
        for (int i = 0; i < n->n_in; i++)
            if (n->in[i] && wants_channels_last(n, i) && n->in[i]->format != PARE_CHANNELS_LAST)
                PARE_TRY(convert_input(g, n, i));
        if (pare_value_is_output(n->out[0]) && n->op != &pare_op_conv_weight_grad)
            PARE_TRY(convert_output(g, n));
        PARE_TRY(reserve_halo(n));
    }
    return PARE_OK;
}

const pare_pass pare_pass_choose_layout = {
    .name = "choose_layout",
    .doc = "channels-last values and their halos",
    .run = run,
};
