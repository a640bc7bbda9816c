/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_layout.h - a desc with its defaults filled in, and where its weights go: shared while a plan is made */
#ifndef PARE_KERNELS_QCONV_LAYOUT_H
#define PARE_KERNELS_QCONV_LAYOUT_H

#include "kernels/qconv/qconv_plan.h"

/* Groups are merged into bundles of at least one column tile, or of one panel where whole tiles are multiplied. */
typedef struct pare_qconv_layout {
    const pare_qconv_desc *d;
    int                    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int                    group_in, group_out; /* channels of one group                                     */
    int                    bundles, bundle_groups;
    int                    bundle_in; /* channels of one bundle                                    */
    int                    bundle_out;
    int                    bundle_tiles; /* column tiles of one bundle                                */
    int                    tap_fours;    /* rounded k of one tap and bundle / 4                       */
    /* Where whole tiles are multiplied: */
    bool lanes;     /* columns of a panel in the lane order of qepilogue_avx512.h        */
    int  row_steps; /* k-steps of a filter row that is read as one run; 0: taps are not  */
    int  tap_steps; /* k-steps of one tap                                                */
} pare_qconv_layout;

/* The packed k-step, and the byte in it, of channel `c` of a bundle in tap (ky, kx). */
static inline int pare_qconv_layout_k(const pare_qconv_layout *l, int ky, int kx, int c, int *byte)
{
    const int in_run = l->row_steps ? kx * l->dilation_w * (int)l->d->x.pixel + c : c;
    const int first = l->row_steps ? ky * l->row_steps : (ky * l->kernel_w + kx) * l->tap_steps;

    *byte = in_run % PARE_QCONV_ROW;
    return first + in_run / PARE_QCONV_ROW;
}

/* Chooses lanes, row_steps and tap_steps. */
void pare_qconv_layout_tiles(pare_qconv_layout *l, const pare_qconv_kernel *kernel);

/* Fills p->tiles; clear after use and after a failure. */
pare_status pare_qconv_tiles_init(const pare_qconv_layout *l, pare_qconv_plan *p);
void        pare_qconv_tiles_clear(pare_qconv_tiles *t);

#endif
