/* SPDX-License-Identifier: Apache-2.0 */
/* trainer.h - a trainer from inside, for checkpoints and for finding what went wrong */
#ifndef PARE_FLOW_TRAINER_H
#define PARE_FLOW_TRAINER_H

#include <pare/plan.h>
#include <pare/train.h>

#include "autograd/descent.h"
#include "flow/training_graph.h"

enum { PARE_MAX_LEVELS = 32 }; /* of the tree that sums chunks */

struct pare_trainer {
    pare_trainer_options o; /* defaults filled in; names are static or the graph's */
    pare_graph          *model;
    pare_training_graph  graph;
    pare_plan           *plan;
    pare_context        *ctx;
    int                  chunk; /* samples in one              */
    int                  local; /* chunks of this process      */

    int64_t  n_weights; /* floats of all parameters and statistics, each beginning on a cache line */
    int64_t *at;        /* [params.n] where a parameter begins                                      */
    float   *weights;   /* [n_weights]                                                              */
    float   *average;   /* [n_weights], or NULL                                                     */

    /* What a chunk gives: gradients and statistics, then a tail: the loss, correct samples, wishes to stop. */
    int64_t  n_sums;
    int64_t *sum_at;                /* [params.n], -1: none */
    float   *sums[PARE_MAX_LEVELS]; /* [n_sums] level k: of 2^k chunks; the top one is the whole batch's */
    int      levels;

    pare_tensor        *inputs;   /* [n_inputs] of the plan */
    const pare_tensor **pointers; /* [n_inputs]             */
    pare_optimized     *arrays;   /* [n_arrays] what is trained */
    int                 n_arrays;
    pare_descent       *descent;
    bool                stop; /* this process wants to end; after a step: one of all processes does */
};

/* Points the inputs to chunk `index` of a batch and runs the graph on it. */
pare_status pare_trainer_run_chunk(pare_trainer *t, const pare_batch *batch, int index, const pare_tap *taps,
                                   int n_taps);

/*
 * Runs the batch again, looking at every value: fails with PARE_ERR_NUMERIC and the first op that made NaN or infinity,
 * on the first process that finds one.
 */
pare_status pare_trainer_blame(pare_trainer *t, const pare_batch *batch);

/* Of the ops, and of the names and shapes of the parameters; not of their content. */
uint64_t pare_trainer_fingerprint(const pare_trainer *t);

#endif
