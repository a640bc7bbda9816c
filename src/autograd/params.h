/* SPDX-License-Identifier: Apache-2.0 */
/* params.h - the parameters of a model that is trained: constants that become inputs of the training graph */
#ifndef PARE_AUTOGRAD_PARAMS_H
#define PARE_AUTOGRAD_PARAMS_H

#include "graph/graph.h"

typedef struct pare_param {
    const char *name;    /* of the constant; lives as long as the graph                                             */
    pare_value *value;   /* the input; of a running statistic the constant, which the training graph does not read   */
    bool        trained; /* false: a running mean or variance, or range                                             */
    bool        decay;   /* weights of rank 2 and more, but neither biases nor parameters of norms                  */
    pare_tensor initial; /* the constant's content, dense; keeps its bytes alive itself                             */
    /* Of running statistics: this step's, [C] (the variance is biased: divided by `count`), how many numbers each is
     * made of, and which share of the running one stays. Of ranges: the next content, count and momentum are 0. */
    pare_value *batch;
    int64_t     count;
    float       momentum;
} pare_param;

typedef struct pare_params {
    pare_param *list; /* in the order in which the nodes read them */
    int         n;
} pare_params;

/* Whether constant `name` is trained. NULL: all that are parameters by what reads them. */
typedef struct pare_param_filter {
    bool (*trains)(void *arg, const char *name);
    void *arg;
    bool  freeze_statistics; /* batch norms keep their running statistics, as in evaluation */
} pare_param_filter;

/*
 * Frees the parameters of g: constants that nodes read as weights, biases or parameters of norms become inputs of the
 * same name, and batch norms with constant statistics take those of the batch (image_stats, merge_stats), unless the
 * filter is against their mean. filter NULL: all. Shapes must be fixed where batch norms are.
 */
pare_status pare_params_free(pare_graph *g, const pare_param_filter *filter, pare_params *out);

/* Drops the list and its references to bytes. */
void pare_params_drop(pare_params *params);

#endif
