/* SPDX-License-Identifier: Apache-2.0 */
/* bf16.h - the form of convolutions and matrix products that rounds operands to bf16, where step->bf16 allows it */
#ifndef PARE_OPS_BF16_H
#define PARE_OPS_BF16_H

#include "kernels/conv_bf16/conv_bf16.h"
#include "ops/op.h"

/*
 * Plans d for in[0] and out[0] of the call. step->run stays NULL where the plan was not asked for bf16, or the processor has
 * no products of it; the caller sets step->span, by pare_conv_bf16_share of the state.
 */
pare_status pare_bf16_prepare(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *bias,
                              pare_step *step);

/* The same for rows[0] rows of rows[1] floats times a matrix with rows[2] columns: strides of in[0] and out[0] in floats. */
pare_conv_f32_desc pare_bf16_rows(const int64_t rows[3], int64_t x_row, int64_t y_row);

/* step->span where out[0] and in[0] are such rows, numbered by their leading axes. */
pare_span pare_bf16_span_rows(const pare_step *step, const pare_call *call, int operand, int part, int parts);

#endif
