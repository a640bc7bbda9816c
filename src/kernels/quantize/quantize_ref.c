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

float pare_quantize_dynamic_ref(const float *x, uint8_t *y, long n)
{
    float a = 0;

    for (long i = 0; i < n; i++)
        a = fabsf(x[i]) > a ? fabsf(x[i]) : a;
    const float inverse = 127 / a;
    for (long i = 0; i < n; i++)
        y[i] = (uint8_t)(a > 0 ? clamp(rintf(x[i] * inverse), -127, 127) + 128 : 128);
    return a / 127;
}
