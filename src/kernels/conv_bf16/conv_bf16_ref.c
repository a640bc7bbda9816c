/* SPDX-License-Identifier: Apache-2.0 */
/* conv_bf16_ref.c - the definition: one chain per output over rounded operands */
#include "kernels/conv_bf16/conv_bf16.h"
#include "tensor/tensor.h"

static float rounded(float x)
{
    return pare_bf16_to_f32(pare_f32_to_bf16(x));
}

/* Product number k of output channel `column`; 0 behind the last one, which a pair may lack. */
static float product(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *x, int column, int k)
{
    if (k >= d->kh * d->kw * d->c)
        return 0;
    const int       tap = k / d->c, channel = k % d->c;
    const ptrdiff_t pixel = tap / d->kw * d->dilation_h * d->x.row + tap % d->kw * d->dilation_w * d->x.pixel;

    return rounded(x[pixel + channel]) * rounded(w->data[column * w->column + tap * w->tap + channel * w->channel]);
}

void pare_conv_bf16_ref(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *bias, const float *x,
                        float *y)
{
    for (long p = 0; p < (long)d->n * d->oh * d->ow; p++) {
        const long   image = p / d->ow / d->oh, row = p / d->ow % d->oh, column = p % d->ow;
        const float *window = x + image * d->x.image + (row * d->stride_h - d->pad_top) * d->x.row +
                              (column * d->stride_w - d->pad_left) * d->x.pixel;

        for (int j = 0; j < d->oc; j++) {
            float v = bias ? bias[j] : 0;

            for (int k = 0; k < d->kh * d->kw * d->c; k += 2) {
                v += product(d, w, window, j, k + 1);
                v += product(d, w, window, j, k);
            }
            v = d->clamp && v < d->lo ? d->lo : v;
            y[image * d->y.image + row * d->y.row + column * d->y.pixel + j] = d->clamp && v > d->hi ? d->hi : v;
        }
    }
}
