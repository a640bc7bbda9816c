/* SPDX-License-Identifier: Apache-2.0 */
/* qparams.h - from ranges to scales and zero points, from real numbers to integers and back (NUMERICS.md 1 to 3) */
#ifndef PARE_TENSOR_QPARAMS_H
#define PARE_TENSOR_QPARAMS_H

#include <pare/tensor.h>

typedef enum pare_scheme { PARE_AFFINE, PARE_SYMMETRIC } pare_scheme;

/* The integers a quantized value may take. */
typedef struct pare_qrange {
    int32_t lo, hi;
} pare_qrange;

/* The default bounds of a dtype; signed weights are narrow (lo = -hi) from 4 bits up (NUMERICS.md 1). */
pare_qrange pare_qrange_of(pare_dtype dtype, bool narrow);

/*
 * The one function from a range to scale and zero point (NUMERICS.md 3), used by observers, dynamic quantization,
 * fake-quantize and convert. `eps` 0 means FLT_EPSILON. PARE_ERR_NUMERIC when min or max is NaN or infinite or
 * min > max (nothing observed); the caller's sentence names the value.
 */
pare_status pare_qparams_choose(float min, float max, pare_scheme scheme, pare_qrange range, float eps, float *scale,
                                int32_t *zero);

/* A copy of `q` with its arrays in one heap block; release with pare_free. NULL: out of memory. */
pare_qparams *pare_qparams_copy(const pare_qparams *q);
bool          pare_qparams_equal(const pare_qparams *a, const pare_qparams *b); /* by value, bit for bit */

/* One number, the rule itself: clamp(rint(x / scale) + zero, lo, hi); NaN -> lo. */
int32_t pare_quantize_one(float x, float scale, int32_t zero, pare_qrange range);

/* Whole tensors, any strides, any granularity: the reference. q->q holds the parameters, q->dtype the type. */
void pare_tensor_quantize(const pare_tensor *x, pare_tensor *q, pare_qrange range);
void pare_tensor_dequantize(const pare_tensor *q, pare_tensor *x);

/* Which entry of scale[] belongs to the element at multi-index `at` of `shape`. */
int64_t pare_qparams_entry(const pare_qparams *q, const pare_shape *shape, const int64_t *at);

#endif
