/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_avx512vnni.c - 64 codes at a time; unpacks and packs stay within lanes, so nothing is permuted */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qmul/qmul.h"
#include "kernels/qconv/qepilogue_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

typedef struct constants {
    __m512  m, zero;
    __m512i za, zb, lo, hi;
} constants;

/* High words of the differences are sign copies: cleared in b, vpmaddwd multiplies the low ones exactly. */
PARE_AVX512_INLINE __m512i multiply_16(const constants *c, __m512i a, __m512i b)
{
    const __m512i low = _mm512_and_si512(_mm512_sub_epi32(b, c->zb), _mm512_set1_epi32(0xffff));
    const __m512i product = _mm512_madd_epi16(_mm512_sub_epi32(a, c->za), low);

    return _mm512_cvtps_epi32(_mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(product), c->m), c->zero));
}

PARE_AVX512_INLINE __m512i multiply_64(const constants *c, __m512i a, __m512i b)
{
    const pare_q512x4 va = pare_q512_unpack(a, true), vb = pare_q512_unpack(b, true);
    const pare_q512x4 v = { multiply_16(c, va.v0, vb.v0), multiply_16(c, va.v1, vb.v1), multiply_16(c, va.v2, vb.v2),
                            multiply_16(c, va.v3, vb.v3) };

    return pare_q512_pack(v, true, _mm512_setzero_si512(), c->lo, c->hi);
}

ISA void pare_qmul_avx512vnni(const pare_qmul_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y,
                              long n)
{
    const __m512i   scalar = _mm512_set1_epi8(n > 0 ? (char)*b : 0);
    const constants c = {
        .m = _mm512_set1_ps(p->m),
        .zero = _mm512_set1_ps((float)p->zy),
        .za = _mm512_set1_epi32(p->za),
        .zb = _mm512_set1_epi32(p->zb),
        .lo = _mm512_set1_epi8((char)p->lo),
        .hi = _mm512_set1_epi8((char)p->hi),
    };

    for (long i = 0; i < n; i += 64) {
        const __mmask64 mask = pare_q512_mask(n - i < 64 ? (int)(n - i) : 64);
        const __m512i   va = _mm512_maskz_loadu_epi8(mask, a + i);
        const __m512i   vb = b_step ? _mm512_maskz_loadu_epi8(mask, b + i) : scalar;
        _mm512_mask_storeu_epi8(y + i, mask, multiply_64(&c, va, vb));
    }
}
#else
typedef int not_x86;
#endif
