/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bins.h - the histogram behind the histogram and percentile observers
 *
 * Bins are 2^exponent wide and begin at multiples of that width, so two histograms of any data merge exactly: when the
 * range outgrows the bins, the width doubles and neighbours are added. Counts are integers. The state after a set of
 * numbers therefore depends on neither order nor grouping: any batch size, thread or process split gives equal bits.
 */
#ifndef PARE_QUANT_BINS_H
#define PARE_QUANT_BINS_H

#include "tensor/tensor.h"

enum { PARE_BINS = 2048 };

typedef struct pare_bins {
    int64_t  seen;                 /* numbers taken in                                        */
    int64_t  zeros;                /* of them exactly 0; they are not in `count`              */
    float    min, max;             /* exact                                                   */
    int32_t  exponent;             /* of the bin width; meaningful once something was counted */
    int32_t  counted;              /* 0: no number but zeros so far                           */
    int64_t  first;                /* number of bin 0: it covers [first, first + 1) * width   */
    uint64_t count[PARE_BINS + 1]; /* the last is where zeros go while counting; 0 otherwise */
} pare_bins;

/* PARE_ERR_NUMERIC for NaN and infinity, which the sentence names. */
pare_status pare_bins_see(pare_bins *b, const pare_tensor *t);
void        pare_bins_merge(pare_bins *b, const pare_bins *other);

double pare_bins_width(const pare_bins *b);
double pare_bins_left(const pare_bins *b, int bin); /* left edge */

#endif
