/* SPDX-License-Identifier: Apache-2.0 */
/* dw_f32_c.c - depthwise in portable C: eight channels side by side, so that the chains can stay in registers */
#include "kernels/dw_f32/dw_f32.h"

#include <math.h>

enum { LANES = 8 };

void pare_dw_f32_c(const pare_dw_f32_line *t);

/* Channels [c, c + n) of one output pixel. */
static void output(const pare_dw_f32_line *t, int pixel, int c, int n)
{
    const float *w = t->w + c;
    float        acc[LANES];

    for (int j = 0; j < n; j++)
        acc[j] = t->bias[c + j];
    for (int kh = 0; kh < t->kh; kh++)
        for (int kw = 0; kw < t->kw; kw++, w += t->w_tap) {
            const float *x = t->x + pixel * t->x_step + kh * t->x_row + kw * t->x_tap + c;

            for (int j = 0; j < n; j++)
                acc[j] = fmaf(x[j], w[j], acc[j]);
        }
    for (int j = 0; j < n; j++) {
        float v = acc[j];

        if (t->r)
            v = v + t->r[pixel * t->r_pixel + c + j];
        v = v < t->lo ? t->lo : v;
        v = v > t->hi ? t->hi : v;
        t->y[pixel * t->y_pixel + c + j] = v;
    }
}

void pare_dw_f32_c(const pare_dw_f32_line *t)
{
    for (int pixel = 0; pixel < t->n; pixel++)
        for (int c = 0; c < t->c; c += LANES)
            output(t, pixel, c, t->c - c < LANES ? t->c - c : LANES);
}
