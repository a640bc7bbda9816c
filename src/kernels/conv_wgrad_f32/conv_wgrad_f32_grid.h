/* SPDX-License-Identifier: Apache-2.0 */
/* conv_wgrad_f32_grid.h - the weights of a convolution cut into tiles; for this folder only */
#ifndef PARE_KERNELS_CONV_WGRAD_F32_GRID_H
#define PARE_KERNELS_CONV_WGRAD_F32_GRID_H

#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"

/* How the weights are cut. A tile: a group (or 16 channels), `width` outputs, a filter row or some, taps, items. */
typedef struct pare_wgrad_grid {
    const pare_conv_f32_desc *d;
    bool                      depthwise;
    int                       c, oc;                              /* channels of a group; depthwise all, as one group */
    int                       fused;                              /* most taps of a tile                              */
    int                       width;                              /* outputs of a tile                                */
    int                       groups, columns, rows, runs, items; /* tiles along each axis */
    int                       most_items;
    bool                      copies; /* images are copied, block of channels by block  */
} pare_wgrad_grid;

/* Where tile number `index` lies among the weights. */
typedef struct pare_wgrad_place {
    int group, column, row, tap, taps, item, items, n;
    int x_block, dy_block; /* of channels: which of all groups' */
} pare_wgrad_place;

pare_wgrad_grid  pare_wgrad_grid_of(const pare_conv_wgrad_f32_kernel *kernel, const pare_conv_f32_desc *d);
long             pare_wgrad_tiles(const pare_wgrad_grid *g); /* how many there are */
pare_wgrad_place pare_wgrad_place_of(const pare_wgrad_grid *g, long index);

#endif
