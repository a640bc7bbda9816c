/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - a model made ready to run: kernels chosen, weights packed, memory laid out */
#ifndef PARE_PLAN_H
#define PARE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include <pare/graph.h>
#include <pare/pool.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Read-only once made; any number of contexts, on any threads, share its packed weights. */
typedef struct pare_plan pare_plan;

/* The memory of one inference at a time. */
typedef struct pare_context pare_context;

PARE_API void pare_plan_destroy(pare_plan *plan); /* after its contexts; NULL is fine */

/* Inputs and outputs as planned: every dimension is fixed. Valid as long as the plan. */
PARE_API int         pare_plan_n_inputs(const pare_plan *plan);
PARE_API int         pare_plan_n_outputs(const pare_plan *plan);
PARE_API const char *pare_plan_input(const pare_plan *plan, int index, const pare_tensor **shape);
PARE_API const char *pare_plan_output(const pare_plan *plan, int index, const pare_tensor **shape);

/* Why the plan file that was named was written anew ("it is for another CPU ..."); NULL: it was used, or none was named. */
PARE_API const char *pare_plan_misfit(const pare_plan *plan);

/* Packed constants, in bytes: once per plan, shared by its contexts. */
PARE_API size_t pare_plan_packed_bytes(const pare_plan *plan);

/* Memory for activations and scratch, in bytes, that every context of the plan takes. */
PARE_API size_t pare_plan_context_bytes(const pare_plan *plan);

/* One step of the plan as people want to see it. Strings live as long as the plan. */
typedef struct pare_step_info {
    const char *name;   /* of the node                                       */
    const char *op;     /* "qconv"                                           */
    const char *kernel; /* version that runs, "reference" when there is none */
    const char *output; /* name of the first output                          */
    pare_shape  shape;  /* of the first output                               */
    pare_dtype  dtype;
    bool        integer;   /* works on quantized integers                       */
    int         n_choices; /* kernels it could use; 0: none but this one        */
    double      macs;      /* multiply-adds, 0 where that means nothing         */
    double      bytes;     /* of inputs, outputs and packed constants           */
} pare_step_info;

PARE_API int  pare_plan_n_steps(const pare_plan *plan);
PARE_API void pare_plan_describe(const pare_plan *plan, int index, pare_step_info *info);

PARE_API pare_status pare_context_create(const pare_plan *plan, pare_context **out);
PARE_API void        pare_context_destroy(pare_context *ctx); /* NULL is fine */

/*
 * A hook on a named value: called on the calling thread after the step that makes it, with a view valid only then. A batch
 * may run in pieces: then it is called for each, with the samples of that piece.
 */
typedef struct pare_tap {
    const char *value;
    pare_status (*see)(void *user, const pare_tensor *t);
    void *user;
} pare_tap;

/*
 * Runs once. in[i] are dense tensors of the planned dtype and shape, borrowed. `pool` NULL: on this thread only.
 * Results do not depend on the pool. `taps` may name any value of the planned graph; n_taps 0: none.
 */
PARE_API pare_status pare_context_run(pare_context *ctx, pare_pool *pool, const pare_tensor *const *in,
                                      const pare_tap *taps, int n_taps);

/* The outputs of the last run: dense views of the context's memory, overwritten by the next run. */
PARE_API const pare_tensor *pare_context_output(const pare_context *ctx, int index);

/* Measures each step of the next runs: adds nanoseconds to ns[n_steps]; NULL switches it off. Array is the caller's. */
PARE_API void pare_context_profile(pare_context *ctx, double *ns);

#ifdef __cplusplus
}
#endif
#endif
