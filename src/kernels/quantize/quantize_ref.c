/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_ref.c - the definition of quantize */
#include <math.h>

#include "kernels/quantize/quantize.h"

/* A rounded float to a code; NaN to lo. Beyond 2^24, where adding zero may round, the clamp decides alike. */
static int clamp(float value, int lo, int hi)
{
    return !(value > (float)lo) ? lo : value > (float)hi ? hi : (int)value;
}

void pare_quantize_ref(const pare_quantize_params *p, const float *x, uint8_t *y, long n)
{
    for (long i = 0; i < n; i++)
        y[i] = (uint8_t)clamp(rintf(x[i] / p->scale) + (float)p->zero, p->lo, p->hi);
}

void pare_dequantize_ref(const pare_quantize_params *p, const uint8_t *x, float *y, long n)
{
    for (long i = 0; i < n; i++)
        y[i] = (float)((p->lo < 0 ? (int8_t)x[i] : x[i]) - p->zero) * p->scale;
}

float pare_quantize_largest_ref(const pare_quantize_pixels *p)
{
    float a = 0;

    for (long i = 0; i < p->n; i++)
        for (long c = 0; c < p->channels; c++) {
            const float v = fabsf(p->x[i * p->x_step + c]);
            a = v > a ? v : a;
        }
    return a;
}

void pare_quantize_codes_ref(const pare_quantize_pixels *p, float a)
{
    const float inverse = 127 / a;

    for (long i = 0; i < p->n; i++)
        for (long c = 0; c < p->channels; c++) {
            const int q = a > 0 ? clamp(rintf(p->x[i * p->x_step + c] * inverse), -127, 127) : 0;

            p->y[i * p->y_step + c] = (uint8_t)(q + 128);
        }
}

void pare_quantize_pixel4_ref(const pare_quantize_planar_desc *d, const float *x, uint8_t *y, long n)
{
    for (long i = 0; i < 4 * n; i++) {
        y[i] = 0;
        if (i % 4 < d->channels)
            pare_quantize_ref(&d->params, &x[i % 4 * d->plane + i / 4], &y[i], 1);
    }
}
