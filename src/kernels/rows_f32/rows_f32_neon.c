/* SPDX-License-Identifier: Apache-2.0 */
/* rows_f32_neon.c - the same text in vectors of 4, four at a time */
#include "cpu/cpu.h"

#if PARE_ARM64
#define FEATURES PARE_ISA_NEON
#define KERNEL   pare_rows_f32_neon
#define NAME     "rows_f32_neon"
#include "kernels/lanes/lanes_neon.h"
#include "kernels/rows_f32/rows_f32_body.h"
#else
typedef int pare_rows_f32_neon_needs_arm64; /* ISO C wants a declaration in every file */
#endif
