/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_wgrad_f32.h - the gradient of a float convolution's weights, channels-last
 *
 *     dw[o][i][ky][kx] = sum over images, in order from +0, of one fmaf chain from +0 over the image's output pixels in
 *                        h, w order: x[input pixel of tap ky, kx][i] * dy[output pixel][o]
 *
 * Padding is a halo of zeros that is multiplied, as in conv_f32.h, whose description serves here: d->y are the strides
 * of dy; clamp, r and store mean nothing. Every version gives the bits of pare_conv_wgrad_f32_ref for any split into
 * parts; only the sign and payload of a NaN are left open. Channels are vectorised, pixels never.
 *
 * Memory: exactly the c channels of the pixels that windows cover and exactly the oc channels of dy's pixels are read.
 * dw is dense. Nothing fails, allocates or locks; scratch is the caller's.
 */
#ifndef PARE_KERNELS_CONV_WGRAD_F32_H
#define PARE_KERNELS_CONV_WGRAD_F32_H

#include "kernels/conv_f32/conv_f32.h"

enum {
    PARE_CONV_WGRAD_F32_LANES = 16, /* output channels of a vector                         */
    PARE_CONV_WGRAD_F32_TAPS = 3,   /* most taps of a filter row that a tile has           */
    PARE_CONV_WGRAD_F32_SUMS = 384, /* floats of the largest tile                          */
};

/*
 * A tile of weights: `taps` neighbours of a filter row times `items` input channels times n output channels. Where
 * there are several taps, x_tap == x_step: the taps of one output are those of its neighbours, and loads are shared.
 * Depthwise, items are filter rows instead, and channel c of x meets channel c of dy.
 */
typedef struct pare_conv_wgrad_f32_tile {
    const float *x;                      /* first image, first pixel of the first window, first tap and item */
    ptrdiff_t    x_image, x_row, x_step; /* from window to window           */
    ptrdiff_t    x_item;                 /* from item to item; 1 but where depthwise */
    const float *dy;
    ptrdiff_t    dy_image, dy_row, dy_pixel;
    int          images, oh, ow; /* ow >= taps - 1 */
    int          taps, items, n;
    bool         depthwise;
    float       *sums; /* [taps][items][n rounded up to 16], added to image by image */
} pare_conv_wgrad_f32_tile;

typedef struct pare_conv_wgrad_f32_kernel {
    const char *name;
    unsigned    isa;
    int         fused;      /* taps of a tile where they can be fused, 1..3                     */
    int         items[4];   /* most items of a tile with that many taps, and up to 16 outputs  */
    int         wide_items; /* of a tile with 1 tap and 17..32 outputs; 0: there are none      */
    int         rows;       /* of a depthwise tile                                             */
    void (*tile)(const pare_conv_wgrad_f32_tile *t);
} pare_conv_wgrad_f32_kernel;

/* The versions this CPU runs, best first, at most `max`; returns how many. All fit every shape. */
int pare_conv_wgrad_f32_candidates(unsigned cpu, const pare_conv_wgrad_f32_kernel *out[], int max);

/* Bytes of scratch for each part. */
size_t pare_conv_wgrad_f32_scratch(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d);

/* Part `part` of `parts`: whole tiles of weights. x, dy: first real pixels. */
void pare_conv_wgrad_f32_run(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d, const float *x,
                             const float *dy, float *dw, int part, int parts, float *scratch);

/* The definition. */
void pare_conv_wgrad_f32_ref(const pare_conv_f32_desc *d, const float *x, const float *dy, float *dw);

#endif
