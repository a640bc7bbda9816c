/* SPDX-License-Identifier: Apache-2.0 */
/* span.c - which bytes of an operand one part of a run touches */
#include "ops/span.h"

#include "ops/move.h"

pare_span pare_span_extent(const pare_tensor *t)
{
    const int       r = t->shape.rank;
    const ptrdiff_t size = (ptrdiff_t)pare_dtype_size(t->dtype);
    pare_span       span = { 0, size };

    if (size == 0) /* sub-byte: dense only */
        return (pare_span){ 0, (ptrdiff_t)pare_tensor_bytes(t) };
    for (int i = 0; i < r; i++) {
        const int *const halo = i < 2 ? NULL : i == r - 1 ? t->halo[1] : i == r - 2 ? t->halo[0] : NULL;
        const ptrdiff_t  stride = (ptrdiff_t)t->stride[i] * size;

        if (t->shape.dim[i] == 0)
            return pare_span_none();
        span.begin -= halo ? halo[0] * stride : 0;
        span.end += ((ptrdiff_t)t->shape.dim[i] - 1 + (halo ? halo[1] : 0)) * stride;
    }
    return span;
}

/* Offset of the walk's element `index` in tensor k, in elements. */
static int64_t offset_of(const pare_rows *rows, int k, int64_t index)
{
    int64_t offset = 0;

    for (int i = rows->axes - 1; i >= 0; i--) {
        offset += index % rows->dim[i] * rows->stride[k][i];
        index /= rows->dim[i];
    }
    return offset;
}

/* Whether offsets in tensor k grow along the walk: each axis steps over all that the axes inside it reach. */
static bool grows(const pare_rows *rows, int k)
{
    int64_t reach = 0;

    for (int i = rows->axes - 1; i >= 0; i--) {
        if (rows->dim[i] > 1 && rows->stride[k][i] < reach)
            return false;
        reach += (rows->dim[i] - 1) * rows->stride[k][i];
    }
    return true;
}

pare_span pare_span_rows(int n, const pare_tensor *const tensor[], int k, int part, int parts)
{
    pare_rows rows;

    pare_rows_begin(&rows, n, tensor, part, parts);
    if (rows.first >= rows.last)
        return pare_span_none();
    if (!grows(&rows, k))
        return pare_span_all();
    return (pare_span){ (ptrdiff_t)(offset_of(&rows, k, rows.first) * (int64_t)rows.size[k]),
                        (ptrdiff_t)((offset_of(&rows, k, rows.last - 1) + 1) * (int64_t)rows.size[k]) };
}

pare_span pare_span_pixel_rows(int n, const pare_tensor *const tensor[], int k, int part, int parts)
{
    pare_tensor        one[PARE_ROWS_MAX];
    const pare_tensor *at[PARE_ROWS_MAX];

    for (int i = 0; i < n; i++) {
        one[i] = pare_region(tensor[i], 1, 0, 1, 1);
        at[i] = &one[i];
    }
    pare_span span = pare_span_rows(n, at, k, part, parts);

    if (span.begin < span.end && span.end < PTRDIFF_MAX)
        span.end += ((ptrdiff_t)tensor[k]->shape.dim[1] - 1) * (ptrdiff_t)pare_dtype_size(tensor[k]->dtype);
    return span;
}

pare_span pare_span_items(const pare_tensor *t, int axes, long first, long last)
{
    const int64_t size = (int64_t)pare_dtype_size(t->dtype);
    int64_t       reach = 0, item = size, at[2] = { first, last - 1 }, offset[2] = { 0, 0 };

    if (first >= last)
        return pare_span_none();
    if (size == 0)
        return pare_span_all();
    for (int i = t->shape.rank - 1; i >= axes; i--)
        item += (t->shape.dim[i] - 1) * t->stride[i] * size;
    for (int i = axes - 1; i >= 0; i--) {
        if (t->shape.dim[i] > 1 && t->stride[i] < reach)
            return pare_span_all();
        reach += (t->shape.dim[i] - 1) * t->stride[i];
        for (int k = 0; k < 2; k++) {
            offset[k] += at[k] % t->shape.dim[i] * t->stride[i] * size;
            at[k] /= t->shape.dim[i];
        }
    }
    return (pare_span){ (ptrdiff_t)offset[0], (ptrdiff_t)(offset[1] + item) };
}

pare_span pare_span_join(pare_span a, pare_span b)
{
    if (a.begin >= a.end || b.begin >= b.end)
        return a.begin >= a.end ? b : a;
    return (pare_span){ a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end };
}

pare_span pare_span_map(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    (void)step;
    if (operand > 0 && operand != call->n_in)
        return pare_span_all();
    return pare_span_rows(2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, operand == 0, part, parts);
}

pare_span pare_span_elementwise(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_tensor *tensor[PARE_ROWS_MAX] = { call->out[0] };
    int                n = 1, k = 0;

    (void)step;
    for (int i = 0; i < call->n_in && n < PARE_ROWS_MAX; i++)
        if (call->in[i]) {
            k = i == operand ? n : k;
            tensor[n++] = call->in[i];
        }
    return pare_span_rows(n, tensor, k, part, parts);
}

/* Bytes from element [0, 0, ...] to a pixel. Lines and columns may lie in the halo. */
static ptrdiff_t pixel_at(const pare_tensor *t, ptrdiff_t image, ptrdiff_t line, ptrdiff_t column)
{
    ptrdiff_t images, lines, pixels;

    pare_window_strides(t, &images, &lines, &pixels);
    return (image * images + line * lines + column * pixels) * (ptrdiff_t)pare_dtype_size(t->dtype);
}

static ptrdiff_t pixel_bytes(const pare_tensor *t)
{
    return (ptrdiff_t)t->shape.dim[1] * (ptrdiff_t)pare_dtype_size(t->dtype);
}

pare_span pare_span_pixels(const pare_tensor *t, long first, long last)
{
    const ptrdiff_t w = (ptrdiff_t)t->shape.dim[t->shape.rank - 1];
    const ptrdiff_t h = t->shape.rank == 4 ? (ptrdiff_t)t->shape.dim[2] : 1;

    if (first >= last)
        return pare_span_none();
    return (pare_span){ pixel_at(t, first / w / h, first / w % h, first % w),
                        pixel_at(t, (last - 1) / w / h, (last - 1) / w % h, (last - 1) % w) + pixel_bytes(t) };
}

/*
 * Both ends move on with the output pixel, so those of the first and the last are those of all. Kernels load pixels in
 * blocks of 64 bytes, whatever of it they use.
 */
pare_span pare_span_windows(const pare_tensor *x, const pare_window_2d *w, long first, long last)
{
    const ptrdiff_t a = first, z = last - 1;

    if (first >= last)
        return pare_span_none();
    return (pare_span){
        pixel_at(x, a / w->ow / w->oh, a / w->ow % w->oh * w->stride_h - w->top, a % w->ow * w->stride_w - w->left),
        pixel_at(x, z / w->ow / w->oh, z / w->ow % w->oh * w->stride_h - w->top + (w->kh - 1) * w->dilation_h,
                 z % w->ow * w->stride_w - w->left + (w->kw - 1) * w->dilation_w) +
            (pixel_bytes(x) + 63) / 64 * 64
    };
}
