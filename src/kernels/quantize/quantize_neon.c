/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_neon.c - 16 values at a time; tails through the reference or a block filled up */
#include "cpu/cpu.h"

#if PARE_ARM64
#include <string.h>

#include "kernels/neon.h"
#include "kernels/quantize/quantize.h"

/* What a value becomes: clamp(rint(value) + zero), plus an offset. */
typedef struct rule {
    float32x4_t zero, lo, hi;
    int32x4_t   offset;
} rule;

/* fmaxnm gives lo for a NaN, which arithmetic has made a quiet one. */
PARE_NEON_INLINE int32x4_t code_4(const rule *r, float32x4_t value)
{
    const float32x4_t v = vaddq_f32(vrndnq_f32(value), r->zero);

    return vaddq_s32(vcvtq_s32_f32(vminq_f32(vmaxnmq_f32(v, r->lo), r->hi)), r->offset);
}

/* The low bytes of 16 dwords. */
PARE_NEON_INLINE uint8x16_t low_bytes(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d)
{
    const int16x8_t ab = vmovn_high_s32(vmovn_s32(a), b), cd = vmovn_high_s32(vmovn_s32(c), d);

    return vreinterpretq_u8_s8(vmovn_high_s16(vmovn_s16(ab), cd));
}

void pare_quantize_neon(const pare_quantize_params *p, const float *x, uint8_t *y, long n)
{
    const pare_quantize_params copy = *p;
    const float32x4_t          scale = vdupq_n_f32(copy.scale);
    const rule r = { vdupq_n_f32((float)copy.zero), vdupq_n_f32((float)copy.lo), vdupq_n_f32((float)copy.hi),
                     vdupq_n_s32(0) };
    long       i = 0;

    for (; i + 16 <= n; i += 16)
        vst1q_u8(y + i, low_bytes(code_4(&r, vdivq_f32(vld1q_f32(x + i), scale)),
                                  code_4(&r, vdivq_f32(vld1q_f32(x + i + 4), scale)),
                                  code_4(&r, vdivq_f32(vld1q_f32(x + i + 8), scale)),
                                  code_4(&r, vdivq_f32(vld1q_f32(x + i + 12), scale))));
    pare_quantize_ref(&copy, x + i, y + i, n - i);
}

void pare_quantize_pixel4_neon(const pare_quantize_planar_desc *desc, const float *x, uint8_t *y, long n)
{
    const pare_quantize_planar_desc d = *desc;
    const float32x4_t               scale = vdupq_n_f32(d.params.scale);
    const rule                      r = { vdupq_n_f32((float)d.params.zero), vdupq_n_f32((float)d.params.lo),
                                          vdupq_n_f32((float)d.params.hi), vdupq_n_s32(0) };
    long                            i = 0;

    for (; i + 4 <= n; i += 4) {
        int32x4_t pixels = vdupq_n_s32(0);

        for (int c = d.channels - 1; c >= 0; c--) {
            const int32x4_t q = code_4(&r, vdivq_f32(vld1q_f32(x + c * d.plane + i), scale));
            pixels = vorrq_s32(vshlq_n_s32(pixels, 8), vandq_s32(q, vdupq_n_s32(0xff)));
        }
        vst1q_u8(y + 4 * i, vreinterpretq_u8_s32(pixels));
    }
    pare_quantize_pixel4_ref(&d, x + i, y + 4 * i, n - i);
}

void pare_dequantize_neon(const pare_quantize_params *p, const uint8_t *x, float *y, long n)
{
    const pare_quantize_params copy = *p;
    const float32x4_t          scale = vdupq_n_f32(copy.scale);
    const int32x4_t            zero = vdupq_n_s32(copy.zero);
    long                       i = 0;

    for (; i + 8 <= n; i += 8) {
        const uint8x8_t q = vld1_u8(x + i);
        const int16x8_t v = copy.lo < 0 ? vmovl_s8(vreinterpret_s8_u8(q)) : vreinterpretq_s16_u16(vmovl_u8(q));
        const int32x4_t a = vsubq_s32(vmovl_s16(vget_low_s16(v)), zero), b = vsubq_s32(vmovl_high_s16(v), zero);
        vst1q_f32(y + i, vmulq_f32(vcvtq_f32_s32(a), scale));
        vst1q_f32(y + i + 4, vmulq_f32(vcvtq_f32_s32(b), scale));
    }
    pare_dequantize_ref(&copy, x + i, y + i, n - i);
}

/* The greater of `most` and |x|; NaN is not greater. Not fmaxnm, which lets a signalling NaN win. */
PARE_NEON_INLINE float32x4_t larger(float32x4_t most, float32x4_t x)
{
    const float32x4_t size = vabsq_f32(x);

    return vbslq_f32(vcgtq_f32(size, most), size, most);
}

float pare_quantize_largest_neon(const pare_quantize_pixels *p)
{
    float32x4_t m0 = vdupq_n_f32(0), m1 = m0, m2 = m0, m3 = m0;

    for (long i = 0; i < p->n; i++) {
        const float *x = p->x + i * p->x_step;
        long         c = p->channels;

        for (; c >= 16; c -= 16, x += 16) {
            m0 = larger(m0, vld1q_f32(x));
            m1 = larger(m1, vld1q_f32(x + 4));
            m2 = larger(m2, vld1q_f32(x + 8));
            m3 = larger(m3, vld1q_f32(x + 12));
        }
        for (; c >= 4; c -= 4, x += 4)
            m0 = larger(m0, vld1q_f32(x));
        for (; c > 0; c--, x++)
            m1 = larger(m1, vdupq_n_f32(*x));
    }
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(m0, m1), vmaxq_f32(m2, m3)));
}

PARE_NEON_INLINE uint8x16_t codes_16(const rule *r, float32x4_t inverse, const float *x)
{
    return low_bytes(code_4(r, vmulq_f32(vld1q_f32(x), inverse)), code_4(r, vmulq_f32(vld1q_f32(x + 4), inverse)),
                     code_4(r, vmulq_f32(vld1q_f32(x + 8), inverse)), code_4(r, vmulq_f32(vld1q_f32(x + 12), inverse)));
}

void pare_quantize_codes_neon(const pare_quantize_pixels *p, float a)
{
    /* Where a = 0 the bounds make every code 0. */
    const float32x4_t inverse = vdupq_n_f32(127 / a), hi = vdupq_n_f32(a > 0 ? 127 : 0);
    const rule        r = { vdupq_n_f32(0), vnegq_f32(hi), hi, vdupq_n_s32(128) };

    for (long i = 0; i < p->n; i++) {
        const float *x = p->x + i * p->x_step;
        uint8_t     *y = p->y + i * p->y_step;
        long         c = p->channels;

        for (; c >= 16; c -= 16, x += 16, y += 16)
            vst1q_u8(y, codes_16(&r, inverse, x));
        if (c > 0) {
            float   rest[16] = { 0 };
            uint8_t codes[16];

            memcpy(rest, x, (size_t)c * sizeof(float));
            vst1q_u8(codes, codes_16(&r, inverse, rest));
            memcpy(y, codes, (size_t)c);
        }
    }
}
#else
typedef int not_arm64;
#endif
