/* SPDX-License-Identifier: Apache-2.0 */
/* train.h - training: one step of a model, and whole runs */
#ifndef PARE_TRAIN_H
#define PARE_TRAIN_H

#include <pare/comm.h>
#include <pare/data.h>
#include <pare/graph.h>
#include <pare/loader.h>
#include <pare/optimizer.h>
#include <pare/pool.h>
#include <pare/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A float model in the form that is trained: constants folded, identities gone, batch normalizations kept. What changes
 * weights (quantization in training) is put in after this; a trainer takes the graph as it is.
 */
PARE_API pare_status pare_train_tidy(const pare_graph *model, pare_graph **out);

/* ---------------------------------------------------------------------------------------------------------- steps */

/*
 * A model whose parameters change: forward pass, loss, gradients, a step of the optimizer. The whole of it is one graph,
 * planned once. Results depend on neither threads nor, for the same `chunks`, on the number of processes.
 */
typedef struct pare_trainer pare_trainer;

/* Zero means default. */
typedef struct pare_trainer_options {
    int         batch;           /* samples in a step, of all processes together (0: 128)                            */
    int         chunks;          /* a power of two: the batch is cut into so many parts, each with its own gradients and
                                    * statistics, summed by a binary tree (0: the number of processes)                 */
    const char *loss;            /* "cross-entropy" of classes, "mse" to the targets or, without, to the sample (NULL:
                                    * "cross-entropy")                                                                 */
    float       label_smoothing; /* cross-entropy (0)                                                                */
    bool        targets;         /* the batches have shares of classes (mixup) instead of labels                     */
    bool   freeze_statistics;    /* batch normalization stays as in evaluation                                       */
    double average;              /* share of the moving average of all weights that stays at each step (0: none)     */
    pare_optimizer_options optimizer;
    bool (*trains)(void       *user,
                   const char *parameter); /* NULL: all                                                    */
    void      *user;
    pare_pool *pool; /* NULL: one thread                                                                         */
    const pare_comm
        *comm; /* NULL: one process                                                                        */
} pare_trainer_options;

typedef struct pare_train_step {
    double  loss;    /* mean over the batch                         */
    double  norm;    /* length of the gradient before it is clipped */
    int64_t correct; /* samples whose label has the largest output  */
} pare_train_step;

/* Copies what it needs of model and options, but for pool and comm. */
PARE_API pare_status pare_trainer_create(const pare_graph *model, const pare_trainer_options *options,
                                         pare_trainer **out);
PARE_API void        pare_trainer_destroy(pare_trainer *t); /* NULL is fine */

/*
 * One step with this learning rate. The batch is this process's share: batch / size samples. A loss or gradient that is
 * not finite changes nothing and is PARE_ERR_NUMERIC: the sentence names the first op that made it.
 */
PARE_API pare_status pare_trainer_step(pare_trainer *t, const pare_batch *batch, double lr, pare_train_step *result);

/* The model with its weights, or their moving average, as they are now. */
PARE_API pare_status pare_trainer_model(const pare_trainer *t, bool average, pare_graph **out);

/* Numbers that are trained; memory that the trainer takes, in bytes. */
PARE_API int64_t pare_trainer_parameters(const pare_trainer *t);
PARE_API size_t  pare_trainer_bytes(const pare_trainer *t);

/* ----------------------------------------------------------------------------------------------------------- runs */

typedef struct pare_train_epoch {
    int    epoch;                    /* from 0                                             */
    double loss;                     /* mean over its steps                                */
    double accuracy;                 /* of the training batches; NaN: the loss has none    */
    double lr;                       /* of its last step                                   */
    double test_loss, test_accuracy; /* after it; NaN: not measured        */
    double seconds;                  /* its training, without the test     */
} pare_train_epoch;

/* Zero means default. */
typedef struct pare_train_options {
    pare_trainer_options  trainer;
    pare_schedule_options schedule; /* its warm-up counts steps                                               */
    int                   epochs;   /* (0: 1)                                                                 */
    int      schedule_epochs; /* this run is a part of one of so many epochs, whose schedule it follows (0: epochs) */
    int      schedule_first;  /*   from this epoch on, which also numbers its orders and variations (0)         */
    uint64_t seed;            /* of order and variations                                                */
    const char          *augment;    /* see pare_loader_options (NULL: pictures as they are)                   */
    int                  loaders;    /* threads that prepare batches (0: 1)                                    */
    const char          *checkpoint; /* file that is written as the run goes on (NULL: none)                   */
    int                  every;      /* epochs between two checkpoints (0: 1); one more when it is stopped     */
    bool                 resume;     /* goes on from the checkpoint if it is there                             */
    const char          *curve;      /* SVG file of the loss, written after every epoch (NULL: none)           */
    const pare_progress *progress;   /* steps; NULL: silent                                                    */
    void (*epoch_done)(void *user, const pare_train_epoch *e); /* NULL: nobody wants to know                       */
    /* Before each epoch; NULL: nothing. For what changes during training: observers or statistics that freeze. */
    pare_status (*epoch_begins)(void *user, pare_trainer *t, int epoch);
    /* From the graph that is trained to the model that the test runs; NULL: as it is. The caller's to destroy. */
    pare_status (*ship)(void *user, const pare_graph *trained, pare_graph **shipped);
    void *user;
} pare_train_options;

/*
 * Trains and returns the model as it is at the end (the moving average, where there is one), in *out. `test` may be NULL.
 * Stopped by progress it writes the checkpoint and returns PARE_ERR_CANCELLED. A resumed run ends with the bits of one
 * that was never stopped.
 */
PARE_API pare_status pare_train(const pare_graph *model, const pare_dataset *data, const pare_dataset *test,
                                const pare_train_options *options, pare_graph **out);

#ifdef __cplusplus
}
#endif
#endif
