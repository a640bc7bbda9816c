/* SPDX-License-Identifier: Apache-2.0 */
/* move.h - walking, viewing, copying and filling elements of any size through strides; most movement ops are these */
#ifndef PARE_OPS_MOVE_H
#define PARE_OPS_MOVE_H

#include "ops/op.h"

/*
 * All multi-indices of a box in row-major order, with the element offsets they have in up to PARE_WALK_MAX strides.
 *
 *     pare_walk w;
 *     pare_walk_begin(&w, rank, dim);
 *     pare_walk_follow(&w, 0, x->stride);
 *     for (; w.left > 0; pare_walk_next(&w))
 *         ... w.at[axis], w.offset[0] ...
 */
enum { PARE_WALK_MAX = 3 };
typedef struct pare_walk {
    int     rank;
    int64_t left; /* indices still to come, this one included */
    int64_t dim[PARE_MAX_RANK], at[PARE_MAX_RANK];
    int64_t stride[PARE_WALK_MAX][PARE_MAX_RANK], offset[PARE_WALK_MAX];
} pare_walk;

void pare_walk_begin(pare_walk *w, int rank, const int64_t *dim);
void pare_walk_follow(pare_walk *w, int which, const int64_t *stride); /* [rank], in elements */
void pare_walk_seek(pare_walk *w, int64_t index);                      /* forward from the start only */
void pare_walk_next(pare_walk *w);

/* A view: along `axis` only the `count` indices start, start + step, ... */
pare_tensor pare_region(const pare_tensor *t, int axis, int64_t start, int64_t count, int64_t step);

/* Share `part` of `parts` of a copy between tensors of one shape and element size. */
void pare_move(const pare_tensor *dst, const pare_tensor *src, int part, int parts);

/* The same from planes to channels-last pixels or back; nothing and false where strides or size are others. */
bool pare_move_pixels(const pare_tensor *dst, const pare_tensor *src, int part, int parts);

/* The same between tensors of equally many elements in row-major order. Does nothing where they are the same bytes. */
void pare_move_flat(const pare_tensor *dst, const pare_tensor *src, int part, int parts);

/* Writes one element, `value` (pare_dtype_size(dst->dtype) bytes), everywhere. */
void pare_fill(const pare_tensor *dst, const void *value, int part, int parts);

/* The element that stands for real 0: the zero point of a quantized tensor, 0 otherwise. `value` has 8 bytes. */
void pare_zero_element(const pare_tensor *t, void *value);

#endif
