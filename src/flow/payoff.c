/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payoff.c - which layers are left in float because integers do not pay
 *
 * Every layer is on one of two sides, and costs there what it was measured to take. A value that is made on one side
 * and read on the other is quantized or dequantized, once for all its readers. The sides with the least sum are a
 * cheapest cut: the source is "integers", the sink "float". For each value two points stand for its conversions; each is
 * tied to the readers by edges that are never cut:
 *
 *     maker -(dequantize)-> point -> readers           paid when the maker is integer and any reader float
 *     readers -> point -(quantize)-> maker             paid when the maker is float and any reader integer
 */
#include <pare/payoff.h>

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/cut.h"
#include "flow/payoff.h"

extern const pare_op pare_op_gemm, pare_op_matmul;

/* A layer in float must be this much faster: less is noise, and costs accuracy of nothing but memory. */
static const double WORTH = 0.95;

typedef struct sides {
    const pare_quantization *q;
    pare_cut                *cut;
    int                      n; /* points so far: decisions first, in their order */
} sides;

static int64_t ns_of(double ms)
{
    return ms > 0 && ms < 1e9 ? (int64_t)(1e6 * ms) : 0;
}

static pare_layer_time *time_of(const pare_layer_times *times, const char *name)
{
    for (int i = 0; i < times->n; i++)
        if (strcmp(times->layers[i].name, name) == 0)
            return &times->layers[i];
    return NULL;
}

static bool is_free(const pare_decision *d)
{
    return d->mode == PARE_QMODE_STATIC;
}

static int point_of(const pare_quantization *q, const pare_decision *d)
{
    return PARE_CUT_FIRST + (int)(d - q->decisions);
}

/* The maker of a value; inputs of the model are floats. */
static int maker_of(const pare_quantization *q, const pare_value *v)
{
    const pare_decision *const d = v->producer ? pare_quantization_of(q, v->producer) : NULL;

    return d ? point_of(q, d) : PARE_CUT_SINK;
}

/* A Linear layer gives floats for nothing: its sums are scaled anyway. */
static bool gives_floats(const pare_quantization *q, const pare_value *v)
{
    const pare_decision *const d = v->producer ? pare_quantization_of(q, v->producer) : NULL;

    return d && (d->bias || d->node->op == &pare_op_gemm || d->node->op == &pare_op_matmul);
}

static pare_status add_layer(const sides *s, const pare_decision *d, const pare_layer_times *times)
{
    const pare_layer_time *const t = time_of(times, d->node->name);
    const int                    at = point_of(s->q, d);

    if (!is_free(d))
        return pare_cut_edge(s->cut, at, PARE_CUT_SINK, PARE_CUT_NEVER);
    if (!t || !isfinite(t->float_ms) || !isfinite(t->int8_ms))
        return PARE_OK;
    PARE_TRY(pare_cut_edge(s->cut, PARE_CUT_SOURCE, at, ns_of(t->float_ms / WORTH)));
    return pare_cut_edge(s->cut, at, PARE_CUT_SINK, ns_of(t->int8_ms));
}

/* The bias add of a matmul goes with it. */
static pare_status tie_bias(const sides *s, const pare_decision *d)
{
    pare_node *const           add = is_free(d) ? pare_quantization_bias_add(d->node) : NULL;
    const pare_decision *const b = add ? pare_quantization_of(s->q, add) : NULL;

    if (!b || !b->bias)
        return PARE_OK;
    PARE_TRY(pare_cut_edge(s->cut, point_of(s->q, d), point_of(s->q, b), PARE_CUT_NEVER));
    return pare_cut_edge(s->cut, point_of(s->q, b), point_of(s->q, d), PARE_CUT_NEVER);
}

/* The readers of one value, while its edges are added. */
typedef struct reading {
    const sides *s;
    int          dequantized, quantized; /* the two points */
    pare_status  status;
} reading;

static bool add_reader(pare_node *n, int input, void *arg)
{
    reading *const             r = arg;
    const pare_decision *const d = pare_quantization_of(r->s->q, n);
    const bool                 codes = d && is_free(d) && pare_quantization_is_data(d, input);
    const int                  at = codes ? point_of(r->s->q, d) : PARE_CUT_SINK;

    r->status = pare_cut_edge(r->s->cut, r->dequantized, at, PARE_CUT_NEVER);
    if (r->status == PARE_OK && at != PARE_CUT_SINK)
        r->status = pare_cut_edge(r->s->cut, at, r->quantized, PARE_CUT_NEVER);
    return r->status == PARE_OK;
}

static pare_status add_value(sides *s, const pare_value *v, const pare_layer_times *times)
{
    const int     maker = maker_of(s->q, v);
    const int64_t count = pare_shape_count(&v->t.shape);
    reading       r = { s, s->n, s->n + 1, PARE_OK };

    if (pare_value_is_const(v) || v->n_uses == 0 || count < 0)
        return PARE_OK;
    s->n += 2;
    PARE_TRY(pare_cut_edge(s->cut, maker, r.dequantized,
                           gives_floats(s->q, v) ? 0 : ns_of(1e-6 * times->dequantize_ns * (double)count)));
    PARE_TRY(pare_cut_edge(s->cut, r.quantized, maker, ns_of(1e-6 * times->quantize_ns * (double)count)));
    pare_value_each_user(v, add_reader, &r);
    if (r.status == PARE_OK && pare_value_is_output(v))
        r.status = pare_cut_edge(s->cut, r.dequantized, PARE_CUT_SINK, PARE_CUT_NEVER);
    return r.status;
}

static pare_status cut(const pare_quantization *q, pare_layer_times *times)
{
    const int   points = PARE_CUT_FIRST + q->n_decisions + 2 * q->n_values;
    bool *const at_sink = pare_calloc((size_t)points, sizeof(*at_sink));
    sides       s = { .q = q, .n = PARE_CUT_FIRST + q->n_decisions };
    pare_status status = PARE_OK;

    if (!at_sink)
        return pare_fail_memory((size_t)points, "sides");
    PARE_GOTO(pare_cut_create(points, &s.cut));
    for (int i = 0; i < q->n_decisions; i++) {
        PARE_GOTO(add_layer(&s, &q->decisions[i], times));
        PARE_GOTO(tie_bias(&s, &q->decisions[i]));
    }
    for (const pare_value *v = q->g->values; v; v = v->next)
        PARE_GOTO(add_value(&s, v, times));
    PARE_GOTO(pare_cut_find(s.cut, at_sink));
    for (int i = 0; i < q->n_decisions; i++) {
        const pare_decision *const d = &q->decisions[i];
        pare_layer_time *const     t = time_of(times, d->node->name);

        if (t && d->mode == PARE_QMODE_DYNAMIC)
            t->in_float = t->float_ms < WORTH * t->int8_ms; /* its neighbours are floats in any case */
        else if (t)
            t->in_float = is_free(d) && at_sink[point_of(q, d)];
    }
out:
    pare_cut_destroy(s.cut);
    pare_free(at_sink);
    return status;
}

pare_status pare_layer_times_decide(const pare_graph *graph, const pare_quantize_options *o, pare_layer_times *times)
{
    pare_quantization q = { 0 };
    pare_graph       *g;

    PARE_TRY(pare_payoff_graph(graph, o, &g, &q));
    const pare_status status = cut(&q, times);

    pare_quantization_clear(&q);
    pare_graph_destroy(g);
    return status;
}
