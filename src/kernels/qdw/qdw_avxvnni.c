/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_avxvnni.c - 32 channels, four rows at a time, two output lines from the same loads
 *
 * The bytes of four vertically neighbouring pixels are interleaved, so that one vpdpbusd applies a filter column to
 * eight channels; see qdw_avx512.h.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/avxvnni.h"
#include "kernels/qconv/qepilogue_avx2.h"
#include "kernels/qdw/qdw_plan.h"

#define ISA    PARE_AVXVNNI_ISA
#define INLINE ISA __attribute__((always_inline)) static inline

enum { VECTORS = 4, ROWS = 4 };

PARE_AVX2_INLINE __m256i load(const uint8_t *x)
{
    return _mm256_loadu_si256((const __m256i *)x);
}

PARE_AVX2_INLINE void interleave(const uint8_t *x, const ptrdiff_t rows[ROWS], uint8_t *to)
{
    const __m256i a = load(x + rows[0]), b = load(x + rows[1]), c = load(x + rows[2]), d = load(x + rows[3]);
    const __m256i ab_lo = _mm256_unpacklo_epi8(a, b), ab_hi = _mm256_unpackhi_epi8(a, b);
    const __m256i cd_lo = _mm256_unpacklo_epi8(c, d), cd_hi = _mm256_unpackhi_epi8(c, d);

    _mm256_store_si256((__m256i *)to, _mm256_unpacklo_epi16(ab_lo, cd_lo));
    _mm256_store_si256((__m256i *)(to + 32), _mm256_unpackhi_epi16(ab_lo, cd_lo));
    _mm256_store_si256((__m256i *)(to + 64), _mm256_unpacklo_epi16(ab_hi, cd_hi));
    _mm256_store_si256((__m256i *)(to + 96), _mm256_unpackhi_epi16(ab_hi, cd_hi));
}

INLINE void multiply_add(__m256i *acc, __m256i x, __m256i w)
{
    *acc = pare_dpbusd_256(*acc, x, w);
}

/* Words of 32 channels to their codes in natural order: the packs undo the interleaving. */
PARE_AVX2_INLINE __m256i codes(const pare_qepilogue *e, __m256i low, __m256i high)
{
    const __m256i zero = _mm256_set1_epi16((short)e->zero);
    const __m256i q = _mm256_packus_epi16(_mm256_adds_epi16(low, zero), _mm256_adds_epi16(high, zero));

    return _mm256_min_epu8(_mm256_max_epu8(q, _mm256_set1_epi8((char)e->lo)), _mm256_set1_epi8((char)e->hi));
}

/* The first `columns` codes. */
PARE_AVX2_INLINE void save_32(uint8_t *y, int columns, __m256i q)
{
    if (columns >= 32) {
        _mm256_storeu_si256((__m256i *)y, q);
        return;
    }
    pare_q256_save(y, columns, _mm256_castsi256_si128(q));
    if (columns > 16)
        pare_q256_save(y + 16, columns - 16, _mm256_extracti128_si256(q, 1));
}

PARE_AVX2_INLINE void save(const pare_qepilogue *e, int columns, uint8_t *y, ptrdiff_t next, __m256i low0,
                           __m256i high0, __m256i low1, __m256i high1)
{
    save_32(y, columns, codes(e, low0, high0));
    save_32(y + next, columns, codes(e, low1, high1));
}

/* Floats are rare behind depthwise convolutions: channel by channel. */
static void finish_f32(const pare_qepilogue *e, int first, const int32_t *from, int columns, float *y, float row_scale)
{
    for (int i = 0; i < 8 * VECTORS; i++) {
        const int c = pare_qdw_channel(8 * VECTORS, 2, i);
        if (c < columns)
            y[c] = pare_qepilogue_f32(e, first + i, from[i], row_scale);
    }
}

/* Vectors v and v + 1, requantized. */
PARE_AVX2_INLINE __m256i words_of(const pare_qepilogue *e, int first, const int32_t *from, int v)
{
    const __m256i a = _mm256_loadu_si256((const __m256i *)from + v),
                  b = _mm256_loadu_si256((const __m256i *)from + v + 1);

    return _mm256_packs_epi32(_mm256_cvtps_epi32(pare_q256_scaled(e, first + 8 * v, a)),
                              _mm256_cvtps_epi32(pare_q256_scaled(e, first + 8 * v + 8, b)));
}

PARE_AVX2_INLINE void finish(const pare_qepilogue *e, int first, const int32_t *from, int columns, uint8_t *y,
                             const uint8_t *residual, float row_scale)
{
    if (e->kind != PARE_QKIND_U8) {
        finish_f32(e, first, from, columns, (float *)y, row_scale);
        return;
    }

    const __m256i q = codes(e, words_of(e, first, from, 0), words_of(e, first, from, 2));
    const __m128i low = pare_q256_finish(e, _mm256_castsi256_si128(q), residual, columns);
    const __m128i high = _mm256_extracti128_si256(q, 1);

    pare_q256_save(y, columns, low);
    if (columns > 16)
        pare_q256_save(y + 16, columns - 16, pare_q256_finish(e, high, residual ? residual + 16 : NULL, columns - 16));
}

#include "kernels/qdw/qdw_ymm_body.h"

void pare_qdw_32_avxvnni(const pare_qdw_line *line)
{
    run_line(line);
}
#else
typedef int not_x86;
#endif
