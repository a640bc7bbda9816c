/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_avx2.c - 16 channels, two rows at a time, two output lines from the same loads, exact
 *
 * Two vertically neighbouring bytes, widened and interleaved as words, are one vpmaddwd with the two weights.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qepilogue_avx2.h"
#include "kernels/qdw/qdw_plan.h"

#define ISA    __attribute__((target("avx2,fma")))
#define INLINE PARE_AVX2_INLINE

enum { VECTORS = 2, ROWS = 2 };

PARE_AVX2_INLINE void interleave(const uint8_t *x, const ptrdiff_t rows[ROWS], uint8_t *to)
{
    const __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(x + rows[0])));
    const __m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(x + rows[1])));

    _mm256_store_si256((__m256i *)to, _mm256_unpacklo_epi16(a, b));
    _mm256_store_si256((__m256i *)(to + 32), _mm256_unpackhi_epi16(a, b));
}

/* In two instructions: compilers that see the sum add products to each other first, and run out of registers. */
PARE_AVX2_INLINE void multiply_add(__m256i *acc, __m256i x, __m256i w)
{
    __m256i product;

    __asm__("vpmaddwd %2, %3, %1\n\tvpaddd %1, %0, %0" : "+x"(*acc), "=&x"(product) : "x"(x), "x"(w));
}

/* The words of an output are in natural order within lanes; there are no high ones. */
PARE_AVX2_INLINE void save(const pare_qepilogue *e, int columns, uint8_t *y, ptrdiff_t next, __m256i low0,
                           __m256i high0, __m256i low1, __m256i high1)
{
    const __m256i zero = _mm256_set1_epi16((short)e->zero);
    const __m256i lo = _mm256_set1_epi8((char)e->lo), hi = _mm256_set1_epi8((char)e->hi);
    const __m256i both = _mm256_packus_epi16(_mm256_adds_epi16(low0, zero), _mm256_adds_epi16(low1, zero));
    const __m256i q = _mm256_permute4x64_epi64(_mm256_min_epu8(_mm256_max_epu8(both, lo), hi), 0xd8);

    (void)high0, (void)high1;
    pare_q256_save(y, columns, _mm256_castsi256_si128(q));
    pare_q256_save(y + next, columns, _mm256_extracti128_si256(q, 1));
}

PARE_AVX2_INLINE void finish(const pare_qepilogue *e, int first, const int32_t *from, int columns, uint8_t *y,
                             const uint8_t *residual, float row_scale)
{
    const pare_q256x2 acc = { _mm256_load_si256((const __m256i *)from),
                              _mm256_load_si256((const __m256i *)(from + 8)) };

    if (e->kind == PARE_QKIND_U8)
        pare_q256_store_u8(e, first, acc, true, columns, y, residual);
    else
        pare_q256_store_f32_lanes(e, first, acc, columns, (float *)y, row_scale);
}

#include "kernels/qdw/qdw_ymm_body.h"

void pare_qdw_16_avx2(const pare_qdw_line *line)
{
    run_line(line);
}
#else
typedef int not_x86;
#endif
