/* SPDX-License-Identifier: Apache-2.0 */
/* shape.c - how many elements along which axis */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tensor/tensor.h"

pare_shape pare_shape_of(int rank, const int64_t *dims)
{
    pare_shape shape = { .rank = rank };

    assert(rank >= 0 && rank <= PARE_MAX_RANK);
    for (int i = 0; i < rank; i++)
        shape.dim[i] = dims[i];
    return shape;
}

bool pare_shape_equal(const pare_shape *a, const pare_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

int64_t pare_shape_count(const pare_shape *shape)
{
    const int64_t most = INT64_C(1) << 62;
    int64_t       count = 1;
    bool          empty = false;

    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0)
            return -1;
        empty |= shape->dim[i] == 0;
    }
    if (empty)
        return 0;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] > most / count)
            return -1;
        count *= shape->dim[i];
    }
    return count;
}

const char *pare_shape_text(const pare_shape *shape, char text[PARE_SHAPE_TEXT])
{
    /* At most 8 dimensions of 20 characters, 7 commas, 2 brackets and the end: 170. */
    char *at = text;

    *at++ = '[';
    for (int i = 0; i < shape->rank; i++) {
        if (i > 0)
            *at++ = ',';
        if (shape->dim[i] == PARE_DIM_ANY)
            *at++ = '?';
        else
            at += snprintf(at, (size_t)(text + PARE_SHAPE_TEXT - at), "%" PRId64, shape->dim[i]);
    }
    *at++ = ']';
    *at = '\0';
    return text;
}

/* Of two lengths along one axis. A length that is not fixed gives way to a fixed one above 1, which it must equal. */
static bool broadcast_dim(int64_t a, int64_t b, int64_t *out)
{
    if (a == b || b == 1)
        *out = a;
    else if (a == 1)
        *out = b;
    else if (a == PARE_DIM_ANY)
        *out = b;
    else if (b == PARE_DIM_ANY)
        *out = a;
    else
        return false;
    return true;
}

bool pare_shape_broadcast(const pare_shape *a, const pare_shape *b, pare_shape *out)
{
    pare_shape result = { .rank = a->rank > b->rank ? a->rank : b->rank };

    for (int i = 0; i < result.rank; i++) {
        const int     in_a = i - (result.rank - a->rank);
        const int     in_b = i - (result.rank - b->rank);
        const int64_t dim_a = in_a < 0 ? 1 : a->dim[in_a];
        const int64_t dim_b = in_b < 0 ? 1 : b->dim[in_b];

        if (!broadcast_dim(dim_a, dim_b, &result.dim[i]))
            return false;
    }
    *out = result;
    return true;
}
