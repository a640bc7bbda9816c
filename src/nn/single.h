/* SPDX-License-Identifier: Apache-2.0 */
/* single.h - operations run one at a time: each a planned graph of one node, kept for the next call of its kind */
#ifndef PARE_NN_SINGLE_H
#define PARE_NN_SINGLE_H

#include <pare/pool.h>

#include "base/arena.h"
#include "base/map.h"
#include "ops/op.h"

typedef struct pare_single pare_single;

/* A zeroed struct is empty. */
typedef struct pare_singles {
    pare_arena  *arena;
    pare_map     by_key;
    pare_single *all;
} pare_singles;

void pare_singles_clear(pare_singles *s);

/* One call. in[i] NULL: left out. */
typedef struct pare_single_call {
    const pare_op            *op;
    const char               *attrs; /* as text; NULL: defaults                                   */
    int                       n_in, n_out;
    const pare_tensor *const *in;       /* [n_in] dense, with data                                */
    const bool               *settings; /* [n_in] its numbers are part of the plan: shapes, axes  */
} pare_single_call;

/* out[n_out] become dense tensors of their own; the caller releases them. */
pare_status pare_singles_run(pare_singles *s, const pare_single_call *call, pare_pool *pool, pare_tensor *out);

#endif
