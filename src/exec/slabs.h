/* SPDX-License-Identifier: Apache-2.0 */
/* slabs.h - a batch whose samples never meet runs in slabs of a few, whose activations stay in the cache */
#ifndef PARE_EXEC_SLABS_H
#define PARE_EXEC_SLABS_H

#include "exec/plan.h"

/*
 * Cuts dim[0] of the values that carry samples to `slab` of them (0: as many as move the fewest bytes) and tells how
 * many slabs there are, and which values these are: carries[g->n_values], by id. *slabs is 1 where samples may meet, and
 * then nothing is changed.
 */
pare_status pare_slabs_cut(pare_graph *g, int64_t slab, int64_t *slabs, bool *carries);

/* Undoes it. */
void pare_slabs_join(pare_graph *g, int64_t slabs, const bool *carries);

#endif
