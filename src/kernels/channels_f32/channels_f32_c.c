/* SPDX-License-Identifier: Apache-2.0 */
/* channels_f32_c.c - for any processor, with whatever vectors its baseline has (SSE2, NEON) */
#define FEATURES 0
#define KERNEL   pare_channels_f32_c
#define NAME     "channels_f32_c"
#include "kernels/lanes/lanes_c.h"
#include "kernels/channels_f32/channels_f32_body.h"
