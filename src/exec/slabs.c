/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slabs.c - a batch whose samples never meet runs in slabs of a few, whose activations stay in the cache
 *
 * In a whole batch every step would write its result to memory and the next one read it from there. One sample at a time
 * leaves activations in the cache, but reads every weight again. Which weighs more depends on the network, so bytes are
 * counted. Kernels give equal bits for any batch, so results do not depend on it.
 */
#include "exec/slabs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/*
 * Bytes that a step may touch so that what it writes is still in the second-level cache, or in the last one, when the
 * next step reads it; and what a byte costs that comes from the last one, or from memory, where a byte of weights, which
 * are only read, and prefetched, costs 1 (measured with ResNet-50, MobileNetV2 and BERT, float and int8).
 */
enum { NEAR_BYTES = 1 << 20, FAR_BYTES = 16 << 20, NEAR_COST = 1, FAR_COST = 4 };

enum { MOST_INPUTS = 32 };

/* Samples in the inputs: the same number, 2 or more, in all; 0: it is not so. */
static int64_t n_samples(const pare_graph *g)
{
    for (int i = 0; i < g->n_inputs; i++) {
        const pare_shape *const s = &g->inputs[i]->t.shape;

        if (s->rank < 1 || s->dim[0] < 2 || s->dim[0] != g->inputs[0]->t.shape.dim[0] ||
            pare_dtype_size(g->inputs[i]->t.dtype) == 0)
            return 0;
    }
    return g->n_inputs ? g->inputs[0]->t.shape.dim[0] : 0;
}

/* Results of one shape; operands of its rank, or constants that are the same along its axis 0. */
static bool elementwise(const pare_call *call, unsigned carries)
{
    const int rank = call->out[0]->shape.rank;

    for (int i = 1; i < call->n_out; i++)
        if (call->out[i] && !pare_shape_equal(&call->out[i]->shape, &call->out[0]->shape))
            return false;
    for (int i = 0; i < call->n_in; i++) {
        const pare_shape *const s = call->in[i] ? &call->in[i]->shape : NULL;

        if (s && s->rank == rank && !(carries >> i & 1) && s->dim[0] != 1)
            return false;
        if (s && s->rank != rank && (carries >> i & 1))
            return false;
    }
    return true;
}

static bool is_by_sample(const pare_call *call, unsigned carries)
{
    if (call->op->traits & PARE_HAS_BODY)
        return false;
    if (call->op->by_sample)
        return call->op->by_sample(call, carries);
    if (call->op->traits & PARE_ELEMENTWISE)
        return elementwise(call, carries);
    return call->op->traits & (PARE_WANTS_CHANNELS_LAST | PARE_VIEW) && carries == 1;
}

/* A constant of this node alone that is the same for all samples, written out for each (a shape that was folded). */
static bool repeats(const pare_value *v, int64_t samples)
{
    const size_t bytes = (size_t)pare_tensor_bytes(&v->t) / (size_t)samples;

    if (!v->t.data || v->n_uses != 1 || v->t.shape.rank < 1 || v->t.shape.dim[0] != samples ||
        pare_dtype_size(v->t.dtype) == 0 || (v->t.q && v->t.q->n > 1) || !pare_tensor_is_dense(&v->t))
        return false;
    for (int64_t i = 1; i < samples; i++)
        if (memcmp(v->t.data, (const char *)v->t.data + (size_t)i * bytes, bytes) != 0)
            return false;
    return true;
}

/* Whether the node keeps samples apart if these inputs carry them. */
static bool keeps_apart(const pare_node *n, unsigned mask)
{
    const pare_tensor *in[MOST_INPUTS];
    pare_tensor       *out[PARE_MAX_OUTPUTS];

    for (int i = 0; i < n->n_in; i++)
        in[i] = n->in[i] ? &n->in[i]->t : NULL;
    for (int i = 0; i < n->n_out; i++)
        out[i] = n->out[i] ? &n->out[i]->t : NULL;
    return is_by_sample(&(pare_call){ n->op, n->attrs, n->n_in, n->n_out, in, out }, mask);
}

static unsigned inputs_that_carry(const pare_node *n, const bool *carries)
{
    unsigned mask = 0;

    for (int i = 0; i < n->n_in && i < MOST_INPUTS; i++)
        if (n->in[i] && n->in[i]->graph == n->graph && carries[n->in[i]->id])
            mask |= 1u << i;
    return mask;
}

