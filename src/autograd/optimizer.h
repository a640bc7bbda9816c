/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer.h - a rule by which weights follow their gradients: a row of optimizers.def */
#ifndef PARE_AUTOGRAD_OPTIMIZER_H
#define PARE_AUTOGRAD_OPTIMIZER_H

#include <pare/optimizer.h>

enum { PARE_MAX_SLOTS = 2 };

/* What is the same for every element of an array in one step. */
typedef struct pare_update {
    const pare_optimizer_options *o;
    int64_t                       step;         /* 1 for the first */
    double                        lr;           /* learning rate of this step */
    double                        weight_decay; /* 0 for arrays that have none */
    float                         scale;        /* gradients are multiplied by it first (clipping); usually 1 */
} pare_update;

/* A row of optimizers.def. */
typedef struct pare_optimizer {
    const char *name;
    const char *about;
    double      lr;      /* default learning rate */
    int         n_slots; /* floats remembered per weight, 0 at first */
    void (*update)(const pare_update *u, int64_t n, float *w, const float *grad, float *const slot[PARE_MAX_SLOTS]);
} pare_optimizer;

const pare_optimizer *pare_optimizer_at(int index); /* NULL past the end */

/* By name, NULL: the first; PARE_ERR_ARG names the nearest. */
pare_status pare_optimizer_find(const char *name, const pare_optimizer **out);

/* 1 - beta^step in double, by squaring: no libm. */
double pare_bias_correction(double beta, int64_t step);

#endif
