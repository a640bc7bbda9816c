/* SPDX-License-Identifier: Apache-2.0 */
/* apply.h - the float row kernels, applied to tensors of any strides */
#ifndef PARE_OPS_APPLY_H
#define PARE_OPS_APPLY_H

#include "kernels/rows_f32/rows_f32.h"
#include "kernels/unary_f32/unary_f32.h"
#include "ops/op.h"

/* Which share of the work, and by which version: `step` NULL means the reference, else the best for step->cpu. */
typedef struct pare_share {
    const pare_step *step;
    int              part, parts;
} pare_share;

/* y = f(x); param as the function wants it. */
void pare_apply_unary(const pare_tensor *y, const pare_tensor *x, pare_unary_f32 f, const float *param,
                      pare_share share);

/* y = f(a, b), broadcast to y, then clamped to [clamp[0], clamp[1]] unless clamp is NULL. */
void pare_apply_binary(const pare_tensor *y, const pare_tensor *a, const pare_tensor *b, pare_binary_f32 f,
                       const float *clamp, pare_share share);

/* The version's name for step->kernel. */
const char *pare_apply_kernel_name(const pare_step *step);

#endif
