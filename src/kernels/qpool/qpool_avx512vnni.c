/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_avx512vnni.c - 64 channels at a time in lane order; tails by masks */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qepilogue_avx512.h"
#include "kernels/qpool/qpool.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

typedef struct floats {
    __m512 v0, v1, v2, v3;
} floats;

PARE_AVX512_INLINE void save(const pare_qpool_window *w, int c, __mmask64 mask, __m512i q)
{
    const __m512i low = _mm512_max_epu8(q, _mm512_set1_epi8((char)w->lo));

    _mm512_mask_storeu_epi8(w->y + c, mask, _mm512_min_epu8(low, _mm512_set1_epi8((char)w->hi)));
}

ISA void pare_qpool_max_avx512vnni(const pare_qpool_window *w)
{
    for (int c = 0; c < w->channels; c += 64) {
        const __mmask64 mask = pare_q512_mask(w->channels - c);
        __m512i         most = _mm512_setzero_si512();

        for (int i = 0; i < w->rows; i++)
            for (int j = 0; j < w->columns; j++)
                most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(mask, w->x + i * w->row + j * w->pixel + c));
        save(w, c, mask, most);
    }
}

/* s + sx * (float)(q - zx). */
PARE_AVX512_INLINE __m512 accumulate(const pare_qpool_window *w, __m512 s, __m512i q)
{
    const __m512 value = _mm512_cvtepi32_ps(_mm512_sub_epi32(q, _mm512_set1_epi32(w->zx)));

    return _mm512_add_ps(s, _mm512_mul_ps(_mm512_set1_ps(w->sx), value));
}

/* rint((s / n) / sy + zy). */
PARE_AVX512_INLINE __m512i finish_average(const pare_qpool_window *w, __m512 s)
{
    const __m512 mean = _mm512_div_ps(_mm512_div_ps(s, _mm512_set1_ps((float)w->n)), _mm512_set1_ps(w->sy));

    return _mm512_cvtps_epi32(_mm512_add_ps(mean, _mm512_set1_ps((float)w->zy)));
}

ISA void pare_qpool_average_avx512vnni(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 64) {
        const __mmask64 mask = pare_q512_mask(w.channels - c);
        const __m512    zero = _mm512_setzero_ps();
        floats          s = { zero, zero, zero, zero };

        for (int i = 0; i < w.rows; i++)
            for (int j = 0; j < w.columns; j++) {
                const uint8_t    *x = w.x + i * w.row + j * w.pixel + c;
                const pare_q512x4 q = pare_q512_unpack(_mm512_maskz_loadu_epi8(mask, x), true);
                s = (floats){ accumulate(&w, s.v0, q.v0), accumulate(&w, s.v1, q.v1), accumulate(&w, s.v2, q.v2),
                              accumulate(&w, s.v3, q.v3) };
            }
        const pare_q512x4 q = { finish_average(&w, s.v0), finish_average(&w, s.v1), finish_average(&w, s.v2),
                                finish_average(&w, s.v3) };
        save(&w, c, mask,
             pare_q512_pack(q, true, _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_set1_epi8(-1)));
    }
}

/* rint((float)(sum - taps * zx) * factor). */
PARE_AVX512_INLINE __m512i finish_mean(__m512i sum, __m512i offset, __m512 factor)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, offset)), factor));
}

ISA void pare_qpool_mean_avx512vnni(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    const __m512            factor = _mm512_set1_ps(w.sx / (w.sy * (float)w.n));
    const __m512i           offset = _mm512_set1_epi32(w.rows * w.columns * w.zx);

    for (int c = 0; c < w.channels; c += 64) {
        const __mmask64 mask = pare_q512_mask(w.channels - c);
        const __m512i   zero = _mm512_setzero_si512();
        pare_q512x4     s = { zero, zero, zero, zero };

        for (int i = 0; i < w.rows; i++)
            for (int j = 0; j < w.columns; j++) {
                const uint8_t    *x = w.x + i * w.row + j * w.pixel + c;
                const pare_q512x4 q = pare_q512_unpack(_mm512_maskz_loadu_epi8(mask, x), true);
                s = (pare_q512x4){ _mm512_add_epi32(s.v0, q.v0), _mm512_add_epi32(s.v1, q.v1),
                                   _mm512_add_epi32(s.v2, q.v2), _mm512_add_epi32(s.v3, q.v3) };
            }
        s = (pare_q512x4){ finish_mean(s.v0, offset, factor), finish_mean(s.v1, offset, factor),
                           finish_mean(s.v2, offset, factor), finish_mean(s.v3, offset, factor) };
        save(&w, c, mask, pare_q512_pack(s, true, _mm512_set1_epi16((short)w.zy), zero, _mm512_set1_epi8(-1)));
    }
}
#else
typedef int not_x86;
#endif
