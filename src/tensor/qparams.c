/* SPDX-License-Identifier: Apache-2.0 */
/* qparams.c - the map between real numbers and integers (NUMERICS.md 1 to 3), spelled out */
#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "tensor/qparams.h"
#include "tensor/tensor.h"

pare_qrange pare_qrange_of(pare_dtype dtype, bool narrow)
{
    const int64_t lo = pare_dtype_lo(dtype), hi = pare_dtype_hi(dtype);
    pare_qrange   range = {
          .lo = lo < INT32_MIN ? INT32_MIN : (int32_t)lo,
          .hi = hi > INT32_MAX ? INT32_MAX : (int32_t)hi,
    };

    if (narrow && range.lo < 0 && pare_dtype_bits(dtype) >= 4)
        range.lo = -range.hi;
    return range;
}

/* `x` is whole or infinite or NaN (which gives lo). (float)INT32_MAX is 2^31, so what passes the tests converts. */
static int32_t clamp_whole(float x, pare_qrange range)
{
    if (!(x > (float)range.lo))
        return range.lo;
    return x >= (float)range.hi ? range.hi : (int32_t)x;
}

pare_status pare_qparams_choose(float min, float max, pare_scheme scheme, pare_qrange range, float eps, float *scale,
                                int32_t *zero)
{
    const float   mn = min < 0 ? min : 0.0f;
    const float   mx = max > 0 ? max : 0.0f;
    const float   wide = -mn > mx ? -mn : mx;
    const int32_t mid = range.lo < 0 ? 0 : (int32_t)(((int64_t)range.lo + range.hi + 1) / 2);
    float         s;

    if (!isfinite(min) || !isfinite(max) || min > max)
        return pare_fail(PARE_ERR_NUMERIC, "no scale fits the range [%g, %g]", (double)min, (double)max);
    if (scheme == PARE_AFFINE)
        s = (mx - mn) / (float)((int64_t)range.hi - range.lo);
    else
        s = wide / (float)((int64_t)range.hi - mid);
    if (!isfinite(s)) /* mx - mn overflows, or no integer lies above the zero point */
        return pare_fail(PARE_ERR_NUMERIC, "no scale fits the range [%g, %g] in the integers %d to %d", (double)min,
                         (double)max, range.lo, range.hi);
    if (eps == 0)
        eps = FLT_EPSILON;
    s = s > eps ? s : eps;
    *scale = s;
    *zero = scheme == PARE_AFFINE ? clamp_whole(rintf((float)range.lo - mn / s), range) : mid;
    return PARE_OK;
}

pare_qparams *pare_qparams_copy(const pare_qparams *q)
{
    const size_t  n = (size_t)q->n;
    const size_t  bytes = n * sizeof(float);
    const int     rows = 1 + (q->zero != NULL) + (q->offset != NULL);
    pare_qparams *copy = pare_malloc(sizeof(*copy) + (size_t)rows * bytes);

    if (!copy)
        return NULL;
    char *at = (char *)(copy + 1);

    *copy = *q;
    copy->scale = memcpy(at, q->scale, bytes);
    if (q->zero)
        copy->zero = memcpy(at += bytes, q->zero, bytes);
    if (q->offset)
        copy->offset = memcpy(at + bytes, q->offset, bytes);
    return copy;
}

/* NULL stands for all zero. */
static bool equal_or_zero(const void *a, const void *b, int n)
{
    static const uint32_t none = 0;

    for (int i = 0; i < n; i++)
        if (memcmp(a ? (const uint32_t *)a + i : &none, b ? (const uint32_t *)b + i : &none, 4) != 0)
            return false;
    return true;
}

bool pare_qparams_equal(const pare_qparams *a, const pare_qparams *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->n != b->n || a->block != b->block)
        return false;
    if ((a->n > 1 || a->block > 0) && a->axis != b->axis)
        return false;
    return memcmp(a->scale, b->scale, (size_t)a->n * sizeof(float)) == 0 && equal_or_zero(a->zero, b->zero, a->n) &&
           equal_or_zero(a->offset, b->offset, a->n);
}

int32_t pare_quantize_one(float x, float scale, int32_t zero, pare_qrange range)
{
    return clamp_whole(rintf(x / scale) + (float)zero, range);
}

int64_t pare_qparams_entry(const pare_qparams *q, const pare_shape *shape, const int64_t *at)
{
    int64_t entry = 0;

    if (q->block == 0)
        return q->n == 1 ? 0 : at[q->axis];
    for (int i = 0; i < shape->rank; i++) {
        if (i == q->axis)
            entry = entry * ((shape->dim[i] + q->block - 1) / q->block) + at[i] / q->block;
        else
            entry = entry * shape->dim[i] + at[i];
    }
    return entry;
}

/* ---------------------------------------------------------------------------------------------------- whole tensors */

/* The next multi-index in row-major order. */
static void step_index(const pare_shape *shape, int64_t *at)
{
    for (int i = shape->rank - 1; i >= 0; i--) {
        if (++at[i] < shape->dim[i])
            return;
        at[i] = 0;
    }
}

static int64_t offset_at(const pare_tensor *t, const int64_t *at)
{
    int64_t offset = 0;

    for (int i = 0; i < t->shape.rank; i++)
        offset += at[i] * t->stride[i];
    return offset;
}

void pare_tensor_quantize(const pare_tensor *x, pare_tensor *q, pare_qrange range)
{
    const pare_qparams *const p = q->q;
    const int64_t             count = pare_shape_count(&x->shape);
    int64_t                   at[PARE_MAX_RANK] = { 0 };

    assert(p && pare_shape_equal(&x->shape, &q->shape));
    for (int64_t i = 0; i < count; i++, step_index(&x->shape, at)) {
        const int64_t entry = pare_qparams_entry(p, &x->shape, at);
        float         real = (float)pare_load_real(x->dtype, x->data, offset_at(x, at));

        if (p->offset)
            real = real - p->offset[entry];
        pare_store_int(q->dtype, q->data, offset_at(q, at),
                       pare_quantize_one(real, p->scale[entry], p->zero ? p->zero[entry] : 0, range));
    }
}

void pare_tensor_dequantize(const pare_tensor *q, pare_tensor *x)
{
    const pare_qparams *const p = q->q;
    const int64_t             count = pare_shape_count(&x->shape);
    int64_t                   at[PARE_MAX_RANK] = { 0 };

    assert(p && pare_shape_equal(&x->shape, &q->shape));
    for (int64_t i = 0; i < count; i++, step_index(&x->shape, at)) {
        const int64_t entry = pare_qparams_entry(p, &x->shape, at);
        const int64_t code = pare_load_int(q->dtype, q->data, offset_at(q, at));
        float         real = (float)(code - (p->zero ? p->zero[entry] : 0)) * p->scale[entry];

        if (p->offset)
            real = real + p->offset[entry];
        pare_store_real(x->dtype, x->data, offset_at(x, at), real);
    }
}
