/* SPDX-License-Identifier: Apache-2.0 */
/* move.c - walking, viewing, copying and filling elements of any size through strides */
#include "ops/move.h"

#include <assert.h>
#include <string.h>

void pare_walk_begin(pare_walk *w, int rank, const int64_t *dim)
{
    assert(rank >= 0 && rank <= PARE_MAX_RANK);
    memset(w, 0, sizeof(*w));
    w->rank = rank;
    w->left = 1;
    for (int i = 0; i < rank; i++) {
        w->dim[i] = dim[i];
        w->left *= dim[i];
    }
}

void pare_walk_follow(pare_walk *w, int which, const int64_t *stride)
{
    for (int i = 0; i < w->rank; i++)
        w->stride[which][i] = stride[i];
}

void pare_walk_seek(pare_walk *w, int64_t index)
{
    w->left -= index;
    if (w->left <= 0)
        return;
    for (int i = w->rank - 1; i >= 0; i--) {
        w->at[i] = index % w->dim[i];
        index /= w->dim[i];
        for (int k = 0; k < PARE_WALK_MAX; k++)
            w->offset[k] += w->at[i] * w->stride[k][i];
    }
}

void pare_walk_next(pare_walk *w)
{
    w->left--;
    for (int i = w->rank - 1; i >= 0; i--) {
        const bool    carry = ++w->at[i] == w->dim[i];
        const int64_t steps = carry ? 1 - w->dim[i] : 1;
        for (int k = 0; k < PARE_WALK_MAX; k++)
            w->offset[k] += steps * w->stride[k][i];
        if (!carry)
            return;
        w->at[i] = 0;
    }
}

pare_tensor pare_region(const pare_tensor *t, int axis, int64_t start, int64_t count, int64_t step)
{
    pare_tensor view = *t;

    view.buf = NULL;
    if (view.data && count > 0)
        view.data = (char *)view.data + start * t->stride[axis] * (int64_t)pare_dtype_size(t->dtype);
    view.shape.dim[axis] = count;
    view.stride[axis] = t->stride[axis] * step;
    return view;
}

/* One row for each element size, so that the compiler sees a constant. */
#define MOVE_ROW(type)              \
    for (int64_t i = 0; i < n; i++) \
    ((type *)dst)[i * dst_step] = ((const type *)src)[i * src_step]

static void move_row(char *dst, int64_t dst_step, const char *src, int64_t src_step, int64_t n, size_t size)
{
    if (dst_step == 1 && src_step == 1) {
        memcpy(dst, src, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1:
        MOVE_ROW(uint8_t);
        break;
    case 2:
        MOVE_ROW(uint16_t);
        break;
    case 4:
        MOVE_ROW(uint32_t);
        break;
    case 8:
        MOVE_ROW(uint64_t);
        break;
    default:
        assert(!"no dtype has this size");
    }
}

/* Whether a pixel's channels are neighbours. */
static bool has_pixels(const pare_tensor *t)
{
    return t->shape.rank >= 3 && t->shape.dim[1] > 1 && t->stride[1] == 1;
}

/* memcpy of a constant size is one load and one store; the last of them goes back so far that it is whole. */
static void copy_bytes(char *to, const char *from, int64_t n)
{
    enum { BLOCK = 16 };
    int64_t i = 0;

    if (n < BLOCK || n > 16 * BLOCK) {
        memcpy(to, from, (size_t)n);
        return;
    }
    for (; i + BLOCK <= n; i += BLOCK)
        memcpy(to + i, from + i, BLOCK);
    memcpy(to + n - BLOCK, from + n - BLOCK, BLOCK);
}

/* Pixels whose channels are neighbours on both sides, row of pixels by row of pixels. */
static void move_channels_last(const pare_tensor *dst, const pare_tensor *src, int part, int parts)
{
    const int64_t     size = (int64_t)pare_dtype_size(dst->dtype), channels = dst->shape.dim[1];
    const pare_tensor to = pare_region(dst, 1, 0, 1, 1), from = pare_region(src, 1, 0, 1, 1);
    pare_rows         rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ &to, &from }, part, parts);
    while (pare_rows_next(&rows)) {
        const bool    dense = rows.step[0] == channels && rows.step[1] == channels;
        const int64_t runs = dense ? 1 : rows.n, bytes = (dense ? rows.n * channels : channels) * size;

        for (int64_t i = 0; i < runs; i++)
            copy_bytes(rows.ptr[0] + i * rows.step[0] * size, rows.ptr[1] + i * rows.step[1] * size, bytes);
    }
}

