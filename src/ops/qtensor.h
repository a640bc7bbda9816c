/* SPDX-License-Identifier: Apache-2.0 */
/* qtensor.h - what the integer ops on u8 tensors with one scale ask of a call */
#ifndef PARE_OPS_QTENSOR_H
#define PARE_OPS_QTENSOR_H

#include "ops/op.h"

/* Scale and zero point of a tensor that pare_q_per_tensor has accepted. */
static inline float pare_q_scale(const pare_tensor *t)
{
    return t->q->scale[0];
}

static inline int pare_q_zero(const pare_tensor *t)
{
    return t->q->zero ? t->q->zero[0] : 0;
}

/* Input `input` is u8 with one scale. */
pare_status pare_q_input_u8(const pare_call *call, int input);

/* out[0], whose qparams the pass has set: u8 with one scale, of this shape. */
pare_status pare_q_output_u8(const pare_call *call, const pare_shape *shape);

/* Refuses qparams with which a value before rounding could leave +-2^31; `largest` bounds it. */
pare_status pare_q_check_range(float largest);

#endif
