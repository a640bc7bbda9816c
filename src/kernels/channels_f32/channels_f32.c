/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32.c - which versions there are */
#include "kernels/channels_f32/channels_f32.h"

/* Best first; the last one needs nothing. */
static const pare_channels_f32_kernel *const kernels[] = {
#if PARE_X86
    &pare_channels_f32_avx512vnni,
    &pare_channels_f32_avx2,
#endif
#if PARE_ARM64
    &pare_channels_f32_neon,
#endif
    &pare_channels_f32_c,
};
enum { N_KERNELS = sizeof(kernels) / sizeof(kernels[0]) };

int pare_channels_f32_candidates(unsigned cpu, const pare_channels_f32_kernel *out[], int max)
{
    int n = 0;

    for (int i = 0; i < N_KERNELS && n < max; i++)
        if (!(kernels[i]->isa & ~cpu))
            out[n++] = kernels[i];
    return n;
}
