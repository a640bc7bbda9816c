/* SPDX-License-Identifier: Apache-2.0 */
/* conv_f32_ref.c - the definition of conv_f32 and dw_f32 */
#include "kernels/conv_f32/conv_f32.h"

#include <math.h>

static ptrdiff_t at(const pare_conv_f32_strides *s, int n, int h, int w)
{
    return n * s->image + h * s->row + w * s->pixel;
}

/* The chain of one output: window at output pixel (n, oy, ox), output channel o. */
static float chain(const pare_conv_f32_desc *d, const float *w, float v, const float *x, const int out[4])
{
    const int per_group = d->c / d->group;
    const int first = out[3] / (d->oc / d->group) * per_group;

    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < d->kw; j++) {
            const int    row = out[1] * d->stride_h + i * d->dilation_h - d->pad_top;
            const int    pixel = out[2] * d->stride_w + j * d->dilation_w - d->pad_left;
            const float *src = x + at(&d->x, out[0], row, pixel) + first;

            for (int c = 0; c < per_group; c++)
                v = fmaf(src[c], w[(((ptrdiff_t)out[3] * per_group + c) * d->kh + i) * d->kw + j], v);
        }
    return v;
}

void pare_conv_f32_ref(const pare_conv_f32_desc *d, const float *w, const float *bias, const float *x, const float *r,
                       float *y)
{
    const pare_conv_f32_strides *const rs = d->r.pixel ? &d->r : &d->y;

    for (int n = 0; n < d->n; n++)
        for (int oy = 0; oy < d->oh; oy++)
            for (int ox = 0; ox < d->ow; ox++)
                for (int o = 0; o < d->oc; o++) {
                    float v = chain(d, w, bias ? bias[o] : 0, x, (int[4]){ n, oy, ox, o });

                    if (r)
                        v = v + r[at(rs, n, oy, ox) + o];
                    if (d->clamp) {
                        v = v < d->lo ? d->lo : v;
                        v = v > d->hi ? d->hi : v;
                    }
                    y[at(&d->y, n, oy, ox) + o] = v;
                }
}
