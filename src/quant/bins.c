/* SPDX-License-Identifier: Apache-2.0 */
/* bins.c - a histogram whose bins are aligned powers of two */
#include "quant/bins.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/status.h"

/* 2^e, exactly, for any exponent that the width of a bin of floats can have. */
static double power_of_two(int e)
{
    return ldexp(1.0, e);
}

double pare_bins_width(const pare_bins *b)
{
    return power_of_two(b->exponent);
}

double pare_bins_left(const pare_bins *b, int bin)
{
    return (double)(b->first + bin) * pare_bins_width(b);
}

static int64_t bin_number(double x, int exponent)
{
    return (int64_t)floor(ldexp(x, -exponent));
}

/*
 * The smallest width at which [min, max] fits into the bins. For a single number: so narrow that whatever comes later
 * decides, yet wide enough for its bin number to be exact. Widths depend on the set of numbers only, not on batches.
 */
static int exponent_for(double min, double max)
{
    int e;

    if (!(max > min)) {
        frexp(max, &e);
        return e - 50;
    }
    frexp((max - min) / PARE_BINS, &e);
    e--; /* 2^e <= (max - min) / PARE_BINS: the loop below finds the first that fits */
    while (bin_number(max, e) - bin_number(min, e) >= PARE_BINS)
        e++;
    return e;
}

/* Halves the resolution: bin n becomes part of bin floor(n / 2). */
static void double_width(pare_bins *b)
{
    const int64_t first = b->first >> 1; /* arithmetic shift: floor */
    uint64_t      merged[PARE_BINS] = { 0 };

    for (int i = 0; i < PARE_BINS; i++)
        merged[((b->first + i) >> 1) - first] += b->count[i];
    memcpy(b->count, merged, sizeof(merged));
    b->first = first;
    b->exponent++;
}

/* Slides the counts so that bin 0 has number `first`, which must not cut any off. */
static void slide_to(pare_bins *b, int64_t first)
{
    const int64_t shift = b->first - first;

    if (shift > 0) {
        memmove(b->count + shift, b->count, sizeof(b->count[0]) * (size_t)(PARE_BINS - shift));
        memset(b->count, 0, sizeof(b->count[0]) * (size_t)shift);
    } else if (shift < 0) {
        memmove(b->count, b->count - shift, sizeof(b->count[0]) * (size_t)(PARE_BINS + shift));
        memset(b->count + PARE_BINS + shift, 0, sizeof(b->count[0]) * (size_t)-shift);
    }
    b->first = first;
}

/* Makes the bins cover [lo, hi] besides what they hold. Bin 0 is always that of the smallest number seen. */
static void cover(pare_bins *b, double lo, double hi, int exponent)
{
    if (!b->counted) {
        b->counted  = 1;
        b->exponent = exponent;
        b->first    = bin_number(lo, exponent);
        return;
    }
    while (b->exponent < exponent)
        double_width(b);
    for (;;) {
        int last = PARE_BINS - 1;

        while (last > 0 && b->count[last] == 0)
            last--;
        const int64_t low  = bin_number(lo, b->exponent) < b->first ? bin_number(lo, b->exponent) : b->first;
        const int64_t high = bin_number(hi, b->exponent) > b->first + last ? bin_number(hi, b->exponent) : b->first + last;

        if (high - low < PARE_BINS) {
            slide_to(b, low);
            return;
        }
        double_width(b);
    }
}

/* Smallest and largest number other than 0, and how many zeros; false: NaN or infinity. */
static bool survey(const pare_tensor *t, float *min, float *max, int64_t *zeros, int64_t *seen)
{
    pare_rows rows;
    bool      finite = true;

    *min = INFINITY, *max = -INFINITY, *zeros = 0, *seen = 0;
    pare_rows_begin(&rows, 1, &t, 0, 1);
    while (pare_rows_next(&rows)) {
        const float *x = (const float *)rows.ptr[0];
        float        lo = *min, hi = *max;
        int64_t      none = 0;

        for (int64_t i = 0; i < rows.n; i++) {
            const float v = x[i * rows.step[0]];

            finite &= fabsf(v) <= FLT_MAX;
            none += v == 0;
            lo = v < lo && v != 0 ? v : lo;
            hi = v > hi && v != 0 ? v : hi;
        }
        *min = lo, *max = hi;
        *zeros += none;
        *seen += rows.n;
    }
    return finite;
}

/*
 * In double: the product with a power of two is exact for every float and every width, and at most 2^51 large. Zeros go
 * to a counter that nobody reads, since a branch that is taken half of the time costs more than counting them.
 */
static void count_row(pare_bins *b, const float *x, int64_t step, int64_t n)
{
    const double  per_width = power_of_two(-b->exponent);
    const int64_t first     = b->first;
    uint64_t      none      = 0;

    for (int64_t i = 0; i < n; i++) {
        const double  v     = (double)x[i * step] * per_width;
        const int64_t whole = (int64_t)v; /* towards 0 */

        ++*(v != 0 ? &b->count[whole - (v < (double)whole) - first] : &none);
    }
}

pare_status pare_bins_see(pare_bins *b, const pare_tensor *t)
{
    float     min, max;
    int64_t   zeros, seen;
    pare_rows rows;

    if (!survey(t, &min, &max, &zeros, &seen))
        return pare_fail(PARE_ERR_NUMERIC, "it holds NaN or an infinity; check the data and the preprocessing");
    if (seen == 0)
        return PARE_OK;
    const float lo = zeros && min > 0 ? 0 : min, hi = zeros && max < 0 ? 0 : max;

    b->min = b->seen && b->min < lo ? b->min : lo;
    b->max = b->seen && b->max > hi ? b->max : hi;
    b->seen += seen;
    b->zeros += zeros;
    if (zeros == seen)
        return PARE_OK;
    cover(b, min, max, exponent_for(min, max));
    pare_rows_begin(&rows, 1, &t, 0, 1);
    while (pare_rows_next(&rows))
        count_row(b, (const float *)rows.ptr[0], rows.step[0], rows.n);
    return PARE_OK;
}

void pare_bins_merge(pare_bins *b, const pare_bins *other)
{
    pare_bins o = *other;

    if (!o.seen)
        return;
    b->min = b->seen && b->min < o.min ? b->min : o.min;
    b->max = b->seen && b->max > o.max ? b->max : o.max;
    b->seen += o.seen;
    b->zeros += o.zeros;
    if (!o.counted)
        return;
    int last = PARE_BINS - 1;

    while (last > 0 && o.count[last] == 0)
        last--;
    /* The middles of its outermost bins stand for its range. */
    cover(b, pare_bins_left(&o, 0) + pare_bins_width(&o) / 2, pare_bins_left(&o, last) + pare_bins_width(&o) / 2,
          o.exponent);
    while (o.exponent < b->exponent)
        double_width(&o);
    for (int i = 0; i < PARE_BINS; i++)
        if (o.count[i])
            b->count[o.first + i - b->first] += o.count[i];
}
