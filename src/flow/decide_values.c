/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide_values.c - which values are quantized, which of them share one scale, how many bits they have, and whose ranges
 * come from data
 */
#include "base/status.h"
#include "flow/quantization.h"

extern const pare_op pare_op_gemm, pare_op_matmul;

typedef struct readers {
    const pare_quantization *q;
    int                      active;
} readers;

static bool count_reader(pare_node *n, int input, void *arg)
{
    readers             *r = arg;
    const pare_decision *d = pare_quantization_of(r->q, n);

    r->active += pare_quantization_is_static(d) && !d->bias && pare_quantization_is_data(d, input);
    return true;
}

int pare_quantization_readers(const pare_quantization *q, const pare_value *v)
{
    readers r = { q, 0 };

    pare_value_each_user(v, count_reader, &r);
    return r.active;
}

int pare_quantization_leader(const pare_quantization *q, int id)
{
    while (q->values[id].group != id)
        id = q->values[id].group;
    return id;
}

static void share(pare_quantization *q, const pare_value *a, const pare_value *b)
{
    const int x = pare_quantization_leader(q, a->id), y = pare_quantization_leader(q, b->id);

    q->values[x > y ? x : y].group = x > y ? y : x;
}

static void want(pare_quantization *q, const pare_value *v, const char *observer)
{
    pare_value_plan *p = &q->values[v->id];

    if (v->graph != q->g)
        return;
    p->quantized = true;
    if (!p->observer)
        p->observer = observer;
}

/* Where the result of an active node is rounded: at its own output, or behind the bias add of a matmul. */
static void want_output(pare_quantization *q, const pare_decision *d)
{
    const bool matrix = d->node->op == &pare_op_matmul || d->node->op == &pare_op_gemm || d->bias;

    if (d->node->op == &pare_op_matmul && pare_quantization_bias_add(d->node))
        return;
    for (int i = 0; i < d->node->n_out; i++) {
        const pare_value *v = d->node->out[i];

        /* A Linear layer whose result is only read as floats keeps its exact sums (ORT.md, export rule 11). */
        if (!v || (matrix && !pare_quantization_readers(q, v)))
            continue;
        want(q, v, d->config.observer);
        if (d->rule->fixed_scale > 0) {
            q->values[v->id].fixed_scale = d->rule->fixed_scale;
            q->values[v->id].fixed_zero = d->rule->fixed_zero;
        }
    }
}

static void want_values(pare_quantization *q, const pare_decision *d)
{
    const pare_value *first = NULL;

    for (int i = 0; i < d->node->n_in && !d->bias; i++) {
        const pare_value *v = d->node->in[i];

        if (!pare_quantization_is_data(d, i) || v->graph != q->g)
            continue;
        want(q, v, d->config.observer);
        if (d->rule->role == PARE_QROLE_MOVES && first)
            share(q, first, v);
        first = first ? first : v;
    }
    want_output(q, d);
    for (int i = 0; d->rule->role == PARE_QROLE_MOVES && i < d->node->n_out; i++)
        if (d->node->out[i])
            share(q, first, d->node->out[i]);
}

/*
 * The most bits that a reader of v wants. What moves elements wants those that the readers of its result want, which
 * shares v's scale; what has no weights wants 8.
 */
static bool most_bits(pare_node *n, int input, void *arg)
{
    readers             *r = arg;
    const pare_decision *d = pare_quantization_of(r->q, n);
    int                  bits = 8;

    if (pare_quantization_is_static(d) && d->rule->role == PARE_QROLE_MOVES && pare_quantization_is_data(d, input))
        bits = 0;
    else if (pare_quantization_is_static(d) && d->rule->role == PARE_QROLE_WEIGHTED && input == 0)
        bits = d->config.activation_bits;
    r->active = bits > r->active ? bits : r->active;
    return true;
}

/* Values that share one scale have the bits of the finest; a layer that wants fewer gets a coarser form for itself. */
static void choose_bits(pare_quantization *q)
{
    for (const pare_value *v = q->g->values; v; v = v->next) {
        int *const bits = &q->values[pare_quantization_leader(q, v->id)].bits;
        readers    r = { q, pare_value_is_output(v) ? 8 : 0 };

        pare_value_each_user(v, most_bits, &r);
        *bits = r.active > *bits ? r.active : *bits;
    }
    for (int i = 0; i < q->n_values; i++)
        if (q->values[i].bits == 0)
            q->values[i].bits = 8;
    for (int i = 0; i < q->n_decisions; i++) {
        pare_decision *const d = &q->decisions[i];

        if (pare_quantization_is_static(d) && d->rule->role == PARE_QROLE_WEIGHTED && d->node->in[0]->graph == q->g)
            d->coarse = d->config.activation_bits < q->values[pare_quantization_leader(q, d->node->in[0]->id)].bits;
    }
}

/* What only moves elements has the range of what it moves; constants are measured directly. */
static void choose_observed(pare_quantization *q)
{
    for (const pare_value *v = q->g->values; v; v = v->next) {
        pare_value_plan     *p = &q->values[v->id];
        const pare_decision *d = pare_quantization_of(q, v->producer);
        const bool           moved = pare_quantization_is_static(d) && d->rule->role == PARE_QROLE_MOVES;

        p->observed = p->quantized && !moved && !pare_value_is_const(v) && p->fixed_scale == 0;
    }
}

void pare_quantization_choose_values(pare_quantization *q)
{
    for (int i = 0; i < q->n_values; i++)
        q->values[i].group = i;
    for (int i = 0; i < q->n_decisions; i++)
        if (pare_quantization_is_static(&q->decisions[i]))
            want_values(q, &q->decisions[i]);
    choose_observed(q);
    choose_bits(q);
}
