/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h - a run of training as a file: whole or not there, and good to go on from bit for bit.
 *
 * Everything that the next step depends on is in it: weights, their average, what the optimizer remembers, and where
 * the run is; order and variations of the samples follow from seed and place. Numbers lie as in memory, little-endian.
 */
#ifndef PARE_FLOW_CHECKPOINT_H
#define PARE_FLOW_CHECKPOINT_H

#include "flow/trainer.h"

/* Where a run is, and what it has seen. Plain numbers up to the lists, which are from pare_realloc. */
typedef struct pare_run_state {
    int64_t           epoch, batch; /* of the next step                         */
    double            seconds;      /* of this epoch                            */
    int64_t           correct;      /* samples of this epoch                    */
    int64_t           n_losses, n_history;
    float            *losses;  /* [n_losses] of every step                 */
    pare_train_epoch *history; /* [n_history] of every epoch that is over */
} pare_run_state;

void pare_run_state_clear(pare_run_state *state);

/* `run`: fingerprint of the options that a resumed run must share. */
pare_status pare_checkpoint_write(const char *path, pare_trainer *t, uint64_t run, const pare_run_state *state);

/* Into a trainer that was just made. PARE_ERR_DATA: damaged; PARE_ERR_ARG: of another model, or of other options. */
pare_status pare_checkpoint_read(const char *path, pare_trainer *t, uint64_t run, pare_run_state *state);

#endif
