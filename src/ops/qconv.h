/* SPDX-License-Identifier: Apache-2.0 */
/* qconv.h - the integer convolution: attributes that lowering sets beside those of conv */
#ifndef PARE_OPS_QCONV_H
#define PARE_OPS_QCONV_H

#include "ops/conv.h"

/*
 * in: x u8 (q per tensor), w s8 (q per tensor or along axis 0, zero NULL or 0), bias s32 at scale sx * sw[c] or NULL,
 * and for a fused add the residual u8 (q). out: u8 (q) or f32. Clamps are on the real result; they become integer bounds.
 * With a residual the convolution is first rounded with sum_scale, sum_zero, then added and rounded to out's q
 * (NUMERICS.md 6): the bits of the unfused pair.
 */
typedef struct pare_qop_conv_attrs {
    pare_conv_attrs conv;
    float           mid_scale; /* > 0: there is a residual in in[3]      */
    int64_t         mid_zero;
    int64_t         conv_is_second; /* operand order of the fused add    */
    float           sum_lo, sum_hi; /* clamp of the sum                  */
} pare_qop_conv_attrs;

#endif
