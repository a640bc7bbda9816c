/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram.c - the range with the smallest mean squared quantization error
 *
 * The numbers of a bin are taken as spread evenly over it, so the error of a range is an integral, level by level, of
 * the squared distance to the level: three moments at the rounding boundaries give it, whatever the number of bins. The
 * search moves one end at a time over a grid of its possible places, coarse to fine, until neither end improves: the
 * idea of PyTorch's HistogramObserver (L2 norm minimization), but with the true number of levels, both ends free and no
 * stop at the first local minimum.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "quant/bins.h"
#include "quant/observer.h"

/*
 * Sums over the bins before bin i of count, count * u and count * u^2, where u is the place in units of bins from the
 * left edge of bin 0 on.
 */
typedef struct moments {
    const pare_bins *b;
    double           m0[PARE_BINS + 1], m1[PARE_BINS + 1], m2[PARE_BINS + 1];
} moments;

static void moments_of(const pare_bins *b, moments *m)
{
    m->b = b;
    m->m0[0] = m->m1[0] = m->m2[0] = 0;
    for (int i = 0; i < PARE_BINS; i++) {
        const double c = (double)b->count[i], u = i;

        m->m0[i + 1] = m->m0[i] + c;
        m->m1[i + 1] = m->m1[i] + c * (u + 0.5);
        m->m2[i + 1] = m->m2[i] + c * (u * u + u + 1.0 / 3);
    }
}

/* The three sums up to place u of 0 .. PARE_BINS, a part of the last bin included. */
static void moments_at(const moments *m, double u, double out[3])
{
    const int    i = u < PARE_BINS ? (int)u : PARE_BINS - 1;
    const double c = (double)m->b->count[i], f = u - i, first = i;

    out[0] = m->m0[i] + c * f;
    out[1] = m->m1[i] + c * f * (first + f / 2);
    out[2] = m->m2[i] + c * f * (first * (first + f) + f * f / 3);
}

/* Number of the level of 0 .. levels - 1 that place u is rounded to; u_0 is the place of level 0. */
static int level_near(double u, double u_0, double step, int levels)
{
    const double k = (u - u_0) / step + 0.5;

    return k < 1 ? 0 : k >= levels - 1 ? levels - 1 : (int)k;
}

/* In squares of bins. The grid is that of NUMERICS.md 3, in double since only the choice between ranges is at stake. */
static double error_of(const moments *m, double min, double max, int levels)
{
    const double width = pare_bins_width(m->b), scale = (max - min) / (levels - 1);
    double       zero = rint(-min / scale);

    zero = zero < 0 ? 0 : zero > levels - 1 ? levels - 1 : zero;
    const double step = scale / width, u_0 = -zero * step - (double)m->b->first;
    const int    last = level_near(PARE_BINS, u_0, step, levels);
    double       from[3] = { 0 }, to[3], sum = 0;

    for (int k = level_near(0, u_0, step, levels); k <= last; k++) {
        const double level = u_0 + k * step, end = level + step / 2;

        moments_at(m, k == last || end > PARE_BINS ? PARE_BINS : end < 0 ? 0 : end, to);
        sum += (to[2] - from[2]) - 2 * level * (to[1] - from[1]) + level * level * (to[0] - from[0]);
        from[0] = to[0], from[1] = to[1], from[2] = to[2];
    }
    return sum;
}

/* Places for one end: STEPS of them in [from, to]; the best replaces ends[which]. */
enum { STEPS = 24 };

static bool move_end(const moments *m, int levels, double ends[2], int which, double from, double to, double *best)
{
    const double start = ends[which];
    double       place = start;

    for (int i = 0; i <= STEPS; i++) {
        ends[which] = from + (to - from) * i / STEPS;
        if (ends[0] == ends[1])
            continue;
        const double error = error_of(m, ends[0], ends[1], levels);

        if (error < *best) {
            *best = error;
            place = ends[which];
        }
    }
    ends[which] = place;
    return place != start;
}

static void search(const moments *m, int levels, double min, double max, double ends[2])
{
    double best = error_of(m, ends[0], ends[1], levels);
    double reach = 1; /* the share of each end's distance from 0 that the grid covers */

    for (int round = 0; round < 3; round++, reach /= 6)
        for (int again = 0; again < 2; again++) {
            const double hi = ends[1], lo = ends[0];
            bool         moved = false;

            if (hi > 0)
                moved |= move_end(m, levels, ends, 1, hi * (1 - reach) + hi * 1e-6, fmin(max, hi * (1 + reach)), &best);
            if (lo < 0)
                moved |= move_end(m, levels, ends, 0, lo * (1 - reach) + lo * 1e-6, fmax(min, lo * (1 + reach)), &best);
            if (!moved)
                break;
        }
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
    double         ends[2] = { *min, *max };
    moments *const m = pare_malloc(sizeof(*m));

    if (!m)
        return pare_fail_memory(sizeof(*m), "the sums of a histogram");
    moments_of(b, m);
    search(m, levels, *min, *max, ends);
    pare_free(m);
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
    .name = "histogram",
    .doc = "the range with the smallest mean squared quantization error",
    .size = sizeof(pare_bins),
    .see = see,
    .range = range,
    .merge = merge,
};
