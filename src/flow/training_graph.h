/* SPDX-License-Identifier: Apache-2.0 */
/* training_graph.h - a training step as a graph: the model, a loss behind it, gradients of every parameter */
#ifndef PARE_FLOW_TRAINING_GRAPH_H
#define PARE_FLOW_TRAINING_GRAPH_H

#include <pare/train.h>

#include "autograd/params.h"

typedef struct pare_training_graph {
    pare_graph *g;
    pare_params params;
    int         model_inputs; /* inputs 0 .. model_inputs - 1 are the model's; the first is the sample          */
    int         target;       /* input that is compared with; -1: the sample itself                             */
    int         probs;        /* output with the probabilities [N][classes]; -1: none. Output 0 is the loss     */
    int         classes;
    int        *input;  /* [params.n] which input it is; -1: a statistic that the graph does not read            */
    int        *output; /* [params.n] which output is its gradient, or a statistic's next value; -1: none        */
} pare_training_graph;

/* For `batch` samples. Clear it even after a failure. */
pare_status pare_training_graph_make(const pare_graph *model, const pare_trainer_options *options, int64_t batch,
                                     pare_training_graph *out);
void        pare_training_graph_clear(pare_training_graph *t);

#endif
