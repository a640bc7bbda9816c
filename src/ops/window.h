/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - the geometry that convolutions and pools share: kernels sliding over padded spatial axes */
#ifndef PARE_OPS_WINDOW_H
#define PARE_OPS_WINDOW_H

#include "ops/op.h"

enum { PARE_MAX_SPATIAL = PARE_MAX_RANK - 2 };

/* As the node gives it; lists may be empty (ONNX defaults). */
typedef struct pare_window_attrs {
    const char *auto_pad; /* NOTSET, SAME_UPPER, SAME_LOWER, VALID */
    pare_ints   kernel_shape, strides, dilations, pads;
    int64_t     ceil_mode;
} pare_window_attrs;

/* Resolved for one input. */
typedef struct pare_window {
    int     n; /* spatial axes, 1 .. PARE_MAX_SPATIAL */
    int64_t kernel[PARE_MAX_SPATIAL], stride[PARE_MAX_SPATIAL], dilation[PARE_MAX_SPATIAL];
    int64_t before[PARE_MAX_SPATIAL], after[PARE_MAX_SPATIAL]; /* padding */
    int64_t in[PARE_MAX_SPATIAL], out[PARE_MAX_SPATIAL];
    int64_t taps, positions; /* products of kernel and out */
} pare_window;

/*
 * Fills `w` for input shape x (N, C, spatial ...). `kernel` gives the kernel's spatial dims when kernel_shape is not
 * given (the weights' shape), else NULL. PARE_ERR_SHAPE when lists do not fit or the window is larger than the input.
 */
pare_status pare_window_resolve(const pare_window_attrs *a, const pare_shape *x, const int64_t *kernel, pare_window *w);

/* Output position number i (row-major) and tap number j as coordinates per axis. */
void pare_window_position(const pare_window *w, int64_t i, int64_t at[PARE_MAX_SPATIAL]);
void pare_window_tap(const pare_window *w, int64_t j, int64_t tap[PARE_MAX_SPATIAL]);

/* Element offset inside one channel of the input that tap `tap` at output `at` reads; -1: in the padding. */
int64_t pare_window_offset(const pare_window *w, const int64_t *at, const int64_t *tap, const int64_t *stride);

/* Seen as two axes: a 1-D window is one row. False when there are more than two. */
typedef struct pare_window_2d {
    int kh, kw, stride_h, stride_w, dilation_h, dilation_w, top, left, bottom, right;
    int ih, iw, oh, ow;
} pare_window_2d;
bool pare_window_as_2d(const pare_window *w, pare_window_2d *out);

/* Whether a planned tensor lies as the convolution kernels want it: channels-last, with halo for this window. */
bool pare_window_fits_memory(const pare_window_2d *w, const pare_tensor *x);

/* The distances of such a tensor in elements. */
void pare_window_strides(const pare_tensor *t, ptrdiff_t *image, ptrdiff_t *row, ptrdiff_t *pixel);

/* Rows of the attribute tables of ops whose struct S has a member `window` of type pare_window_attrs. */
#define PARE_WINDOW_ROWS(S)                                                                                  \
    { .name = "auto_pad", .type = PARE_ATTR_STRING, .offset = offsetof(S, window.auto_pad), .s = "NOTSET" }, \
        { .name = "dilations", .type = PARE_ATTR_INTS, .offset = offsetof(S, window.dilations) },            \
        { .name = "kernel_shape", .type = PARE_ATTR_INTS, .offset = offsetof(S, window.kernel_shape) },      \
        { .name = "pads", .type = PARE_ATTR_INTS, .offset = offsetof(S, window.pads) },                      \
    {                                                                                                        \
        .name = "strides", .type = PARE_ATTR_INTS, .offset = offsetof(S, window.strides)                     \
    }

#endif
