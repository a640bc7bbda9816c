/* SPDX-License-Identifier: Apache-2.0 */
/* rows_f32_c.c - for any processor, with whatever vectors its baseline has (SSE2, NEON) */
#define FEATURES 0
#define KERNEL   pare_rows_f32_c
#define NAME     "rows_f32_c"
#include "kernels/lanes/lanes_c.h"
#include "kernels/rows_f32/rows_f32_body.h"
