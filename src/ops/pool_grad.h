/* SPDX-License-Identifier: Apache-2.0 */
/* pool_grad.h - a block of channels of one image, in which gradients of pools are added up */
#ifndef PARE_OPS_POOL_GRAD_H
#define PARE_OPS_POOL_GRAD_H

#include "ops/pool.h"

typedef struct pare_pool_grad_attrs {
    pare_pool_attrs pool;
    pare_ints       shape; /* of the pool's input; max pools read it from that */
} pare_pool_grad_attrs;

enum { PARE_POOL_BLOCK = 32 }; /* channels */

/* Pointers at the block's first channel. */
typedef struct pare_pool_block {
    const pare_call *call;
    int64_t          channels;
    const float     *x; /* max pools only */
    const float     *dy;
    float           *dx;
} pare_pool_block;

/* Adds what the window at output `at` sends back, dy[channels]. */
typedef void pare_pool_window_fn(const pare_pool_block *b, const pare_window *w, const int64_t *at, const float *dy);

int64_t pare_pool_offset(const pare_tensor *t, int n, const int64_t *at); /* of a position in a plane */
void    pare_pool_clear(const pare_pool_block *b, const pare_window *w);  /* dx = 0 */

/* To the first of the largest elements of each channel's window; to none when all are NaN. */
pare_pool_window_fn pare_pool_add_max;

/* The whole block of a max pool at once; false, and nothing done, where channels do not lie side by side or windows are
 * large. */
bool pare_pool_max_block(const pare_pool_block *b, const pare_window *w);

#endif
