/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_avx2.c - 16 channels at a time in lane order */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qepilogue_avx2.h"
#include "kernels/qpool/qpool.h"

#define ISA __attribute__((target("avx2,fma")))

PARE_AVX2_INLINE __m128i max_window(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    __m128i most = _mm_setzero_si128();

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++)
            most = _mm_max_epu8(most, pare_q256_load(x + i * w->row + j * w->pixel, channels));
    return _mm_min_epu8(_mm_max_epu8(most, _mm_set1_epi8((char)w->lo)), _mm_set1_epi8((char)w->hi));
}

ISA void pare_qpool_max_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o++)
            pare_q256_save(w.y + o * w.y_step + c, w.channels - c,
                           max_window(&w, w.x + o * w.x_step + c, w.channels - c));
}

ISA void pare_qpool_peak_avx2(const uint8_t *x, ptrdiff_t row, int rows, uint8_t *y, long n)
{
    long i = 0;

    for (; i + 32 <= n; i += 32) {
        __m256i most = _mm256_loadu_si256((const __m256i *)(x + i));

        for (int r = 1; r < rows; r++)
            most = _mm256_max_epu8(most, _mm256_loadu_si256((const __m256i *)(x + r * row + i)));
        _mm256_storeu_si256((__m256i *)(y + i), most);
    }
    for (; i < n; i += 16) {
        __m128i most = pare_q256_load(x + i, (int)(n - i));

        for (int r = 1; r < rows; r++)
            most = _mm_max_epu8(most, pare_q256_load(x + r * row + i, (int)(n - i)));
        pare_q256_save(y + i, (int)(n - i), most);
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

PARE_AVX2_INLINE __m128i average(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    __m256 s0 = _mm256_setzero_ps(), s1 = s0;

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++) {
            const pare_q256x2 q = pare_q256_unpack(pare_q256_load(x + i * w->row + j * w->pixel, channels), true);
            s0 = accumulate(w, s0, q.v0);
            s1 = accumulate(w, s1, q.v1);
        }
    const pare_q256x2 q = { finish_average(w, s0), finish_average(w, s1) };

    return pare_q256_pack(q, true, 0, w->lo, w->hi);
}

ISA void pare_qpool_average_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o++)
            pare_q256_save(w.y + o * w.y_step + c, w.channels - c, average(&w, w.x + o * w.x_step + c, w.channels - c));
}

/* Sums of 16 channels' codes, which the windows of a line share. */
enum { COLUMNS = 128 };

PARE_AVX2_INLINE __m256i add_column(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    __m256i s = _mm256_setzero_si256();

    for (int i = 0; i < w->rows; i++)
        s = _mm256_add_epi16(s, _mm256_cvtepu8_epi16(pare_q256_load(x + i * w->row, channels)));
    return s;
}

PARE_AVX2_INLINE bool is_doubtful(const pare_qpool_sums *sums, __m256i s)
{
    __m256i found = _mm256_setzero_si256();

    for (int i = 0; i < sums->n_doubtful; i++)
        found = _mm256_or_si256(found, _mm256_cmpeq_epi16(s, _mm256_set1_epi16((short)sums->doubtful[i])));
    return !_mm256_testz_si256(found, found);
}

/* rint(S * factor + constant). */
PARE_AVX2_INLINE __m256i finish_total(const pare_qpool_sums *sums, __m128i s)
{
    const __m256 total = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(s));

    return _mm256_cvtps_epi32(_mm256_fmadd_ps(total, _mm256_set1_ps(sums->factor), _mm256_set1_ps(sums->constant)));
}

PARE_AVX2_INLINE __m128i codes_of(const pare_qpool_window *w, __m256i s)
{
    const __m256i a = finish_total(w->sums, _mm256_castsi256_si128(s));
    const __m256i b = finish_total(w->sums, _mm256_extracti128_si256(s, 1));
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
    const __m128i q = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));

    return _mm_min_epu8(_mm_max_epu8(q, _mm_set1_epi8((char)w->lo)), _mm_set1_epi8((char)w->hi));
}

/* `n` outputs from o on, whose columns fit the buffer. */
PARE_AVX2_INLINE void total_block(const pare_qpool_window *w, int c, int o, int n)
{
    const int      stride = (int)(w->x_step / w->pixel), channels = w->channels - c;
    const uint8_t *x = w->x + o * w->x_step + c;
    __m256i        column[COLUMNS];

    for (int i = 0; i < (n - 1) * stride + w->columns; i++)
        column[i] = add_column(w, x + i * w->pixel, channels);
    for (int k = 0; k < n; k++) {
        __m256i s = column[k * stride];

        for (int j = 1; j < w->columns; j++)
            s = _mm256_add_epi16(s, column[k * stride + j]);
        pare_q256_save(w->y + (o + k) * w->y_step + c, channels,
                       is_doubtful(w->sums, s) ? average(w, x + k * w->x_step, channels) : codes_of(w, s));
    }
}

ISA void pare_qpool_totals_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    const int               stride = (int)(w.x_step / w.pixel), most = (COLUMNS - w.columns) / stride + 1;

    if (w.columns > COLUMNS) {
        pare_qpool_average_avx2(arg);
        return;
    }
    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o += most)
            total_block(&w, c, o, w.outputs - o < most ? w.outputs - o : most);
}

/* rint((float)(sum - taps * zx) * factor). */
PARE_AVX2_INLINE __m256i finish_mean(__m256i sum, __m256i offset, __m256 factor)
{
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum, offset)), factor));
}

PARE_AVX2_INLINE __m128i mean(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    const __m256  factor = _mm256_set1_ps(w->sx / (w->sy * (float)w->n));
    const __m256i offset = _mm256_set1_epi32(w->rows * w->columns * w->zx);
    __m256i       s0 = _mm256_setzero_si256(), s1 = s0;

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++) {
            const pare_q256x2 q = pare_q256_unpack(pare_q256_load(x + i * w->row + j * w->pixel, channels), true);
            s0 = _mm256_add_epi32(s0, q.v0);
            s1 = _mm256_add_epi32(s1, q.v1);
        }
    const pare_q256x2 q = { finish_mean(s0, offset, factor), finish_mean(s1, offset, factor) };

    return pare_q256_pack(q, true, w->zy, w->lo, w->hi);
}

ISA void pare_qpool_mean_avx2(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o++)
            pare_q256_save(w.y + o * w.y_step + c, w.channels - c, mean(&w, w.x + o * w.x_step + c, w.channels - c));
}
#else
typedef int not_x86;
#endif