/* Marks what a node makes of samples. False: samples meet in it, or become something else than axis 0. */
static bool follow(const pare_node *n, int64_t samples, bool *carries)
{
    const unsigned mask = inputs_that_carry(n, carries);

    for (int i = MOST_INPUTS; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->graph == n->graph && carries[n->in[i]->id])
            return false;
    if (!mask)
        return true;
    for (int i = 0; i < n->n_out; i++) {
        const pare_tensor *const t = n->out[i] ? &n->out[i]->t : NULL;

        if (t && (t->shape.rank < 1 || t->shape.dim[0] != samples || (t->q && t->q->n > 1) ||
                  pare_dtype_size(t->dtype) == 0))
            return false;
        if (t)
            carries[n->out[i]->id] = true;
    }
    if (n->n_in > MOST_INPUTS || n->n_out < 1 || !n->out[0])
        return false;
    if (keeps_apart(n, mask))
        return true;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->graph == n->graph && repeats(n->in[i], samples))
            carries[n->in[i]->id] = true;
    return keeps_apart(n, inputs_that_carry(n, carries));
}

/* Whether no sample meets another between inputs and outputs. */
static bool samples_stay_apart(const pare_graph *g, int64_t samples, bool *carries)
{
    for (int i = 0; i < g->n_inputs; i++)
        carries[g->inputs[i]->id] = true;
    for (const pare_node *n = g->first; n; n = n->next)
        if (!follow(n, samples, carries))
            return false;
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i]->graph != g || !carries[g->outputs[i]->id])
            return false;
    return true;
}

static double price(double bytes)
{
    return bytes > FAR_BYTES ? FAR_COST : bytes > NEAR_BYTES ? NEAR_COST : 0;
}

/* What a sample moves from caches and memory when `slab` of them run together. */
static double cost_of(const pare_graph *g, int64_t samples, int64_t slab, const bool *carries)
{
    double cost = 0;

    for (const pare_node *n = g->first; n; n = n->next) {
        double weights = 0, one = 0;

        for (int i = 0; i < n->n_in + n->n_out && !(n->op->traits & PARE_VIEW); i++) {
            const pare_value *const v = i < n->n_in ? n->in[i] : n->out[i - n->n_in];

            if (v && v->graph == g && carries[v->id])
                one += (double)pare_tensor_bytes(&v->t) / (double)samples;
            else if (v)
                weights += (double)pare_tensor_bytes(&v->t);
        }
        cost += weights / (double)slab + one * price(one * (double)slab);
    }
    return cost;
}

static int64_t best_slab(const pare_graph *g, int64_t samples, const bool *carries)
{
    int64_t best = samples;
    double  least = cost_of(g, samples, samples, carries);

    for (int64_t slab = samples / 2; slab >= 1; slab--) {
        const double cost = samples % slab == 0 ? cost_of(g, samples, slab, carries) : least;

        if (cost < least) {
            least = cost;
            best = slab;
        }
    }
    return best;
}

static void resize(pare_graph *g, const bool *carries, int64_t from, int64_t to)
{
    for (pare_value *v = g->values; v; v = v->next)
        if (carries[v->id]) {
            v->t.shape.dim[0] = v->t.shape.dim[0] / from * to;
            pare_tensor_set_dense(&v->t);
        }
}

pare_status pare_slabs_cut(pare_graph *g, int64_t slab, int64_t *slabs, bool *carries)
{
    const int64_t samples = n_samples(g);

    *slabs = 1;
    memset(carries, 0, (size_t)g->n_values * sizeof(*carries));
    if (samples < 2 || !samples_stay_apart(g, samples, carries))
        return PARE_OK;
    slab = slab ? slab : best_slab(g, samples, carries);
    if (samples % slab != 0)
        return pare_fail(PARE_ERR_ARG, "%lld samples cannot be cut into slabs of %lld", (long long)samples,
                         (long long)slab);
    *slabs = samples / slab;
    resize(g, carries, samples, slab);
    return PARE_OK;
}

void pare_slabs_join(pare_graph *g, int64_t slabs, const bool *carries)
{
    resize(g, carries, 1, slabs);
}
