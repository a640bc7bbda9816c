/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32_avx2.c - the same text in vectors of 8 */
#include "cpu/cpu.h"

#if PARE_X86
#define FEATURES PARE_ISA_AVX2
#define KERNEL   pare_channels_f32_avx2
#define NAME     "channels_f32_avx2"
#include "kernels/lanes/lanes_avx2.h"
#include "kernels/channels_f32/channels_f32_body.h"
#else
typedef int pare_channels_f32_avx2_needs_x86; /* ISO C wants a declaration in every file */
#endif
