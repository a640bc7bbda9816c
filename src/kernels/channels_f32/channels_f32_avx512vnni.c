/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32_avx512vnni.c - the same text in vectors of 16 */
#include "cpu/cpu.h"

#if PARE_X86
#define FEATURES PARE_ISA_AVX512VNNI
#define KERNEL   pare_channels_f32_avx512vnni
#define NAME     "channels_f32_avx512vnni"
#include "kernels/lanes/lanes_avx512.h"
#include "kernels/channels_f32/channels_f32_body.h"
#else
typedef int pare_channels_f32_avx512vnni_needs_x86; /* ISO C wants a declaration in every file */
#endif
