/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantize.h - between float rows and 8-bit codes (docs/NUMERICS.md 2 and 7)
 *
 * Codes are bytes, u8 or s8: bounds lo..hi lie within -128..255 and the low byte is stored. Rows are [n]; nothing
 * outside them is read or written; x and y must not overlap.
 */
#ifndef PARE_KERNELS_QUANTIZE_H
#define PARE_KERNELS_QUANTIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pare_quantize_params {
    float scale;
    int   zero;
    int   lo, hi; /* bounds of the codes, both given; lo < 0 makes them s8 */
} pare_quantize_params;

/* q = clamp(rint(x / scale) + zero); infinities saturate, NaN gives lo. */
typedef void pare_quantize_row(const pare_quantize_params *p, const float *x, uint8_t *y, long n);

/* x = (float)(q - zero) * scale; the codes are s8 where lo < 0. */
typedef void pare_dequantize_row(const pare_quantize_params *p, const uint8_t *x, float *y, long n);

/* `n` pixels of `channels` neighbouring numbers each. A row in one piece is one pixel. */
typedef struct pare_quantize_pixels {
    const float *x;
    uint8_t     *y;
    ptrdiff_t    x_step, y_step; /* from pixel to pixel, in floats and in bytes */
    long         channels, n;
} pare_quantize_pixels;

/* The a of the dynamic scheme: max|x|; NaN does not count; 0 where there is nothing. y is not used. */
typedef float pare_quantize_largest(const pare_quantize_pixels *p);

/*
 * The codes of the dynamic scheme: q = clamp(rint(x * (127 / a)), -127, 127), stored as q + 128; NaN becomes -127.
 * With a = 0 every q is 0. Of a pixel exactly its channels are written.
 */
typedef void pare_quantize_codes(const pare_quantize_pixels *p, float a);

/*
 * Planar floats to channels-last codes: y[i * pixel + c] = quantize(x[c * plane + i]) for i < n, c < channels.
 * `plane` counts floats, `pixel` bytes. Other bytes of a pixel are not written, but those of pixels of 4 bytes become 0.
 */
typedef struct pare_quantize_planar_desc {
    pare_quantize_params params;
    ptrdiff_t            plane, pixel;
    int                  channels;
} pare_quantize_planar_desc;

/* The same for pixels of exactly 4 bytes and at most 4 channels. */
typedef void pare_quantize_pixel4(const pare_quantize_planar_desc *d, const float *x, uint8_t *y, long n);

typedef struct pare_quantize_kernel {
    const char            *name;
    unsigned               isa;
    pare_quantize_row     *quantize;
    pare_dequantize_row   *dequantize;
    pare_quantize_largest *largest;
    pare_quantize_codes   *codes;
    pare_quantize_pixel4  *pixel4;
} pare_quantize_kernel;

/* The versions that `cpu` runs, best first; the last, portable C, is the reference itself. */
int pare_quantize_candidates(unsigned cpu, const pare_quantize_kernel *out[], int max);

/* The whole dynamic scheme for one row; returns sx = a / 127. */
float pare_quantize_dynamic(const pare_quantize_kernel *kernel, const float *x, uint8_t *y, long n);

void pare_quantize_planar(const pare_quantize_kernel *kernel, const pare_quantize_planar_desc *d, const float *x,
                          uint8_t *y, long n);

/* The codes of the dynamic scheme from planes: p->x_step counts floats from plane to plane, pixels are neighbours. */
void pare_quantize_planar_codes(const pare_quantize_kernel *kernel, const pare_quantize_pixels *p, float a);

/* Declares pare_quantize_ref, pare_dequantize_ref, pare_quantize_largest_ref ... */
#define PARE_QUANTIZE(name, isa)                        \
    pare_quantize_row     pare_quantize_##name;         \
    pare_dequantize_row   pare_dequantize_##name;       \
    pare_quantize_largest pare_quantize_largest_##name; \
    pare_quantize_codes   pare_quantize_codes_##name;   \
    pare_quantize_pixel4  pare_quantize_pixel4_##name;
#include "kernels/quantize/quantize.def"
#undef PARE_QUANTIZE

#endif
