/* SPDX-License-Identifier: Apache-2.0 */
/* qadd_avx512vnni.c - 64 codes at a time; unpacks and packs stay within lanes, so nothing is permuted */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qadd/qadd.h"
#include "kernels/qconv/qepilogue_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

typedef struct constants {
    __m512  ra, rb, k;
    __m512i lo, hi;
} constants;

PARE_AVX512_INLINE __m512i add_16(const constants *c, __m512i a, __m512 b)
{
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(a), c->ra, b));
}

/* b * rb + k. */
PARE_AVX512_INLINE __m512 inner(const constants *c, __m512i b)
{
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(b), c->rb, c->k);
}

PARE_AVX512_INLINE __m512i add_64(const constants *c, __m512i a, __m512i b)
{
    const pare_q512x4 va = pare_q512_unpack(a, true), vb = pare_q512_unpack(b, true);
    const pare_q512x4 v = { add_16(c, va.v0, inner(c, vb.v0)), add_16(c, va.v1, inner(c, vb.v1)),
                            add_16(c, va.v2, inner(c, vb.v2)), add_16(c, va.v3, inner(c, vb.v3)) };

    return pare_q512_pack(v, true, _mm512_setzero_si512(), c->lo, c->hi);
}

ISA void pare_qadd_avx512vnni(const pare_qadd_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y,
                              long n)
{
    const __m512i   scalar = _mm512_set1_epi8(n > 0 ? (char)*b : 0);
    const constants c = { _mm512_set1_ps(p->ra), _mm512_set1_ps(p->rb), _mm512_set1_ps(p->k),
                          _mm512_set1_epi8((char)p->lo), _mm512_set1_epi8((char)p->hi) };

    for (long i = 0; i < n; i += 64) {
        const __mmask64 mask = pare_q512_mask(n - i < 64 ? (int)(n - i) : 64);
        const __m512i   va = _mm512_maskz_loadu_epi8(mask, a + i);
        const __m512i   vb = b_step ? _mm512_maskz_loadu_epi8(mask, b + i) : scalar;
        _mm512_mask_storeu_epi8(y + i, mask, add_64(&c, va, vb));
    }
}
#else
typedef int not_x86;
#endif
