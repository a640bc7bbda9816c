/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_images.c - quantize_rows when a row is an image: pixels or planes of floats to channels-last codes */
#include "kernels/quantize/quantize.h"
#include "ops/move.h"
#include "ops/quantize_rows.h"
#include "ops/span.h"

/* Images [N, C, spatial...] whose codes lie channels-last, from floats that do too or that are dense planes. */
typedef enum image_kind { OTHER, CHANNELS_LAST, PLANAR } image_kind;

static image_kind kind_of(const pare_call *call)
{
    const pare_tensor *x = call->in[0], *q = call->out[0];
    const int          rank = x->shape.rank;

    if (pare_row_axes(call) != 1 || rank < 3 || q->stride[1] != 1)
        return OTHER;
    for (int axis = 3; axis < rank; axis++)
        if (q->stride[axis] > q->stride[axis - 1])
            return OTHER; /* pixels follow each other in another order than in the planes */
    return x->stride[1] == 1 ? CHANNELS_LAST : pare_rows_in_one_piece(x, 2) ? PLANAR : OTHER;
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
void pare_quantize_images(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_quantize_kernel *kernel = step->state;
    const image_kind            kind = kind_of(call);
    const int64_t               n = pare_shape_count(&call->out[1]->shape);

    (void)scratch;
    for (int64_t row = 0; row < n; row++) {
        pare_tensor q, x;
        float      *scale;

        pare_row_views(call, row, &q, &x, &scale);
        const float a = largest_of_image(kernel, &x, kind);

        if (part == 0)
            *scale = a / 127;
        codes_of_image(kernel, &q, &x, kind, a, part, parts);
    }
}

/* Everybody reads everything; of several images each part writes a share of each. */
pare_span pare_quantize_images_span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    pare_span span = pare_span_none();

    (void)step;
    if (operand == 0)
        return pare_span_all();
    if (operand == 2)
        return part == 0 ? pare_span_all() : pare_span_none();
    for (int64_t row = 0; row < pare_shape_count(&call->out[1]->shape); row++) {
        pare_tensor q, x;
        float      *scale;

        pare_row_views(call, row, &q, &x, &scale);
        pare_span     one = pare_span_pixel_rows(2, (const pare_tensor *const[]){ &q, &x }, 0, part, parts);
        const int64_t at = (const char *)q.data - (const char *)call->out[0]->data;

        if (one.begin == PTRDIFF_MIN)
            return one;
        one.begin += at;
        one.end += at;
        span = pare_span_join(span, one);
    }
    return span;
}

bool pare_quantizes_images(const pare_call *call)
{
    return kind_of(call) != OTHER;
}
