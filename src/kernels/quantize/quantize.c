/* SPDX-License-Identifier: Apache-2.0 */
/* quantize.c - choosing a version; planar input */
#include "kernels/quantize/quantize.h"

static const pare_quantize_kernel kernels[] = {
#define PARE_QUANTIZE(name, isa) \
    { #name, isa, pare_quantize_##name, pare_dequantize_##name, pare_quantize_dynamic_##name },
#include "kernels/quantize/quantize.def"
#undef PARE_QUANTIZE
};

int pare_quantize_candidates(unsigned cpu, const pare_quantize_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n         = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

/* Through a strip of codes on the stack, so that the divisions are vectors and only bytes are scattered. */
void pare_quantize_planar(const pare_quantize_kernel *kernel, const pare_quantize_planar_desc *d, const float *x,
                          uint8_t *y, long n)
{
    enum { STRIP = 256 };
    uint8_t codes[STRIP];

    for (long begin = 0; begin < n; begin += STRIP) {
        const long count = n - begin < STRIP ? n - begin : STRIP;
        for (int c = 0; c < d->channels; c++) {
            uint8_t *to = y + begin * d->pixel + c;
            kernel->quantize(&d->params, x + c * d->plane + begin, codes, count);
            for (long i = 0; i < count; i++, to += d->pixel)
                *to = codes[i];
        }
    }
}
