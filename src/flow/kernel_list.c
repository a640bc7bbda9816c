/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_list.c - the versions of all kernel families, for listings */
#include "flow/kernel_list.h"

#include <stdbool.h>
#include <stdio.h>

#include "cpu/cpu.h"
#include "kernels/rows_f32/rows_f32.h"
#include "kernels/unary_f32/unary_f32.h"

typedef struct version {
    const char *name;
    unsigned    isa;
    const char *about; /* of the family */
} version;

/* Every family's own list. A version that only exists on other processors is not compiled and not listed. */
static const version versions[] = {
#define PARE_QCONV(tile, name, isa, panel_tiles, k_round) \
    { "qconv_" #tile "_" #name, isa, "integer convolution and Linear" },
#include "kernels/qconv/qconv.def"
#undef PARE_QCONV
#define PARE_QDW(block, name, isa, lanes, rows, lines) \
    { "qdw_" #block "_" #name, isa, "integer depthwise convolution" },
#include "kernels/qdw/qdw.def"
#undef PARE_QDW
#define PARE_QADD(name, isa) { "qadd_" #name, isa, "sum of two quantized tensors" },
#include "kernels/qadd/qadd.def"
#undef PARE_QADD
#define PARE_QMUL(name, isa) { "qmul_" #name, isa, "product of two quantized tensors" },
#include "kernels/qmul/qmul.def"
#undef PARE_QMUL
#define PARE_LUT8(name, isa) { "lut8_" #name, isa, "any function of 8-bit codes, by table" },
#include "kernels/lut8/lut8.def"
#undef PARE_LUT8
#define PARE_ZIP8(name, isa) { "zip8_" #name, isa, "bytes of two tensors in turn: channel shuffle" },
#include "kernels/zip8/zip8.def"
#undef PARE_ZIP8
#define PARE_QPOOL(name, isa) { "qpool_" #name, isa, "pooling of quantized tensors" },
#include "kernels/qpool/qpool.def"
#undef PARE_QPOOL
#define PARE_QUANTIZE(name, isa) { "quantize_" #name, isa, "between floats and 8-bit codes" },
#include "kernels/quantize/quantize.def"
#undef PARE_QUANTIZE
#define GEMM_F32(mr, nr, lane, name, isa) { "gemm_f32_" #mr "x" #nr "_" #name, isa, "float product and convolution" },
#include "kernels/gemm_f32/gemm_f32.def"
#undef GEMM_F32
#define CONV_BF16(mr, nr, name, native)                                       \
    { "conv_bf16_" #mr "x" #nr "_" #name, (native) ? PARE_ISA_AVX512VNNI : 0, \
      "float product and convolution of operands rounded to bf16, on request" },
#include "kernels/conv_bf16/conv_bf16.def"
#undef CONV_BF16
#define DW_F32(name, isa) { "dw_f32_" #name, isa, "float depthwise convolution" },
#include "kernels/dw_f32/dw_f32.def"
#undef DW_F32
#define POOL_F32(name, isa) { "pool_f32_" #name, isa, "float pooling" },
#include "kernels/pool_f32/pool_f32.def"
#undef POOL_F32
};

static const struct {
    const char *name;
    unsigned    bit;
} isas[] = {
    { "AVX2 and FMA", PARE_ISA_AVX2 },   { "AVX-VNNI", PARE_ISA_AVXVNNI }, { "AVX-512 VNNI", PARE_ISA_AVX512VNNI },
    { "AMX", PARE_ISA_AMX_INT8 },        { "NEON", PARE_ISA_NEON },        { "NEON dot", PARE_ISA_NEON_DOT },
    { "NEON i8mm", PARE_ISA_NEON_I8MM },
};

enum { N_VERSIONS = sizeof(versions) / sizeof(versions[0]), MOST = 16 };

/* The families whose list is a table of their own: every version is a candidate for a processor that has everything. */
static bool find(int index, version *v)
{
    const pare_unary_f32_kernel *unary[MOST];
    const pare_rows_f32_kernel  *rows[MOST];
    const int                    n_unary = pare_unary_f32_candidates(~0u, unary, MOST);
    const int                    n_rows = pare_rows_f32_candidates(~0u, rows, MOST);

    if (index >= 0 && index < N_VERSIONS)
        *v = versions[index];
    else if ((index -= N_VERSIONS) >= 0 && index < n_unary)
        *v = (version){ unary[index]->name, unary[index]->isa, "functions of one float" };
    else if ((index -= n_unary) >= 0 && index < n_rows)
        *v = (version){ rows[index]->name, rows[index]->isa, "sums, softmax, norms, cells, float arithmetic" };
    else
        return false;
    return true;
}

const char *pare_kernel_list_at(int index, char *about, size_t size)
{
    version v;

    if (!find(index, &v))
        return NULL;
    int n = snprintf(about, size, "%s", v.about);

    for (size_t i = 0; i < sizeof(isas) / sizeof(isas[0]); i++)
        if (v.isa & isas[i].bit && n > 0 && (size_t)n < size)
            n += snprintf(about + n, size - (size_t)n, ", needs %s", isas[i].name);
    if (v.isa & ~pare_cpu_features() && n > 0 && (size_t)n < size)
        snprintf(about + n, size - (size_t)n, " (not used here)");
    return v.name;
}
