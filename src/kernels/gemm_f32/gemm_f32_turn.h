/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_f32_turn.h - packing a B whose k are neighbours (a transposed one): blocks of 16 x 16 floats are turned */
#ifndef PARE_KERNELS_GEMM_F32_TURN_H
#define PARE_KERNELS_GEMM_F32_TURN_H

#include "kernels/gemm_f32/gemm_f32.h"

/* dst[i * width + j] = src[j * n_stride + i] for i, j < 16 */
typedef void pare_gemm_f32_turn_fn(const float *src, ptrdiff_t n_stride, float *dst, ptrdiff_t width);

/* The one for the kernel's instruction set, or NULL. */
pare_gemm_f32_turn_fn *pare_gemm_f32_turn(const pare_gemm_f32_kernel *kernel);

#endif
