/* SPDX-License-Identifier: Apache-2.0 */
/* bind.h - a plan's tensors and calls with the memory of one context */
#ifndef PARE_EXEC_BIND_H
#define PARE_EXEC_BIND_H

#include "exec/plan.h"

typedef struct pare_bound {
    char               *block;   /* [plan->block_bytes] shared by all steps                     */
    pare_tensor        *tensors; /* [n_values] with data                                        */
    pare_call          *calls;   /* [n_steps]                                                   */
    const pare_tensor **in;      /* all calls' inputs, one array                                */
    pare_tensor       **out;
} pare_bound;

/* Inputs, and views of them, have data only after pare_bound_inputs. Clearing a zeroed one is fine. */
pare_status pare_bound_create(const pare_plan *plan, pare_bound *b);
void        pare_bound_clear(pare_bound *b);

/* Whether the caller's inputs are what the plan was made for. */
pare_status pare_bound_check(const pare_plan *plan, const pare_tensor *const *in);

/* Takes those of one slab, borrowed, for the next run. */
void pare_bound_inputs(const pare_plan *plan, pare_bound *b, const pare_tensor *const *in, int64_t slab);

#endif
