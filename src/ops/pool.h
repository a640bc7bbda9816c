/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - what max, average and integer pools share */
#ifndef PARE_OPS_POOL_H
#define PARE_OPS_POOL_H

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

#endif
