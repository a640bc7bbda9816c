/* SPDX-License-Identifier: Apache-2.0 */
/* unary_f32.c - which versions there are, and the functions by name */
#include "kernels/unary_f32/unary_f32.h"

#include <assert.h>
#include <string.h>

/* Best first; the last one needs nothing. */
static const pare_unary_f32_kernel kernels[] = {
#if PARE_X86
    { "unary_f32_avx512vnni", PARE_ISA_AVX512VNNI, pare_unary_f32_rows_avx512vnni },
    { "unary_f32_avx2", PARE_ISA_AVX2, pare_unary_f32_rows_avx2 },
#endif
#if PARE_ARM64
    { "unary_f32_neon", PARE_ISA_NEON, pare_unary_f32_rows_neon },
#endif
    { "unary_f32_c", 0, pare_unary_f32_rows_c },
};
enum { N_KERNELS = sizeof(kernels) / sizeof(kernels[0]) };

static const struct {
    const char *name;
    int         n_param;
} functions[] = {
#define PARE_UNARY_F32(name, n_param, formula)                   { #name, n_param },
#define PARE_UNARY_F32_NEAR(name, n_param, formula, limit, near) { #name, n_param },
#include "kernels/unary_f32/unary_f32.def"
#undef PARE_UNARY_F32
#undef PARE_UNARY_F32_NEAR
};

int pare_unary_f32_candidates(unsigned cpu, const pare_unary_f32_kernel *out[], int max)
{
    int n = 0;

    for (int i = 0; i < N_KERNELS && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = kernels + i;
    return n;
}

pare_unary_f32_fn *pare_unary_f32_row(pare_unary_f32 f, unsigned cpu)
{
    const pare_unary_f32_kernel *best = NULL;

    assert(f < PARE_UNARY_F32_COUNT);
    pare_unary_f32_candidates(cpu, &best, 1);
    return best->rows[f];
}

int pare_unary_f32_find(const char *name)
{
    for (int i = 0; i < PARE_UNARY_F32_COUNT; i++)
        if (strcmp(functions[i].name, name) == 0)
            return i;
    return -1;
}

const char *pare_unary_f32_name(pare_unary_f32 f)
{
    return functions[f].name;
}

int pare_unary_f32_params(pare_unary_f32 f)
{
    return functions[f].n_param;
}
