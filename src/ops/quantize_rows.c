/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_rows.c - dynamic quantization: each row gets its own symmetric scale at run time (NUMERICS.md 7) */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "kernels/quantize/quantize.h"
#include "ops/attr.h"
#include "ops/move.h"

/* The first `row_axes` axes number the rows (-1: all but the last axis); the others are what one scale covers. */
typedef struct rows_attrs {
    int64_t row_axes;
} rows_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(rows_attrs, row_axes, -1),
    PARE_ATTR_END,
};

static int row_axes(const pare_call *call)
{
    const rows_attrs *a = call->attrs;

    return a->row_axes < 0 ? call->in[0]->shape.rank - 1 : (int)a->row_axes;
}

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;
    const int         n = row_axes(call);

    if (call->in[0]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 0);
    if (n < 0 || n > x->rank)
        return pare_fail(PARE_ERR_SHAPE, "row_axes is %d, the input has rank %d", n, x->rank);
    if (!call->out[0] || !call->out[1])
        return pare_fail(PARE_ERR_SHAPE, "both the codes and the scales are needed");
    call->out[0]->dtype = PARE_u8;
    call->out[0]->shape = *x;
    call->out[1]->dtype = PARE_f32;
    call->out[1]->shape = pare_shape_of(n, x->dim);
    return PARE_OK;
}

/* One row as views: codes and numbers. */
static void row_views(const pare_call *call, int64_t row, pare_tensor *q, pare_tensor *x, float **scale)
{
    int64_t at_scale = 0;

    *q = *call->out[0];
    *x = *call->in[0];
    for (int axis = row_axes(call) - 1; axis >= 0; axis--) {
        const int64_t i = row % x->shape.dim[axis];

        row /= x->shape.dim[axis];
        q->data = (uint8_t *)q->data + i * q->stride[axis];
        x->data = (float *)x->data + i * x->stride[axis];
        at_scale += i * call->out[1]->stride[axis];
        q->shape.dim[axis] = x->shape.dim[axis] = 1;
    }
    *scale = (float *)call->out[1]->data + at_scale;
}

/* Numbers that one scale covers. */
static long row_size(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;
    long              n = 1;

    for (int axis = row_axes(call); axis < x->rank; axis++)
        n *= (long)x->dim[axis];
    return n;
}

/* Whether the axes from `first` on are neighbours in memory, in their order. */
static bool in_one_piece(const pare_tensor *t, int first)
{
    int64_t step = 1;

    for (int axis = t->shape.rank - 1; axis >= first; axis--) {
        if (t->shape.dim[axis] != 1 && t->stride[axis] != step)
            return false;
        step *= t->shape.dim[axis];
    }
    return true;
}

/* max|x|; NaN does not count. The reference: any strides. */
static float largest(const pare_tensor *x)
{
    pare_rows rows;
    float     a = 0;

    pare_rows_begin(&rows, 1, &x, 0, 1);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            const float v = fabsf(((const float *)rows.ptr[0])[i * rows.step[0]]);

            a = v > a ? v : a;
        }
    return a;
}

/* inv = 127 / a, q = clamp(rint(x * inv), -127, 127) + 128; a row of zeros: 128. */
static void quantize_row(const pare_tensor *q, const pare_tensor *x, float a)
{
    const float inv = 127 / a;
    pare_rows   rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ q, x }, 0, 1);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            float v = rintf(((const float *)rows.ptr[1])[i * rows.step[1]] * inv);

            v = v > -127 ? v : -127; /* NaN -> -127 */
            v = v < 127 ? v : 127;
            ((uint8_t *)rows.ptr[0])[i * rows.step[0]] = (uint8_t)(a > 0 ? v + 128 : 128);
        }
}

static pare_status forward(const pare_call *call)
{
    const int64_t n = pare_shape_count(&call->out[1]->shape);

    for (int64_t row = 0; row < n; row++) {
        pare_tensor q, x;
        float      *scale;

        row_views(call, row, &q, &x, &scale);
        const float a = largest(&x);

        *scale = a / 127;
        quantize_row(&q, &x, a);
    }
    return PARE_OK;
}

/* Images [N, C, spatial...] whose codes lie channels-last, from floats that do too or that are dense planes. */
typedef enum image_kind { OTHER, CHANNELS_LAST, PLANAR } image_kind;

static image_kind kind_of(const pare_call *call)
{
    const pare_tensor *x = call->in[0], *q = call->out[0];
    const int          rank = x->shape.rank;

    if (row_axes(call) != 1 || rank < 3 || q->stride[1] != 1)
        return OTHER;
    for (int axis = 3; axis < rank; axis++)
        if (q->stride[axis] > q->stride[axis - 1])
            return OTHER; /* pixels follow each other in another order than in the planes */
    return x->stride[1] == 1 ? CHANNELS_LAST : in_one_piece(x, 2) ? PLANAR : OTHER;
}

