/* SPDX-License-Identifier: Apache-2.0 */
/* qlinear.h - scales and zero points that come as input tensors (ONNX's quantized ops) */
#ifndef PARE_OPS_QLINEAR_H
#define PARE_OPS_QLINEAR_H

#include "ops/op.h"
#include "tensor/qparams.h"

typedef struct pare_qlinear_attrs {
    int64_t    axis, block_size, saturate;
    pare_dtype output_dtype; /* quantize_linear: when there is no zero point; PARE_NO_DTYPE: u8 */
} pare_qlinear_attrs;

/*
 * qparams made of a scale tensor (f32) and a zero point tensor (any integer dtype, or NULL) for data of shape `shape`:
 * per tensor, per channel or per block. The arrays live in one heap block; release with pare_free.
 * PARE_ERR_SHAPE when they do not fit the shape, PARE_ERR_NUMERIC when a scale is not a positive finite number.
 */
pare_status pare_qlinear_params(const pare_tensor *scale, const pare_tensor *zero, const pare_qlinear_attrs *a,
                                const pare_shape *shape, pare_qparams **out);

/*
 * prepare of quantize_linear and dequantize_linear: constant parameters per tensor or per channel, codes of whole bytes.
 * Other calls keep the reference.
 */
pare_status pare_qlinear_prepare(const pare_call *call, pare_step *step);

/* Whether a dtype is one of the integers that Q and DQ handle. */
bool pare_qlinear_dtype(pare_dtype dtype);

#endif
