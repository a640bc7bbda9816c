/* SPDX-License-Identifier: Apache-2.0 */
/* peak.c - choosing a version */
#include "kernels/peak/peak.h"

static const pare_peak_kernel kernels[] = {
#define PARE_PEAK(name, isa, int8_macs, f32_macs) \
    { #name, isa, pare_peak_int8_##name, int8_macs, pare_peak_f32_##name, f32_macs },
#include "kernels/peak/peak.def"
#undef PARE_PEAK
};

int pare_peak_candidates(unsigned cpu, const pare_peak_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}
