/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_f32.c - which versions there are, and the functions' names */
#include "kernels/unary_grad_f32/unary_grad_f32.h"

/* Best first; the last one needs nothing. */
static const pare_unary_grad_f32_kernel kernels[] = {
#if PARE_X86
    { "unary_grad_f32_avx512vnni", PARE_ISA_AVX512VNNI, pare_unary_grad_f32_rows_avx512vnni },
    { "unary_grad_f32_avx2", PARE_ISA_AVX2, pare_unary_grad_f32_rows_avx2 },
#endif
#if PARE_ARM64
    { "unary_grad_f32_neon", PARE_ISA_NEON, pare_unary_grad_f32_rows_neon },
#endif
    { "unary_grad_f32_c", 0, pare_unary_grad_f32_rows_c },
};
enum { N_KERNELS = sizeof(kernels) / sizeof(kernels[0]) };

int pare_unary_grad_f32_candidates(unsigned cpu, const pare_unary_grad_f32_kernel *out[], int max)
{
    int n = 0;

    for (int i = 0; i < N_KERNELS && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = kernels + i;
    return n;
}

const char *pare_unary_grad_f32_name(pare_unary_grad_f32 f)
{
    static const char *const names[] = {
#define PARE_UNARY_GRAD_F32(name, of, formula) #name,
#include "kernels/unary_grad_f32/unary_grad_f32.def"
#undef PARE_UNARY_GRAD_F32
    };

    return names[f];
}
