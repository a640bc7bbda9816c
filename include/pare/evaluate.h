/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - how good models are on a data set, and how much they differ from the first of them */
#ifndef PARE_EVALUATE_H
#define PARE_EVALUATE_H

#include <stdint.h>

#include <pare/data.h>
#include <pare/graph.h>
#include <pare/pool.h>
#include <pare/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A measure that has no meaning for the model or needs labels that are not there is NaN. */
typedef struct pare_evaluation {
    int64_t samples;
    double  top1;               /* share of samples whose label is the largest output                    */
    double  top5;               /* ... is among the five largest; of equal outputs the first counts more */
    double  nll;                /* mean of -log p(label); outputs that are no probabilities get softmax  */
    double  mse;                /* of the outputs, against those of the first model                      */
    double  reconstruction_mse; /* of the outputs, against the input (outputs of the input's shape)      */
    int64_t predictions;        /* that top1, top5 and nll are means of: labelled samples, or tokens     */
} pare_evaluation;

/* Zero means default. */
typedef struct pare_evaluate_options {
    int                  first_token; /* tokens: predictions at earlier positions do not count; 0 = 16 */
    const pare_tensor   *expected;    /* f32 [samples, outputs]: mse is against these; NULL: the first model's */
    bool                 bf16;        /* as in pare_compile_options, for all models                           */
    const char          *plan_file;   /* as there, for the only model; NULL: none                             */
    pare_pool           *pool;        /* each thread takes samples of its own; NULL: one thread               */
    const pare_progress *progress;    /* NULL: silent                                                         */
} pare_evaluate_options;

/*
 * Runs all models over the data, one sample at a time; results do not depend on the threads. The sample is the first
 * input, other inputs are zeros; the first output is measured. results[n]; *equal (may be NULL) becomes the share of
 * samples (of counted positions, for tokens) for which all models have the same largest output; NaN where outputs are
 * no choice of one class: reconstructions, and maps of several dimensions.
 */
PARE_API pare_status pare_evaluate(const pare_graph *const *models, int n, const pare_dataset *data,
                                   const pare_evaluate_options *options, pare_evaluation *results, double *equal);

#ifdef __cplusplus
}
#endif
#endif
