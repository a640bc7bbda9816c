/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_avx512.h - lanes in one register of 512 bits; see lanes_c.h for what each function means */
#ifndef PARE_KERNELS_LANES_AVX512_H
#define PARE_KERNELS_LANES_AVX512_H

#include <immintrin.h>

#include "base/math.h"

#undef ISA
#define ISA    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq")))
#define INLINE ISA static inline __attribute__((always_inline, unused))

typedef __m512 lanes;

INLINE __mmask16 lanes_mask(long n)
{
    return n >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << n) - 1);
}

INLINE lanes lanes_load(const float *x, long n)
{
    return n >= 16 ? _mm512_loadu_ps(x) : _mm512_maskz_loadu_ps(lanes_mask(n), x);
}

INLINE void lanes_store(float *y, lanes v, long n)
{
    if (n >= 16)
        _mm512_storeu_ps(y, v);
    else
        _mm512_mask_storeu_ps(y, lanes_mask(n), v);
}

INLINE lanes lanes_set(float x)
{
    return _mm512_set1_ps(x);
}

INLINE lanes lanes_first(lanes v, long n, float other)
{
    return n >= 16 ? v : _mm512_mask_blend_ps(lanes_mask(n), _mm512_set1_ps(other), v);
}

INLINE lanes lanes_add(lanes a, lanes b)
{
    return _mm512_add_ps(a, b);
}

INLINE lanes lanes_sub(lanes a, lanes b)
{
    return _mm512_sub_ps(a, b);
}

INLINE lanes lanes_mul(lanes a, lanes b)
{
    return _mm512_mul_ps(a, b);
}

INLINE lanes lanes_div(lanes a, lanes b)
{
    return _mm512_div_ps(a, b);
}

INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return _mm512_fmadd_ps(a, b, c);
}

INLINE lanes lanes_abs(lanes v)
{
    return _mm512_abs_ps(v);
}

INLINE lanes lanes_copysign(lanes v, lanes s)
{
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_set1_epi32(0x7fffffff), _mm512_castps_si512(v), _mm512_castps_si512(s), 0xca));
}

/* vmaxps and vminps give their second operand where one is NaN or both are zero. */
INLINE lanes lanes_at_least(lanes v, float bound)
{
    return _mm512_max_ps(_mm512_set1_ps(bound), v);
}

INLINE lanes lanes_at_most(lanes v, float bound)
{
    return _mm512_min_ps(_mm512_set1_ps(bound), v);
}

INLINE lanes lanes_larger(lanes a, lanes b)
{
    return _mm512_mask_mov_ps(_mm512_max_ps(b, a), _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), b);
}

INLINE lanes lanes_pick_at_least(lanes v, float bound, float yes, lanes no)
{
    return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(v, _mm512_set1_ps(bound), _CMP_GE_OQ), _mm512_set1_ps(yes));
}

INLINE lanes lanes_quiet(lanes v)
{
    return _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q),
                              _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)));
}

/* vscalefps rounds once, as the two products of the definition do. */
INLINE lanes lanes_scale(lanes p, lanes t)
{
    return _mm512_scalef_ps(p, _mm512_sub_ps(t, _mm512_set1_ps(0x1.8p23f)));
}

INLINE lanes lanes_across(lanes v, int half)
{
    switch (half) {
    case 8:
        return _mm512_shuffle_f32x4(v, v, 0x4e);
    case 4:
        return _mm512_shuffle_f32x4(v, v, 0xb1);
    case 2:
        return _mm512_permute_ps(v, 0x4e);
    default:
        return _mm512_permute_ps(v, 0xb1);
    }
}

INLINE lanes lanes_sum(lanes v)
{
    v = _mm512_add_ps(v, lanes_across(v, 8));
    v = _mm512_add_ps(v, lanes_across(v, 4));
    v = _mm512_add_ps(v, lanes_across(v, 2));
    return _mm512_add_ps(v, lanes_across(v, 1));
}

INLINE lanes lanes_max(lanes a, lanes b)
{
    return _mm512_max_ps(a, b);
}

INLINE lanes lanes_most(lanes v)
{
    v = _mm512_max_ps(v, lanes_across(v, 8));
    v = _mm512_max_ps(v, lanes_across(v, 4));
    v = _mm512_max_ps(v, lanes_across(v, 2));
    return _mm512_max_ps(v, lanes_across(v, 1));
}

INLINE float lanes_one(lanes v)
{
    return _mm512_cvtss_f32(v);
}

#endif
