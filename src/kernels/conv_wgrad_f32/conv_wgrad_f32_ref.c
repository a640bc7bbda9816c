/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_ref.c - the definition of conv_wgrad_f32 */
#include <math.h>

#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"

/* The chain of one image: x at the tap's pixel of the first window, both at their channel. */
static float chain(const pare_conv_f32_desc *d, const float *x, const float *dy)
{
    float sum = 0;

    for (int i = 0; i < d->oh; i++)
        for (int j = 0; j < d->ow; j++)
            sum = fmaf(x[i * d->stride_h * d->x.row + j * d->stride_w * d->x.pixel], dy[i * d->y.row + j * d->y.pixel],
                       sum);
    return sum;
}

void pare_conv_wgrad_f32_ref(const pare_conv_f32_desc *d, const float *x, const float *dy, float *dw)
{
    const int c = d->c / d->group, oc = d->oc / d->group;

    for (int o = 0; o < d->oc; o++)
        for (int i = 0; i < c; i++)
            for (int ky = 0; ky < d->kh; ky++)
                for (int kx = 0; kx < d->kw; kx++, dw++) {
                    const ptrdiff_t tap =
                        (ky * d->dilation_h - d->pad_top) * d->x.row + (kx * d->dilation_w - d->pad_left) * d->x.pixel;

                    *dw = 0;
                    for (int n = 0; n < d->n; n++)
                        *dw = *dw + chain(d, x + n * d->x.image + tap + o / oc * c + i, dy + n * d->y.image + o);
                }
}
