/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.c - which steps the parts of a run wait for
 *
 * Every step tells which bytes of its operands a part touches (step->span; all, where it does not tell). Two parts have
 * to keep the order of two steps where one writes what the other touches: because it reads a result, or because the
 * block's memory is used again. Everything else may overtake: in a chain of row-wise steps no part ever waits for
 * another, and a window makes it wait for its neighbours only.
 */
#include "exec/order.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "ops/span.h"

/*
 * How many steps back conflicts are looked for. No part gets further ahead of another than this, which costs nothing
 * and bounds the search.
 */
enum { HORIZON = 16 };

/* Bytes begin..end-1 of the block. */
typedef struct touch {
    size_t begin, end;
    bool   writes;
} touch;

typedef struct search {
    const pare_plan  *plan;
    const pare_bound *bound;
    int               parts;
    int              *first;   /* [n_steps + 1] row in `touches` where a step's begin       */
    touch            *touches; /* [first[n_steps]][parts + 1] the last entry: what all parts touch */
    int              *known;   /* [parts][parts] steps that p knows q to have finished       */
} search;

/* ------------------------------------------------------------------------------------------- what the parts touch */

/* `span` counts from the tensor's first element. What lies outside the block is constant or the caller's. */
static touch touch_of(const search *s, const pare_tensor *t, pare_span span, bool writes)
{
    if (!t->data)
        return (touch){ 0, 0, writes };
    const pare_span all = pare_span_extent(t);
    const ptrdiff_t size = (ptrdiff_t)s->plan->block_bytes;
    const ptrdiff_t origin = (ptrdiff_t)((uintptr_t)t->data - (uintptr_t)s->bound->block);
    const ptrdiff_t begin = origin + (span.begin > all.begin ? span.begin : all.begin);
    const ptrdiff_t end = origin + (span.end < all.end ? span.end : all.end);

    if (origin < 0 || origin > size || begin >= end)
        return (touch){ 0, 0, writes };
    return (touch){ begin < 0 ? 0 : (size_t)begin, end > size ? (size_t)size : (size_t)end, writes };
}

/* Steps without a run are done by part 0 alone. */
static pare_span span_of(const search *s, int step, int operand, int part)
{
    const pare_step *const run = &s->plan->steps[step].step;

    if (!run->run)
        return part == 0 ? pare_span_all() : pare_span_none();
    return run->span ? run->span(run, &s->bound->calls[step], operand, part, s->parts) : pare_span_all();
}

/* Inputs, outputs, the outputs' borders, and one entry for whatever bodies read. */
static int n_touches(const pare_plan *plan, int step)
{
    const pare_node *const n = plan->steps[step].node;

    return plan->steps[step].view ? 0 : n->n_in + 2 * n->n_out + 1;
}

static touch *row_of(const search *s, int row)
{
    return s->touches + (size_t)row * ((size_t)s->parts + 1);
}

static void note(search *s, int row, const pare_tensor *t, pare_span span, int part, bool writes)
{
    touch *const all = row_of(s, row) + s->parts, *const one = row_of(s, row) + part;

    *one = touch_of(s, t, span, writes);
    if (one->begin == one->end)
        return;
    const bool first = all->begin == all->end;

    all->begin = first || one->begin < all->begin ? one->begin : all->begin;
    all->end = first || one->end > all->end ? one->end : all->end;
    all->writes = writes;
}

static void note_part(search *s, int step, int part)
{
    const pare_node *const n = s->plan->steps[step].node;
    const pare_call *const call = &s->bound->calls[step];
    const pare_value      *framed;
    int                    row = s->first[step];

    for (int i = 0; i < n->n_in; i++, row++)
        if (call->in[i])
            note(s, row, call->in[i], span_of(s, step, i, part), part, false);
    for (int i = 0; i < n->n_out; i++, row++)
        if (call->out[i])
            note(s, row, call->out[i], span_of(s, step, n->n_in + i, part), part, true);
    for (int i = 0; i < n->n_out; i++, row++)
        if ((framed = pare_halo_owner(s->plan, step, i))) {
            const pare_tensor *const t = &s->bound->tensors[framed->id];
            note(s, row, t, pare_halo_span(framed, t, part, s->parts), part, true);
        }
    if (part == 0 && (n->op->traits & PARE_HAS_BODY))
        row_of(s, row)[0] = row_of(s, row)[s->parts] = (touch){ 0, s->plan->block_bytes, true };
}

