/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_avx2.c - 12 sums of 8 in the 16 registers */
#include "cpu/cpu.h"

#if PARE_X86
#define FEATURES   PARE_ISA_AVX2
#define KERNEL     pare_conv_wgrad_f32_avx2
#define NAME       "conv_wgrad_f32_avx2"
#define FUSED      1
#define ITEMS_1    6
#define ITEMS_WIDE 0
#define ROWS       5
#include "kernels/lanes/lanes_avx2.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32_body.h"
#else
typedef int pare_conv_wgrad_f32_avx2_needs_x86; /* ISO C wants a declaration in every file */
#endif
