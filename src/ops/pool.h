/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - what max, average and integer pools share */
#ifndef PARE_OPS_POOL_H
#define PARE_OPS_POOL_H

#include "kernels/pool_f32/pool_f32.h"
#include "kernels/qpool/qpool.h"
#include "ops/window.h"

typedef struct pare_pool_attrs {
    pare_window_attrs window;
    int64_t           count_include_pad; /* average pools                                */
    int64_t           storage_order;     /* max pools with an index output: 0 row-major  */
} pare_pool_attrs;

/* Sets out[0]'s shape from in[0]'s; dtypes are the caller's business. */
pare_status pare_pool_shape(const pare_call *call, pare_window *window);

/*
 * How many elements an average divides by: those inside the input, or with count_include_pad those inside the padded
 * input (a window that ceil_mode lets reach beyond the padding counts only what it covers).
 */
int64_t pare_pool_count(const pare_pool_attrs *a, const pare_window *w, const int64_t *at);

/* The one window of a global pool: the whole image. */
void pare_pool_whole(const pare_shape *x, pare_window *w);

/*
 * Describes a pool of in[0] into out[0] for the kernels, distances in elements. False where these cannot do it: tensors
 * that do not lie channels-last with padded pixels (the kernels read whole vectors), more than two spatial axes,
 * windows without a pixel.
 */
bool pare_pool_describe(const pare_call *call, const pare_window *w, bool count_pad, pare_pool_f32_desc *d);

/*
 * The same pool of u8 codes, with the qparams of the call (max needs none): sets state, kernel name and run of the step
 * where the kernels can do it, else nothing.
 */
pare_status pare_pool_use_u8(const pare_call *call, const pare_pool_f32_desc *d, pare_qpool_kind kind, pare_step *step);

/* state of a step that runs pool_f32. */
typedef struct pare_pool_state {
    const pare_pool_f32_kernel *kernel;
    pare_pool_f32_desc          d;
} pare_pool_state;

/* Sets state, kernel name and run of a step. */
pare_status pare_pool_use(const pare_pool_f32_desc *d, pare_step *step,
                          void (*run)(const pare_step *, const pare_call *, int, int, void *));

#endif
