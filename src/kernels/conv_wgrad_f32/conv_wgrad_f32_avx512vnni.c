/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_avx512vnni.c - 24 sums, the dy of three taps and a broadcast in 28 of the 32 registers */
#include "cpu/cpu.h"

#if PARE_X86
#define FEATURES   PARE_ISA_AVX512VNNI
#define KERNEL     pare_conv_wgrad_f32_avx512vnni
#define NAME       "conv_wgrad_f32_avx512vnni"
#define FUSED      3
#define ITEMS_1    12
#define ITEMS_2    12
#define ITEMS_3    8
#define ITEMS_WIDE 12
#define ROWS       5
#include "kernels/lanes/lanes_avx512.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32_body.h"
#else
typedef int pare_conv_wgrad_f32_avx512vnni_needs_x86; /* ISO C wants a declaration in every file */
#endif
