/* SPDX-License-Identifier: Apache-2.0 */
/* tensor.h - typed, shaped, strided views of bytes, and the map from integers to real numbers */
#ifndef PARE_TENSOR_H
#define PARE_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include <pare/buf.h>
#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pare_kind { PARE_KIND_FLOAT, PARE_KIND_INT, PARE_KIND_BOOL } pare_kind;

typedef enum pare_dtype {
    PARE_NO_DTYPE = 0,
#define PARE_DTYPE(name, onnx, bits, kind, lo, hi) PARE_##name,
#include <pare/dtype.def>
#undef PARE_DTYPE
    PARE_N_DTYPES
} pare_dtype;

PARE_API const char *pare_dtype_name(pare_dtype dtype);  /* "f32", "u8" ...                  */
PARE_API pare_dtype  pare_dtype_parse(const char *name); /* PARE_NO_DTYPE: no such type      */
PARE_API int         pare_dtype_bits(pare_dtype dtype);  /* 2 .. 64                          */
PARE_API pare_kind   pare_dtype_kind(pare_dtype dtype);
PARE_API int64_t     pare_dtype_lo(pare_dtype dtype); /* integer types: the lowest value  */
PARE_API int64_t     pare_dtype_hi(pare_dtype dtype);

enum { PARE_MAX_RANK = 8 };

/* Logical order is always N, C, spatial ..., whatever the memory order. Rank 0 is a scalar: one element. */
typedef struct pare_shape {
    int     rank;
    int64_t dim[PARE_MAX_RANK]; /* PARE_DIM_ANY: not fixed yet (symbolic batch) */
} pare_shape;

enum { PARE_DIM_ANY = -1 };

PARE_API pare_shape pare_shape_of(int rank, const int64_t *dims);
PARE_API bool       pare_shape_equal(const pare_shape *a, const pare_shape *b);
PARE_API int64_t    pare_shape_count(const pare_shape *shape); /* elements; -1: not fixed, or over 2^62 */

/*
 * real = scale * (q - zero) + offset. One struct for every granularity: per tensor n == 1, per channel one entry per
 * index of `axis`, per block one per `block` neighbours along `axis` (then n counts all scales, in the row-major
 * order of the shape whose `axis` dimension is divided by `block`, rounded up).
 */
typedef struct pare_qparams {
    const float   *scale;  /* [n], > 0                                                    */
    const int32_t *zero;   /* [n], inside the dtype's range; NULL: all 0 (symmetric)      */
    const float   *offset; /* [n]; NULL: none (only float-zero-point embeddings have one) */
    int            n;
    int            axis;  /* dimension they run along; ignored when n == 1 and block == 0 */
    int            block; /* 0: per tensor or per channel                                 */
} pare_qparams;

/*
 * A view. Copying the struct copies the view, not the bytes; `buf` is the reference that keeps them alive, or NULL
 * when somebody else does. Sub-byte types are dense.
 */
typedef struct pare_tensor {
    pare_dtype          dtype;
    pare_shape          shape;
    int64_t             stride[PARE_MAX_RANK]; /* in elements */
    void               *data;                  /* element [0, 0, ...]; NULL: only dtype and shape are known */
    pare_buf           *buf;
    const pare_qparams *q;          /* NULL: not quantized; lives where the tensor's owner says */
    int                 halo[2][2]; /* [h, w][before, after]: pixels of zero points around each image, in planned
                                       channels-last tensors only */
} pare_tensor;

/* A dense view without data. */
PARE_API pare_tensor pare_tensor_of(pare_dtype dtype, pare_shape shape);

/* Gives a tensor from pare_tensor_of zeroed bytes of its own (64-byte aligned). Release with pare_tensor_release. */
PARE_API pare_status pare_tensor_alloc(pare_tensor *t);
PARE_API void        pare_tensor_release(pare_tensor *t); /* drops `buf`, clears `data`; fine when there is none */

/* Bytes of a dense tensor of this dtype and shape; -1 when not fixed or absurd. */
PARE_API int64_t pare_tensor_bytes(const pare_tensor *t);
PARE_API bool    pare_tensor_is_dense(const pare_tensor *t);

/* Copies elements between two tensors of equal dtype and shape, whatever their strides. They must not overlap. */
PARE_API void pare_tensor_copy(pare_tensor *dst, const pare_tensor *src);

#ifdef __cplusplus
}
#endif
#endif
