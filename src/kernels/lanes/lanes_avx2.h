/* SPDX-License-Identifier: Apache-2.0 */
/* lanes_avx2.h - lanes in two registers of 256 bits; see lanes_c.h for what each function means */
#ifndef PARE_KERNELS_LANES_AVX2_H
#define PARE_KERNELS_LANES_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "base/math.h"

#undef ISA
#define ISA    __attribute__((target("avx2,fma")))
#define INLINE ISA static inline __attribute__((always_inline, unused))

typedef struct lanes {
    __m256 low, high; /* elements 0..7, 8..15 */
} lanes;

/* All ones in lane `first` + l, l = 0..7, where that is below n. */
INLINE __m256i lanes_half_mask(long n, int first)
{
    const __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n - first), at);
}

INLINE lanes lanes_load(const float *x, long n)
{
    if (n >= 16)
        return (lanes){ _mm256_loadu_ps(x), _mm256_loadu_ps(x + 8) };
    return (lanes){ _mm256_maskload_ps(x, lanes_half_mask(n, 0)), _mm256_maskload_ps(x + 8, lanes_half_mask(n, 8)) };
}

INLINE void lanes_store(float *y, lanes v, long n)
{
    if (n >= 16) {
        _mm256_storeu_ps(y, v.low);
        _mm256_storeu_ps(y + 8, v.high);
    } else {
        _mm256_maskstore_ps(y, lanes_half_mask(n, 0), v.low);
        _mm256_maskstore_ps(y + 8, lanes_half_mask(n, 8), v.high);
    }
}

INLINE lanes lanes_set(float x)
{
    return (lanes){ _mm256_set1_ps(x), _mm256_set1_ps(x) };
}

INLINE lanes lanes_first(lanes v, long n, float other)
{
    const __m256 fill = _mm256_set1_ps(other);

    if (n >= 16)
        return v;
    return (lanes){ _mm256_blendv_ps(fill, v.low, _mm256_castsi256_ps(lanes_half_mask(n, 0))),
                    _mm256_blendv_ps(fill, v.high, _mm256_castsi256_ps(lanes_half_mask(n, 8))) };
}

#define LANES_BINARY(name, instruction)                                           \
    INLINE lanes name(lanes a, lanes b)                                           \
    {                                                                             \
        return (lanes){ instruction(a.low, b.low), instruction(a.high, b.high) }; \
    }
LANES_BINARY(lanes_add, _mm256_add_ps)
LANES_BINARY(lanes_sub, _mm256_sub_ps)
LANES_BINARY(lanes_mul, _mm256_mul_ps)
LANES_BINARY(lanes_div, _mm256_div_ps)

INLINE lanes lanes_fma(lanes a, lanes b, lanes c)
{
    return (lanes){ _mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high) };
}

INLINE lanes lanes_abs(lanes v)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);

    return (lanes){ _mm256_andnot_ps(sign, v.low), _mm256_andnot_ps(sign, v.high) };
}

INLINE lanes lanes_copysign(lanes v, lanes s)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);

    return (lanes){ _mm256_or_ps(_mm256_andnot_ps(sign, v.low), _mm256_and_ps(sign, s.low)),
                    _mm256_or_ps(_mm256_andnot_ps(sign, v.high), _mm256_and_ps(sign, s.high)) };
}

/* vmaxps and vminps give their second operand where one is NaN or both are zero. */
INLINE lanes lanes_at_least(lanes v, float bound)
{
    return (lanes){ _mm256_max_ps(_mm256_set1_ps(bound), v.low), _mm256_max_ps(_mm256_set1_ps(bound), v.high) };
}

INLINE lanes lanes_at_most(lanes v, float bound)
{
    return (lanes){ _mm256_min_ps(_mm256_set1_ps(bound), v.low), _mm256_min_ps(_mm256_set1_ps(bound), v.high) };
}

INLINE __m256 lanes_half_larger(__m256 a, __m256 b)
{
    return _mm256_blendv_ps(_mm256_max_ps(b, a), b, _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
}
LANES_BINARY(lanes_larger, lanes_half_larger)
#undef LANES_BINARY

INLINE lanes lanes_pick_at_least(lanes v, float bound, float yes, lanes no)
{
    const __m256 least = _mm256_set1_ps(bound), other = _mm256_set1_ps(yes);

    return (lanes){ _mm256_blendv_ps(no.low, other, _mm256_cmp_ps(v.low, least, _CMP_GE_OQ)),
                    _mm256_blendv_ps(no.high, other, _mm256_cmp_ps(v.high, least, _CMP_GE_OQ)) };
}

INLINE __m256 lanes_half_quiet(__m256 v)
{
    return _mm256_blendv_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)), _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
}

INLINE lanes lanes_quiet(lanes v)
{
    return (lanes){ lanes_half_quiet(v.low), lanes_half_quiet(v.high) };
}

INLINE __m256 lanes_power(__m256i n)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

INLINE __m256 lanes_half_scale(__m256 p, __m256 t)
{
    const __m256i n = _mm256_sub_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(0x4b400000));
    const __m256i half = _mm256_srai_epi32(n, 1);

    return _mm256_mul_ps(_mm256_mul_ps(p, lanes_power(half)), lanes_power(_mm256_sub_epi32(n, half)));
}

INLINE lanes lanes_scale(lanes p, lanes t)
{
    return (lanes){ lanes_half_scale(p.low, t.low), lanes_half_scale(p.high, t.high) };
}

INLINE lanes lanes_across(lanes v, int half)
{
    switch (half) {
    case 8:
        return (lanes){ v.high, v.low };
    case 4:
        return (lanes){ _mm256_permute2f128_ps(v.low, v.low, 1), _mm256_permute2f128_ps(v.high, v.high, 1) };
    case 2:
        return (lanes){ _mm256_permute_ps(v.low, 0x4e), _mm256_permute_ps(v.high, 0x4e) };
    default:
        return (lanes){ _mm256_permute_ps(v.low, 0xb1), _mm256_permute_ps(v.high, 0xb1) };
    }
}

INLINE lanes lanes_sum(lanes v)
{
    __m256 s = _mm256_add_ps(v.low, v.high);

    s = _mm256_add_ps(s, _mm256_permute2f128_ps(s, s, 1));
    s = _mm256_add_ps(s, _mm256_permute_ps(s, 0x4e));
    s = _mm256_add_ps(s, _mm256_permute_ps(s, 0xb1));
    return (lanes){ s, s };
}

INLINE lanes lanes_max(lanes a, lanes b)
{
    return (lanes){ _mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high) };
}

INLINE lanes lanes_most(lanes v)
{
    __m256 s = _mm256_max_ps(v.low, v.high);

    s = _mm256_max_ps(s, _mm256_permute2f128_ps(s, s, 1));
    s = _mm256_max_ps(s, _mm256_permute_ps(s, 0x4e));
    s = _mm256_max_ps(s, _mm256_permute_ps(s, 0xb1));
    return (lanes){ s, s };
}

INLINE float lanes_one(lanes v)
{
    return _mm256_cvtss_f32(v.low);
}

#endif
