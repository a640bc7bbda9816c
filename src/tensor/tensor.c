/* SPDX-License-Identifier: Apache-2.0 */
/* tensor.c - tensors with bytes of their own, views of others' bytes, single elements, copies */
#include <assert.h>
#include <string.h>

#include "base/status.h"
#include "tensor/tensor.h"

void pare_tensor_set_dense(pare_tensor *t)
{
    int64_t stride = 1;

    for (int i = t->shape.rank - 1; i >= 0; i--) {
        t->stride[i] = stride;
        if (t->shape.dim[i] > 1 && stride < INT64_MAX / t->shape.dim[i])
            stride *= t->shape.dim[i];
    }
}

pare_tensor pare_tensor_of(pare_dtype dtype, pare_shape shape)
{
    pare_tensor t = { .dtype = dtype, .shape = shape };

    pare_tensor_set_dense(&t);
    return t;
}

int64_t pare_tensor_bytes(const pare_tensor *t)
{
    const int64_t count = pare_shape_count(&t->shape);
    const int     bits = pare_dtype_bits(t->dtype);

    if (count < 0 || bits == 0 || count > ((INT64_C(1) << 62) - 7) / bits)
        return -1;
    return (count * bits + 7) / 8;
}

pare_status pare_tensor_alloc(pare_tensor *t)
{
    const int64_t bytes = pare_tensor_bytes(t);
    char          text[PARE_SHAPE_TEXT];

    if (bytes < 0)
        return pare_fail(PARE_ERR_SHAPE, "a tensor %s%s cannot be allocated", pare_dtype_name(t->dtype),
                         pare_shape_text(&t->shape, text));
    PARE_TRY(pare_buf_alloc((size_t)bytes, &t->buf));
    t->data = pare_buf_bytes(t->buf);
    return PARE_OK;
}

void pare_tensor_release(pare_tensor *t)
{
    pare_buf_unref(t->buf);
    t->buf = NULL;
    t->data = NULL;
}

