/* SPDX-License-Identifier: Apache-2.0 */
/* channel_images.c - tensors as images of pixels, and as lines of one channel */
#include "ops/channel_images.h"

#include "base/pool.h"
#include "base/status.h"
#include "ops/call.h"

bool pare_has_pixels(const pare_tensor *t)
{
    return t->shape.rank >= 2 && t->shape.rank <= 4 && (t->stride[1] == 1 || t->shape.dim[1] == 1);
}

int64_t pare_n_pixels(const pare_shape *shape)
{
    int64_t n = 1;

    for (int i = 2; i < shape->rank; i++)
        n *= shape->dim[i];
    return n;
}

int64_t pare_n_channels(const pare_shape *shape)
{
    return shape->rank > 1 ? shape->dim[1] : 1;
}

int pare_image_lines(const pare_tensor *t)
{
    return t->shape.rank == 4 ? (int)t->shape.dim[2] : 1;
}

static ptrdiff_t line_stride(const pare_tensor *t)
{
    return t->shape.rank == 4 ? (ptrdiff_t)t->stride[2] : 0;
}

static ptrdiff_t pixel_stride(const pare_tensor *t)
{
    return t->shape.rank > 2 ? (ptrdiff_t)t->stride[t->shape.rank - 1] : 0;
}

float *pare_image_at(const pare_tensor *t, long line)
{
    const long h = pare_image_lines(t);

    return (float *)t->data + line / h * t->stride[0] + line % h * line_stride(t);
}

pare_channels_f32_image pare_image_of(const pare_tensor *t)
{
    return (pare_channels_f32_image){ .h = pare_image_lines(t),
                                      .w = t->shape.rank > 2 ? (int)t->shape.dim[t->shape.rank - 1] : 1,
                                      .c = (int)t->shape.dim[1] };
}

void pare_image_set_x(pare_channels_f32_image *im, const pare_tensor *t, long line)
{
    im->x = pare_image_at(t, line);
    im->x_row = line_stride(t);
    im->x_pixel = pixel_stride(t);
}

void pare_image_set_dy(pare_channels_f32_image *im, const pare_tensor *t, long line)
{
    im->dy = pare_image_at(t, line);
    im->dy_row = line_stride(t);
    im->dy_pixel = pixel_stride(t);
}

void pare_image_set_y(pare_channels_f32_image *im, const pare_tensor *t, long line)
{
    im->y = pare_image_at(t, line);
    im->y_row = line_stride(t);
    im->y_pixel = pixel_stride(t);
}

/* Element offset of pixel `i` inside a channel. */
static int64_t pixel_offset(const pare_tensor *t, int64_t i)
{
    int64_t offset = 0;

    for (int axis = t->shape.rank - 1; axis >= 2; axis--) {
        offset += i % t->shape.dim[axis] * t->stride[axis];
        i /= t->shape.dim[axis];
    }
    return offset;
}

static float *channel_at(const pare_tensor *t, int64_t n, int64_t c)
{
    return (float *)t->data + n * t->stride[0] + (t->shape.rank > 1 ? c * t->stride[1] : 0);
}

void pare_channel_get(const pare_tensor *t, int64_t n, int64_t c, float *line)
{
    const float *const from = channel_at(t, n, c);

    for (int64_t i = 0; i < pare_n_pixels(&t->shape); i++)
        line[i] = from[pixel_offset(t, i)];
}

void pare_channel_put(const pare_tensor *t, int64_t n, int64_t c, const float *line)
{
    float *const to = channel_at(t, n, c);

    for (int64_t i = 0; i < pare_n_pixels(&t->shape); i++)
        to[pixel_offset(t, i)] = line[i];
}

const pare_channels_f32_kernel *pare_channels_kernel(const pare_step *step)
{
    const pare_channels_f32_kernel *best = NULL;

    pare_channels_f32_candidates(step->cpu, &best, 1);
    return best;
}

/* From line `first` to line `last` - 1. */
static pare_span span_between(const pare_tensor *t, long first, long last)
{
    const ptrdiff_t size = (ptrdiff_t)sizeof(float);

    if (first >= last)
        return (pare_span){ 0, 0 };
    const pare_channels_f32_image im = pare_image_of(t);
    const ptrdiff_t               line = (im.w - 1) * pixel_stride(t) + im.c;
    return (pare_span){ (pare_image_at(t, first) - (float *)t->data) * size,
                        (pare_image_at(t, last - 1) - (float *)t->data + line) * size };
}

pare_span pare_span_lines(const pare_tensor *t, int part, int parts)
{
    long begin, end;

    pare_pool_split((long)t->shape.dim[0] * pare_image_lines(t), 1, part, parts, &begin, &end);
    return span_between(t, begin, end);
}

pare_span pare_span_images(const pare_tensor *t, int part, int parts)
{
    const long h = pare_image_lines(t);
    long       begin, end;

    pare_pool_split((long)t->shape.dim[0], 1, part, parts, &begin, &end);
    return span_between(t, begin * h, end * h);
}

pare_status pare_call_per_channel(const pare_call *call, int x, int input)
{
    const int64_t     c = pare_n_channels(&call->in[x]->shape);
    const pare_shape *s = &call->in[input]->shape;

    PARE_TRY(pare_call_plain(call, input, PARE_D(f32)));
    if (s->rank != 1 || (s->dim[0] != c && c >= 0 && s->dim[0] >= 0))
        return pare_fail(PARE_ERR_SHAPE, "input %d must have one number per channel", input);
    return PARE_OK;
}
