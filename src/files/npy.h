/* SPDX-License-Identifier: Apache-2.0 */
/* npy.h - NumPy's .npy files: one dense array */
#ifndef PARE_FILES_NPY_H
#define PARE_FILES_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>
#include <pare/tensor.h>

typedef struct pare_npy {
    pare_dtype  dtype; /* f32 f64 f16, u8 .. u64, s8 .. s64 or bool, little-endian          */
    pare_shape  shape; /* row-major                                                         */
    const void *data;  /* shape's elements; borrowed; as aligned as the file is: use memcpy */
} pare_npy;

/* Understands versions 1 to 3. The array stays inside `bytes`. The sentence of an error does not name the file. */
pare_status pare_npy_read(const uint8_t *bytes, size_t size, pare_npy *out);

/* The same, and column-major arrays too: element [i, j, ...] lies at i + dim[0] * (j + dim[1] * ...). */
pare_status pare_npy_read_any(const uint8_t *bytes, size_t size, pare_npy *out, bool *column_major);

/* What stands in front of the array in a file of version 1.0: *size bytes, a multiple of 64. */
enum { PARE_NPY_HEAD = 384 };
pare_status pare_npy_head(pare_dtype dtype, const pare_shape *shape, char head[PARE_NPY_HEAD], size_t *size);

/* Writes version 1.0, as NumPy does; the file appears whole or not at all. */
pare_status pare_npy_write(const char *path, const pare_npy *array);

#endif
