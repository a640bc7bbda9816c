/* SPDX-License-Identifier: Apache-2.0 */
/* pool_f32_ref.c - the definitions of pooling */
#include "kernels/pool_f32/pool_f32.h"

#include <math.h>

/* One output: window at output pixel (oy, ox) of the image and channel that x points at. */
static float max_of(const pare_pool_f32_desc *d, const float *x, int oy, int ox)
{
    float v = -INFINITY;

    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < d->kw; j++) {
            const int row = oy * d->stride_h + i * d->dilation_h - d->pad_top;
            const int pixel = ox * d->stride_w + j * d->dilation_w - d->pad_left;

            if (row >= 0 && row < d->h && pixel >= 0 && pixel < d->w) {
                const float in = x[row * d->x_row + pixel * d->x_pixel];

                v = in > v ? in : v;
            }
        }
    return v;
}

static float average_of(const pare_pool_f32_desc *d, const float *x, int oy, int ox)
{
    float v = 0;
    int   n = 0;

    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < d->kw; j++) {
            const int  row = oy * d->stride_h + i - d->pad_top;
            const int  pixel = ox * d->stride_w + j - d->pad_left;
            const bool inside = row >= 0 && row < d->h && pixel >= 0 && pixel < d->w;

            if (inside)
                v = v + x[row * d->x_row + pixel * d->x_pixel];
            n += inside || (d->count_pad && row < d->h + d->pad_bottom && pixel < d->w + d->pad_right);
        }
    return v / (float)n;
}

static void each_output(const pare_pool_f32_desc *d, const float *x, float *y,
                        float (*value)(const pare_pool_f32_desc *, const float *, int, int))
{
    for (int n = 0; n < d->n; n++)
        for (int oy = 0; oy < d->oh; oy++)
            for (int ox = 0; ox < d->ow; ox++)
                for (int c = 0; c < d->c; c++)
                    y[n * d->y_image + oy * d->y_row + ox * d->y_pixel + c] = value(d, x + n * d->x_image + c, oy, ox);
}

void pare_pool_f32_max_ref(const pare_pool_f32_desc *d, const float *x, float *y)
{
    each_output(d, x, y, max_of);
}

void pare_pool_f32_average_ref(const pare_pool_f32_desc *d, const float *x, float *y)
{
    each_output(d, x, y, average_of);
}

void pare_pool_f32_global_ref(const pare_pool_f32_desc *d, const float *x, float *y)
{
    for (int n = 0; n < d->n; n++)
        for (int c = 0; c < d->c; c++) {
            float lane[16] = { 0 };

            for (int i = 0; i < d->h * d->w; i++)
                lane[i % 16] += x[n * d->x_image + i / d->w * d->x_row + i % d->w * d->x_pixel + c];
            for (int half = 8; half > 0; half /= 2)
                for (int j = 0; j < half; j++)
                    lane[j] = lane[j] + lane[j + half];
            y[n * d->y_image + c] = lane[0] / (float)(d->h * d->w);
        }
}
