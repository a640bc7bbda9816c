/* SPDX-License-Identifier: Apache-2.0 */
/* resize.h - where each output coordinate of a resize comes from, and with which weights; and the sums over them */
#ifndef PARE_OPS_RESIZE_H
#define PARE_OPS_RESIZE_H

#include "ops/attr.h"

/* One axis of the call. */
typedef struct pare_resize_axis {
    int64_t in, out;
    float   scale;      /* out / in, or as the scales input says                                     */
    float   length;     /* scale * in before it is rounded down to `out`; align_corners goes by that */
    float   start, end; /* region of interest, 0 .. 1: tf_crop_and_resize only                       */
    bool    resized;    /* false: output coordinate i is input coordinate i */
} pare_resize_axis;

/* Input coordinates and weights that make one output coordinate. n == 0: outside, the extrapolation value. */
enum { PARE_RESIZE_TAPS = 4 };
typedef struct pare_resize_taps {
    int     n;
    float   weight[PARE_RESIZE_TAPS];
    int64_t at[PARE_RESIZE_TAPS];
} pare_resize_taps;

/* All coordinates of all axes, one block on the heap. */
typedef struct pare_resize_plan {
    pare_resize_taps *axis[PARE_MAX_RANK]; /* [out]; NULL: the axis is not resized */
    pare_resize_taps  taps[];
} pare_resize_plan;

/* What each axis does. PARE_ERR_DYNAMIC as long as scales, sizes or the input's shape are not known. */
pare_status pare_resize_axes(const pare_call *call, pare_resize_axis axes[PARE_MAX_RANK]);
pare_status pare_resize_check(const pare_resize_attrs *p); /* names and numbers that there are */

pare_status pare_resize_plan_create(const pare_resize_attrs *p, int rank, const pare_resize_axis *axes,
                                    pare_resize_plan **out); /* release with pare_free */

/* Share `part` of `parts` of y. */
void pare_resize_nearest(const pare_resize_plan *plan, const pare_call *call, int part, int parts);
void pare_resize_weighted(const pare_resize_plan *plan, const pare_call *call, int part, int parts);

#endif
