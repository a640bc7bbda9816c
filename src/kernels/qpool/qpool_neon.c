/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_neon.c - 16 channels at a time */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qconv/qepilogue_neon.h"
#include "kernels/qpool/qpool.h"

/* Sums of 8-bit codes that a word holds: 257 * 255 = 65535. */
enum { TAPS_IN_A_WORD = 257 };

PARE_NEON_INLINE uint8x16_t max_window(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    uint8x16_t most = vdupq_n_u8(0);

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++)
            most = vmaxq_u8(most, pare_q128_load(x + i * w->row + j * w->pixel, channels));
    return vminq_u8(vmaxq_u8(most, vdupq_n_u8((uint8_t)w->lo)), vdupq_n_u8((uint8_t)w->hi));
}

void pare_qpool_max_neon(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o++)
            pare_q128_save(w.y + o * w.y_step + c, w.channels - c,
                           max_window(&w, w.x + o * w.x_step + c, w.channels - c));
}

void pare_qpool_peak_neon(const uint8_t *x, ptrdiff_t row, int rows, uint8_t *y, long n)
{
    long i = 0;

    for (; i + 32 <= n; i += 32) {
        uint8x16_t a = vld1q_u8(x + i), b = vld1q_u8(x + i + 16);

        for (int r = 1; r < rows; r++) {
            a = vmaxq_u8(a, vld1q_u8(x + r * row + i));
            b = vmaxq_u8(b, vld1q_u8(x + r * row + i + 16));
        }
        vst1q_u8(y + i, a);
        vst1q_u8(y + i + 16, b);
    }
    for (; i < n; i += 16) {
        uint8x16_t most = pare_q128_load(x + i, (int)(n - i));

        for (int r = 1; r < rows; r++)
            most = vmaxq_u8(most, pare_q128_load(x + r * row + i, (int)(n - i)));
        pare_q128_save(y + i, (int)(n - i), most);
    }
}

/* s + sx * (float)(q - zx) */
PARE_NEON_INLINE float32x4_t accumulate(const pare_qpool_window *w, float32x4_t s, int32x4_t difference)
{
    return vaddq_f32(s, vmulq_f32(vdupq_n_f32(w->sx), vcvtq_f32_s32(difference)));
}

/* rint((s / n) / sy + zy) */
PARE_NEON_INLINE int32x4_t finish_average(const pare_qpool_window *w, float32x4_t s)
{
    const float32x4_t mean = vdivq_f32(vdivq_f32(s, vdupq_n_f32((float)w->n)), vdupq_n_f32(w->sy));

    return vcvtnq_s32_f32(vaddq_f32(mean, vdupq_n_f32((float)w->zy)));
}

PARE_NEON_INLINE uint8x16_t average(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    const uint8x16_t zx = vdupq_n_u8((uint8_t)w->zx);
    float32x4_t      s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++) {
            const uint8x16_t q = pare_q128_load(x + i * w->row + j * w->pixel, channels);
            const int16x8_t  a = vreinterpretq_s16_u16(vsubl_u8(vget_low_u8(q), vget_low_u8(zx)));
            const int16x8_t  b = vreinterpretq_s16_u16(vsubl_high_u8(q, zx));
            s0 = accumulate(w, s0, vmovl_s16(vget_low_s16(a)));
            s1 = accumulate(w, s1, vmovl_high_s16(a));
            s2 = accumulate(w, s2, vmovl_s16(vget_low_s16(b)));
            s3 = accumulate(w, s3, vmovl_high_s16(b));
        }
    const pare_q128x4 q = { finish_average(w, s0), finish_average(w, s1), finish_average(w, s2),
                            finish_average(w, s3) };

    return pare_q128_pack(q, vdupq_n_s16(0), vdupq_n_u8((uint8_t)w->lo), vdupq_n_u8((uint8_t)w->hi));
}

void pare_qpool_average_neon(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;

    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o++)
            pare_q128_save(w.y + o * w.y_step + c, w.channels - c, average(&w, w.x + o * w.x_step + c, w.channels - c));
}

/* Sums of 16 channels' codes, which the windows of a line share. */
enum { COLUMNS = 128 };

typedef struct words {
    uint16x8_t lo, hi;
} words;

PARE_NEON_INLINE words add_column(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    words s = { vdupq_n_u16(0), vdupq_n_u16(0) };

    for (int i = 0; i < w->rows; i++) {
        const uint8x16_t q = pare_q128_load(x + i * w->row, channels);
        s = (words){ vaddw_u8(s.lo, vget_low_u8(q)), vaddw_high_u8(s.hi, q) };
    }
    return s;
}

PARE_NEON_INLINE bool is_doubtful(const pare_qpool_sums *sums, words s)
{
    uint16x8_t found = vdupq_n_u16(0);

    for (int i = 0; i < sums->n_doubtful; i++) {
        const uint16x8_t one = vdupq_n_u16(sums->doubtful[i]);
        found = vorrq_u16(found, vorrq_u16(vceqq_u16(s.lo, one), vceqq_u16(s.hi, one)));
    }
    return vmaxvq_u16(found) != 0;
}

