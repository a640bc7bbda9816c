/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_amx.h - convolution by AMX tiles: what one call computes
 *
 * A block is four sums of 16 pixels x 16 columns: 1 x 4 tiles (16x64), 2 x 2 (32x32) or 4 x 1 (64x16). Each form has
 * its file, which compiles the loop of qconv_amx_loop.h for its kinds of output (qconv_amx_body.h).
 */
#ifndef PARE_KERNELS_QCONV_AMX_H
#define PARE_KERNELS_QCONV_AMX_H

#include "kernels/qconv/qconv_plan.h"

/*
 * Blocks that one thread computes: n_blocks per image, of n_images images, for panels panel0..panel1-1. The tables are
 * those of pare_qconv_tiles, from the first block on; x, y and residual are the first image, to which they refer.
 */
struct pare_qconv_blocks {
    const pare_qconv_plan *plan;
    const uint8_t         *x;
    uint8_t               *y;
    const uint8_t         *residual; /* NULL: none */
    ptrdiff_t              x_image, y_image, r_image;
    const int32_t         *x_tiles, *y_rows, *r_rows;
    const float           *row_scale; /* F32 kinds: one per row where row_scale_step is 1, or one per image */
    int                    row_scale_step;
    int                    rows; /* of a tile */
    int                    n_images, n_blocks, panel0, panel1;
    const char            *ahead, *ahead_end; /* bytes to be fetched into L2 meanwhile */
};

/* pare_qconv_share and pare_qconv_run for plans with k_round 64. */
bool pare_qconv_share_tiles(const pare_qconv_plan *plan, int batch, int part, int parts, long *first, long *last);
void pare_qconv_run_tiles(const pare_qconv_plan *plan, const pare_qconv_args *args, int part, int parts);

#endif
