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

PARE_AVX512_INLINE __m512i clamp(const pare_qpool_window *w, __m512i q)
{
    const __m512i low = _mm512_max_epu8(q, _mm512_set1_epi8((char)w->lo));

    return _mm512_min_epu8(low, _mm512_set1_epi8((char)w->hi));
}

PARE_AVX512_INLINE void save(const pare_qpool_window *w, uint8_t *y, __mmask64 mask, __m512i q)
{
    _mm512_mask_storeu_epi8(y, mask, clamp(w, q));
}

PARE_AVX512_INLINE __m512i load(const uint8_t *x, __mmask64 mask, bool whole)
{
    return whole ? _mm512_loadu_si512(x) : _mm512_maskz_loadu_epi8(mask, x);
}

/* The largest of rows x columns taps; with constants for both there is no loop. */
PARE_AVX512_INLINE __m512i largest(const pare_qpool_window *w, const uint8_t *x, __mmask64 mask, bool whole, int rows,
                                   int columns)
{
    __m512i most = load(x, mask, whole);

    for (int i = 0; i < rows; i++)
        for (int j = i == 0; j < columns; j++)
            most = _mm512_max_epu8(most, load(x + i * w->row + j * w->pixel, mask, whole));
    return clamp(w, most);
}

/* Masked loads and stores cost more than whole ones, so that whole blocks of 64 channels have loops of their own. */
PARE_AVX512_INLINE void max_block(const pare_qpool_window *w, int c, __mmask64 mask, bool whole)
{
    const uint8_t *x = w->x + c;
    uint8_t       *y = w->y + c;

    for (int o = 0; o < w->outputs; o++, x += w->x_step, y += w->y_step) {
        const __m512i most = w->rows == 1 && w->columns == 3   ? largest(w, x, mask, whole, 1, 3)
                             : w->rows == 2 && w->columns == 2 ? largest(w, x, mask, whole, 2, 2)
                                                               : largest(w, x, mask, whole, w->rows, w->columns);

        if (whole)
            _mm512_storeu_si512(y, most);
        else
            _mm512_mask_storeu_epi8(y, mask, most);
    }
}

ISA void pare_qpool_max_avx512vnni(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    int                     c = 0;

    for (; c + 64 <= w.channels; c += 64)
        max_block(&w, c, 0, true);
    if (c < w.channels)
        max_block(&w, c, pare_q512_mask(w.channels - c), false);
}

ISA void pare_qpool_peak_avx512vnni(const uint8_t *x, ptrdiff_t row, int rows, uint8_t *y, long n)
{
    long i = 0;

    for (; i + 64 <= n; i += 64) {
        __m512i most = _mm512_loadu_si512(x + i);

        for (int r = 1; r < rows; r++)
            most = _mm512_max_epu8(most, _mm512_loadu_si512(x + r * row + i));
        _mm512_storeu_si512(y + i, most);
    }
    if (i < n) {
        const __mmask64 mask = pare_q512_mask((int)(n - i));
        __m512i         most = _mm512_maskz_loadu_epi8(mask, x + i);

        for (int r = 1; r < rows; r++)
            most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(mask, x + r * row + i));
        _mm512_mask_storeu_epi8(y + i, mask, most);
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

PARE_AVX512_INLINE __m512i average(const pare_qpool_window *w, const uint8_t *x, __mmask64 mask)
{
    const __m512 zero = _mm512_setzero_ps();
    floats       s = { zero, zero, zero, zero };

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++) {
            const uint8_t *const at = x + i * w->row + j * w->pixel;
            const pare_q512x4    q = pare_q512_unpack(_mm512_maskz_loadu_epi8(mask, at), true);
            s = (floats){ accumulate(w, s.v0, q.v0), accumulate(w, s.v1, q.v1), accumulate(w, s.v2, q.v2),
                          accumulate(w, s.v3, q.v3) };
        }
    const pare_q512x4 q = { finish_average(w, s.v0), finish_average(w, s.v1), finish_average(w, s.v2),
                            finish_average(w, s.v3) };

    return pare_q512_pack(q, true, _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_set1_epi8(-1));
}

ISA void pare_qpool_average_avx512vnni(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 64) {
        const __mmask64 mask = pare_q512_mask(w.channels - c);

        for (int o = 0; o < w.outputs; o++)
            save(&w, w.y + o * w.y_step + c, mask, average(&w, w.x + o * w.x_step + c, mask));
    }
}

/* Sums of 64 columns' codes, channels in two vectors of words, which the windows of a line share. */
enum { COLUMNS = 128 };
typedef struct words {
    __m512i v0, v1;
} words;

/* Unpacked like that, words 0 to 7 of each lane of the bytes are in v0, 8 to 15 in v1. */
PARE_AVX512_INLINE words add_column(const pare_qpool_window *w, const uint8_t *x, __mmask64 mask)
{
    const __m512i zero = _mm512_setzero_si512();
    words         s = { zero, zero };

    for (int i = 0; i < w->rows; i++) {
        const __m512i q = _mm512_maskz_loadu_epi8(mask, x + i * w->row);

        s.v0 = _mm512_add_epi16(s.v0, _mm512_unpacklo_epi8(q, zero));
        s.v1 = _mm512_add_epi16(s.v1, _mm512_unpackhi_epi8(q, zero));
    }
    return s;
}