/* rint(S * factor + constant) */
PARE_NEON_INLINE int32x4_t finish_total(const pare_qpool_sums *sums, uint32x4_t s)
{
    return vcvtnq_s32_f32(vfmaq_f32(vdupq_n_f32(sums->constant), vcvtq_f32_u32(s), vdupq_n_f32(sums->factor)));
}

PARE_NEON_INLINE uint8x16_t codes_of(const pare_qpool_window *w, words s)
{
    const pare_q128x4 q = {
        finish_total(w->sums, vmovl_u16(vget_low_u16(s.lo))),
        finish_total(w->sums, vmovl_high_u16(s.lo)),
        finish_total(w->sums, vmovl_u16(vget_low_u16(s.hi))),
        finish_total(w->sums, vmovl_high_u16(s.hi)),
    };

    return pare_q128_pack(q, vdupq_n_s16(0), vdupq_n_u8((uint8_t)w->lo), vdupq_n_u8((uint8_t)w->hi));
}

/* `n` outputs from o on, whose columns fit the buffer. */
PARE_NEON_INLINE void total_block(const pare_qpool_window *w, int c, int o, int n)
{
    const int      stride = (int)(w->x_step / w->pixel), channels = w->channels - c;
    const uint8_t *x = w->x + o * w->x_step + c;
    words          column[COLUMNS];

    for (int i = 0; i < (n - 1) * stride + w->columns; i++)
        column[i] = add_column(w, x + i * w->pixel, channels);
    for (int k = 0; k < n; k++) {
        words s = column[k * stride];

        for (int j = 1; j < w->columns; j++)
            s = (words){ vaddq_u16(s.lo, column[k * stride + j].lo), vaddq_u16(s.hi, column[k * stride + j].hi) };
        pare_q128_save(w->y + (o + k) * w->y_step + c, channels,
                       is_doubtful(w->sums, s) ? average(w, x + k * w->x_step, channels) : codes_of(w, s));
    }
}

void pare_qpool_totals_neon(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    const int               stride = (int)(w.x_step / w.pixel), most = (COLUMNS - w.columns) / stride + 1;

    if (w.columns > COLUMNS) {
        pare_qpool_average_neon(arg);
        return;
    }
    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o += most)
            total_block(&w, c, o, w.outputs - o < most ? w.outputs - o : most);
}

/* The sum of 16 channels over the window: in words as long as they hold it. */
PARE_NEON_INLINE pare_q128x4 sum_of(const pare_qpool_window *w, const uint8_t *x, int channels)
{
    pare_q128x4 sum = { vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0) };
    uint16x8_t  lo = vdupq_n_u16(0), hi = lo;
    int         taps = 0;

    for (int i = 0; i < w->rows; i++)
        for (int j = 0; j < w->columns; j++) {
            const uint8x16_t q = pare_q128_load(x + i * w->row + j * w->pixel, channels);

            lo = vaddw_u8(lo, vget_low_u8(q));
            hi = vaddw_high_u8(hi, q);
            if (++taps < TAPS_IN_A_WORD && !(i == w->rows - 1 && j == w->columns - 1))
                continue;
            sum.v0 = vreinterpretq_s32_u32(vaddw_u16(vreinterpretq_u32_s32(sum.v0), vget_low_u16(lo)));
            sum.v1 = vreinterpretq_s32_u32(vaddw_high_u16(vreinterpretq_u32_s32(sum.v1), lo));
            sum.v2 = vreinterpretq_s32_u32(vaddw_u16(vreinterpretq_u32_s32(sum.v2), vget_low_u16(hi)));
            sum.v3 = vreinterpretq_s32_u32(vaddw_high_u16(vreinterpretq_u32_s32(sum.v3), hi));
            lo = hi = vdupq_n_u16(0);
            taps = 0;
        }
    return sum;
}

/* rint((float)(sum - taps * zx) * factor) */
PARE_NEON_INLINE int32x4_t finish_mean(int32x4_t sum, int32x4_t offset, float32x4_t factor)
{
    return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(vsubq_s32(sum, offset)), factor));
}

void pare_qpool_mean_neon(const pare_qpool_window *arg)
{
    const pare_qpool_window w = *arg;
    const float32x4_t       factor = vdupq_n_f32(w.sx / (w.sy * (float)w.n));
    const int32x4_t         offset = vdupq_n_s32(w.rows * w.columns * w.zx);
    const int16x8_t         zero = vdupq_n_s16((int16_t)w.zy);
    const uint8x16_t        lo = vdupq_n_u8((uint8_t)w.lo), hi = vdupq_n_u8((uint8_t)w.hi);

    for (int c = 0; c < w.channels; c += 16)
        for (int o = 0; o < w.outputs; o++) {
            const pare_q128x4 s = sum_of(&w, w.x + o * w.x_step + c, w.channels - c);
            const pare_q128x4 q = { finish_mean(s.v0, offset, factor), finish_mean(s.v1, offset, factor),
                                    finish_mean(s.v2, offset, factor), finish_mean(s.v3, offset, factor) };
            pare_q128_save(w.y + o * w.y_step + c, w.channels - c, pare_q128_pack(q, zero, lo, hi));
        }
}
#else
typedef int not_arm64;
#endif
