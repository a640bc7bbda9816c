/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share_channels.c - channels that only change their company are not copied
 *
 * What a concat along the channels reads is written into the concat's own memory, and the pieces of a split, or of a
 * slice, are read where the whole lies. Such a value has a `home` and the home's pixel stride and halo. Only
 * channels-last values can have one, each only one: what two concats read is copied by the second. Pieces that begin in
 * the middle of a cache line are copied where a layer with weights reads them: loads of matrix tiles whose rows cross
 * lines take up to six times as long.
 */
#include "base/status.h"
#include "passes/pass.h"

#include <string.h>

extern const pare_op pare_op_concat, pare_op_split, pare_op_slice;

enum { LINE = 64, HALF_LINE = 32 };

/* Pixels of up to four channels lie so closely that a line holds many. */
enum { MIN_HOME_CHANNELS = 5 };

static bool can_be_home(const pare_value *v)
{
    return v->format == PARE_CHANNELS_LAST && v->t.shape.dim[1] >= MIN_HOME_CHANNELS;
}

static bool can_move_in(const pare_value *v, const pare_graph *g)
{
    return v && v->format == PARE_CHANNELS_LAST && !v->home && v->producer && v->graph == g && !pare_value_is_output(v);
}

static bool along_channels(const pare_node *n, const pare_value *v)
{
    const int64_t axis = pare_node_i(n, "axis");

    return axis == 1 || axis == 1 - v->t.shape.rank;
}

static void join(pare_graph *g, const pare_node *n)
{
    pare_value *const y = n->out[0];
    int64_t           channel = 0;

    for (int i = 0; i < n->n_in; channel += n->in[i++]->t.shape.dim[1])
        if (can_move_in(n->in[i], g)) {
            n->in[i]->home = y;
            n->in[i]->home_channel = channel;
        }
}

static bool is_product(pare_node *user, int input, void *arg)
{
    *(bool *)arg |= input == 0 && user->op->traits & PARE_LINEAR_OP;
    return true;
}

/* Whether a piece that begins at this channel of its home is as good as one with memory of its own. */
static bool is_aligned(const pare_value *v, int64_t channel)
{
    const int64_t size = (int64_t)pare_dtype_size(v->t.dtype);
    const int64_t line = v->t.shape.dim[1] * size <= HALF_LINE ? HALF_LINE : LINE;
    bool          product = false;

    pare_value_each_user(v, is_product, &product);
    return !product || channel * size % line == 0;
}

static void settle(pare_graph *g, pare_value *piece, pare_value *whole, int64_t channel)
{
    if (!can_move_in(piece, g) || !is_aligned(piece, channel))
        return;
    piece->home = whole;
    piece->home_channel = channel;
}

static void part(pare_graph *g, const pare_node *n)
{
    int64_t channel = 0;

    for (int i = 0; i < n->n_out; channel += n->out[i++]->t.shape.dim[1]) {
        if (!n->out[i])
            return; /* its length is not known here */
        settle(g, n->out[i], n->in[0], channel);
    }
}

/* The only axis of a slice with constant inputs, its start and its step; false: there are several, or none. */
static bool slice_start(const pare_node *n, int64_t *start)
{
    const pare_value *const x = n->in[0], *const starts = n->in[1], *const axes = n->n_in > 3 ? n->in[3] : NULL;
    const pare_value *const steps = n->n_in > 4 ? n->in[4] : NULL;

    if (!pare_value_is_const(starts) || pare_shape_count(&starts->t.shape) != 1 || !axes ||
        !pare_value_is_const(axes) || (steps && (!pare_value_is_const(steps) || pare_tensor_int(&steps->t, 0) != 1)))
        return false;
    const int64_t axis = pare_tensor_int(&axes->t, 0), at = pare_tensor_int(&starts->t, 0);
    const int64_t channels = x->t.shape.dim[1];

    *start = at < 0 ? at + channels : at;
    return (axis == 1 || axis == 1 - x->t.shape.rank) && *start >= 0 && *start < channels;
}

static void cut(pare_graph *g, const pare_node *n)
{
    int64_t start;

    if (slice_start(n, &start))
        settle(g, n->out[0], n->in[0], start);
}

static pare_value *root_of(pare_value *v)
{
    while (v->home)
        v = v->home;
    return v;
}

/* One border for all that live together: the widest. */
static void share_halos(pare_graph *g)
{
    for (pare_value *v = g->values; v; v = v->next) {
        pare_value *const root = root_of(v);

        for (int i = 0; i < 4; i++)
            if (root->halo[i / 2][i % 2] < v->halo[i / 2][i % 2])
                root->halo[i / 2][i % 2] = v->halo[i / 2][i % 2];
    }
    for (pare_value *v = g->values; v; v = v->next)
        if (v->home)
            memcpy(v->halo, root_of(v)->halo, sizeof(v->halo));
}

static pare_status run(pare_graph *g)
{
    for (pare_node *n = g->first; n; n = n->next) {
        if (n->op == &pare_op_concat && can_be_home(n->out[0]) && along_channels(n, n->out[0]))
            join(g, n);
        else if (n->op == &pare_op_split && can_be_home(n->in[0]) && along_channels(n, n->in[0]))
            part(g, n);
        else if (n->op == &pare_op_slice && can_be_home(n->in[0]))
            cut(g, n);
    }
    share_halos(g);
    return PARE_OK;
}

const pare_pass pare_pass_share_channels = {
    .name = "share_channels",
    .doc = "concat and split of channels without a copy",
    .run = run,
};
