/* SPDX-License-Identifier: Apache-2.0 */
/* dw_f32.c - planning a depthwise convolution and walking its output rows */
#include "kernels/dw_f32/dw_f32.h"

#include <assert.h>
#include <math.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"

#define DW_F32(name, isa) void pare_dw_f32_##name(const pare_dw_f32_line *line);
#include "kernels/dw_f32/dw_f32.def"
#undef DW_F32

static const pare_dw_f32_kernel kernels[] = {
#define DW_F32(name, isa) { "dw_f32_" #name, isa, pare_dw_f32_##name },
#include "kernels/dw_f32/dw_f32.def"
#undef DW_F32
};

enum {
    LANES = 16,              /* packed weights are rounded up to what the widest version loads at once */
    CACHE_FLOATS = 6 * 1024, /* most of a first-level cache of 32 KB                                   */
    MIN_BLOCK = 64,          /* channels: four cache lines                                             */
};

struct pare_dw_f32_plan {
    const pare_dw_f32_kernel *kernel;
    pare_conv_f32_desc        d;        /* r, lo and hi filled in                                   */
    pare_buf                 *packed;   /* [1 + kh * kw][c rounded up to 16]: the bias, then the taps;
                                           NULL: the caller packs and keeps it */
    int                       channels; /* done for all rows before the next ones */
};

