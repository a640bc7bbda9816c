/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_f32_avx512vnni.c - the same text in vectors of 16 */
#include "cpu/cpu.h"

#if PARE_X86
#define ROWS pare_unary_grad_f32_rows_avx512vnni
#include "kernels/lanes/lanes_avx512.h"
#include "kernels/unary_grad_f32/unary_grad_f32_body.h"
#else
typedef int pare_unary_grad_f32_avx512vnni_needs_x86; /* ISO C wants a declaration in every file */
#endif
