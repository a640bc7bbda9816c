/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32_neon.c - the same text in vectors of 4, four at a time */
#include "cpu/cpu.h"

#if PARE_ARM64
#define FEATURES PARE_ISA_NEON
#define KERNEL   pare_channels_f32_neon
#define NAME     "channels_f32_neon"
#include "kernels/lanes/lanes_neon.h"
#include "kernels/channels_f32/channels_f32_body.h"
#else
typedef int pare_channels_f32_neon_needs_arm64; /* ISO C wants a declaration in every file */
#endif
