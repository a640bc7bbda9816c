/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram.c - the range with the smallest mean squared quantization error
 *
 * The numbers of a bin are taken as spread evenly over it; a bin between two rounding boundaries adds the integral of
 * the squared distance to its level. The search moves one end at a time over a grid of its possible places, coarse to
 * fine, until neither end improves: the idea of PyTorch's HistogramObserver (L2 norm minimization), but with the true
 * number of levels, both ends free and no stop at the first local minimum.
 */
#include <math.h>

#include "base/status.h"
#include "quant/bins.h"
#include "quant/observer.h"

/* Integral over [a, b] of (x - level)^2. */
static double square(double a, double b, double level)
{
    const double p = a - level, q = b - level;

    return (q * q * q - p * p * p) / 3;
}

/* The grid that a range gives: NUMERICS.md 3, in double since only the choice between ranges is at stake. */
typedef struct grid {
    double scale, lo, hi; /* step; lowest and highest real that has a level */
} grid;

static grid grid_of(double min, double max, int levels)
{
    const double scale = (max - min) / (levels - 1);
    double       zero  = rint(-min / scale);

    zero = zero < 0 ? 0 : zero > levels - 1 ? levels - 1 : zero;
    return (grid){ scale, -zero * scale, (levels - 1 - zero) * scale };
}

static double level_of(const grid *g, double x)
{
    const double level = rint(x / g->scale) * g->scale;

    return level < g->lo ? g->lo : level > g->hi ? g->hi : level;
}

/* Error of one number per unit of probability, for numbers even over [a, b]. */
static double bin_error(const grid *g, double a, double b)
{
    const double middle = (a + b) / 2, width = b - a;

    if (b <= g->lo - g->scale || a >= g->hi + g->scale) /* all clipped */
        return square(a, b, middle < g->lo ? g->lo : g->hi) / width;
    if (width >= 2 * g->scale) /* many levels per bin */
        return g->scale * g->scale / 12;
    /* At most two rounding boundaries inside. */
    double error = 0, from = a;

    while (from < b) {
        const double level = level_of(g, from + 1e-9 * g->scale);
        double       to    = level + g->scale / 2;

        if (level >= g->hi || to > b)
            to = b;
        if (!(to > from))
            to = b;
        error += square(from, to, level);
        from = to;
    }
    return error / width;
}

static double error_of(const pare_bins *b, double min, double max, int levels)
{
    const grid   g     = grid_of(min, max, levels);
    const double width = pare_bins_width(b);
    double       sum   = 0;

    for (int i = 0; i < PARE_BINS; i++)
        if (b->count[i]) {
            const double a = pare_bins_left(b, i);

            sum += (double)b->count[i] * bin_error(&g, a, a + width);
        }
    return sum;
}

/* Places for one end: STEPS of them in [from, to]; the best replaces ends[which]. */
enum { STEPS = 24 };

static bool move_end(const pare_bins *b, int levels, double ends[2], int which, double from, double to, double *best)
{
    const double start = ends[which];
    double       place = start;

    for (int i = 0; i <= STEPS; i++) {
        ends[which] = from + (to - from) * i / STEPS;
        if (ends[0] == ends[1])
            continue;
        const double error = error_of(b, ends[0], ends[1], levels);

        if (error < *best) {
            *best = error;
            place = ends[which];
        }
    }
    ends[which] = place;
    return place != start;
}

static pare_status range(const void *state, int levels, float *min, float *max)
{
    const pare_bins *b = state;

    if (!b->seen)
        return pare_fail(PARE_ERR_NUMERIC, "no data has reached it");
    *min = b->min < 0 ? b->min : 0;
    *max = b->max > 0 ? b->max : 0;
    if (!b->counted || *min == *max)
        return PARE_OK;
    double ends[2] = { *min, *max }, best = error_of(b, ends[0], ends[1], levels);
    double reach = 1; /* the share of each end's distance from 0 that the grid covers */

    for (int round = 0; round < 3; round++, reach /= 6)
        for (int again = 0; again < 2; again++) {
            const double hi = ends[1], lo = ends[0];
            bool         moved = false;

            if (hi > 0)
                moved |= move_end(b, levels, ends, 1, hi * (1 - reach) + hi * 1e-6, fmin(*max, hi * (1 + reach)), &best);
            if (lo < 0)
                moved |= move_end(b, levels, ends, 0, lo * (1 - reach) + lo * 1e-6, fmax(*min, lo * (1 + reach)), &best);
            if (!moved)
                break;
        }
    *min = (float)ends[0];
    *max = (float)ends[1];
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

const pare_observer pare_observer_histogram = {
    .name  = "histogram",
    .doc   = "the range with the smallest mean squared quantization error",
    .size  = sizeof(pare_bins),
    .see   = see,
    .range = range,
    .merge = merge,
};
