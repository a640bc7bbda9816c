/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32_ref.c - the definition of channels_f32 */
#include <math.h>

#include "kernels/channels_f32/channels_f32.h"

/* Element (i, j, c) of an operand. */
#define AT(im, v, i, j, c) (im)->v[(i) * (im)->v##_row + (j) * (im)->v##_pixel + (c)]

static void sum(const pare_channels_f32_image *im, float *s)
{
    for (int c = 0; c < im->c; c++) {
        s[c] = 0;
        for (int i = 0; i < im->h; i++)
            for (int j = 0; j < im->w; j++)
                s[c] = s[c] + AT(im, x, i, j, c);
    }
}

static void stats(const pare_channels_f32_image *im, float *mean, float *m2)
{
    sum(im, mean);
    for (int c = 0; c < im->c; c++) {
        mean[c] = mean[c] / (float)(im->h * im->w);
        m2[c] = 0;
        for (int i = 0; i < im->h; i++)
            for (int j = 0; j < im->w; j++) {
                const float d = AT(im, x, i, j, c) - mean[c];
                m2[c] = fmaf(d, d, m2[c]);
            }
    }
}

static void grad_sums(const pare_channels_f32_image *im, float *s, float *t)
{
    for (int c = 0; c < im->c; c++) {
        s[c] = t[c] = 0;
        for (int i = 0; i < im->h; i++)
            for (int j = 0; j < im->w; j++) {
                s[c] = s[c] + AT(im, dy, i, j, c);
                t[c] = fmaf(AT(im, dy, i, j, c), AT(im, x, i, j, c) - im->mean[c], t[c]);
            }
    }
}

static void scale(const pare_channels_f32_image *im)
{
    for (int i = 0; i < im->h; i++)
        for (int j = 0; j < im->w; j++)
            for (int c = 0; c < im->c; c++) {
                float y = fmaf(AT(im, x, i, j, c), im->f[c], im->shift[c]);

                y = y < im->lo ? im->lo : y;
                AT(im, y, i, j, c) = y > im->hi ? im->hi : y;
            }
}

static void grad(const pare_channels_f32_image *im)
{
    for (int i = 0; i < im->h; i++)
        for (int j = 0; j < im->w; j++)
            for (int c = 0; c < im->c; c++)
                AT(im, y, i, j, c) =
                    fmaf(AT(im, dy, i, j, c), im->f[c], fmaf(AT(im, x, i, j, c) - im->mean[c], im->k[c], im->shift[c]));
}

const pare_channels_f32_kernel pare_channels_f32_ref = { "channels_f32_ref", 0, sum, stats, grad_sums, scale, grad };
