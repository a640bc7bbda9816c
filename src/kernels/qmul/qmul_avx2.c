/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_avx2.c - 16 codes at a time */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qmul/qmul.h"
#include "kernels/qconv/qepilogue_avx2.h"

#define ISA __attribute__((target("avx2,fma")))

/* High words of the differences are sign copies: cleared in b, vpmaddwd multiplies the low ones exactly. */
PARE_AVX2_INLINE __m256i multiply_8(const pare_qmul_params *p, __m256i a, __m256i b)
{
    const __m256i low = _mm256_and_si256(_mm256_sub_epi32(b, _mm256_set1_epi32(p->zb)), _mm256_set1_epi32(0xffff));
    const __m256i product = _mm256_madd_epi16(_mm256_sub_epi32(a, _mm256_set1_epi32(p->za)), low);
    const __m256  scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(product), _mm256_set1_ps(p->m));

    return _mm256_cvtps_epi32(_mm256_add_ps(scaled, _mm256_set1_ps((float)p->zy)));
}

ISA void pare_qmul_avx2(const pare_qmul_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    const pare_qmul_params copy = *p; /* stores to y cannot alias it */
    const __m128i          scalar = _mm_set1_epi8(n > 0 ? (char)*b : 0);

    for (long i = 0; i < n; i += 16) {
        const int         count = n - i < 16 ? (int)(n - i) : 16;
        const pare_q256x2 va = pare_q256_unpack(pare_q256_load(a + i, count), true);
        const pare_q256x2 vb = pare_q256_unpack(b_step ? pare_q256_load(b + i, count) : scalar, true);
        const pare_q256x2 v = { multiply_8(&copy, va.v0, vb.v0), multiply_8(&copy, va.v1, vb.v1) };
        pare_q256_save(y + i, count, pare_q256_pack(v, true, 0, copy.lo, copy.hi));
    }
}

/* b - zb and -za * (b - zb) of 8 channels: whole numbers, so a * gate + offset is exact. */
typedef struct gates {
    __m256 gate, offset;
} gates;

PARE_AVX2_INLINE gates gates_of(const pare_qmul_params *p, __m256i b)
{
    const __m256 gate = _mm256_cvtepi32_ps(_mm256_sub_epi32(b, _mm256_set1_epi32(p->zb)));

    return (gates){ gate, _mm256_mul_ps(gate, _mm256_set1_ps((float)-p->za)) };
}

PARE_AVX2_INLINE __m256i gate_8(const pare_qmul_params *p, const gates *g, __m256i a)
{
    const __m256 product = _mm256_fmadd_ps(_mm256_cvtepi32_ps(a), g->gate, g->offset);

    return _mm256_cvtps_epi32(
        _mm256_add_ps(_mm256_mul_ps(product, _mm256_set1_ps(p->m)), _mm256_set1_ps((float)p->zy)));
}

ISA void pare_qmul_gate_avx2(const pare_qmul_params *params, const pare_qmul_gated *gated)
{
    const pare_qmul_params p = *params; /* stores to y cannot alias them */
    const pare_qmul_gated  g = *gated;

    for (long c = 0; c < g.channels; c += 16) {
        const int         count = g.channels - c < 16 ? (int)(g.channels - c) : 16;
        const pare_q256x2 b = pare_q256_unpack(pare_q256_load(g.b + c, count), true);
        const gates       g0 = gates_of(&p, b.v0), g1 = gates_of(&p, b.v1);

        for (long i = 0; i < g.pixels; i++) {
            const pare_q256x2 a = pare_q256_unpack(pare_q256_load(g.a + i * g.a_pixel + c, count), true);
            const pare_q256x2 v = { gate_8(&p, &g0, a.v0), gate_8(&p, &g1, a.v1) };
            pare_q256_save(g.y + i * g.y_pixel + c, count, pare_q256_pack(v, true, 0, p.lo, p.hi));
        }
    }
}
#else
typedef int not_x86;
#endif
