/* SPDX-License-Identifier: Apache-2.0 */
/* adam.h - the step that Adam and AdamW share */
#ifndef PARE_AUTOGRAD_ADAM_H
#define PARE_AUTOGRAD_ADAM_H

#include <math.h>

#include "autograd/optimizer.h"

/* Computed in double as Python does, then rounded to float as PyTorch does. */
typedef struct pare_adam {
    float beta1, take1, beta2, take2; /* take = 1 - beta                             */
    float root;                       /* sqrt(1 - beta2^step)                        */
    float eps;
    float rate; /* -lr / (1 - beta1^step)                      */
} pare_adam;

static inline pare_adam pare_adam_of(const pare_update *u)
{
    const pare_optimizer_options *const o = u->o;

    return (pare_adam){
        .beta1 = (float)o->beta1,
        .take1 = (float)(1.0 - o->beta1),
        .beta2 = (float)o->beta2,
        .take2 = (float)(1.0 - o->beta2),
        .root = (float)__builtin_sqrt(pare_bias_correction(o->beta2, u->step)),
        .eps = (float)o->eps,
        .rate = (float)-(u->lr / pare_bias_correction(o->beta1, u->step)),
    };
}

/* m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g g; w = w - rate m / (sqrt(v) / root + eps) */
static inline void pare_adam_element(const pare_adam *c, float g, float *w, float *m, float *v)
{
    *m = fmaf(g, c->take1, *m * c->beta1);
    *v = fmaf(c->take2 * g, g, *v * c->beta2);
    *w = *w + c->rate * *m / (__builtin_sqrtf(*v) / c->root + c->eps);
}

#endif
