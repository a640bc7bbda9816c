/* SPDX-License-Identifier: Apache-2.0 */
/* planned.h - a graph that is run with inputs of any shape: planned for each shape that comes, once */
#ifndef PARE_FLOW_PLANNED_H
#define PARE_FLOW_PLANNED_H

#include <pare/compile.h>

#include "base/arena.h"

typedef struct pare_planned_shape pare_planned_shape;

/* A zeroed struct is empty. */
typedef struct pare_planned {
    pare_planned_shape *all;
    bool                taps; /* hooks will look at its values */
} pare_planned;

void pare_planned_clear(pare_planned *p);

/* The context that runs `graph` on in[n_in], all of them given; made when there is none for these shapes. */
pare_status pare_planned_context(pare_planned *p, const pare_graph *graph, int n_in, const pare_tensor *const in[],
                                 pare_context **out);

#endif
