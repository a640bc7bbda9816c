/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_f32_neon.c - the same text in vectors of 4, four at a time */
#include "cpu/cpu.h"

#if PARE_ARM64
#define ROWS pare_unary_grad_f32_rows_neon
#include "kernels/lanes/lanes_neon.h"
#include "kernels/unary_grad_f32/unary_grad_f32_body.h"
#else
typedef int pare_unary_grad_f32_neon_needs_arm64; /* ISO C wants a declaration in every file */
#endif