int pare_dw_f32_candidates(const pare_conv_f32_desc *d, unsigned cpu, const pare_dw_f32_kernel *out[], int max)
{
    int n = 0;

    if (d->group != d->c || d->group != d->oc)
        return 0;
    for (size_t i = 0; n < max && i < sizeof(kernels) / sizeof(kernels[0]); i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

static size_t packed_row(const pare_conv_f32_desc *d)
{
    return (size_t)(d->c + LANES - 1) / LANES * LANES;
}

/*
 * Each input row is read by kh output rows. If that many rows of a few cache lines per pixel fit into the first-level
 * cache, only the first of those reads comes from further away; if not, whole pixels in order are read fastest.
 */
static int channel_block(const pare_conv_f32_desc *d)
{
    const long width = (long)(d->ow - 1) * d->stride_w + (long)(d->kw - 1) * d->dilation_w + 1;
    const long channels = CACHE_FLOATS / (width * d->kh) / MIN_BLOCK * MIN_BLOCK;

    return channels && channels < d->c ? (int)channels : d->c;
}

static pare_status plan_geometry(const pare_conv_f32_desc *d, const pare_dw_f32_kernel *kernel, pare_dw_f32_plan **out)
{
    pare_dw_f32_plan *plan = pare_calloc(1, sizeof(*plan));

    assert(d->group == d->c && d->c == d->oc);
    if (!plan)
        return pare_fail_memory(sizeof(*plan), "a depthwise convolution plan");
    plan->kernel = kernel;
    plan->channels = channel_block(d);
    plan->d = *d;
    plan->d.lo = d->clamp ? d->lo : -INFINITY;
    plan->d.hi = d->clamp ? d->hi : INFINITY;
    plan->d.r = d->r.pixel ? d->r : d->y;
    *out = plan;
    return PARE_OK;
}

size_t pare_dw_f32_packed_size(const pare_dw_f32_plan *plan)
{
    return packed_row(&plan->d) * (size_t)(1 + plan->d.kh * plan->d.kw);
}

void pare_dw_f32_pack(const pare_dw_f32_plan *plan, const float *w, const float *bias, float *packed)
{
    const int    n_taps = plan->d.kh * plan->d.kw, channels = plan->d.c;
    const size_t row = packed_row(&plan->d);

    for (size_t c = 0; c < row; c++) {
        const bool there = c < (size_t)channels;

        packed[c] = there && bias ? bias[c] : 0;
        for (int tap = 0; tap < n_taps; tap++)
            packed[(size_t)(1 + tap) * row + c] = there ? w[c * (size_t)n_taps + (size_t)tap] : 0;
    }
}

pare_status pare_dw_f32_plan_create(const pare_conv_f32_desc *d, const float *w, const float *bias,
                                    const pare_dw_f32_kernel *kernel, pare_dw_f32_plan **out)
{
    pare_dw_f32_plan *plan;
    pare_status       status;

    PARE_TRY(plan_geometry(d, kernel, &plan));
    if (w) {
        PARE_GOTO(pare_store_take_buf(d->store, sizeof(float) * pare_dw_f32_packed_size(plan), &plan->packed));
        if (!pare_store_is_filled(d->store))
            pare_dw_f32_pack(plan, w, bias, (float *)pare_buf_bytes(plan->packed));
    }
    *out = plan;
    return PARE_OK;
out:
    pare_dw_f32_plan_destroy(plan);
    return status;
}

pare_status pare_dw_f32_plan_share(const pare_dw_f32_plan *like, const pare_conv_f32_desc *d, pare_dw_f32_plan **out)
{
    assert(d->c == like->d.c && d->kh == like->d.kh && d->kw == like->d.kw);
    PARE_TRY(plan_geometry(d, like->kernel, out));
    (*out)->packed = pare_buf_ref(like->packed);
    return PARE_OK;
}

void pare_dw_f32_plan_destroy(pare_dw_f32_plan *plan)
{
    if (!plan)
        return;
    pare_buf_unref(plan->packed);
    pare_free(plan);
}

const pare_dw_f32_kernel *pare_dw_f32_plan_kernel(const pare_dw_f32_plan *plan)
{
    return plan->kernel;
}

/* The channels [c, c + n) of one output row. */
static void run_line(const pare_dw_f32_plan *plan, const float *packed, const float *x, float *y, const float *r, int c,
                     int n)
{
    const pare_conv_f32_desc *d = &plan->d;

    plan->kernel->run(&(pare_dw_f32_line){
        .x = x + c,
        .x_step = d->stride_w * d->x.pixel,
        .x_tap = d->dilation_w * d->x.pixel,
        .x_row = d->dilation_h * d->x.row,
        .kh = d->kh,
        .kw = d->kw,
        .w = packed + packed_row(d) + c,
        .w_tap = (ptrdiff_t)packed_row(d),
        .bias = packed + c,
        .r = r ? r + c : NULL,
        .r_pixel = d->r.pixel,
        .y = y + c,
        .y_pixel = d->y.pixel,
        .lo = d->lo,
        .hi = d->hi,
        .c = n,
        .n = d->ow,
    });
}

void pare_dw_f32_share(const pare_dw_f32_plan *plan, int part, int parts, long *first, long *last)
{
    pare_pool_split((long)plan->d.n * plan->d.oh, 1, part, parts, first, last);
    *first *= plan->d.ow;
    *last *= plan->d.ow;
}

void pare_dw_f32_run(const pare_dw_f32_plan *plan, const float *x, float *y, const float *r, int part, int parts)
{
    pare_dw_f32_run_packed(plan, (const float *)pare_buf_bytes(plan->packed), x, y, r, part, parts);
}

void pare_dw_f32_run_packed(const pare_dw_f32_plan *plan, const float *packed, const float *x, float *y, const float *r,
                            int part, int parts)
{
    const pare_conv_f32_desc *d = &plan->d;
    const ptrdiff_t           origin = -d->pad_top * d->x.row - d->pad_left * d->x.pixel;
    long                      begin, end;

    pare_pool_split((long)d->n * d->oh, 1, part, parts, &begin, &end);
    for (int c = 0; c < d->c; c += plan->channels)
        for (long line = begin; line < end; line++) {
            const long image = line / d->oh;
            const long row = line % d->oh;

            run_line(plan, packed, x + origin + image * d->x.image + row * d->stride_h * d->x.row,
                     y + image * d->y.image + row * d->y.row, r ? r + image * d->r.image + row * d->r.row : NULL, c,
                     d->c - c < plan->channels ? d->c - c : plan->channels);
        }
}
