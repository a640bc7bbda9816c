/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32_turn.c - turning 16 x 16 floats: log2 steps, each exchanges halves between pairs of registers
 *
 * What attention packs at run time: the keys of a head lie row by row and are wanted column by column.
 */
#include "kernels/gemm_f32/gemm_f32_turn.h"

#if PARE_X86
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define AVX2   __attribute__((target("avx2")))
#define UNROLL _Pragma("GCC unroll 16")

/* Pairs of floats, then of pairs, within each 128 bits; then the 4 x 4 of those. */
AVX512 static void turn_avx512(const float *src, ptrdiff_t n_stride, float *dst, ptrdiff_t width)
{
    __m512 a[16], b[16];

    UNROLL for (int j = 0; j < 16; j++) a[j] = _mm512_loadu_ps(src + j * n_stride);
    UNROLL for (int j = 0; j < 16; j += 2)
    {
        b[j] = _mm512_unpacklo_ps(a[j], a[j + 1]);
        b[j + 1] = _mm512_unpackhi_ps(a[j], a[j + 1]);
    }
    /* a[4 g + i]: in 128-bit lane l the rows 4 g .. 4 g + 3 of column 4 l + i. */
    UNROLL for (int j = 0; j < 16; j += 4)
    {
        a[j] = _mm512_shuffle_ps(b[j], b[j + 2], 0x44);
        a[j + 1] = _mm512_shuffle_ps(b[j], b[j + 2], 0xee);
        a[j + 2] = _mm512_shuffle_ps(b[j + 1], b[j + 3], 0x44);
        a[j + 3] = _mm512_shuffle_ps(b[j + 1], b[j + 3], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++)
    {
        const __m512 low = _mm512_shuffle_f32x4(a[i], a[4 + i], 0x88),
                     high = _mm512_shuffle_f32x4(a[8 + i], a[12 + i], 0x88);
        const __m512 odd_low = _mm512_shuffle_f32x4(a[i], a[4 + i], 0xdd);
        const __m512 odd_high = _mm512_shuffle_f32x4(a[8 + i], a[12 + i], 0xdd);

        _mm512_storeu_ps(dst + i * width, _mm512_shuffle_f32x4(low, high, 0x88));
        _mm512_storeu_ps(dst + (4 + i) * width, _mm512_shuffle_f32x4(odd_low, odd_high, 0x88));
        _mm512_storeu_ps(dst + (8 + i) * width, _mm512_shuffle_f32x4(low, high, 0xdd));
        _mm512_storeu_ps(dst + (12 + i) * width, _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd));
    }
}

AVX2 static inline void turn_8x8(const float *src, ptrdiff_t n_stride, float *dst, ptrdiff_t width)
{
    __m256 a[8], b[8];

    UNROLL for (int j = 0; j < 8; j++) a[j] = _mm256_loadu_ps(src + j * n_stride);
    UNROLL for (int j = 0; j < 8; j += 2)
    {
        b[j] = _mm256_unpacklo_ps(a[j], a[j + 1]);
        b[j + 1] = _mm256_unpackhi_ps(a[j], a[j + 1]);
    }
    UNROLL for (int j = 0; j < 8; j += 4)
    {
        a[j] = _mm256_shuffle_ps(b[j], b[j + 2], 0x44);
        a[j + 1] = _mm256_shuffle_ps(b[j], b[j + 2], 0xee);
        a[j + 2] = _mm256_shuffle_ps(b[j + 1], b[j + 3], 0x44);
        a[j + 3] = _mm256_shuffle_ps(b[j + 1], b[j + 3], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++)
    {
        _mm256_storeu_ps(dst + i * width, _mm256_permute2f128_ps(a[i], a[4 + i], 0x20));
        _mm256_storeu_ps(dst + (4 + i) * width, _mm256_permute2f128_ps(a[i], a[4 + i], 0x31));
    }
}

AVX2 static void turn_avx2(const float *src, ptrdiff_t n_stride, float *dst, ptrdiff_t width)
{
    for (int j = 0; j < 16; j += 8)
        for (int i = 0; i < 16; i += 8)
            turn_8x8(src + j * n_stride + i, n_stride, dst + i * width + j, width);
}

pare_gemm_f32_turn_fn *pare_gemm_f32_turn(const pare_gemm_f32_kernel *kernel)
{
    return kernel->isa & PARE_ISA_AVX512VNNI ? turn_avx512 : kernel->isa & PARE_ISA_AVX2 ? turn_avx2 : NULL;
}
#else
pare_gemm_f32_turn_fn *pare_gemm_f32_turn(const pare_gemm_f32_kernel *kernel)
{
    (void)kernel;
    return NULL;
}
#endif
