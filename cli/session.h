/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - one model with inputs, ready to run: planned, or node by node where shapes depend on values */
#ifndef PARE_CLI_SESSION_H
#define PARE_CLI_SESSION_H

#include <pare/compile.h>
#include <pare/plan.h>

#include "options.h"

typedef struct pare_session_options {
    const pare_texts *files; /* "NAME=FILE", or "FILE" for the first input; NULL: none            */
    int64_t           batch; /* where the model leaves it open; 0: that of the files, else 1      */
    uint64_t          seed;
    bool              zeros;     /* floats that no file gives are 0; false: random from -1 to 1       */
    bool              tune;      /* time the kernels of every step                                    */
    bool              bf16;      /* as in pare_compile_options                                        */
    const char       *plan_file; /* packed weights for the next start; NULL: none */
} pare_session_options;

typedef struct pare_session {
    pare_graph         *graph;
    pare_plan          *plan; /* NULL: shapes depend on values */
    pare_context       *ctx;
    pare_tensor        *inputs;   /* [n_inputs]  */
    const pare_tensor **pointers; /* [n_inputs]  */
    pare_tensor        *outputs;  /* [n_outputs] where there is no plan */
    int                 n_inputs, n_outputs;
} pare_session;

/* 0, or the exit code after saying what is wrong; close it in both cases. */
int  pare_session_open(pare_session *s, const char *model, const pare_session_options *options);
void pare_session_close(pare_session *s);

pare_status        pare_session_run(pare_session *s, pare_pool *pool);
const pare_tensor *pare_session_output(const pare_session *s, int index, const char **name);

#endif
