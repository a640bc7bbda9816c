/* SPDX-License-Identifier: Apache-2.0 */
/* observe.h - observers on the values of a model that is about to be quantized */
#ifndef PARE_FLOW_OBSERVE_H
#define PARE_FLOW_OBSERVE_H

#include <pare/plan.h>

#include "flow/quantization.h"
#include "quant/observer.h"

/* One watched value. */
typedef struct pare_watch {
    const pare_value    *value;
    pare_value_plan     *plan;
    const pare_observer *observer;
    void                *state;
} pare_watch;

/* Run a plan of q->g with these taps, on as much data as there is. */
typedef struct pare_watches {
    pare_watch *items; /* [n] */
    pare_tap   *taps;  /* [n] */
    int         n;
} pare_watches;

/* An observer for every value whose range comes from data. Clear it even after a failure. */
pare_status pare_watches_create(pare_quantization *q, pare_watches *w);
void        pare_watches_clear(pare_watches *w);

/* The ranges of what they saw, into q. */
pare_status pare_watches_ranges(const pare_watches *w, pare_quantization *q);

/* Values that share one scale get the union of their ranges: the last step, wherever the ranges are from. */
void pare_quantization_unite(pare_quantization *q);

#endif