void pare_move(const pare_tensor *dst, const pare_tensor *src, int part, int parts)
{
    const size_t size = pare_dtype_size(dst->dtype);
    pare_rows    rows;

    assert(size == pare_dtype_size(src->dtype));
    if (size == 0) { /* sub-byte: dense only, and bytes cannot be shared between parts */
        pare_tensor whole = *dst;
        if (part == 0)
            pare_tensor_copy(&whole, src);
        return;
    }
    if (pare_move_pixels(dst, src, part, parts))
        return;
    if (has_pixels(dst) && has_pixels(src)) {
        move_channels_last(dst, src, part, parts);
        return;
    }
    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ dst, src }, part, parts);
    while (pare_rows_next(&rows))
        move_row(rows.ptr[0], rows.step[0], rows.ptr[1], rows.step[1], rows.n, size);
}

void pare_move_flat(const pare_tensor *dst, const pare_tensor *src, int part, int parts)
{
    if (dst->data == src->data && pare_tensor_is_dense(dst) && pare_tensor_is_dense(src))
        return;
    if (pare_tensor_is_dense(src)) {
        const pare_tensor view = pare_tensor_reshaped(src, &dst->shape);
        pare_move(dst, &view, part, parts);
    } else if (pare_tensor_is_dense(dst)) {
        const pare_tensor view = pare_tensor_reshaped(dst, &src->shape);
        pare_move(&view, src, part, parts);
    } else if (part == 0) {
        const size_t size = pare_dtype_size(dst->dtype);
        pare_walk    to, from;
        pare_walk_begin(&to, dst->shape.rank, dst->shape.dim);
        pare_walk_begin(&from, src->shape.rank, src->shape.dim);
        pare_walk_follow(&to, 0, dst->stride);
        pare_walk_follow(&from, 0, src->stride);
        for (; to.left > 0; pare_walk_next(&to), pare_walk_next(&from))
            memcpy((char *)dst->data + to.offset[0] * (int64_t)size,
                   (const char *)src->data + from.offset[0] * (int64_t)size, size);
    }
}

void pare_fill(const pare_tensor *dst, const void *value, int part, int parts)
{
    const size_t      size = pare_dtype_size(dst->dtype);
    const bool        pixels = has_pixels(dst);
    const pare_tensor walked = pixels ? pare_region(dst, 1, 0, 1, 1) : *dst, *const first = &walked;
    pare_rows rows;

    pare_rows_begin(&rows, 1, &first, part, parts);
    while (pare_rows_next(&rows)) {
        if (!pixels) {
            move_row(rows.ptr[0], rows.step[0], value, 0, rows.n, size);
            continue;
        }
        move_row(rows.ptr[0], 1, value, 0, dst->shape.dim[1], size);
        for (int64_t i = 1; i < rows.n; i++) /* the others are copies of the first pixel */
            memcpy(rows.ptr[0] + i * rows.step[0] * (int64_t)size, rows.ptr[0], (size_t)dst->shape.dim[1] * size);
    }
}

void pare_zero_element(const pare_tensor *t, void *value)
{
    memset(value, 0, 8);
    if (t->q && t->q->zero && pare_dtype_kind(t->dtype) == PARE_KIND_INT)
        pare_store_int(t->dtype, value, 0, t->q->zero[0]);
}