PARE_AVX512_INLINE bool is_doubtful(const pare_qpool_sums *sums, words s)
{
    __mmask32 found = 0;

    for (int i = 0; i < sums->n_doubtful; i++) {
        const __m512i one = _mm512_set1_epi16((short)sums->doubtful[i]);
        found |= _mm512_cmpeq_epi16_mask(s.v0, one) | _mm512_cmpeq_epi16_mask(s.v1, one);
    }
    return found != 0;
}

/* rint(S * factor + constant). */
PARE_AVX512_INLINE __m512i finish_total(const pare_qpool_sums *sums, __m512i s)
{
    return _mm512_cvtps_epi32(
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(s), _mm512_set1_ps(sums->factor), _mm512_set1_ps(sums->constant)));
}

PARE_AVX512_INLINE __m512i codes_of(const pare_qpool_sums *sums, words s)
{
    const __m512i     zero = _mm512_setzero_si512();
    const pare_q512x4 q = { finish_total(sums, _mm512_unpacklo_epi16(s.v0, zero)),
                            finish_total(sums, _mm512_unpackhi_epi16(s.v0, zero)),
                            finish_total(sums, _mm512_unpacklo_epi16(s.v1, zero)),
                            finish_total(sums, _mm512_unpackhi_epi16(s.v1, zero)) };

    return pare_q512_pack(q, true, zero, zero, _mm512_set1_epi8(-1));
}

/* `n` outputs from o on, whose columns fit the buffer. */
PARE_AVX512_INLINE void total_block(const pare_qpool_window *w, int c, __mmask64 mask, int o, int n)
{
    const int      stride = (int)(w->x_step / w->pixel);
    const uint8_t *x = w->x + o * w->x_step + c;
    words          column[COLUMNS];

    for (int i = 0; i < (n - 1) * stride + w->columns; i++)
        column[i] = add_column(w, x + i * w->pixel, mask);
    for (int k = 0; k < n; k++) {
        words s = column[k * stride];

        for (int j = 1; j < w->columns; j++) {
            s.v0 = _mm512_add_epi16(s.v0, column[k * stride + j].v0);
            s.v1 = _mm512_add_epi16(s.v1, column[k * stride + j].v1);
        }
        save(w, w->y + (o + k) * w->y_step + c, mask,
             is_doubtful(w->sums, s) ? average(w, x + k * w->x_step, mask) : codes_of(w->sums, s));
    }
}

ISA void pare_qpool_totals_avx512vnni(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    const int               stride = (int)(w.x_step / w.pixel), most = (COLUMNS - w.columns) / stride + 1;

    if (w.columns > COLUMNS) {
        pare_qpool_average_avx512vnni(arg);
        return;
    }
    for (int c = 0; c < w.channels; c += 64)
        for (int o = 0; o < w.outputs; o += most)
            total_block(&w, c, pare_q512_mask(w.channels - c), o, w.outputs - o < most ? w.outputs - o : most);
}

/* rint((float)(sum - taps * zx) * factor). */
PARE_AVX512_INLINE __m512i finish_mean(__m512i sum, __m512i offset, __m512 factor)
{
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sum, offset)), factor));
}

PARE_AVX512_INLINE __m512i mean(const pare_qpool_window *w, const uint8_t *x, __mmask64 mask)
{
    const __m512  factor = _mm512_set1_ps(w->sx / (w->sy * (float)w->n));
    const __m512i offset = _mm512_set1_epi32(w->rows * w->columns * w->zx);
    const __m512i zero = _mm512_setzero_si512();
    pare_q512x4   s = { zero, zero, zero, zero };

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++) {
            const uint8_t *const at = x + i * w->row + j * w->pixel;
            const pare_q512x4    q = pare_q512_unpack(_mm512_maskz_loadu_epi8(mask, at), true);
            s = (pare_q512x4){ _mm512_add_epi32(s.v0, q.v0), _mm512_add_epi32(s.v1, q.v1), _mm512_add_epi32(s.v2, q.v2),
                               _mm512_add_epi32(s.v3, q.v3) };
        }
    s = (pare_q512x4){ finish_mean(s.v0, offset, factor), finish_mean(s.v1, offset, factor),
                       finish_mean(s.v2, offset, factor), finish_mean(s.v3, offset, factor) };
    return pare_q512_pack(s, true, _mm512_set1_epi16((short)w->zy), zero, _mm512_set1_epi8(-1));
}

ISA void pare_qpool_mean_avx512vnni(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 64) {
        const __mmask64 mask = pare_q512_mask(w.channels - c);

        for (int o = 0; o < w.outputs; o++)
            save(&w, w.y + o * w.y_step + c, mask, mean(&w, w.x + o * w.x_step + c, mask));
    }
}
#else
typedef int not_x86;
#endif
