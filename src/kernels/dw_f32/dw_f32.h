/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dw_f32.h - depthwise float convolution: every channel has its own kernel (group == c == oc)
 *
 * The same description and the same definition as conv_f32: pare_conv_f32_ref is the reference, every version gives its
 * bits. Channels are vectorised, and neighbouring outputs share their loads; the taps are one fmaf chain in h, w order.
 * The contract on memory is that of conv_f32.h with one exception: reads of x are whole vectors, so up to 60 bytes
 * behind the c channels of a pixel are read, and ignored (the rest of the pixel, or the 64 bytes behind every
 * activation). A channel multiplier above 1 is conv_f32's: use it with group == c.
 */
#ifndef PARE_KERNELS_DW_F32_H
#define PARE_KERNELS_DW_F32_H

#include "kernels/conv_f32/conv_f32.h"

/* One run of output pixels, some or all channels. Strides and offsets count floats. */
typedef struct pare_dw_f32_line {
    const float *x;      /* first pixel of the first window, before the tap offset  */
    ptrdiff_t    x_step; /* from window to window: stride_w pixels                  */
    ptrdiff_t    x_tap;  /* from tap to tap within a row: dilation_w pixels         */
    ptrdiff_t    x_row;  /* from row to row of taps: dilation_h rows                */
    int          kh;
    int          kw;
    const float *w;     /* [kh * kw][c rounded up to 16] by w_tap                  */
    ptrdiff_t    w_tap; /* from tap to tap                                         */
    const float *bias;  /* [c rounded up to 16]                                    */
    const float *r;     /* [n][c] by r_pixel, or NULL                              */
    ptrdiff_t    r_pixel;
    float       *y; /* [n][c] by y_pixel                                       */
    ptrdiff_t    y_pixel;
    float        lo;
    float        hi;
    int          c;
    int          n; /* pixels                                                  */
} pare_dw_f32_line;

typedef struct pare_dw_f32_kernel {
    const char *name;
    unsigned    isa;
    void (*run)(const pare_dw_f32_line *line);
} pare_dw_f32_kernel;

typedef struct pare_dw_f32_plan pare_dw_f32_plan;

/* The versions this CPU runs, best first, at most `max`; returns how many: 0 where group == c == oc does not hold. */
int pare_dw_f32_candidates(const pare_conv_f32_desc *d, unsigned cpu, const pare_dw_f32_kernel *out[], int max);

/* As their namesakes in conv_f32.h. w is [c][kh][kw]; bias is [c] or NULL. */
pare_status pare_dw_f32_plan_create(const pare_conv_f32_desc *d, const float *w, const float *bias,
                                    const pare_dw_f32_kernel *kernel, pare_dw_f32_plan **out);
pare_status pare_dw_f32_plan_share(const pare_dw_f32_plan *like, const pare_conv_f32_desc *d, pare_dw_f32_plan **out);
void        pare_dw_f32_plan_destroy(pare_dw_f32_plan *plan);
void pare_dw_f32_run(const pare_dw_f32_plan *plan, const float *x, float *y, const float *r, int part, int parts);
/* Which output pixels a part writes, as pare_conv_f32_share: whole lines. */
void   pare_dw_f32_share(const pare_dw_f32_plan *plan, int part, int parts, long *first, long *last);
size_t pare_dw_f32_packed_size(const pare_dw_f32_plan *plan);
void   pare_dw_f32_pack(const pare_dw_f32_plan *plan, const float *w, const float *bias, float *packed);
void pare_dw_f32_run_packed(const pare_dw_f32_plan *plan, const float *packed, const float *x, float *y, const float *r,
                            int part, int parts);
const pare_dw_f32_kernel *pare_dw_f32_plan_kernel(const pare_dw_f32_plan *plan);

#endif
