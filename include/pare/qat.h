/* SPDX-License-Identifier: Apache-2.0 */
/* qat.h - quantization-aware training: a model that computes, while it is trained, with what it will be shipped with */
#ifndef PARE_QAT_H
#define PARE_QAT_H

#include <stdbool.h>

#include <pare/graph.h>
#include <pare/quantize.h>
#include <pare/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The float model, what is to be done to its layers, and the ranges so far. It gives a graph to train, whose weights and
 * activations go through fake_quantize; it takes back what was trained; and it converts that to the Q/DQ form by the
 * same code as post-training quantization, so what was simulated is what is shipped.
 */
typedef struct pare_qat pare_qat;

/* How scales come about. */
typedef enum pare_qat_scales {
    PARE_QAT_SCALES_DEFAULT = 0, /* moving average                                                                  */
    PARE_QAT_MOVING_AVERAGE,     /* activations: of the range of every batch; weights: by the largest one           */
    PARE_QAT_LSQ,                /* learned by gradient (Esser et al. 2020), activations and weights                */
    PARE_QAT_LSQ_PLUS,           /* and zero points of activations, too (Bhalgat et al. 2020)                       */
    PARE_QAT_PACT,               /* activations: upper bounds are learned (Choi et al. 2018); weights: the largest  */
} pare_qat_scales;

/* Zero means default. */
typedef struct pare_qat_options {
    pare_quantize_options quantize; /* mapping, and calibration data that the first ranges come from: it is needed. The
                                     * mapping is copied; pool, data and progress are used by create alone         */
    pare_qat_scales       scales;
    float                 averaging; /* moving average: share of a new batch (0: 0.01)                               */
} pare_qat_options;

/* Which form of the graph: training begins with both false and may end with both true. */
typedef struct pare_qat_phase {
    bool freeze_ranges;     /* moving averages stand still; learned scales go on learning                          */
    bool freeze_batch_norm; /* statistics stand still, and normalization is folded into the layers, as it is shipped */
} pare_qat_phase;

/* Copies the model. Only static layers take part; others stay in float while training. */
PARE_API pare_status pare_qat_create(const pare_graph *model, const pare_qat_options *options, pare_qat **out);
PARE_API void        pare_qat_destroy(pare_qat *qat); /* NULL is fine */

/* The graph to train (pare_trainer_create, pare_train) with the weights and ranges as they are now. */
PARE_API pare_status pare_qat_graph(const pare_qat *qat, const pare_qat_phase *phase, pare_graph **out);

/* Takes weights and ranges out of a graph of pare_qat_graph that was trained, by their names. */
PARE_API pare_status pare_qat_absorb(pare_qat *qat, const pare_graph *trained);

/* The Q/DQ form, as pare_quantize makes it. `result` may be NULL. */
PARE_API pare_status pare_qat_convert(const pare_qat *qat, pare_graph **out, pare_quantize_result **result);

/*
 * Trains in two phases and converts: first with moving ranges and batch statistics, then `frozen` epochs with both
 * standing still (0: a third of options->epochs, at least one; all: only frozen, for models whose norms are folded
 * already), at a tenth of the learning rate. The schedule spans both; so do the epochs that options->epoch_done is told
 * of. Tests after each epoch run what would be shipped then. Files of the frozen phase are named after those of the
 * first: the checkpoint's with ".frozen", the curve's with ".frozen.svg"; resuming takes the first's name. `ship` and
 * `epoch_begins` of the options are not used. `result` may be NULL.
 */
PARE_API pare_status pare_qat_train(pare_qat *qat, const pare_dataset *data, const pare_dataset *test,
                                    const pare_train_options *options, int frozen, pare_graph **out,
                                    pare_quantize_result **result);

/* The float model with the weights as they are now. */
PARE_API pare_status pare_qat_float(const pare_qat *qat, pare_graph **out);

#ifdef __cplusplus
}
#endif
#endif
