/* SPDX-License-Identifier: Apache-2.0 */
/* payoff.h - what measuring layers and deciding about them have in common */
#ifndef PARE_FLOW_PAYOFF_H
#define PARE_FLOW_PAYOFF_H

#include <pare/payoff.h>
#include <pare/plan.h>

#include "flow/quantization.h"

/* The simplified model with its shapes fixed (batch 1 where it is open), and what pare_quantize would decide about it. */
pare_status pare_payoff_graph(const pare_graph *model, const pare_quantize_options *o, pare_graph **g,
                              pare_quantization *q);

/* The median of ns of each step of a plan, and of the whole inference; pare_free. */
typedef struct pare_step_times {
    double *ns; /* [steps] */
    double  whole_ns;
} pare_step_times;

pare_status pare_step_times_measure(const pare_plan *plan, pare_step_times *times);

/*
 * ns[node] of the simplified graph's nodes, by execution order, from the steps of a plan of the same model in float or in
 * integers. A step belongs to the node whose value it makes; what makes no value of the model (layouts, row codes) to the
 * first that reads it; conversions between floats and codes to nobody. Nodes that are part of another's step share its
 * time in proportion to `share` (NULL: they get nothing).
 */
pare_status pare_step_times_of_nodes(const pare_plan *plan, const double *step_ns, const pare_graph *g,
                                     const double *share, double *ns);

#endif
