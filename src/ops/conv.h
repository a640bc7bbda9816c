/* SPDX-License-Identifier: Apache-2.0 */
/* conv.h - what all convolution ops share: attributes and geometry */
#ifndef PARE_OPS_CONV_H
#define PARE_OPS_CONV_H

#include "ops/window.h"

typedef struct pare_conv_attrs {
    pare_window_attrs window;
    int64_t           group;
    float             clamp_lo, clamp_hi;
} pare_conv_attrs;

extern const pare_attr pare_conv_attr_table[];

/* Checks x, w (and the optional bias in in[bias], -1: none) and sets out[0]'s shape. */
pare_status pare_conv_shape(const pare_call *call, int x, int w, int bias, pare_window *window);

enum { PARE_CONV_ADDEND = 3 }; /* the input of conv_add that it adds before the clamp */

static inline const pare_tensor *pare_conv_addend(const pare_call *call)
{
    return call->n_in > PARE_CONV_ADDEND ? call->in[PARE_CONV_ADDEND] : NULL;
}

/* The reference of conv and conv_add. */
pare_status pare_conv_forward(const pare_call *call);

#endif
