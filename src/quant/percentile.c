/* SPDX-License-Identifier: Apache-2.0 */
/* percentile.c - the range that leaves out the most extreme numbers: 1 in 20,000 at each end */
#include <math.h>

#include "base/status.h"
#include "quant/bins.h"
#include "quant/observer.h"

/* Half of 1 - 99.99 %, the share that TensorRT and ONNX Runtime leave out by default, at each end. */
static const double TAIL = 0.00005;

static pare_status range(const void *state, int levels, float *min, float *max)
{
    const pare_bins *b = state;
    const double     cut = TAIL * (double)b->seen;
    double           below = 0, above = 0;
    int              lo = 0, hi = PARE_BINS - 1;

    (void)levels;
    if (!b->seen)
        return pare_fail(PARE_ERR_NUMERIC, "no data has reached it");
    *min = b->min < 0 ? b->min : 0;
    *max = b->max > 0 ? b->max : 0;
    if (!b->counted)
        return PARE_OK;
    while (lo < PARE_BINS - 1 && below + (double)b->count[lo] <= cut)
        below += (double)b->count[lo++];
    while (hi > 0 && above + (double)b->count[hi] <= cut)
        above += (double)b->count[hi--];
    const double left = pare_bins_left(b, lo), right = pare_bins_left(b, hi) + pare_bins_width(b);

    *min = (float)fmin(0, fmax(*min, left));
    *max = (float)fmax(0, fmin(*max, right));
    return PARE_OK;
}

static pare_status see(void *state, const pare_tensor *t)
{
    return pare_bins_see(state, t);
}

static void merge(void *state, const void *other)
{
    pare_bins_merge(state, other);
}

const pare_observer pare_observer_percentile = {
    .name = "percentile",
    .doc = "leaves out the most extreme 1 in 20,000 numbers at each end",
    .size = sizeof(pare_bins),
    .see = see,
    .range = range,
    .merge = merge,
};
