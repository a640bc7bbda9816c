/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_avx2.c - 16 channels at a time in lane order */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qepilogue_avx2.h"
#include "kernels/qpool/qpool.h"

#define ISA __attribute__((target("avx2,fma")))

ISA void pare_qpool_max_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16) {
        __m128i most = _mm_setzero_si128();

        for (int i = 0; i < w.rows; i++)
            for (int j = 0; j < w.columns; j++)
                most = _mm_max_epu8(most, pare_q256_load(w.x + i * w.row + j * w.pixel + c, w.channels - c));
        most = _mm_min_epu8(_mm_max_epu8(most, _mm_set1_epi8((char)w.lo)), _mm_set1_epi8((char)w.hi));
        pare_q256_save(w.y + c, w.channels - c, most);
    }
}

/* s + sx * (float)(q - zx). */
PARE_AVX2_INLINE __m256 accumulate(const pare_qpool_window *w, __m256 s, __m256i q)
{
    const __m256 value = _mm256_cvtepi32_ps(_mm256_sub_epi32(q, _mm256_set1_epi32(w->zx)));

    return _mm256_add_ps(s, _mm256_mul_ps(_mm256_set1_ps(w->sx), value));
}

/* rint((s / n) / sy + zy). */
PARE_AVX2_INLINE __m256i finish_average(const pare_qpool_window *w, __m256 s)
{
    const __m256 mean = _mm256_div_ps(_mm256_div_ps(s, _mm256_set1_ps((float)w->n)), _mm256_set1_ps(w->sy));

    return _mm256_cvtps_epi32(_mm256_add_ps(mean, _mm256_set1_ps((float)w->zy)));
}

ISA void pare_qpool_average_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16) {
        __m256 s0 = _mm256_setzero_ps(), s1 = s0;

        for (int i = 0; i < w.rows; i++)
            for (int j = 0; j < w.columns; j++) {
                const uint8_t    *x = w.x + i * w.row + j * w.pixel + c;
                const pare_q256x2 q = pare_q256_unpack(pare_q256_load(x, w.channels - c), true);
                s0 = accumulate(&w, s0, q.v0);
                s1 = accumulate(&w, s1, q.v1);
            }
        const pare_q256x2 q = { finish_average(&w, s0), finish_average(&w, s1) };
        pare_q256_save(w.y + c, w.channels - c, pare_q256_pack(q, true, 0, w.lo, w.hi));
    }
}

/* rint((float)(sum - taps * zx) * factor). */
PARE_AVX2_INLINE __m256i finish_mean(__m256i sum, __m256i offset, __m256 factor)
{
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum, offset)), factor));
}

ISA void pare_qpool_mean_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    const __m256            factor = _mm256_set1_ps(w.sx / (w.sy * (float)w.n));
    const __m256i           offset = _mm256_set1_epi32(w.rows * w.columns * w.zx);

    for (int c = 0; c < w.channels; c += 16) {
        __m256i s0 = _mm256_setzero_si256(), s1 = s0;

        for (int i = 0; i < w.rows; i++)
            for (int j = 0; j < w.columns; j++) {
                const uint8_t    *x = w.x + i * w.row + j * w.pixel + c;
                const pare_q256x2 q = pare_q256_unpack(pare_q256_load(x, w.channels - c), true);
                s0 = _mm256_add_epi32(s0, q.v0);
                s1 = _mm256_add_epi32(s1, q.v1);
            }
        const pare_q256x2 q = { finish_mean(s0, offset, factor), finish_mean(s1, offset, factor) };
        pare_q256_save(w.y + c, w.channels - c, pare_q256_pack(q, true, w.zy, w.lo, w.hi));
    }
}
#else
typedef int not_x86;
#endif
