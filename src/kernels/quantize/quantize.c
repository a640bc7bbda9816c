/* SPDX-License-Identifier: Apache-2.0 */
/* quantize.c - choosing a version; planar input */
#include "kernels/quantize/quantize.h"

static const pare_quantize_kernel kernels[] = {
#define PARE_QUANTIZE(name, isa)    \
    { #name,                        \
      isa,                          \
      pare_quantize_##name,         \
      pare_dequantize_##name,       \
      pare_quantize_largest_##name, \
      pare_quantize_codes_##name,   \
      pare_quantize_pixel4_##name },
#include "kernels/quantize/quantize.def"
#undef PARE_QUANTIZE
};

int pare_quantize_candidates(unsigned cpu, const pare_quantize_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

float pare_quantize_dynamic(const pare_quantize_kernel *kernel, const float *x, uint8_t *y, long n)
{
    const pare_quantize_pixels row = { .x = x, .y = y, .channels = n, .n = 1 };
    const float                a = kernel->largest(&row);

    kernel->codes(&row, a);
    return a / 127;
}

/* Planes go through a strip of codes on the stack, so that the arithmetic is vectors and only bytes are scattered. */
enum { STRIP = 256 };

static void scatter(const uint8_t *codes, long n, uint8_t *y, ptrdiff_t step)
{
    for (long i = 0; i < n; i++, y += step)
        *y = codes[i];
}

void pare_quantize_planar_codes(const pare_quantize_kernel *kernel, const pare_quantize_pixels *p, float a)
{
    uint8_t codes[STRIP];

    for (long begin = 0; begin < p->n; begin += STRIP) {
        const long count = p->n - begin < STRIP ? p->n - begin : STRIP;
        for (long c = 0; c < p->channels; c++) {
            const pare_quantize_pixels strip = {
                .x = p->x + c * p->x_step + begin, .y = codes, .channels = count, .n = 1
            };
            kernel->codes(&strip, a);
            scatter(codes, count, p->y + begin * p->y_step + c, p->y_step);
        }
    }
}

void pare_quantize_planar(const pare_quantize_kernel *kernel, const pare_quantize_planar_desc *d, const float *x,
                          uint8_t *y, long n)
{
    uint8_t codes[STRIP];

    if (d->pixel == 4 && d->channels <= 4) {
        kernel->pixel4(d, x, y, n);
        return;
    }
    for (long begin = 0; begin < n; begin += STRIP) {
        const long count = n - begin < STRIP ? n - begin : STRIP;
        for (int c = 0; c < d->channels; c++) {
            kernel->quantize(&d->params, x + c * d->plane + begin, codes, count);
            scatter(codes, count, y + begin * d->pixel + c, d->pixel);
        }
    }
}
