/* SPDX-License-Identifier: Apache-2.0 */
/* rows_f32.c - which versions there are */
#include "kernels/rows_f32/rows_f32.h"

#include <stddef.h>

/* Best first; the last one needs nothing. */
static const pare_rows_f32_kernel *const kernels[] = {
#if PARE_X86
    &pare_rows_f32_avx512vnni,
    &pare_rows_f32_avx2,
#endif
#if PARE_ARM64
    &pare_rows_f32_neon,
#endif
    &pare_rows_f32_c,
};
enum { N_KERNELS = sizeof(kernels) / sizeof(kernels[0]) };

static const char *const binary_names[] = {
#define PARE_BINARY_F32(name, formula) #name,
#include "kernels/rows_f32/rows_f32_binary.def"
#undef PARE_BINARY_F32
};

int pare_rows_f32_candidates(unsigned cpu, const pare_rows_f32_kernel *out[], int max)
{
    int n = 0;

    for (int i = 0; i < N_KERNELS && n < max; i++)
        if (!(kernels[i]->isa & ~cpu))
            out[n++] = kernels[i];
    return n;
}

const pare_rows_f32_kernel *pare_rows_f32_best(unsigned cpu)
{
    const pare_rows_f32_kernel *best = NULL;

    pare_rows_f32_candidates(cpu, &best, 1);
    return best;
}

const char *pare_binary_f32_name(pare_binary_f32 f)
{
    return binary_names[f];
}
