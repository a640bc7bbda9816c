/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_f32.h - 2-D float convolution, channels-last, any kernel, stride, dilation and groups
 *
 * Each output is ONE chain of fmaf that starts from the bias and takes the taps in h, w order and, within a tap, the
 * channels of its group in ascending order (docs/NUMERICS.md 9); then the residual is added (one rounded addition, the
 * bits of an unfused add); then v = v < lo ? lo : v; v = v > hi ? hi : v, so NaN stays NaN. Every version gives the
 * bits of pare_conv_f32_ref for any split into parts; only the sign and payload of a NaN are left open.
 *
 * Memory. Element (image, row, pixel, channel) of a tensor lies at image * image_stride + row * row_stride +
 * pixel * pixel_stride + channel, counted in floats. x points at the first real pixel: padding is a halo of zeros
 * around each image that the caller has put there, and it is multiplied like any other pixel. The reads are: exactly
 * the c channels of the pixels that the windows cover, and exactly the oc channels of each pixel of the residual. The
 * writes are: exactly the oc channels of each output pixel. What lies between oc and the pixel stride is neither read
 * nor written, so an output may be a channel slice of a wider tensor (concat without a copy). y may be the memory of r.
 *
 * A plan is made once (it may fail) and run any number of times, by one thread or by several at once.
 * The micro-kernels are those of gemm_f32: a convolution is a product whose rows are pixels at a constant distance and
 * whose k runs over a table of tap offsets. A Linear layer is n rows of a 1x1 convolution on 1x1 images.
 */
#ifndef PARE_KERNELS_CONV_F32_H
#define PARE_KERNELS_CONV_F32_H

#include <stdbool.h>
#include <stddef.h>

#include <pare/status.h>

#include "base/store.h"
#include "kernels/gemm_f32/gemm_f32.h"

typedef struct pare_conv_f32_strides {
    ptrdiff_t image;
    ptrdiff_t row;
    ptrdiff_t pixel;
} pare_conv_f32_strides;

typedef struct pare_conv_f32_desc {
    int                   n;     /* images                                                        */
    int                   oh;    /* output rows                                                   */
    int                   ow;    /* output pixels per row                                         */
    int                   c;     /* input channels, all groups                                    */
    int                   oc;    /* output channels, all groups                                   */
    int                   group; /* divides c and oc                                              */
    int                   kh;
    int                   kw;
    int                   stride_h;
    int                   stride_w;
    int                   dilation_h;
    int                   dilation_w;
    int                   pad_top;  /* rows and pixels of halo that the first window covers; what it */
    int                   pad_left; /* takes at the bottom and right follows from oh and ow          */
    pare_conv_f32_strides x;
    pare_conv_f32_strides y;
    pare_conv_f32_strides r;     /* of the residual; all 0: those of y                    */
    bool                  clamp; /* false: lo and hi are ignored                                  */
    float                 lo;
    float                 hi;
    pare_store           *store; /* where packed constants go; NULL: heap memory                  */
} pare_conv_f32_desc;

typedef struct pare_conv_f32_plan pare_conv_f32_plan;

/* The versions this CPU runs, best first, at most `max`; returns how many (at least 1). All fit every shape. */
int pare_conv_f32_candidates(const pare_conv_f32_desc *d, unsigned cpu, const pare_gemm_f32_kernel *out[], int max);

/*
 * Packs the weights and builds the tables; w and bias are not kept. Fails only when memory is short. With w NULL the
 * plan has no weights: they change from run to run, and the caller packs them.
 */
pare_status pare_conv_f32_plan_create(const pare_conv_f32_desc *d, const float *w, /* [oc][c / group][kh][kw] */
                                      const float                *bias,            /* [oc], or NULL: +0       */
                                      const pare_gemm_f32_kernel *kernel, pare_conv_f32_plan **out);

/*
 * A plan for another batch, image size, memory layout or clamp with the weights of `like`, which are shared and not
 * copied. c, oc, group, kh and kw must be equal. The plans may be destroyed in any order.
 */
pare_status pare_conv_f32_plan_share(const pare_conv_f32_plan *like, const pare_conv_f32_desc *d,
                                     pare_conv_f32_plan **out);
void        pare_conv_f32_plan_destroy(pare_conv_f32_plan *plan); /* NULL is fine */

/* Part `part` of `parts`. Cannot fail, allocate or lock. Parts may run in any order, at once or one after another. */
void pare_conv_f32_run(const pare_conv_f32_plan *plan, const float *x, float *y, const float *r /* or NULL */, int part,
                       int parts);

/*
 * Which output pixels, counted over images, lines and columns, that part writes: first .. last-1. False: it writes some
 * channels of all pixels.
 */
bool pare_conv_f32_share(const pare_conv_f32_plan *plan, int part, int parts, long *first, long *last);

/*
 * Weights that change from run to run: pack writes packed[pare_conv_f32_packed_size] floats, 64-byte aligned, which any
 * number of parts of run_packed read. w [oc][c / group][kh][kw], bias [oc] or NULL. Cannot fail.
 */
size_t pare_conv_f32_packed_size(const pare_conv_f32_plan *plan);
void   pare_conv_f32_pack(const pare_conv_f32_plan *plan, const float *w, const float *bias, float *packed);
void   pare_conv_f32_run_packed(const pare_conv_f32_plan *plan, const float *packed, const float *x, float *y,
                                const float *r /* or NULL */, int part, int parts);

/* The version a plan was made for, e.g. for `plan` listings. */
const pare_gemm_f32_kernel *pare_conv_f32_plan_kernel(const pare_conv_f32_plan *plan);

/* The definition, for depthwise convolution (dw_f32) too. */
void pare_conv_f32_ref(const pare_conv_f32_desc *d, const float *w, const float *bias, const float *x, const float *r,
                       float *y);

#endif
