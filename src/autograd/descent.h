/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descent.h - one step of all weights along their gradients, and what has to be remembered for it.
 *
 * Every element is updated on its own, so results depend on neither threads nor the order of arrays.
 */
#ifndef PARE_AUTOGRAD_DESCENT_H
#define PARE_AUTOGRAD_DESCENT_H

#include <pare/optimizer.h>
#include <pare/pool.h>

typedef struct pare_descent pare_descent;

/* One array of weights. */
typedef struct pare_optimized {
    float       *w;     /* [n]                                              */
    const float *grad;  /* [n]                                              */
    int64_t      n;     /* the same at every step                           */
    bool         decay; /* weight_decay holds for it                        */
} pare_optimized;

/* For arrays of n[count] elements. Options are checked, their defaults filled in, and copied. */
pare_status pare_descent_create(const pare_optimizer_options *options, int count, const int64_t n[],
                                pare_descent **out);
void        pare_descent_destroy(pare_descent *descent); /* NULL is fine */

/*
 * Length of all gradients together, and a step that clips with it. The sum of squares is double: of 4096 elements in
 * order, then of those sums in order. A norm that is not finite must not be stepped with.
 */
double pare_descent_norm(pare_descent *descent, pare_pool *pool, const pare_optimized *arrays);
void   pare_descent_step(pare_descent *descent, pare_pool *pool, const pare_optimized *arrays, double lr, double norm);

/* What is remembered: steps done and a block of floats, for checkpoints. */
int64_t *pare_descent_steps(pare_descent *descent);
float   *pare_descent_state(pare_descent *descent, int64_t *n);

/* average = decay * average + (1 - decay) * w, both products rounded; in parts. */
void pare_ema_update(pare_pool *pool, double decay, int64_t n, float *average, const float *w);

#endif
