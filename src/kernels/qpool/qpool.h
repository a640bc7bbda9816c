/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qpool.h - max, average and global average pooling of u8, channels-last (docs/NUMERICS.md 6)
 *
 *   max      the largest code of the window
 *   average  s = 0; for each tap, rows first: s = s + sx * (float)(q - zx);
 *            clamp(rint((s / (float)n) / sy + (float)zy))
 *   mean     clamp(rint((float)(sum - n * zx) * (sx / (sy * (float)n))) + zy): the sum is exact. Global average.
 *
 * Windows are cut to the picture, so no halo is read, unless the desc says that there is one. n counts the taps inside the picture; with count_padding
 * those in the padding too (but never what ceil mode lets hang over the end of the padding).
 *
 * Memory as in qconv.h: x is pixel (0, 0) of image 0, strides in bytes; of an output pixel exactly its channels are
 * written. Bytes between the channels and the pixel stride of x may be read, but do not count. x and y must not overlap.
 */
#ifndef PARE_KERNELS_QPOOL_H
#define PARE_KERNELS_QPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum pare_qpool_kind {
    PARE_QPOOL_MAX,
    PARE_QPOOL_AVERAGE,
    PARE_QPOOL_MEAN,
} pare_qpool_kind;

/* Distances in bytes. */
typedef struct pare_qpool_strides {
    ptrdiff_t pixel, row, image;
} pare_qpool_strides;

/* Averages told from the exact sum S of their codes: fmaf((float)S, factor, constant), but for the sums listed. */
enum { PARE_QPOOL_DOUBTFUL = 4 };
typedef struct pare_qpool_sums {
    bool     on;
    float    factor, constant;
    int      n_doubtful;
    uint16_t doubtful[PARE_QPOOL_DOUBTFUL];
} pare_qpool_sums;

typedef struct pare_qpool_desc {
    pare_qpool_kind    kind;
    int                channels;
    int                in_h, in_w, out_h, out_w;
    int                kernel_h, kernel_w;
    int                stride_h, stride_w;     /* 0 = 1                                               */
    int                dilation_h, dilation_w; /* 0 = 1                                               */
    int                pad_top, pad_left, pad_bottom, pad_right;
    bool               count_padding; /* AVERAGE                                             */
    bool               halo;          /* with it: the padding is in memory and holds zx      */
    pare_qpool_strides x, y;
    float              sx, sy; /* AVERAGE and MEAN                                    */
    int                zx, zy;
    int                lo, hi; /* bounds of q; hi 0 means 255; all kinds              */
    pare_qpool_sums    sums;   /* set by pare_qpool_plan_sums                         */
} pare_qpool_desc;

typedef struct pare_qpool_kernel pare_qpool_kernel;

/* The versions that `cpu` runs, best first; the last, portable C, is the reference itself. */
int         pare_qpool_candidates(unsigned cpu, const pare_qpool_kernel *out[], int max);
const char *pare_qpool_kernel_name(const pare_qpool_kernel *kernel);

/* Every window has a tap in the picture, and 32 bits suffice; else a sentence. To be asked once, at plan time. */
pare_status pare_qpool_check(const pare_qpool_desc *d);

/* Optional, once, of a desc that passed: makes averages faster where the same bits can be had from sums of integers. */
void pare_qpool_plan_sums(pare_qpool_desc *d);

typedef struct pare_qpool_args {
    const uint8_t *x;
    uint8_t       *y;
    int            batch;
} pare_qpool_args;

/* Does share `part` of `parts` of the output lines, or of their channels when there are few. The desc passed pare_qpool_check. Cannot fail. */
void pare_qpool_run(const pare_qpool_kernel *kernel, const pare_qpool_desc *d, const pare_qpool_args *args, int part,
                    int parts);

/*
 * The output pixels, counted over images, lines and columns, that a part writes. False: there are fewer lines than
 * parts, which share channels as well.
 */
bool pare_qpool_share(const pare_qpool_desc *d, int batch, int part, int parts, long *first, long *last);

/* Windows of one shape side by side, already cut to the picture: what a version computes. */
typedef struct pare_qpool_window {
    const uint8_t *x;          /* first tap of the first window, channel 0 */
    ptrdiff_t      row, pixel; /* bytes between neighbouring taps          */
    int            rows, columns;
    int            n; /* divisor                                  */
    int            channels;
    uint8_t       *y; /* [outputs][channels]                      */
    int            outputs;
    ptrdiff_t      x_step, y_step; /* bytes between neighbouring windows       */
    float          sx, sy;
    int            zx, zy, lo, hi;

    const pare_qpool_sums *sums; /* `totals` only */
} pare_qpool_window;

typedef void pare_qpool_window_fn(const pare_qpool_window *w);

/* y[i] = the largest of `rows` bytes x[i], x[row + i] ..., for i < n. Nothing else is read or written. */
typedef void pare_qpool_peak_fn(const uint8_t *x, ptrdiff_t row, int rows, uint8_t *y, long n);

struct pare_qpool_kernel {
    const char           *name;
    unsigned              isa;
    pare_qpool_window_fn *run[3]; /* by kind */
    pare_qpool_peak_fn   *peak;
    pare_qpool_window_fn *totals; /* averages of whole windows by w->sums; pixel is the stride of x */
};

/* Declares pare_qpool_max_ref, pare_qpool_average_ref, pare_qpool_mean_ref, pare_qpool_peak_ref ... */
#define PARE_QPOOL(name, isa)                       \
    pare_qpool_window_fn pare_qpool_max_##name;     \
    pare_qpool_window_fn pare_qpool_average_##name; \
    pare_qpool_window_fn pare_qpool_mean_##name;    \
    pare_qpool_peak_fn   pare_qpool_peak_##name;    \
    pare_qpool_window_fn pare_qpool_totals_##name;
#include "kernels/qpool/qpool.def"
#undef PARE_QPOOL

#endif
