/* SPDX-License-Identifier: Apache-2.0 */
/* tensor.h - the tensor floor seen from inside: walking rows, reading scalars, views */
#ifndef PARE_TENSOR_TENSOR_H
#define PARE_TENSOR_TENSOR_H

#include <stddef.h>

#include <pare/tensor.h>

/* Text of a shape, "[1,3,224,224]", "[N,10]" for PARE_DIM_ANY as "?"; `text` is returned. */
enum { PARE_SHAPE_TEXT = 176 };
const char *pare_shape_text(const pare_shape *shape, char text[PARE_SHAPE_TEXT]);

/* Multidirectional broadcasting (ONNX, NumPy). False: the shapes do not fit. */
bool pare_shape_broadcast(const pare_shape *a, const pare_shape *b, pare_shape *out);

/* Sets dense strides for the tensor's shape. */
void pare_tensor_set_dense(pare_tensor *t);

size_t     pare_dtype_size(pare_dtype dtype); /* bytes of one element; sub-byte types: 0 */
pare_dtype pare_dtype_from_onnx(int64_t number);
int        pare_dtype_to_onnx(pare_dtype dtype);

/* The element at a flat row-major logical index, any dtype and strides, sub-byte types included. Slow: for shapes,
 * parameters and tests. Integers above 2^53 lose bits in the double form. */
int64_t pare_tensor_int(const pare_tensor *t, int64_t index);
double  pare_tensor_real(const pare_tensor *t, int64_t index);
void    pare_tensor_set_int(pare_tensor *t, int64_t index, int64_t value);
void    pare_tensor_set_real(pare_tensor *t, int64_t index, double value);

/* The same by offset in elements from `data`, without a shape. */
int64_t pare_load_int(pare_dtype dtype, const void *data, int64_t offset); /* integer and bool types only */
double  pare_load_real(pare_dtype dtype, const void *data, int64_t offset);
void    pare_store_int(pare_dtype dtype, void *data, int64_t offset, int64_t value); /* integer and bool types only */
void    pare_store_real(pare_dtype dtype, void *data, int64_t offset, double value);

/* Half precision, rounded to nearest even; NaN stays NaN. */
float    pare_f16_to_f32(uint16_t bits);
float    pare_bf16_to_f32(uint16_t bits);
uint16_t pare_f32_to_f16(float x);
uint16_t pare_f32_to_bf16(float x);

/* Views of the same bytes; the result borrows (its buf is NULL). */
pare_tensor pare_tensor_permuted(const pare_tensor *t, const int *perm);
pare_tensor pare_tensor_broadcast_to(const pare_tensor *t, const pare_shape *shape); /* stride 0 where repeated */
/* Another shape of equally many elements over the same bytes: only when `t` is dense. */
pare_tensor pare_tensor_reshaped(const pare_tensor *t, const pare_shape *shape);

/*
 * Walks up to PARE_ROWS_MAX tensors of one logical index space together, row by row. The space is the shape of
 * tensor[0]; the others are broadcast to it. Axes are reordered so that rows run along the axis where tensor[0] is
 * densest, and neighbouring axes are merged where all tensors allow it: a dense tensor is one row. Parts share whole
 * rows when there are many, else rows are cut; together they see every element once.
 *
 *     pare_rows rows;
 *     pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ y, a, b }, part, parts);
 *     while (pare_rows_next(&rows))
 *         for (int64_t i = 0; i < rows.n; i++)
 *             ((float *)rows.ptr[0])[i * rows.step[0]] = ...
 *
 * Only for operations that do not care in which order elements come.
 */
enum { PARE_ROWS_MAX = 5 };
typedef struct pare_rows {
    int64_t n;                   /* elements in this row                                   */
    char   *ptr[PARE_ROWS_MAX];  /* first element of the row in each tensor                */
    int64_t step[PARE_ROWS_MAX]; /* elements from one to the next: 1, 0 (broadcast) or any */
    /* private */
    int     tensors, axes;
    int64_t dim[PARE_MAX_RANK], stride[PARE_ROWS_MAX][PARE_MAX_RANK], at[PARE_MAX_RANK];
    char   *base[PARE_ROWS_MAX];
    size_t  size[PARE_ROWS_MAX];
    int64_t first, last; /* elements of the walk that are left to this part */
} pare_rows;

void pare_rows_begin(pare_rows *rows, int n, const pare_tensor *const tensor[], int part, int parts);
bool pare_rows_next(pare_rows *rows);

#endif
