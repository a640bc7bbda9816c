/* SPDX-License-Identifier: Apache-2.0 */
/* observe.c - observers watch the values of a float model as taps, and ranges come out */
#include "flow/observe.h"

#include "base/alloc.h"
#include "base/status.h"

static pare_status see(void *user, const pare_tensor *t)
{
    pare_watch *const w = user;
    const pare_status status = w->observer->see(w->state, t);

    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "value '%s'", w->value->name);
}

void pare_watches_clear(pare_watches *w)
{
    for (int i = 0; i < w->n; i++)
        pare_free(w->items[i].state);
    pare_free(w->items);
    pare_free(w->taps);
    *w = (pare_watches){ 0 };
}

static pare_status watch_value(pare_watches *w, const pare_value *v, pare_value_plan *p)
{
    const pare_observer *observer = pare_observer_find(p->observer); /* decide has looked it up */
    pare_watch *const    item = &w->items[w->n];

    *item = (pare_watch){ v, p, observer, pare_calloc(1, observer->size) };
    if (!item->state)
        return pare_fail_memory(observer->size, "an observer");
    w->taps[w->n] = (pare_tap){ v->name, see, item };
    w->n++;
    return PARE_OK;
}

pare_status pare_watches_create(pare_quantization *q, pare_watches *w)
{
    w->items = pare_calloc((size_t)q->n_values + 1, sizeof(*w->items));
    w->taps = pare_calloc((size_t)q->n_values + 1, sizeof(*w->taps));
    if (!w->items || !w->taps)
        return pare_fail_memory(sizeof(*w->items) * (size_t)q->n_values, "observers");
    const pare_value *v = q->g->values;

    for (int i = 0; v && i < q->n_values; i++, v = v->next)
        if (q->values[v->id].observed)
            PARE_TRY(watch_value(w, v, &q->values[v->id]));
    return PARE_OK;
}

pare_status pare_watches_ranges(const pare_watches *w, pare_quantization *q)
{
    for (int i = 0; i < w->n; i++) {
        pare_value_plan  *p = w->items[i].plan;
        const int         levels = 1 << q->values[pare_quantization_leader(q, w->items[i].value->id)].bits;
        const pare_status status = w->items[i].observer->range(w->items[i].state, levels, &p->min, &p->max);

        if (status != PARE_OK)
            return pare_fail_in(status, "value '%s'", w->items[i].value->name);
    }
    for (int i = 0; i < q->n_decisions; i++) {
        pare_decision *const d = &q->decisions[i];

        for (int k = 0; d->coarse && k < w->n; k++)
            if (w->items[k].value == d->node->in[0])
                PARE_TRY(w->items[k].observer->range(w->items[k].state, 1 << d->config.activation_bits, &d->in_min,
                                                     &d->in_max));
    }
    return PARE_OK;
}

/*
 * Values that share one scale share the union of their ranges, kept at their leader. Fixed parameters (of a sigmoid)
 * stay when the group has nothing else; beside observed values they are a range like any other.
 */
static void unite_group(pare_quantization *q, int leader)
{
    pare_value_plan sum = { 0 };
    bool            mixed = false, alone = true;

    for (int i = 0; i < q->n_values; i++) {
        const pare_value_plan *const p = &q->values[i];

        if (!p->quantized || pare_quantization_leader(q, i) != leader)
            continue;
        alone &= i == leader;
        if (!p->observed && p->fixed_scale == 0)
            continue;
        const float lo = p->observed ? p->min : (float)(0 - p->fixed_zero) * p->fixed_scale;
        const float hi = p->observed ? p->max : (float)(255 - p->fixed_zero) * p->fixed_scale;

        mixed |= p->observed ||
                 (sum.fixed_scale > 0 && (p->fixed_scale != sum.fixed_scale || p->fixed_zero != sum.fixed_zero));
        sum.fixed_scale = p->fixed_scale;
        sum.fixed_zero = p->fixed_zero;
        sum.min = lo < sum.min ? lo : sum.min;
        sum.max = hi > sum.max ? hi : sum.max;
    }
    if (alone)
        return;
    q->values[leader].min = sum.min;
    q->values[leader].max = sum.max;
    q->values[leader].fixed_scale = mixed ? 0 : sum.fixed_scale;
    q->values[leader].fixed_zero = mixed ? 0 : sum.fixed_zero;
}

void pare_quantization_unite(pare_quantization *q)
{
    for (int i = 0; i < q->n_values; i++)
        if (q->values[i].group == i)
            unite_group(q, i);
}
