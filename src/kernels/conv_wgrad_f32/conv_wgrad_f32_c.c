/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_c.c - for any processor, with whatever vectors its baseline has */
#define FEATURES   0
#define KERNEL     pare_conv_wgrad_f32_c
#define NAME       "conv_wgrad_f32_c"
#define FUSED      1
#define ITEMS_1    4
#define ITEMS_WIDE 0
#define ROWS       4
#include "kernels/lanes/lanes_c.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32_body.h"