/* Keeps the rows of operands that lie in the block: few do. */
static void note_step(search *s, int step)
{
    const int end = s->first[step] + n_touches(s->plan, step);
    int       kept = s->first[step];

    for (int part = 0; part < s->parts && !s->plan->steps[step].view; part++)
        note_part(s, step, part);
    for (int row = kept; row < end; row++)
        if (row_of(s, row)[s->parts].begin < row_of(s, row)[s->parts].end)
            memmove(row_of(s, kept++), row_of(s, row), ((size_t)s->parts + 1) * sizeof(touch));
    memset(row_of(s, kept), 0, (size_t)(end - kept) * ((size_t)s->parts + 1) * sizeof(touch));
    s->first[step + 1] = kept;
}

/* -------------------------------------------------------------------------------------------------- who waits when */

/* Whether part `part` of the step and part `other` of the earlier one touch the same bytes, and one writes. */
static bool conflict(const search *s, int step, int part, int earlier, int other)
{
    for (int i = s->first[step]; i < s->first[step + 1]; i++) {
        const touch *const a = row_of(s, i) + part;

        for (int k = s->first[earlier]; k < s->first[earlier + 1]; k++) {
            const touch *const b = row_of(s, k) + other;

            if ((a->writes || b->writes) && a->begin < b->end && b->begin < a->end)
                return true;
        }
    }
    return false;
}

/* One bit for each step within the horizon, the nearest first, with which any parts have a conflict. */
static unsigned near_conflicts(const search *s, int step)
{
    unsigned bits = 0;

    for (int back = 0; back < HORIZON && back < step; back++)
        bits |= (unsigned)conflict(s, step, s->parts, step - 1 - back, s->parts) << back;
    return bits;
}

/* How many steps `other` must have finished before `part` may begin `step`. */
static int needed(const search *s, int step, unsigned bits, int part, int other)
{
    const int known = s->known[part * s->parts + other];

    for (int earlier = step - 1; bits && earlier >= known; earlier--, bits >>= 1)
        if ((bits & 1) && conflict(s, step, part, earlier, other))
            return earlier + 1;
    return step > HORIZON ? step - HORIZON : 0;
}

static pare_status list_waits(search *s, pare_order *order)
{
    int i = 0;

    for (int step = 0; step < s->plan->n_steps; step++) {
        const unsigned bits = near_conflicts(s, step);

        for (int part = 0; part < s->parts; part++) {
            order->first[i++] = order->n_waits;
            for (int other = 0; other < s->parts; other++) {
                int *const known = &s->known[part * s->parts + other];
                const int  count = other == part || s->plan->steps[step].view ? 0 : needed(s, step, bits, part, other);

                if (count <= *known)
                    continue;
                if (!pare_grow(&order->waits, &order->room, order->n_waits + 1, sizeof(pare_wait)))
                    return pare_fail_memory(sizeof(pare_wait) * (size_t)order->n_waits * 2, "the order of steps");
                order->waits[order->n_waits++] = (pare_wait){ other, *known = count };
            }
        }
    }
    order->first[i] = order->n_waits;
    return PARE_OK;
}

pare_status pare_order_make(const pare_plan *plan, const pare_bound *bound, int parts, pare_order *order)
{
    search       s = { .plan = plan, .bound = bound, .parts = parts };
    const size_t n = (size_t)plan->n_steps, m = (size_t)parts;
    size_t       all = 0;
    pare_status  status = PARE_OK;

    pare_order_clear(order);
    for (int i = 0; i < plan->n_steps; i++)
        all += (size_t)n_touches(plan, i);
    s.first = pare_calloc(n + 1, sizeof(*s.first));
    s.touches = pare_calloc(all * (m + 1) + 1, sizeof(*s.touches));
    s.known = pare_calloc(m * m, sizeof(*s.known));
    order->first = pare_calloc(n * m + 1, sizeof(*order->first));
    if (!s.first || !s.touches || !s.known || !order->first)
        PARE_GOTO(pare_fail_memory(all * (m + 1) * sizeof(touch), "the order of steps"));
    for (int i = 0; i < plan->n_steps; i++)
        note_step(&s, i);
    PARE_GOTO(list_waits(&s, order));
    order->parts = parts;
out:
    if (status != PARE_OK)
        pare_order_clear(order);
    pare_free(s.first);
    pare_free(s.touches);
    pare_free(s.known);
    return status;
}

void pare_order_clear(pare_order *order)
{
    pare_free(order->first);
    pare_free(order->waits);
    *order = (pare_order){ 0 };
}