/* One pixel of each place: what is left without the channels. */
static pare_tensor first_channel(const pare_tensor *t)
{
    return pare_region(t, 1, 0, 1, 1);
}

/* max|x| of an image: pixels of C floats, or rows of a plane. */
static float largest_of_image(const pare_quantize_kernel *kernel, const pare_tensor *image, image_kind kind)
{
    const pare_tensor pixels = first_channel(image), *const walked = kind == PLANAR ? image : &pixels;
    const long channels = kind == PLANAR ? 1 : (long)image->shape.dim[1];
    pare_rows  rows;
    float      a = 0;

    pare_rows_begin(&rows, 1, &walked, 0, 1);
    while (pare_rows_next(&rows)) {
        const bool                 piece = rows.step[0] == channels || rows.n == 1;
        const pare_quantize_pixels p = { .x = (const float *)rows.ptr[0],
                                         .x_step = rows.step[0],
                                         .channels = piece ? channels * (long)rows.n : channels,
                                         .n = piece ? 1 : (long)rows.n };
        const float                most = kernel->largest(&p);

        a = most > a ? most : a;
    }
    return a;
}

static void codes_of_image(const pare_quantize_kernel *kernel, const pare_tensor *q, const pare_tensor *x,
                           image_kind kind, float a, int part, int parts)
{
    const pare_tensor to = first_channel(q), from = first_channel(x);
    const long        channels = (long)x->shape.dim[1];
    pare_rows         rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ &to, &from }, part, parts);
    while (pare_rows_next(&rows)) {
        pare_quantize_pixels p = {
            (const float *)rows.ptr[1], (uint8_t *)rows.ptr[0], rows.step[1], rows.step[0], channels, (long)rows.n
        };

        if (kind == PLANAR) {
            p.x_step = x->stride[1];
            pare_quantize_planar_codes(kernel, &p, a);
            continue;
        }
        if (p.x_step == channels && p.y_step == channels)
            p = (pare_quantize_pixels){ .x = p.x, .y = p.y, .channels = channels * p.n, .n = 1 };
        kernel->codes(&p, a);
    }
}

/*
 * All images, of each the share `part`: every part finds the whole image's scale for itself, the first one stores it.
 * The state of the step is the kernel.
 */
static void run_images(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_quantize_kernel *kernel = step->state;
    const image_kind            kind = kind_of(call);
    const int64_t               n = pare_shape_count(&call->out[1]->shape);

    (void)scratch;
    for (int64_t row = 0; row < n; row++) {
        pare_tensor q, x;
        float      *scale;

        row_views(call, row, &q, &x, &scale);
        const float a = largest_of_image(kernel, &x, kind);

        if (part == 0)
            *scale = a / 127;
        codes_of_image(kernel, &q, &x, kind, a, part, parts);
    }
}

/* Rows in one piece, shared whole. The state of the step is the kernel. */
static void run_rows(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_quantize_kernel *kernel = step->state;
    const pare_tensor          *x = call->in[0], *q = call->out[0], *scales = call->out[1];
    const long                  n = row_size(call);
    long                        begin, end;
    pare_walk                   w;

    (void)scratch;
    pare_pool_split((long)pare_shape_count(&scales->shape), 1, part, parts, &begin, &end);
    pare_walk_begin(&w, row_axes(call), x->shape.dim);
    pare_walk_follow(&w, 0, x->stride);
    pare_walk_follow(&w, 1, q->stride);
    pare_walk_follow(&w, 2, scales->stride);
    pare_walk_seek(&w, begin);
    for (long row = begin; row < end; row++, pare_walk_next(&w))
        ((float *)scales->data)[w.offset[2]] =
            pare_quantize_dynamic(kernel, (const float *)x->data + w.offset[0], (uint8_t *)q->data + w.offset[1], n);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_quantize_kernel *kernel;

    pare_quantize_candidates(step->cpu, &kernel, 1);
    if (in_one_piece(call->in[0], row_axes(call)) && in_one_piece(call->out[0], row_axes(call)))
        step->run = run_rows;
    else if (kind_of(call) != OTHER)
        step->run = run_images;
    else
        return PARE_OK;                      /* the reference runs */
    step->state = (void *)(uintptr_t)kernel; /* static: nothing to release */
    step->kernel = kernel->name;
    return PARE_OK;
}

static const char *const samples[] = { "f32[3,70]", "f32[2,3,5]", "f32[2,3,4,5] row_axes=1", NULL };

const pare_op pare_op_quantize_rows = {
    .name = "quantize_rows",
    .min_in = 1, /* x f32                                    */
    .max_in = 1,
    .min_out = 2, /* q u8 (stored as q + 128), scales f32     */
    .max_out = 2,
    .traits = PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(rows_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
