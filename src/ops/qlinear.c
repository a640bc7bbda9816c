/* SPDX-License-Identifier: Apache-2.0 */
/* qlinear.c - scales and zero points that come as input tensors */
#include "ops/qlinear.h"

#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "tensor/tensor.h"

bool pare_qlinear_dtype(pare_dtype dtype)
{
    return pare_dtype_kind(dtype) == PARE_KIND_INT && pare_dtype_bits(dtype) <= 16;
}

/* Where the scales run: nowhere, one per index of the axis, or one per block of it. */
static pare_status granularity(const pare_tensor *scale, const pare_qlinear_attrs *a, const pare_shape *shape,
                               pare_qparams *q)
{
    const int     axis = (int)(a->axis < 0 ? a->axis + shape->rank : a->axis);
    const int64_t n = pare_shape_count(&scale->shape);

    q->n = (int)n;
    if (n == 1 && a->block_size == 0)
        return PARE_OK;
    if (axis < 0 || axis >= shape->rank)
        return pare_fail(PARE_ERR_SHAPE, "axis %lld does not exist in a tensor of rank %d", (long long)a->axis,
                         shape->rank);
    q->axis = axis;
    if (a->block_size == 0) {
        if (scale->shape.rank != 1 || n != shape->dim[axis])
            return pare_fail(PARE_ERR_SHAPE, "%lld scales do not fit %lld indexes of axis %d", (long long)n,
                             (long long)shape->dim[axis], axis);
        return PARE_OK;
    }
    q->block = (int)a->block_size;
    for (int i = 0; i < shape->rank; i++) {
        const int64_t want = i == axis ? (shape->dim[i] + a->block_size - 1) / a->block_size : shape->dim[i];

        if (scale->shape.rank != shape->rank || scale->shape.dim[i] != want)
            return pare_fail(PARE_ERR_SHAPE, "the scales of blocks of %lld along axis %d have the wrong shape",
                             (long long)a->block_size, axis);
    }
    return PARE_OK;
}

pare_status pare_qlinear_params(const pare_tensor *scale, const pare_tensor *zero, const pare_qlinear_attrs *a,
                                const pare_shape *shape, pare_qparams **out)
{
    pare_qparams  q = { 0 };
    const int64_t n = pare_shape_count(&scale->shape);

    if (n < 1 || n > INT32_MAX || a->block_size < 0 || a->block_size > INT32_MAX)
        return pare_fail(PARE_ERR_SHAPE, "there are %lld scales", (long long)n);
    if (zero && pare_shape_count(&zero->shape) != n)
        return pare_fail(PARE_ERR_SHAPE, "there are %lld scales but %lld zero points", (long long)n,
                         (long long)pare_shape_count(&zero->shape));
    PARE_TRY(granularity(scale, a, shape, &q));

    const size_t  bytes = sizeof(q) + (size_t)n * (sizeof(float) + sizeof(int32_t));
    pare_qparams *block = pare_malloc(bytes);

    if (!block)
        return pare_fail_memory(bytes, "scales");
    float *const   scales = (float *)(block + 1);
    int32_t *const zeros = (int32_t *)(scales + n);

    for (int64_t i = 0; i < n; i++) {
        scales[i] = (float)pare_tensor_real(scale, i);
        zeros[i] = zero ? (int32_t)pare_tensor_int(zero, i) : 0;
        if (!(scales[i] > 0) || isinf(scales[i])) {
            const double bad = scales[i];

            pare_free(block);
            return pare_fail(PARE_ERR_NUMERIC, "scale %lld is %g; it must be a positive number", (long long)i, bad);
        }
    }
    q.scale = scales;
    q.zero = zero ? zeros : NULL;
    *block = q;
    *out = block;
    return PARE_OK;
}
