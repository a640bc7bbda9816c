/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avxvnni.h - vpdpbusd on 256 bits: VEX encoded (AVX-VNNI), or EVEX encoded in builds with PARE_EMULATE
 *
 * Functions that use it carry PARE_AVXVNNI_ISA; kernel entries name PARE_ISA_AVXVNNI.
 */
#ifndef PARE_KERNELS_AVXVNNI_H
#define PARE_KERNELS_AVXVNNI_H

#include <immintrin.h>

#include "cpu/cpu.h"

#if PARE_EMULATE
#define PARE_AVXVNNI_ISA __attribute__((target("avx2,fma,avx512f,avx512vl,avx512vnni")))
#else
#define PARE_AVXVNNI_ISA __attribute__((target("avx2,fma,avxvnni")))
#endif

/* sum + four products of unsigned by signed bytes, in each of 8 int32; does not saturate. */
PARE_AVXVNNI_ISA __attribute__((always_inline)) static inline __m256i pare_dpbusd_256(__m256i sum, __m256i u8,
                                                                                      __m256i s8)
{
#if PARE_EMULATE
    return _mm256_dpbusd_epi32(sum, u8, s8);
#else
    return _mm256_dpbusd_avx_epi32(sum, u8, s8);
#endif
}

#endif
