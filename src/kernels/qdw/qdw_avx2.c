/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_avx2.c - 16 channels, two rows at a time, exact
 *
 * Two vertically neighbouring bytes, widened and interleaved as words, are one vpmaddwd with the two weights.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qepilogue_avx2.h"
#include "kernels/qdw/qdw_plan.h"

#define ISA __attribute__((target("avx2,fma")))

enum { BLOCK = 16 };

PARE_AVX2_INLINE __m256i load_words(const uint8_t *x)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)x));
}

PARE_AVX2_INLINE pare_q256x2 products(const pare_qdw_line *line, const uint8_t *x)
{
    const pare_qdw_plan *p = line->plan;
    const __m256i       *w = (const __m256i *)(p->w + (size_t)line->block * p->line_bytes);
    const __m256i       *bias = (const __m256i *)(p->bias + line->block * BLOCK);
    pare_q256x2          acc = { _mm256_loadu_si256(bias), _mm256_loadu_si256(bias + 1) };

    for (int g = 0; g < p->groups; g++) {
        const uint8_t *upper = x + pare_qdw_row(line, 2 * g), *lower = x + pare_qdw_row(line, 2 * g + 1);
        for (int kx = 0; kx < p->kernel_w; kx++, w += 2, upper += p->tap_x, lower += p->tap_x) {
            const __m256i a = load_words(upper), b = load_words(lower);
            acc.v0 = _mm256_add_epi32(acc.v0, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), _mm256_loadu_si256(w)));
            acc.v1 =
                _mm256_add_epi32(acc.v1, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), _mm256_loadu_si256(w + 1)));
        }
    }
    return acc;
}

ISA void pare_qdw_16_avx2(const pare_qdw_line *line)
{
    const pare_qdw_plan *p = line->plan;
    const int            first = line->block * BLOCK;

    for (int ox = 0; ox < p->out_w; ox++) {
        const pare_q256x2 acc = products(line, line->x + ox * p->x_step);
        uint8_t          *y = line->y + ox * p->y.pixel;

        if (p->epilogue.kind == PARE_QKIND_U8) {
            const uint8_t *r = line->residual ? line->residual + ox * p->residual.pixel + first : NULL;
            pare_q256_store_u8(&p->epilogue, first, acc, true, p->channels - first, y + first, r);
        } else {
            pare_q256_store_f32_lanes(&p->epilogue, first, acc, p->channels - first, (float *)y + first,
                                      line->row_scale);
        }
    }
}
#else
typedef int not_x86;
#endif
