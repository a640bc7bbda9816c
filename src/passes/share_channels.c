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
#include <string.h>

#include "passes/channels.h"
#include "passes/pass.h"

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

static void cut(pare_graph *g, const pare_node *n)
{
    for (int i = 0; i < n->n_out; i++) {
        pare_value *const piece = n->out[i];
        int64_t           start;

        if (!can_move_in(piece, g) || !pare_channels_start(n, i, &start) || !is_aligned(piece, start))
            continue;
        piece->home = n->in[0];
        piece->home_channel = start;
    }
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
        if (pare_channels_are_joined(n) && can_be_home(n->out[0]))
            join(g, n);
        else if (pare_channels_are_cut(n) && can_be_home(n->in[0]))
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
