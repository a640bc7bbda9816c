/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_neon.c - 24 sums of 4 in the 32 registers */
#include "cpu/cpu.h"

#if PARE_ARM64
#define FEATURES   PARE_ISA_NEON
#define KERNEL     pare_conv_wgrad_f32_neon
#define NAME       "conv_wgrad_f32_neon"
#define FUSED      1
#define ITEMS_1    6
#define ITEMS_WIDE 0
#define ROWS       5
#include "kernels/lanes/lanes_neon.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32_body.h"
#else
typedef int pare_conv_wgrad_f32_neon_needs_arm64; /* ISO C wants a declaration in every file */
#endif
