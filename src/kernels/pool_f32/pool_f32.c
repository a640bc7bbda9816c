/* SPDX-License-Identifier: Apache-2.0 */
/* pool_f32.c - choosing a version, and clipping windows to the image */
#include "kernels/pool_f32/pool_f32.h"

#include "base/pool.h"

#define POOL_F32(name, isa)                                           \
    void pare_pool_f32_max_##name(const pare_pool_f32_window *w);     \
    void pare_pool_f32_average_##name(const pare_pool_f32_window *w); \
    void pare_pool_f32_global_##name(const pare_pool_f32_window *w);
#include "kernels/pool_f32/pool_f32.def"
#undef POOL_F32

static const pare_pool_f32_kernel kernels[] = {
#define POOL_F32(name, isa) \
    { "pool_f32_" #name, isa, pare_pool_f32_max_##name, pare_pool_f32_average_##name, pare_pool_f32_global_##name },
#include "kernels/pool_f32/pool_f32.def"
#undef POOL_F32
};

enum { CHANNELS = 16 }; /* of a global average that one part does at least: the widest vector */

int pare_pool_f32_candidates(unsigned cpu, const pare_pool_f32_kernel *out[], int max)
{
    int n = 0;

    for (size_t i = 0; n < max && i < sizeof(kernels) / sizeof(kernels[0]); i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

/* Positions start, start + step ... (count of them) that lie in [0, size): [first, last) by number. */
typedef struct span {
    int first;
    int last;
} span;

static span clip(int start, int step, int count, int size)
{
    const int below = start < 0 ? (-start + step - 1) / step : 0;
    const int inside = start < size ? (size - start + step - 1) / step : 0;
    const int last = inside < count ? inside : count;

    return (span){ below < last ? below : last, last };
}

/* The window of output (oy, ox) of the image that x points at. */
static pare_pool_f32_window make_window(const pare_pool_f32_desc *d, const float *x, int oy, int ox)
{
    const int  top = oy * d->stride_h - d->pad_top;
    const int  left = ox * d->stride_w - d->pad_left;
    const span rows = clip(top, d->dilation_h, d->kh, d->h);
    const span cols = clip(left, d->dilation_w, d->kw, d->w);
    const int  all = clip(top + d->pad_top, 1, d->kh, d->h + d->pad_top + d->pad_bottom).last *
                    clip(left + d->pad_left, 1, d->kw, d->w + d->pad_left + d->pad_right).last;
    const int real = (rows.last - rows.first) * (cols.last - cols.first);

    return (pare_pool_f32_window){
        .x = x + (top + rows.first * d->dilation_h) * d->x_row + (left + cols.first * d->dilation_w) * d->x_pixel,
        .x_row = d->dilation_h * d->x_row,
        .x_pixel = d->dilation_w * d->x_pixel,
        .rows = rows.last - rows.first,
        .pixels = cols.last - cols.first,
        .c = d->c,
        .divisor = (float)(d->count_pad ? all : real),
    };
}

static void each_window(void (*run)(const pare_pool_f32_window *), const pare_pool_f32_desc *d, const float *x,
                        float *y, const long lines[2])
{
    for (long line = lines[0]; line < lines[1]; line++) {
        const long image = line / d->oh;
        const int  oy = (int)(line % d->oh);

        for (int ox = 0; ox < d->ow; ox++) {
            pare_pool_f32_window window = make_window(d, x + image * d->x_image, oy, ox);

            window.y = y + image * d->y_image + oy * d->y_row + ox * d->y_pixel;
            run(&window);
        }
    }
}

void pare_pool_f32_max(const pare_pool_f32_kernel *kernel, const pare_pool_f32_desc *d, const float *x, float *y,
                       int part, int parts)
{
    long lines[2];

    pare_pool_split((long)d->n * d->oh, 1, part, parts, &lines[0], &lines[1]);
    each_window(kernel->max, d, x, y, lines);
}

void pare_pool_f32_average(const pare_pool_f32_kernel *kernel, const pare_pool_f32_desc *d, const float *x, float *y,
                           int part, int parts)
{
    long lines[2];

    pare_pool_split((long)d->n * d->oh, 1, part, parts, &lines[0], &lines[1]);
    each_window(kernel->average, d, x, y, lines);
}

void pare_pool_f32_global(const pare_pool_f32_kernel *kernel, const pare_pool_f32_desc *d, const float *x, float *y,
                          int part, int parts)
{
    long begin, end;

    pare_pool_split(d->c, CHANNELS, part, parts, &begin, &end);
    for (int n = 0; n < d->n && begin < end; n++) {
        const bool dense = d->x_row == d->w * d->x_pixel; /* one long row needs no bookkeeping */

        kernel->global(&(pare_pool_f32_window){
            .x = x + n * d->x_image + begin,
            .x_row = d->x_row,
            .x_pixel = d->x_pixel,
            .rows = dense ? 1 : d->h,
            .pixels = dense ? d->h * d->w : d->w,
            .c = (int)(end - begin),
            .divisor = (float)(d->h * d->w),
            .y = y + n * d->y_image + begin,
        });
    }
}
