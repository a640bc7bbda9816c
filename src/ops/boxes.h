/* SPDX-License-Identifier: Apache-2.0 */
/* boxes.h - one function for each box of a float tensor: softmax along an axis, norms over the last axes */
#ifndef PARE_OPS_BOXES_H
#define PARE_OPS_BOXES_H

#include "ops/op.h"

/* y[n] from x[n] of box number `box`; x and y may be the same memory. */
typedef void pare_box_fn(const void *arg, int64_t box, long n, const float *x, float *y);

/* The first `lead` axes number the boxes; the others, in row-major order, are the elements of a box. */
typedef struct pare_boxes {
    pare_tensor  y, x; /* f32 of one shape, any strides */
    int          lead;
    pare_box_fn *fn;
    const void  *arg;
} pare_boxes;

/* A view whose last axis is `axis` (-rank .. rank - 1): each line along it is a box. A scalar is one line of one. */
pare_tensor pare_axis_last(const pare_tensor *t, int64_t axis);

int64_t pare_boxes_count(const pare_boxes *b);
int64_t pare_boxes_size(const pare_boxes *b); /* elements of one box */

/* Whether boxes of x or y are scattered in memory, so that they pass through a buffer of pare_boxes_size floats. */
bool pare_boxes_scattered(const pare_boxes *b);

/* Share `part` of `parts` of the boxes. `buffer` may be NULL when they are not scattered. */
void pare_boxes_run(const pare_boxes *b, float *buffer, int part, int parts);

/* What that share touches of x or y, one of the two. */
pare_span pare_boxes_span(const pare_boxes *b, const pare_tensor *t, int part, int parts);

/* All of them, with a buffer of its own. */
pare_status pare_boxes_forward(const pare_boxes *b);

#endif
