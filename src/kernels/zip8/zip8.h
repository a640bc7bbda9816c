/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip8.h - the bytes of two tensors taken in turn, pixel by pixel, and back: the channel shuffle of two groups
 *
 *   zip     y[pixel][2 * c] = a[pixel][c],  y[pixel][2 * c + 1] = b[pixel][c]
 *   unzip   y[pixel][c] = x[pixel][2 * c + second]
 */
#ifndef PARE_KERNELS_ZIP8_H
#define PARE_KERNELS_ZIP8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pixels lie at distances of a_pixel, b_pixel, y_pixel bytes. Of a pixel exactly its channels are read and written. */
typedef struct pare_zip8_args {
    const uint8_t *a, *b; /* [pixels][channels]                    */
    uint8_t       *y;     /* [pixels][2 * channels]; neither a nor b */
    ptrdiff_t      a_pixel, b_pixel, y_pixel;
    long           pixels;
    long           channels;
} pare_zip8_args;

/* The same: of a pixel of x exactly 2 * channels bytes are read. */
typedef struct pare_unzip8_args {
    const uint8_t *x; /* [pixels][2 * channels] */
    uint8_t       *y; /* [pixels][channels]; not x */
    ptrdiff_t      x_pixel, y_pixel;
    long           pixels;
    long           channels;
    bool           second;
} pare_unzip8_args;

typedef void pare_zip8_run(const pare_zip8_args *args);
typedef void pare_unzip8_run(const pare_unzip8_args *args);

typedef struct pare_zip8_kernel {
    const char      *name;
    unsigned         isa;
    pare_zip8_run   *zip;
    pare_unzip8_run *unzip;
} pare_zip8_kernel;

/* The versions that `cpu` runs, best first; the last, portable C, is the reference itself. */
int pare_zip8_candidates(unsigned cpu, const pare_zip8_kernel *out[], int max);

/* Declares pare_zip8_ref, pare_unzip8_ref, pare_zip8_avx2 ... */
#define PARE_ZIP8(name, isa)          \
    pare_zip8_run   pare_zip8_##name; \
    pare_unzip8_run pare_unzip8_##name;
#include "kernels/zip8/zip8.def"
#undef PARE_ZIP8

#endif
