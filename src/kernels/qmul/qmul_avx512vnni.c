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

/* b - zb and -za * (b - zb) of 16 channels: whole numbers, so a * gate + offset is exact. */
typedef struct gates {
    __m512 gate, offset;
} gates;

PARE_AVX512_INLINE gates gates_of(const pare_qmul_params *p, __m512i b)
{
    const __m512 gate = _mm512_cvtepi32_ps(_mm512_sub_epi32(b, _mm512_set1_epi32(p->zb)));

    return (gates){ gate, _mm512_mul_ps(gate, _mm512_set1_ps((float)-p->za)) };
}

PARE_AVX512_INLINE __m512i gate_16(const constants *c, const gates *g, __m512i a)
{
    const __m512 product = _mm512_fmadd_ps(_mm512_cvtepi32_ps(a), g->gate, g->offset);

    return _mm512_cvtps_epi32(_mm512_add_ps(_mm512_mul_ps(product, c->m), c->zero));
}

PARE_AVX512_INLINE void gate_block(const pare_qmul_params *p, const pare_qmul_gated *g, const constants *k, long c,
                                   __mmask64 mask, bool whole)
{
    const pare_q512x4 b = pare_q512_unpack(_mm512_maskz_loadu_epi8(mask, g->b + c), true);
    const gates       g0 = gates_of(p, b.v0), g1 = gates_of(p, b.v1), g2 = gates_of(p, b.v2), g3 = gates_of(p, b.v3);

    for (long i = 0; i < g->pixels; i++) {
        const uint8_t *const at = g->a + i * g->a_pixel + c;
        const pare_q512x4    a =
            pare_q512_unpack(whole ? _mm512_loadu_si512(at) : _mm512_maskz_loadu_epi8(mask, at), true);
        const pare_q512x4 v = { gate_16(k, &g0, a.v0), gate_16(k, &g1, a.v1), gate_16(k, &g2, a.v2),
                                gate_16(k, &g3, a.v3) };
        const __m512i     q = pare_q512_pack(v, true, _mm512_setzero_si512(), k->lo, k->hi);

        if (whole)
            _mm512_storeu_si512(g->y + i * g->y_pixel + c, q);
        else
            _mm512_mask_storeu_epi8(g->y + i * g->y_pixel + c, mask, q);
    }
}

ISA void pare_qmul_gate_avx512vnni(const pare_qmul_params *params, const pare_qmul_gated *gated)
{
    const pare_qmul_params p = *params; /* stores to y cannot alias them */
    const pare_qmul_gated  g = *gated;
    const constants        k = { .m = _mm512_set1_ps(p.m),
                                 .zero = _mm512_set1_ps((float)p.zy),
                                 .lo = _mm512_set1_epi8((char)p.lo),
                                 .hi = _mm512_set1_epi8((char)p.hi) };
    long                   c = 0;

    for (; c + 64 <= g.channels; c += 64)
        gate_block(&p, &g, &k, c, ~(__mmask64)0, true);
    if (c < g.channels)
        gate_block(&p, &g, &k, c, pare_q512_mask((int)(g.channels - c)), false);
}
#else
typedef int not_x86;
#endif
