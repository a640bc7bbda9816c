/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_f32.h - max, average and global average pooling, channels-last float
 *
 * Windows are clipped to the image: padding is never read, so no halo is needed. With the pixels of a window in h, w
 * order:
 *   - max:     v = -INFINITY, then v = x > v ? x : v. A NaN never wins; a window of nothing else gives -INFINITY.
 *   - average: v = +0, then v = v + x, then v / (float)n; n counts the pixels of the window that lie in the image, or,
 *              with count_pad, in the padded image (what a last window reaches beyond it never counts).
 *   - global:  pixel i of the whole image goes to lane i mod 16, lanes start at +0 and are added 16 -> 8 -> 4 -> 2 -> 1
 *              (lane[j] = lane[j] + lane[j + half]), then v / (float)(h * w): docs/NUMERICS.md 9.
 * Every version gives the bits of the reference, for any split into parts; only the sign and payload of a NaN are open.
 *
 * Channels are vectorised. Reads of x are whole vectors: up to 60 bytes behind the c channels of a pixel are read and
 * ignored (the rest of the pixel, or the 64 bytes behind every activation). Exactly c channels are written per pixel.
 * Every window must contain at least one counted pixel. Nothing fails, allocates or locks.
 */
#ifndef PARE_KERNELS_POOL_F32_H
#define PARE_KERNELS_POOL_F32_H

#include <stdbool.h>
#include <stddef.h>

#include "cpu/cpu.h"

/* Strides count floats; x and y point at the first pixel. */
typedef struct pare_pool_f32_desc {
    int       n; /* images                                     */
    int       h; /* input                                      */
    int       w;
    int       oh; /* output; global: 1                          */
    int       ow;
    int       c;
    int       kh; /* window; this and what follows down to      */
    int       kw; /* count_pad means nothing for global         */
    int       stride_h;
    int       stride_w;
    int       dilation_h; /* max only; 1 for average                    */
    int       dilation_w;
    int       pad_top;
    int       pad_left;
    int       pad_bottom; /* only how far count_pad counts              */
    int       pad_right;
    bool      count_pad;
    ptrdiff_t x_image;
    ptrdiff_t x_row;
    ptrdiff_t x_pixel;
    ptrdiff_t y_image;
    ptrdiff_t y_row;
    ptrdiff_t y_pixel;
} pare_pool_f32_desc;

/* One clipped window, all channels. */
typedef struct pare_pool_f32_window {
    const float *x;       /* first pixel inside the image   */
    ptrdiff_t    x_row;   /* to the next row of the window  */
    ptrdiff_t    x_pixel; /* to the next pixel              */
    int          rows;    /* inside the image               */
    int          pixels;
    int          c;
    float        divisor; /* of an average                  */
    float       *y;       /* [c]                            */
} pare_pool_f32_window;

/* What a version brings: the three ways to turn a window into a pixel. Global windows are the whole image. */
typedef struct pare_pool_f32_kernel {
    const char *name;
    unsigned    isa;
    void (*max)(const pare_pool_f32_window *window);
    void (*average)(const pare_pool_f32_window *window);
    void (*global)(const pare_pool_f32_window *window);
} pare_pool_f32_kernel;

/* The versions this CPU runs, best first, at most `max`; returns how many. All fit every shape. */
int pare_pool_f32_candidates(unsigned cpu, const pare_pool_f32_kernel *out[], int max);

/* Part `part` of `parts`: output rows for max and average, blocks of 16 channels of each image for global. */
void pare_pool_f32_max(const pare_pool_f32_kernel *kernel, const pare_pool_f32_desc *d, const float *x, float *y,
                       int part, int parts);
void pare_pool_f32_average(const pare_pool_f32_kernel *kernel, const pare_pool_f32_desc *d, const float *x, float *y,
                           int part, int parts);
void pare_pool_f32_global(const pare_pool_f32_kernel *kernel, const pare_pool_f32_desc *d, const float *x, float *y,
                          int part, int parts);

/* The definitions. */
void pare_pool_f32_max_ref(const pare_pool_f32_desc *d, const float *x, float *y);
void pare_pool_f32_average_ref(const pare_pool_f32_desc *d, const float *x, float *y);
void pare_pool_f32_global_ref(const pare_pool_f32_desc *d, const float *x, float *y);

#endif
