/* SPDX-License-Identifier: Apache-2.0 */
/* span.h - which bytes of an operand one part of a run touches: what ops say as step->span */
#ifndef PARE_OPS_SPAN_H
#define PARE_OPS_SPAN_H

#include "ops/window.h"

static inline pare_span pare_span_all(void)
{
    return (pare_span){ PTRDIFF_MIN, PTRDIFF_MAX };
}

static inline pare_span pare_span_none(void)
{
    return (pare_span){ 0, 0 };
}

/* From the first to the last byte of a tensor, its halo included. Strides may be 0, not negative. */
pare_span pare_span_extent(const pare_tensor *t);

/* Of tensor[k] when pare_rows walks tensor[0] .. tensor[n - 1]. */
pare_span pare_span_rows(int n, const pare_tensor *const tensor[], int k, int part, int parts);

/* Of tensor[k] when pare_rows walks the pixels of all, each as a whole: their regions of one channel. */
pare_span pare_span_pixel_rows(int n, const pare_tensor *const tensor[], int k, int part, int parts);

/*
 * Of items first .. last-1 of t, which its first `axes` axes number, row-major: each is all that the other axes reach. All
 * of t where one item does not begin behind the other.
 */
pare_span pare_span_items(const pare_tensor *t, int axes, long first, long last);

/* The smallest that holds both. */
pare_span pare_span_join(pare_span a, pare_span b);

/* A step->span for ops that walk out[0] and in[0] by pare_rows; their other inputs are read by all parts. */
pare_span pare_span_map(const pare_step *step, const pare_call *call, int operand, int part, int parts);

/* A step->span for ops that walk out[0] and all their inputs by pare_rows. */
pare_span pare_span_elementwise(const pare_step *step, const pare_call *call, int operand, int part, int parts);

/* Of pixels first .. last-1, counted over images, lines and columns, of a channels-last tensor. */
pare_span pare_span_pixels(const pare_tensor *t, long first, long last);

/* What windows of `w` read of a channels-last x for such pixels of the output. */
pare_span pare_span_windows(const pare_tensor *x, const pare_window_2d *w, long first, long last);

#endif
