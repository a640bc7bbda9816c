/* SPDX-License-Identifier: Apache-2.0 */
/* lanes.h - the memory of slabs that run at the same time, and the outputs that all slabs write */
#ifndef PARE_EXEC_LANES_H
#define PARE_EXEC_LANES_H

#include "exec/bind.h"

typedef struct pare_lanes {
    pare_bound  *lane;    /* [n] each the memory of a slab                   */
    int          n;       /* 1 or more                                       */
    pare_tensor *outputs; /* [outputs] of all slabs; NULL: there is only one */
} pare_lanes;

/* One lane. Clearing a zeroed one, or what a failure left, is fine. */
pare_status pare_lanes_create(const pare_plan *plan, pare_lanes *lanes);
void        pare_lanes_clear(const pare_plan *plan, pare_lanes *lanes);

/* At least n of them. */
pare_status pare_lanes_grow(const pare_plan *plan, pare_lanes *lanes, int n);

/* Copies what lane `lane` has made of a slab to where it belongs. */
void pare_lanes_keep(const pare_plan *plan, const pare_lanes *lanes, int lane, int64_t slab);

#endif
