/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - several strided tensors of one index space, walked together in the memory order of the first */
#include <assert.h>
#include <stdlib.h>

#include "base/pool.h"
#include "tensor/tensor.h"

/* Elements that one part takes at least when rows are cut: whole cache lines even of one-byte types. */
enum { GRAIN = 64 };

/* The distance that decides the order of axes: tensor[0]'s, or where it repeats, the first that moves. */
static int64_t distance(const pare_rows *rows, int axis)
{
    for (int k = 0; k < rows->tensors; k++)
        if (rows->stride[k][axis] != 0)
            return llabs(rows->stride[k][axis]);
    return 0;
}

static void swap_axes(pare_rows *rows, int a, int b)
{
    const int64_t dim = rows->dim[a];

    rows->dim[a] = rows->dim[b];
    rows->dim[b] = dim;
    for (int k = 0; k < rows->tensors; k++) {
        const int64_t stride = rows->stride[k][a];

        rows->stride[k][a] = rows->stride[k][b];
        rows->stride[k][b] = stride;
    }
}

/* Takes the axes of tensor[0] that are longer than 1, with everybody's strides along them. */
static void collect_axes(pare_rows *rows, const pare_tensor *const tensor[])
{
    const pare_shape *shape = &tensor[0]->shape;

    rows->axes = 0;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == 1)
            continue;
        rows->dim[rows->axes] = shape->dim[i];
        for (int k = 0; k < rows->tensors; k++) {
            const int     axis = i - (shape->rank - tensor[k]->shape.rank);
            const int64_t dim = axis < 0 ? 1 : tensor[k]->shape.dim[axis];

            assert(tensor[k]->shape.rank <= shape->rank && (dim == 1 || dim == shape->dim[i]));
            rows->stride[k][rows->axes] = dim == 1 ? 0 : tensor[k]->stride[axis];
        }
        rows->axes++;
    }
}

/* Outermost (largest distance) first; a stable insertion sort of at most 8. */
static void sort_axes(pare_rows *rows)
{
    for (int i = 1; i < rows->axes; i++)
        for (int j = i; j > 0 && distance(rows, j - 1) < distance(rows, j); j--)
            swap_axes(rows, j - 1, j);
}

static bool can_merge(const pare_rows *rows, int outer, int inner)
{
    for (int k = 0; k < rows->tensors; k++)
        if (rows->stride[k][outer] != rows->stride[k][inner] * rows->dim[inner])
            return false;
    return true;
}

static void merge_axes(pare_rows *rows)
{
    int kept = 0;

    for (int i = 1; i < rows->axes; i++) {
        if (can_merge(rows, kept, i)) {
            rows->dim[kept] *= rows->dim[i];
        } else {
            kept++;
            rows->dim[kept] = rows->dim[i];
        }
        for (int k = 0; k < rows->tensors; k++)
            rows->stride[k][kept] = rows->stride[k][i];
    }
    rows->axes = kept + 1;
}

/* Moves everybody's row start along an outer axis. */
static void advance(pare_rows *rows, int axis, int64_t steps)
{
    for (int k = 0; k < rows->tensors; k++)
        rows->base[k] += steps * rows->stride[k][axis] * (int64_t)rows->size[k];
}

/* Goes to the row that holds element `index` of the walk. */
static void seek(pare_rows *rows, int64_t index)
{
    int64_t row = index / rows->dim[rows->axes - 1];

    for (int i = rows->axes - 2; i >= 0; i--) {
        rows->at[i] = row % rows->dim[i];
        row /= rows->dim[i];
        advance(rows, i, rows->at[i]);
    }
}

void pare_rows_begin(pare_rows *rows, int n, const pare_tensor *const tensor[], int part, int parts)
{
    const int64_t count = pare_shape_count(&tensor[0]->shape);

    assert(n >= 1 && n <= PARE_ROWS_MAX && count >= 0 && part >= 0 && part < parts);
    *rows = (pare_rows){ .tensors = n };
    if (count == 0)
        return;
    for (int k = 0; k < n; k++) {
        rows->base[k] = tensor[k]->data;
        rows->size[k] = pare_dtype_size(tensor[k]->dtype);
        assert(rows->size[k] > 0);
    }
    collect_axes(rows, tensor);
    if (rows->axes == 0) { /* one element */
        rows->dim[0] = 1;
        rows->axes = 1;
    }
    sort_axes(rows);
    merge_axes(rows);

    /* Whole rows while there are enough of them to share fairly, else rows are cut. */
    const int64_t row = rows->dim[rows->axes - 1];
    long          first, last;

    pare_pool_split((long)count, count / row >= 4 * (int64_t)parts ? (long)row : GRAIN, part, parts, &first, &last);
    rows->first = first;
    rows->last = last;
    if (rows->first < rows->last)
        seek(rows, rows->first);
}

bool pare_rows_next(pare_rows *rows)
{
    if (rows->first >= rows->last)
        return false;

    const int     inner = rows->axes - 1;
    const int64_t skip = rows->first % rows->dim[inner]; /* not 0 only in a first row that is cut */
    const int64_t left = rows->last - rows->first;

    rows->n = rows->dim[inner] - skip < left ? rows->dim[inner] - skip : left;
    for (int k = 0; k < rows->tensors; k++) {
        rows->step[k] = rows->stride[k][inner];
        rows->ptr[k] = rows->base[k] + skip * rows->step[k] * (int64_t)rows->size[k];
    }
    rows->first += rows->n;
    for (int i = inner - 1; i >= 0; i--) {
        advance(rows, i, 1);
        if (++rows->at[i] < rows->dim[i])
            break;
        advance(rows, i, -rows->dim[i]);
        rows->at[i] = 0;
    }
    return true;
}
