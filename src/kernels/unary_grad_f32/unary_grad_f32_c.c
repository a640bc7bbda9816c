/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad_f32_c.c - for any processor, with whatever vectors its baseline has (SSE2, NEON) */
#define ROWS pare_unary_grad_f32_rows_c
#include "kernels/lanes/lanes_c.h"
#include "kernels/unary_grad_f32/unary_grad_f32_body.h"
