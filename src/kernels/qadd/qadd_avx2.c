/* SPDX-License-Identifier: Apache-2.0 */
/* qadd_avx2.c - 16 codes at a time */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qadd/qadd.h"
#include "kernels/qconv/qepilogue_avx2.h"

#define ISA __attribute__((target("avx2,fma")))

PARE_AVX2_INLINE __m256i add_8(const pare_qadd_params *p, __m256i a, __m256i b)
{
    const __m256 inner = _mm256_fmadd_ps(_mm256_cvtepi32_ps(b), _mm256_set1_ps(p->rb), _mm256_set1_ps(p->k));

    return _mm256_cvtps_epi32(_mm256_fmadd_ps(_mm256_cvtepi32_ps(a), _mm256_set1_ps(p->ra), inner));
}

ISA void pare_qadd_avx2(const pare_qadd_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    const pare_qadd_params copy = *p; /* stores to y cannot alias it */
    const __m128i          scalar = _mm_set1_epi8(n > 0 ? (char)*b : 0);

    for (long i = 0; i < n; i += 16) {
        const int         count = n - i < 16 ? (int)(n - i) : 16;
        const pare_q256x2 va = pare_q256_unpack(pare_q256_load(a + i, count), true);
        const pare_q256x2 vb = pare_q256_unpack(b_step ? pare_q256_load(b + i, count) : scalar, true);
        const pare_q256x2 v = { add_8(&copy, va.v0, vb.v0), add_8(&copy, va.v1, vb.v1) };
        pare_q256_save(y + i, count, pare_q256_pack(v, true, 0, copy.lo, copy.hi));
    }
}
#else
typedef int not_x86;
#endif
