/* SPDX-License-Identifier: Apache-2.0 */
/* zip8.c - choosing a version */
#include "kernels/zip8/zip8.h"

static const pare_zip8_kernel kernels[] = {
#define PARE_ZIP8(name, isa) { #name, isa, pare_zip8_##name, pare_unzip8_##name },
#include "kernels/zip8/zip8.def"
#undef PARE_ZIP8
};

int pare_zip8_candidates(unsigned cpu, const pare_zip8_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}
