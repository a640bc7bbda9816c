/* SPDX-License-Identifier: Apache-2.0 */
/* runner.h - any model made ready to run sample by sample: planned where its shapes are fixed, else node by node */
#ifndef PARE_FLOW_RUNNER_H
#define PARE_FLOW_RUNNER_H

#include <pare/compile.h>
#include <pare/data.h>
#include <pare/plan.h>

/* Read-only once prepared; several runners share it. */
typedef struct pare_model {
    const pare_graph *graph; /* borrowed                             */
    pare_plan        *plan;  /* batch 1; NULL: shapes are not fixed  */
} pare_model;

/* `options` may be NULL. */
pare_status pare_model_prepare(const pare_graph *graph, const pare_compile_options *options, pare_model *model);
void        pare_model_clear(pare_model *model);

/* A sample of the data must be the first input: equally many elements of the same type. */
pare_status pare_model_check_sample(const pare_model *model, const pare_dataset *data);

/* The memory of one run at a time. */
typedef struct pare_runner {
    const pare_model   *model;
    pare_graph         *graph; /* a copy of its own, where there is no plan */
    pare_context       *ctx;
    pare_tensor        *inputs;   /* [n_inputs]; the first one borrows the sample, the others hold zeros */
    const pare_tensor **pointers; /* [n_inputs] to them                                                  */
    pare_tensor        *outputs;  /* [n_outputs] where there is no plan                                  */
    int                 n_inputs, n_outputs;
} pare_runner;

/* A failed one must be cleared too. */
pare_status pare_runner_create(const pare_model *model, pare_runner *runner);
void        pare_runner_clear(pare_runner *runner);

void               pare_runner_set_sample(pare_runner *runner, void *sample); /* dense; borrowed until the next one */
pare_status        pare_runner_run(pare_runner *runner, pare_pool *pool);
const pare_tensor *pare_runner_output(const pare_runner *runner); /* the first; valid until the next run */

#endif
