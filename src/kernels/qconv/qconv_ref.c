/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_ref.c - the definition of qconv, straight from the desc */
#include "kernels/qconv/qconv.h"
#include "kernels/qconv/qconv_plan.h"

static int or1(int value)
{
    return value ? value : 1;
}

static int32_t accumulate(const pare_qconv_desc *d, const uint8_t *x, int oc)
{
    const int c_per_group = d->in_c / or1(d->groups), kh = or1(d->kernel_h), kw = or1(d->kernel_w);
    const int first = oc / (d->out_c / or1(d->groups)) * c_per_group;
    int32_t   acc = d->channels.bias ? d->channels.bias[oc] : 0;

    for (int c = 0; c < c_per_group; c++)
        for (int ky = 0; ky < kh; ky++)
            for (int kx = 0; kx < kw; kx++) {
                const ptrdiff_t tap = (ky * or1(d->dilation_h) - d->pad_top) * d->x.row +
                                      (kx * or1(d->dilation_w) - d->pad_left) * d->x.pixel;
                acc += (x[tap + first + c] - d->channels.zx) * d->w[((oc * c_per_group + c) * kh + ky) * kw + kx];
            }
    return acc;
}

/* One output: `x` is the input pixel at the output's position, `y` and `r` the output pixels, `row` the image. */
static void finish(const pare_qconv_desc *d, int32_t acc, int oc, void *y, const uint8_t *r, float row_scale)
{
    const pare_qoutput *out = &d->out;
    const float         sw = d->channels.sw[d->channels.n_sw == 1 ? 0 : oc];

    if (out->kind != PARE_QKIND_U8) {
        const float scale = out->kind == PARE_QKIND_F32_ROWS ? row_scale * sw : d->channels.sx * sw;
        float       value = (float)acc * scale;
        value = out->bias_f32 ? value + out->bias_f32[oc] : value;
        if (out->clamped) {
            value = value < out->clamp_lo ? out->clamp_lo : value;
            value = value > out->clamp_hi ? out->clamp_hi : value;
        }
        ((float *)y)[oc] = value;
        return;
    }

    int q = pare_qround((float)acc * ((d->channels.sx * sw) / out->scale), out->zero, out->lo, out->hi ? out->hi : 255);
    if (out->table)
        q = out->table[q];
    if (out->add.on) {
        const pare_qfused_add *s = &out->add;
        const bool             b = s->conv_is_second;
        const float            ra = (b ? s->scale_r : out->scale) / s->scale;
        const float            rb = (b ? out->scale : s->scale_r) / s->scale;
        const float            za = (float)(b ? s->zero_r : out->zero), zb = (float)(b ? out->zero : s->zero_r);
        const float            k = (float)s->zero - fmaf(ra, za, rb * zb);
        const float            qa = (float)(b ? r[oc] : q), qb = (float)(b ? q : r[oc]);
        q = pare_qround(fmaf(qa, ra, fmaf(qb, rb, k)), 0, s->lo, s->hi ? s->hi : 255);
    }
    ((uint8_t *)y)[oc] = (uint8_t)q;
}

void pare_qconv_ref(const pare_qconv_desc *d, const pare_qconv_args *args)
{
    for (int n = 0; n < args->batch; n++)
        for (int oy = 0; oy < d->out_h; oy++)
            for (int ox = 0; ox < d->out_w; ox++) {
                const uint8_t *x =
                    args->x + n * d->x.image + oy * or1(d->stride_h) * d->x.row + ox * or1(d->stride_w) * d->x.pixel;
                uint8_t       *y = (uint8_t *)args->y + n * d->y.image + oy * d->y.row + ox * d->y.pixel;
                const uint8_t *r = args->residual;

                if (r)
                    r += n * d->residual.image + oy * d->residual.row + ox * d->residual.pixel;
                for (int oc = 0; oc < d->out_c; oc++)
                    finish(d, accumulate(d, x, oc), oc, y, r, args->row_scales ? args->row_scales[n] : 1);
            }
}
