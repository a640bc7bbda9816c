/* SPDX-License-Identifier: Apache-2.0 */
/* lut8.c - choosing a version */
#include "kernels/lut8/lut8.h"

static const pare_lut8_kernel kernels[] = {
#define PARE_LUT8(name, isa) { #name, isa, pare_lut8_##name },
#include "kernels/lut8/lut8.def"
#undef PARE_LUT8
};

int pare_lut8_candidates(unsigned cpu, const pare_lut8_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}
