/* SPDX-License-Identifier: Apache-2.0 */
/* train_run.h - a run of training from inside */
#ifndef PARE_FLOW_TRAIN_RUN_H
#define PARE_FLOW_TRAIN_RUN_H

#include "flow/checkpoint.h"
#include "flow/examine.h"

/* A run of training: what it was asked for, what it works with, where it is. */
typedef struct pare_run {
    const pare_train_options *o;
    const pare_dataset       *data;
    pare_schedule_options     schedule; /* defaults filled in */
    pare_trainer             *t;
    pare_loader              *loader;
    pare_loader              *test_loader; /* NULL: no test */
    pare_examination          test;
    int                       epochs;
    int64_t                   per_epoch, total;      /* steps of this run */
    int64_t                   first, schedule_total; /* steps of the whole, of which this run may be a part */
    uint64_t                  fingerprint;
    pare_run_state            s;
} pare_run;

/* train_data.c: whether the data is what the model takes; its loaders. */
pare_status pare_run_check_data(const pare_run *r, const pare_dataset *data);
pare_status pare_run_open_loaders(pare_run *r, const pare_dataset *test);

/* train_save.c: the checkpoint, if there is to be one. Resume comes first: it computes the fingerprint. */
pare_status pare_run_save(pare_run *r);
pare_status pare_run_resume(pare_run *r);

#endif
