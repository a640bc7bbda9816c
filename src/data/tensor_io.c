/* SPDX-License-Identifier: Apache-2.0 */
/* tensor_io.c - one tensor from a file and to a file */
#include <pare/tensor_io.h>

#include <string.h>

#include "base/status.h"
#include "files/npy.h"
#include "tensor/tensor.h"

static bool ends_with(const char *path, const char *ending)
{
    const size_t n = strlen(path), m = strlen(ending);

    return n >= m && strcmp(path + n - m, ending) == 0;
}

static bool fits(const pare_shape *got, const pare_shape *want)
{
    if (got->rank != want->rank)
        return false;
    for (int i = 0; i < got->rank; i++)
        if (want->dim[i] != PARE_DIM_ANY && want->dim[i] != got->dim[i])
            return false;
    return true;
}

static pare_status fill(pare_tensor *t, pare_dtype dtype, pare_shape shape, const void *bytes)
{
    *t = pare_tensor_of(dtype, shape);
    PARE_TRY(pare_tensor_alloc(t));
    memcpy(t->data, bytes, (size_t)pare_tensor_bytes(t));
    return PARE_OK;
}

static pare_status load_npy(const char *path, const pare_buf *file, pare_tensor *t)
{
    pare_npy array;
    char     want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT];

    if (pare_npy_read(pare_buf_bytes(file), pare_buf_size(file), &array) != PARE_OK)
        return pare_fail_in(PARE_ERR_DATA, "%s", path);
    if (t->dtype == PARE_NO_DTYPE)
        return fill(t, array.dtype, array.shape, array.data);
    if (array.dtype != t->dtype || !fits(&array.shape, &t->shape))
        return pare_fail(PARE_ERR_SHAPE, "%s: holds %s%s, wanted is %s%s", path, pare_dtype_name(array.dtype),
                         pare_shape_text(&array.shape, got), pare_dtype_name(t->dtype),
                         pare_shape_text(&t->shape, want));
    return fill(t, array.dtype, array.shape, array.data);
}

/* Raw numbers have no header: their count must be that of the shape. The last open dimension takes what there is. */
static pare_status load_raw(const char *path, const pare_buf *file, pare_tensor *t)
{
    const size_t size = pare_dtype_size(t->dtype);
    pare_shape   shape = t->shape;
    int          open = -1;
    char         want[PARE_SHAPE_TEXT];

    if (size == 0)
        return pare_fail(PARE_ERR_ARG, "%s: raw numbers need a type of whole bytes, and a shape", path);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] == PARE_DIM_ANY)
            shape.dim[open = i] = 1;
    const int64_t bytes = pare_shape_count(&shape) * (int64_t)size, there = (int64_t)pare_buf_size(file);

    if (bytes <= 0 || (open < 0 ? there != bytes : there % bytes || there == 0))
        return pare_fail(PARE_ERR_SHAPE, "%s: has %lld bytes, which is no %s%s", path, (long long)there,
                         pare_dtype_name(t->dtype), pare_shape_text(&t->shape, want));
    if (open >= 0)
        shape.dim[open] = there / bytes;
    return fill(t, t->dtype, shape, pare_buf_bytes(file));
}

pare_status pare_tensor_load(const char *path, pare_tensor *t)
{
    pare_buf *file;

    PARE_TRY(pare_buf_map(path, &file));
    const pare_status status = ends_with(path, ".npy") ? load_npy(path, file, t) : load_raw(path, file, t);

    pare_buf_unref(file);
    return status;
}

pare_status pare_tensor_save(const pare_tensor *t, const char *path)
{
    pare_tensor        dense = pare_tensor_of(t->dtype, t->shape);
    const pare_tensor *from = t;
    pare_status        status;

    if (!pare_tensor_is_dense(t)) {
        PARE_TRY(pare_tensor_alloc(&dense));
        pare_tensor_copy(&dense, t);
        from = &dense;
    }
    status = pare_npy_write(path, &(pare_npy){ t->dtype, t->shape, from->data });
    pare_tensor_release(&dense);
    return status;
}