bool pare_tensor_is_dense(const pare_tensor *t)
{
    int64_t stride = 1;

    if (pare_shape_count(&t->shape) == 0)
        return true;
    for (int i = t->shape.rank - 1; i >= 0; i--) {
        if (t->shape.dim[i] != 1 && t->stride[i] != stride)
            return false;
        stride *= t->shape.dim[i];
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------ single elements */

/* Elements between [0, 0, ...] and the one at a flat row-major logical index. */
static int64_t offset_of(const pare_tensor *t, int64_t index)
{
    int64_t offset = 0;

    for (int i = t->shape.rank - 1; i >= 0; i--) {
        offset += index % t->shape.dim[i] * t->stride[i];
        index /= t->shape.dim[i];
    }
    assert(index == 0);
    return offset;
}

int64_t pare_load_int(pare_dtype dtype, const void *data, int64_t offset)
{
    const int bits = pare_dtype_bits(dtype);

    switch (dtype) {
    case PARE_u8:
        return ((const uint8_t *)data)[offset];
    case PARE_s8:
        return ((const int8_t *)data)[offset];
    case PARE_u16:
        return ((const uint16_t *)data)[offset];
    case PARE_s16:
        return ((const int16_t *)data)[offset];
    case PARE_u32:
        return ((const uint32_t *)data)[offset];
    case PARE_s32:
        return ((const int32_t *)data)[offset];
    case PARE_u64:
    case PARE_s64:
        return ((const int64_t *)data)[offset];
    case PARE_bool:
        return ((const uint8_t *)data)[offset] != 0;
    default:
        break;
    }
    assert(bits == 2 || bits == 4);
    const int per_byte = 8 / bits;
    const int code = ((const uint8_t *)data)[offset / per_byte] >> (offset % per_byte * bits) & ((1 << bits) - 1);
    return code > pare_dtype_hi(dtype) ? code - (1 << bits) : code;
}

void pare_store_int(pare_dtype dtype, void *data, int64_t offset, int64_t value)
{
    const int bits = pare_dtype_bits(dtype);

    switch (dtype) {
    case PARE_u8:
    case PARE_s8:
        ((uint8_t *)data)[offset] = (uint8_t)value;
        return;
    case PARE_u16:
    case PARE_s16:
        ((uint16_t *)data)[offset] = (uint16_t)value;
        return;
    case PARE_u32:
    case PARE_s32:
        ((uint32_t *)data)[offset] = (uint32_t)value;
        return;
    case PARE_u64:
    case PARE_s64:
        ((int64_t *)data)[offset] = value;
        return;
    case PARE_bool:
        ((uint8_t *)data)[offset] = value != 0;
        return;
    default:
        break;
    }
    assert(bits == 2 || bits == 4);
    const int      per_byte = 8 / bits;
    const int      shift = (int)(offset % per_byte) * bits;
    const unsigned mask = ((1u << bits) - 1) << shift;
    uint8_t *const byte = (uint8_t *)data + offset / per_byte;
    *byte = (uint8_t)((*byte & ~mask) | ((unsigned)value << shift & mask));
}

/* Truncates like a C cast, but saturates where the cast would be undefined; NaN gives 0. */
static int64_t int_of_real(double x)
{
    if (x != x)
        return 0;
    if (x >= 0x1p63)
        return INT64_MAX;
    return x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

double pare_load_real(pare_dtype dtype, const void *data, int64_t offset)
{
    switch (dtype) {
    case PARE_f32:
        return ((const float *)data)[offset];
    case PARE_f64:
        return ((const double *)data)[offset];
    case PARE_f16:
        return pare_f16_to_f32(((const uint16_t *)data)[offset]);
    case PARE_bf16:
        return pare_bf16_to_f32(((const uint16_t *)data)[offset]);
    case PARE_u64:
        return (double)((const uint64_t *)data)[offset];
    default:
        return (double)pare_load_int(dtype, data, offset);
    }
}

void pare_store_real(pare_dtype dtype, void *data, int64_t offset, double value)
{
    switch (dtype) {
    case PARE_f32:
        ((float *)data)[offset] = (float)value;
        return;
    case PARE_f64:
        ((double *)data)[offset] = value;
        return;
    case PARE_f16:
        ((uint16_t *)data)[offset] = pare_f32_to_f16((float)value);
        return;
    case PARE_bf16:
        ((uint16_t *)data)[offset] = pare_f32_to_bf16((float)value);
        return;
    default:
        pare_store_int(dtype, data, offset, int_of_real(value));
        return;
    }
}

int64_t pare_tensor_int(const pare_tensor *t, int64_t index)
{
    const int64_t offset = offset_of(t, index);

    if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
        return int_of_real(pare_load_real(t->dtype, t->data, offset));
    return pare_load_int(t->dtype, t->data, offset);
}

double pare_tensor_real(const pare_tensor *t, int64_t index)
{
    return pare_load_real(t->dtype, t->data, offset_of(t, index));
}

void pare_tensor_set_int(pare_tensor *t, int64_t index, int64_t value)
{
    const int64_t offset = offset_of(t, index);

    if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
        pare_store_real(t->dtype, t->data, offset, (double)value);
    else
        pare_store_int(t->dtype, t->data, offset, value);
}

void pare_tensor_set_real(pare_tensor *t, int64_t index, double value)
{
    pare_store_real(t->dtype, t->data, offset_of(t, index), value);
}

/* ----------------------------------------------------------------------------------------------------------- views */

/* A copy without what does not hold of another shape: the reference to the bytes and the halo around images. */
static pare_tensor borrowed(const pare_tensor *t)
{
    pare_tensor view = *t;

    view.buf = NULL;
    memset(view.halo, 0, sizeof(view.halo));
    return view;
}

pare_tensor pare_tensor_permuted(const pare_tensor *t, const int *perm)
{
    pare_tensor view = borrowed(t);

    for (int i = 0; i < t->shape.rank; i++) {
        assert(perm[i] >= 0 && perm[i] < t->shape.rank);
        view.shape.dim[i] = t->shape.dim[perm[i]];
        view.stride[i] = t->stride[perm[i]];
    }
    return view;
}

pare_tensor pare_tensor_broadcast_to(const pare_tensor *t, const pare_shape *shape)
{
    const int   missing = shape->rank - t->shape.rank;
    pare_tensor view = borrowed(t);

    assert(missing >= 0);
    view.shape = *shape;
    for (int i = 0; i < shape->rank; i++) {
        const int64_t dim = i < missing ? 1 : t->shape.dim[i - missing];

        assert(dim == 1 || dim == shape->dim[i]);
        view.stride[i] = dim == 1 ? 0 : t->stride[i - missing];
    }
    return view;
}

pare_tensor pare_tensor_reshaped(const pare_tensor *t, const pare_shape *shape)
{
    pare_tensor view = borrowed(t);

    assert(pare_tensor_is_dense(t) && pare_shape_count(&t->shape) == pare_shape_count(shape));
    view.shape = *shape;
    pare_tensor_set_dense(&view);
    return view;
}

/* ---------------------------------------------------------------------------------------------------------- copies */

static void copy_row(char *dst, int64_t dst_step, const char *src, int64_t src_step, int64_t n, size_t size)
{
    if (dst_step == 1 && src_step == 1) {
        memcpy(dst, src, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        switch (size) {
        case 1:
            dst[i * dst_step] = src[i * src_step];
            break;
        case 2:
            ((uint16_t *)dst)[i * dst_step] = ((const uint16_t *)src)[i * src_step];
            break;
        case 4:
            ((uint32_t *)dst)[i * dst_step] = ((const uint32_t *)src)[i * src_step];
            break;
        default:
            ((uint64_t *)dst)[i * dst_step] = ((const uint64_t *)src)[i * src_step];
            break;
        }
}

void pare_tensor_copy(pare_tensor *dst, const pare_tensor *src)
{
    const size_t size = pare_dtype_size(dst->dtype);
    pare_rows    rows;

    assert(dst->dtype == src->dtype && pare_shape_equal(&dst->shape, &src->shape));
    if (size == 0) {
        const int64_t count = pare_shape_count(&dst->shape);

        for (int64_t i = 0; i < count; i++)
            pare_tensor_set_int(dst, i, pare_tensor_int(src, i));
        return;
    }
    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ dst, src }, 0, 1);
    while (pare_rows_next(&rows))
        copy_row(rows.ptr[0], rows.step[0], rows.ptr[1], rows.step[1], rows.n, size);
}
