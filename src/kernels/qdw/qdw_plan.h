/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_plan.h - what the versions of qdw share
 *
 * Channels are cut into blocks of columns. In a block, column v*4*lanes + 4*l + j is channel
 * l*block/lanes + 4*v + j: what interleaving the bytes of several rows within 128-bit lanes gives, so that neither
 * activations nor results need a permute.
 *
 * Where the last block has so few channels that several times as many fit, versions of four lanes cut the output line
 * into 2 or 4 parts side by side: each part then has its own lanes, with weights of their own copy.
 *
 * Vertically, `rows` input rows of one filter column make a step. Packed weights are [block][line][row group][kx]
 * [column][row]: s8, or s16 where rows == 2. Line 1, where two output lines are computed from the same loads, has
 * the filter one row lower. Rows outside the filter have weight 0 and may point to any readable row.
 */
#ifndef PARE_KERNELS_QDW_PLAN_H
#define PARE_KERNELS_QDW_PLAN_H

#include "cpu/cpu.h"
#include "kernels/qdw/qdw.h"

struct pare_qdw_plan {
    const pare_qdw_kernel *kernel;
    pare_qconv_strides     x, y, residual;
    ptrdiff_t              origin;         /* of the first tap, from the output's place in x    */
    ptrdiff_t              x_step, x_line; /* bytes between neighbouring outputs in x           */
    ptrdiff_t              tap_x, tap_y;   /* bytes between neighbouring taps                   */
    int                    out_h, out_w, kernel_h, kernel_w;
    int                    channels, blocks;
    int                    fold;       /* pixels that were made one: out_w and channels count these */
    int                    parts;      /* of the output line in the last block: 1, 2 or 4    */
    int                    lines;      /* output lines computed together: 1 or 2            */
    int                    groups;     /* row groups: ceil((kernel_h + lines - 1) / rows)   */
    size_t                 line_bytes; /* packed weights of one line of one block           */
    pare_store            *store;      /* where w and bias lie; NULL: heap memory           */
    int8_t                *w;
    int32_t               *bias; /* [blocks * block], folded, in column order         */
    pare_qepilogue         epilogue;
};

/* One block of one or two output lines. */
typedef struct pare_qdw_line {
    const pare_qdw_plan *plan;
    const uint8_t       *x;        /* first tap of the first output, first channel of the block             */
    uint8_t             *y;        /* first output pixel (its start, not the channel)                       */
    const uint8_t       *residual; /* likewise; NULL where there is none                                    */
    int                  block;
    int                  n;    /* lines to store, 1 or 2                                                */
    int                  rows; /* input rows that exist: taps of line n - 1 and all above                */
    float                row_scale;
} pare_qdw_line;

struct pare_qdw_kernel {
    const char *name;
    unsigned    isa;
    int         block, lanes, rows, lines;
    int         x_zero; /* what the version takes off each code of x: 0 or 128                  */
    void (*run)(const pare_qdw_line *line);
};

#define PARE_QDW(block, isa_name, isa, lanes, rows, lines) \
    void pare_qdw_##block##_##isa_name(const pare_qdw_line *line);
#include "kernels/qdw/qdw.def"
#undef PARE_QDW

/* Channel, counted from the block's first, of a column. */
static inline int pare_qdw_channel(int block, int lanes, int column)
{
    const int v = column / (4 * lanes), l = column / 4 % lanes;

    return l * (block / lanes) + 4 * v + column % 4;
}

/* Where row r of the taps begins, from the first; rows that do not exist fall on the last. */
static inline ptrdiff_t pare_qdw_row(const pare_qdw_line *line, int r)
{
    return (r < line->rows ? r : line->rows - 1) * line->plan->tap_y;
}

#endif
