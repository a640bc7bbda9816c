/* SPDX-License-Identifier: Apache-2.0 */
/* bins.c - a histogram whose bins are aligned powers of two */
#include "quant/bins.h"

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
        b->counted = 1;
        b->exponent = exponent;
        b->first = bin_number(lo, exponent);
        return;
    }
    while (b->exponent < exponent)
        double_width(b);
    for (;;) {
        int last = PARE_BINS - 1;

        while (last > 0 && b->count[last] == 0)
            last--;
        const int64_t low = bin_number(lo, b->exponent) < b->first ? bin_number(lo, b->exponent) : b->first;
        const int64_t most = bin_number(hi, b->exponent), high = most > b->first + last ? most : b->first + last;

        if (high - low < PARE_BINS) {
            slide_to(b, low);
            return;
        }
        double_width(b);
    }
}

/* What the numbers of one tensor are like, before they are counted. */
typedef struct extremes {
    float    min, max;    /* zeros included                              */
    uint32_t least, most; /* magnitudes as bits; least: less 1, so that 0 is the largest */
    int64_t  zeros, seen;
} extremes;

/* Without branches: half of what comes behind a ReLU is zero, at random. */
static void survey_row(extremes *e, const float *x, int64_t step, int64_t n)
{
    float    min = e->min, max = e->max;
    uint32_t least = e->least, most = e->most;
    int64_t  zeros = 0;

    for (int64_t i = 0; i < n; i++) {
        const float v = x[i * step];
        uint32_t    bits;

        memcpy(&bits, &v, sizeof(bits));
        bits &= 0x7fffffffu;
        min = v < min ? v : min;
        max = v > max ? v : max;
        least = bits - 1 < least ? bits - 1 : least;
        most = bits > most ? bits : most;
        zeros += bits == 0;
    }
    e->min = min, e->max = max;
    e->least = least, e->most = most;
    e->zeros += zeros;
    e->seen += n;
}

/* False: NaN or infinity. */
static bool survey(const pare_tensor *t, extremes *e)
{
    pare_rows rows;

    *e = (extremes){ .min = INFINITY, .max = -INFINITY, .least = UINT32_MAX };
    pare_rows_begin(&rows, 1, &t, 0, 1);
    while (pare_rows_next(&rows))
        survey_row(e, (const float *)rows.ptr[0], rows.step[0], rows.n);
    return e->most <= 0x7f7fffffu; /* the bits of FLT_MAX */
}

/* The smallest magnitude other than 0; there must be one. */
static float least_magnitude(const extremes *e)
{
    const uint32_t bits = e->least + 1;
    float          v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

/*
 * In double: the product with a power of two is exact for every float and every width, and at most 2^51 large. Zeros go
 * to the last place without a branch, see above.
 */
static void count_row(pare_bins *b, const float *x, int64_t step, int64_t n)
{
    const double  per_width = power_of_two(-b->exponent);
    const int64_t first = b->first;

    for (int64_t i = 0; i < n; i++) {
        const double  v = (double)x[i * step] * per_width;
        const int64_t whole = (int64_t)v; /* towards 0 */
        const int64_t bin = whole - (v < (double)whole) - first;
        const int64_t zero = -(int64_t)(v == 0); /* all bits or none */

        b->count[(bin & ~zero) | (PARE_BINS & zero)]++;
    }
}

pare_status pare_bins_see(pare_bins *b, const pare_tensor *t)
{
    extremes  e;
    pare_rows rows;

    if (!survey(t, &e))
        return pare_fail(PARE_ERR_NUMERIC, "it holds NaN or an infinity; check the data and the preprocessing");
    if (e.seen == 0)
        return PARE_OK;
    e.min += 0.0f, e.max += 0.0f; /* -0 becomes 0: which of both comes first must not matter */
    b->min = b->seen && b->min < e.min ? b->min : e.min;
    b->max = b->seen && b->max > e.max ? b->max : e.max;
    b->seen += e.seen;
    b->zeros += e.zeros;
    if (e.zeros == e.seen)
        return PARE_OK;
    const double min = e.min == 0 ? least_magnitude(&e) : e.min, max = e.max == 0 ? -least_magnitude(&e) : e.max;

    cover(b, min, max, exponent_for(min, max));
    pare_rows_begin(&rows, 1, &t, 0, 1);
    while (pare_rows_next(&rows))
        count_row(b, (const float *)rows.ptr[0], rows.step[0], rows.n);
    b->count[PARE_BINS] = 0;
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
