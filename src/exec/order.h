/* SPDX-License-Identifier: Apache-2.0 */
/* order.h - which steps the parts of a run wait for, so that they need not meet after every step */
#ifndef PARE_EXEC_ORDER_H
#define PARE_EXEC_ORDER_H

#include "exec/bind.h"

/* Until `part` has finished the first `count` steps. */
typedef struct pare_wait {
    int part, count;
} pare_wait;

/*
 * Part p awaits waits[first[i]] .. waits[first[i + 1] - 1], i = step * parts + p, before it begins the step. All that
 * the step reads has then been written, and all that is overwritten by it has been read, by whatever part did it.
 */
typedef struct pare_order {
    int        parts;
    int       *first; /* [n_steps * parts + 1] */
    pare_wait *waits;
    int        n_waits, room;
} pare_order;

/* For runs in `parts` parts. */
pare_status pare_order_make(const pare_plan *plan, const pare_bound *bound, int parts, pare_order *order);
void        pare_order_clear(pare_order *order); /* a zeroed order is fine */

#endif
