/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channels_f32.h - what batch normalization does to the channels of one image, channels-last, forward and back
 *
 * Sums run over the pixels of an image in h, w order, one chain per channel from +0; channels are vectorised. With x and
 * dy of one channel:
 *   - sum:       s = s + x
 *   - stats:     mean = sum / (float)n, then m2 = fmaf(d, d, m2), d = x - mean
 *   - grad_sums: s = s + dy, t = fmaf(dy, x - mean, t)
 *   - scale:     y = fmaf(x, f, shift), then y < lo ? lo : y, y > hi ? hi : y
 *   - grad:      y = fmaf(dy, f, fmaf(x - mean, k, shift))
 * Every version gives the bits of the reference; only the sign and payload of a NaN are open. Exactly the c channels of
 * each pixel are read and written. y may be the memory of x or dy.
 */
#ifndef PARE_KERNELS_CHANNELS_F32_H
#define PARE_KERNELS_CHANNELS_F32_H

#include <stddef.h>

#include "cpu/cpu.h"

/* Lines of pixels of c floats; strides count floats. Functions read of it what their formula names. */
typedef struct pare_channels_f32_image {
    int          h, w, c;
    const float *x; /* [h][w][c] by x_row, x_pixel; so the others */
    ptrdiff_t    x_row, x_pixel;
    const float *dy;
    ptrdiff_t    dy_row, dy_pixel;
    float       *y;
    ptrdiff_t    y_row, y_pixel;
    const float *mean, *f, *k, *shift; /* [c] each                                      */
    float        lo, hi;
} pare_channels_f32_image;

typedef struct pare_channels_f32_kernel {
    const char *name;
    unsigned    isa;
    void (*sum)(const pare_channels_f32_image *im, float *s);                 /* s [c]       */
    void (*stats)(const pare_channels_f32_image *im, float *mean, float *m2); /* [c] each    */
    void (*grad_sums)(const pare_channels_f32_image *im, float *s, float *t); /* [c] each    */
    void (*scale)(const pare_channels_f32_image *im);
    void (*grad)(const pare_channels_f32_image *im);
} pare_channels_f32_kernel;

extern const pare_channels_f32_kernel pare_channels_f32_ref; /* the definition */
#if PARE_X86
extern const pare_channels_f32_kernel pare_channels_f32_avx512vnni, pare_channels_f32_avx2;
#endif
#if PARE_ARM64
extern const pare_channels_f32_kernel pare_channels_f32_neon;
#endif
extern const pare_channels_f32_kernel pare_channels_f32_c;

/* The versions this CPU runs, best first, at most `max`; returns how many. */
int pare_channels_f32_candidates(unsigned cpu, const pare_channels_f32_kernel *out[], int max);

#endif
