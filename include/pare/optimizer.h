/* SPDX-License-Identifier: Apache-2.0 */
/* optimizer.h - how weights follow their gradients, and how fast over time */
#ifndef PARE_OPTIMIZER_H
#define PARE_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* PyTorch's formulas and names, in float; what they compute once per step is double. Zero means default. */
typedef struct pare_optimizer_options {
    const char *name;         /* from optimizers.def: "sgd", "adam", "adamw" (NULL: "sgd")                    */
    double      momentum;     /* sgd (0: none)                                                                */
    double      dampening;    /* sgd: share of the gradient that does not enter the momentum (0)              */
    bool        nesterov;     /* sgd: look ahead along the momentum                                           */
    double      beta1;        /* adam, adamw: of the mean of gradients (0: 0.9)                               */
    double      beta2;        /* adam, adamw: of the mean of their squares (0: 0.999)                         */
    double      eps;          /* adam, adamw: added to the root of that mean (0: 1e-8)                        */
    double      weight_decay; /* of weights only, not of biases and normalisation (0: none)                   */
    double      clip;         /* longest gradient of all parameters together; longer ones shrink (0: no limit) */
} pare_optimizer_options;

/* The learning rate of every step. */
typedef struct pare_schedule_options {
    const char *name;         /* from schedules.def: "constant", "cosine", "step", "one-cycle" (NULL: "constant") */
    double      lr;           /* the highest (0: 0.1 for sgd, 0.001 for others)                                 */
    double      lowest;       /* cosine: where it ends (0)                                                      */
    int64_t     warmup;       /* steps that come first, in which it rises to `lr` in a line (0: none)           */
    double      warmup_from;  /* share of `lr` at the first of them (0: 0.01)                                   */
    int64_t     step_every;   /* step: steps between two drops (0: a third of all)                              */
    double      step_factor;  /* step: what a drop multiplies by (0: 0.1)                                       */
    double      rise;         /* one-cycle: share of the steps until the highest (0: 0.3)                       */
    double      divisor;      /* one-cycle: the first is `lr` divided by this (0: 25)                           */
    double      last_divisor; /* one-cycle: the last is the first divided by this (0: 10000)                    */
} pare_schedule_options;

/* The learning rate of step 0 .. total - 1; options as pare_schedule_check left them. */
PARE_API double pare_schedule_lr(const pare_schedule_options *options, int64_t step, int64_t total);

/* Fills in the defaults for a run of `total` steps; PARE_ERR_ARG names what cannot be. */
PARE_API pare_status pare_schedule_check(pare_schedule_options *options, const char *optimizer, int64_t total);

#ifdef __cplusplus
}
#endif
#endif
