/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv.h - 2-D convolution u8 x s8 -> s32 -> u8 or f32, channels-last: also Linear, grouped, dilated
 *
 *   acc[n][oy][ox][oc] = bias[oc] + sum over ky, kx, c of
 *       (x[n][oy*stride_h - pad_top + ky*dilation_h][ox*stride_w - pad_left + kx*dilation_w][g*C/groups + c] - zx)
 *       * w[oc][c][ky][kx],     g = oc / (out_c / groups)
 *
 * exactly, in int32; then the epilogue of qepilogue.h. Every version gives equal bits.
 *
 * Memory. A pixel is in_c (out_c) neighbouring codes; pixels, rows and images lie at the byte strides of
 * pare_qconv_strides. `x` points to pixel (0, 0) of image 0. Whatever the taps reach outside the picture
 * is read from memory (the halo), which must hold zx: kernels never test bounds. Bytes between in_c and the
 * pixel stride may hold anything. 64 bytes behind the last pixel (halo included) must be readable; nothing
 * else outside the arguments is read. Of an output pixel exactly its out_c codes or floats are written, so an
 * output may be a channel slice of a larger tensor. Fastest when pixel strides are multiples of 64 bytes, or exactly
 * the channels rounded up to 4, which makes the taps of a filter row one run: pictures of 3 channels want stride 4.
 * The residual may be the output itself (same pointer and strides); x and y must not overlap.
 *
 * Linear: rows are images of one pixel (out_h = out_w = 1 and the strides of a row in `image`), batch = rows.
 */
#ifndef PARE_KERNELS_QCONV_H
#define PARE_KERNELS_QCONV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "kernels/qconv/qepilogue.h"

/* Distances in bytes. */
typedef struct pare_qconv_strides {
    ptrdiff_t pixel, row, image;
} pare_qconv_strides;

/* Everything known at plan time. Pointers are borrowed until pare_qconv_create returns. */
typedef struct pare_qconv_desc {
    int                in_c, out_c;
    int                groups;                 /* 0 = 1                                                               */
    int                out_h, out_w;           /* of one image                                                        */
    int                kernel_h, kernel_w;     /* 0 = 1                                                               */
    int                stride_h, stride_w;     /* 0 = 1                                                               */
    int                dilation_h, dilation_w; /* 0 = 1                                                               */
    int                pad_top, pad_left;      /* how far the first taps reach out of the picture                     */
    pare_qconv_strides x, y, residual;

    const int8_t  *w;        /* [out_c][in_c / groups][kernel_h][kernel_w]                          */
    pare_qchannels channels; /* scales and bias, per output channel                                 */
    pare_qoutput   out;
    int            batch; /* that is expected, to choose a version by; 0 = 1                           */
    pare_store    *store; /* where packed constants go, until it is destroyed; NULL: heap memory    */
} pare_qconv_desc;

/* What changes from run to run. */
typedef struct pare_qconv_args {
    const uint8_t *x;          /* [batch] images at the strides of the desc                            */
    void          *y;          /* [batch] images of u8 or float                                        */
    const uint8_t *residual;   /* u8, where the desc has an add; else NULL                             */
    const float   *row_scales; /* [batch] sx of each image, PARE_QKIND_F32_ROWS only; else NULL        */
    int            batch;
    void          *scratch; /* pare_qconv_scratch bytes of this part, 64-byte aligned                  */
} pare_qconv_args;

typedef struct pare_qconv_plan   pare_qconv_plan;
typedef struct pare_qconv_kernel pare_qconv_kernel;

/* The versions that `cpu` runs and that fit, best first; returns how many. The last is portable C and fits all. */
int pare_qconv_candidates(const pare_qconv_desc *d, unsigned cpu, const pare_qconv_kernel *out[], int max);

/* "6x64_avx512vnni": tile and instruction set. */
const char *pare_qconv_kernel_name(const pare_qconv_kernel *kernel);

/*
 * Checks, proves that no accumulator and no requantized value can leave 32 bits for any input (from the
 * weights themselves; PARE_ERR_UNSUPPORTED otherwise), packs. `kernel` NULL takes the best for this CPU.
 * The plan depends on neither batch nor threads; destroy accepts NULL.
 */
pare_status pare_qconv_create(const pare_qconv_desc *d, const pare_qconv_kernel *kernel, pare_qconv_plan **out);
void        pare_qconv_destroy(pare_qconv_plan *plan);

/* Bytes that each part wants while it runs; 0 for Linear. */
size_t pare_qconv_scratch(const pare_qconv_plan *plan);

/* Does share `part` of `parts`: of the pixels, or of the columns when there are few pixels. Cannot fail. */
void pare_qconv_run(const pare_qconv_plan *plan, const pare_qconv_args *args, int part, int parts);

/*
 * The output pixels, counted over images, lines and columns, that a part of a run of `batch` images writes. False: they
 * are all of them, and it writes some columns.
 */
bool pare_qconv_share(const pare_qconv_plan *plan, int batch, int part, int parts, long *first, long *last);

/* The definition (qconv_ref.c), straight from the desc. */
void pare_qconv_ref(const pare_qconv_desc *d, const pare_qconv_args *args);

#endif
