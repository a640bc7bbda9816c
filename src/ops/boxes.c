/* SPDX-License-Identifier: Apache-2.0 */
/* boxes.c - one function for each box of a float tensor */
#include "ops/boxes.h"

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/move.h"
#include "ops/span.h"

pare_tensor pare_axis_last(const pare_tensor *t, int64_t axis)
{
    const int rank = t->shape.rank;
    int       perm[PARE_MAX_RANK], n = 0;

    if (rank == 0) {
        pare_tensor one = *t;

        one.shape = pare_shape_of(1, (const int64_t[]){ 1 });
        one.stride[0] = 1;
        return one;
    }
    axis = axis < 0 ? axis + rank : axis;
    for (int i = 0; i < rank; i++)
        if (i != axis)
            perm[n++] = i;
    perm[n] = (int)axis;
    return pare_tensor_permuted(t, perm);
}

int64_t pare_boxes_count(const pare_boxes *b)
{
    int64_t n = 1;

    for (int i = 0; i < b->lead; i++)
        n *= b->y.shape.dim[i];
    return n;
}

int64_t pare_boxes_size(const pare_boxes *b)
{
    int64_t n = 1;

    for (int i = b->lead; i < b->y.shape.rank; i++)
        n *= b->y.shape.dim[i];
    return n;
}

static bool in_one_piece(const pare_tensor *t, int lead)
{
    int64_t step = 1;

    for (int i = t->shape.rank - 1; i >= lead; i--) {
        if (t->shape.dim[i] != 1 && t->stride[i] != step)
            return false;
        step *= t->shape.dim[i];
    }
    return true;
}

bool pare_boxes_scattered(const pare_boxes *b)
{
    return !in_one_piece(&b->y, b->lead) || !in_one_piece(&b->x, b->lead);
}

/* Box number i as a view of its own axes; a scalar is an axis of one element. */
static pare_tensor box_of(const pare_tensor *t, int lead, int64_t i)
{
    pare_tensor box = { .dtype = PARE_f32, .data = t->data };

    for (int axis = lead - 1; axis >= 0; axis--) {
        box.data = (float *)box.data + i % t->shape.dim[axis] * t->stride[axis];
        i /= t->shape.dim[axis];
    }
    for (int axis = lead; axis < t->shape.rank; axis++) {
        box.shape.dim[box.shape.rank] = t->shape.dim[axis];
        box.stride[box.shape.rank++] = t->stride[axis];
    }
    return box;
}

/* Between a view and the same elements one after the other. */
static void pull(float *to, const pare_tensor *box)
{
    const int     last = box->shape.rank - 1;
    const int64_t n = box->shape.dim[last], step = box->stride[last];
    pare_walk     w;

    pare_walk_begin(&w, last, box->shape.dim);
    for (pare_walk_follow(&w, 0, box->stride); w.left > 0; pare_walk_next(&w), to += n)
        for (int64_t i = 0; i < n; i++)
            to[i] = ((const float *)box->data)[w.offset[0] + i * step];
}

static void push(const pare_tensor *box, const float *from)
{
    const int     last = box->shape.rank - 1;
    const int64_t n = box->shape.dim[last], step = box->stride[last];
    pare_walk     w;

    pare_walk_begin(&w, last, box->shape.dim);
    for (pare_walk_follow(&w, 0, box->stride); w.left > 0; pare_walk_next(&w), from += n)
        for (int64_t i = 0; i < n; i++)
            ((float *)box->data)[w.offset[0] + i * step] = from[i];
}

/* Boxes that pass through the buffer. */
static void run_scattered(const pare_boxes *b, float *buffer, long begin, long end)
{
    const long n = (long)pare_boxes_size(b);

    for (long i = begin; i < end; i++) {
        const pare_tensor x = box_of(&b->x, b->lead, i), y = box_of(&b->y, b->lead, i);

        pull(buffer, &x);
        b->fn(b->arg, i, n, buffer, buffer);
        push(&y, buffer);
    }
}

void pare_boxes_run(const pare_boxes *b, float *buffer, int part, int parts)
{
    const long n = (long)pare_boxes_size(b);
    long       begin, end;
    pare_walk  w;

    if (n == 0)
        return;
    pare_pool_split((long)pare_boxes_count(b), 1, part, parts, &begin, &end);
    if (pare_boxes_scattered(b)) {
        run_scattered(b, buffer, begin, end);
        return;
    }
    pare_walk_begin(&w, b->lead, b->y.shape.dim);
    pare_walk_follow(&w, 0, b->x.stride);
    pare_walk_follow(&w, 1, b->y.stride);
    pare_walk_seek(&w, begin);
    for (long i = begin; i < end; i++, pare_walk_next(&w))
        b->fn(b->arg, i, n, (const float *)b->x.data + w.offset[0], (float *)b->y.data + w.offset[1]);
}

pare_span pare_boxes_span(const pare_boxes *b, const pare_tensor *t, int part, int parts)
{
    long begin, end;

    pare_pool_split(pare_boxes_size(b) ? (long)pare_boxes_count(b) : 0, 1, part, parts, &begin, &end);
    return pare_span_items(t, b->lead, begin, end);
}

pare_status pare_boxes_forward(const pare_boxes *b)
{
    const size_t bytes = sizeof(float) * (size_t)pare_boxes_size(b);
    float       *buffer = NULL;

    if (pare_boxes_scattered(b) && bytes > 0) {
        buffer = pare_malloc_aligned(bytes);
        if (!buffer)
            return pare_fail_memory(bytes, "a row");
    }
    pare_boxes_run(b, buffer, 0, 1);
    pare_free_aligned(buffer);
    return PARE_OK;
}
