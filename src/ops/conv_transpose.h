/* SPDX-License-Identifier: Apache-2.0 */
/* conv_transpose.h - attributes and geometry of the transposed convolution, for its reference and its plan */
#ifndef PARE_OPS_CONV_TRANSPOSE_H
#define PARE_OPS_CONV_TRANSPOSE_H

#include "ops/window.h"

typedef struct pare_conv_transpose_attrs {
    pare_window_attrs window;
    pare_ints         output_padding, output_shape;
    int64_t           group;
    float             clamp_lo, clamp_hi;
} pare_conv_transpose_attrs;

/*
 * The window of the convolution that this is the transpose of: tap j of input position i adds to output position
 * i * stride - before + j * dilation. `in` and `out` are this op's.
 */
pare_status pare_conv_transpose_resolve(const pare_call *call, pare_window *w);

/* Plans one matrix product per tap where tensors lie channels-last; else leaves the step. */
pare_status pare_conv_transpose_plan(const pare_call *call, pare_step *step);

#endif
