/* SPDX-License-Identifier: Apache-2.0 */
/* conv_f32.c - planning a convolution (tables, packed weights) and walking its tiles */
#include "kernels/conv_f32/conv_f32.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"

/*
 * A line is a run of output pixels whose inputs, outputs and residuals all lie at constant distances: a row of the
 * image, or the whole image or batch where no halo interrupts it. Lines are cut into tiles of nearly equal length, and
 * tiles are numbered through the batch.
 */
struct pare_conv_f32_plan {
    const pare_gemm_f32_kernel *kernel;
    pare_conv_f32_desc          d;      /* after merging: x strides are per output step, n * oh lines of ow pixels */
    pare_buf                   *packed; /* [group][panel][tap][c / group][panel width]                             */
    pare_buf                   *bias;   /* [oc], or NULL                                                           */
    ptrdiff_t                  *taps;   /* [kh * kw] offsets from the first pixel of a line                        */
    long                        tiles_per_line;
    long                        tiles;  /* of all lines                                                            */
    long                        strip;  /* tiles done with one panel before the next panel                         */
};

/* Input floats of a strip: they should still be in the second-level cache when the next panel visits them. */
enum { STRIP_FLOATS = 32 * 1024 };

int pare_conv_f32_candidates(const pare_conv_f32_desc *d, unsigned cpu, const pare_gemm_f32_kernel *out[], int max)
{
    (void)d;
    return pare_gemm_f32_candidates(cpu, out, max);
}

static long group_size(const pare_conv_f32_plan *plan)
{
    const pare_conv_f32_desc *d = &plan->d;

    return (long)pare_gemm_f32_packed_size(plan->kernel, d->oc / d->group, d->kh * d->kw * (d->c / d->group));
}

/* Rows become one row, and images one image, where the next one lies where the next pixel would. */
static void merge_lines(pare_conv_f32_desc *d)
{
    if (d->ow == 1) {
        d->x.pixel = d->x.row;
        d->y.pixel = d->y.row;
        d->r.pixel = d->r.row;
    }
    if (d->ow == 1 || d->oh == 1 ||
        (d->x.row == d->ow * d->x.pixel && d->y.row == d->ow * d->y.pixel && d->r.row == d->ow * d->r.pixel)) {
        d->ow *= d->oh;
        d->oh = 1;
    }
    if (d->ow == 1) {
        d->x.pixel = d->x.image;
        d->y.pixel = d->y.image;
        d->r.pixel = d->r.image;
    }
    if (d->oh == 1 && (d->ow == 1 || d->n == 1 ||
                       (d->x.image == d->ow * d->x.pixel && d->y.image == d->ow * d->y.pixel &&
                        d->r.image == d->ow * d->r.pixel))) {
        d->ow *= d->n;
        d->n = 1;
    }
}

/* Everything of a plan but its weights. */
static pare_status plan_geometry(const pare_conv_f32_desc *d, const pare_gemm_f32_kernel *kernel,
                                 pare_conv_f32_plan **out)
{
    const int           n_taps = d->kh * d->kw;
    pare_conv_f32_plan *plan   = pare_calloc(1, sizeof(*plan));
    ptrdiff_t          *taps   = pare_calloc((size_t)n_taps, sizeof(*taps));

    assert(d->group > 0 && d->c % d->group == 0 && d->oc % d->group == 0);
    if (!plan || !taps) {
        pare_free(plan);
        pare_free(taps);
        return pare_fail_memory(sizeof(*plan) + (size_t)n_taps * sizeof(*taps), "a convolution plan");
    }
    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < d->kw; j++)
            taps[i * d->kw + j] = (i * d->dilation_h - d->pad_top) * d->x.row +
                                  (j * d->dilation_w - d->pad_left) * d->x.pixel;

    plan->kernel = kernel;
    plan->taps   = taps;
    plan->d      = *d;
    plan->d.lo   = d->clamp ? d->lo : -INFINITY;
    plan->d.hi   = d->clamp ? d->hi : INFINITY;
    plan->d.r    = d->r.pixel ? d->r : d->y;
    plan->d.x.row *= d->stride_h;
    plan->d.x.pixel *= d->stride_w;
    merge_lines(&plan->d);

    plan->tiles_per_line  = (plan->d.ow + kernel->mr - 1) / kernel->mr;
    plan->tiles           = plan->tiles_per_line * plan->d.n * plan->d.oh;
    const long tile_reads = (long)kernel->mr * d->stride_w * d->stride_h * d->c;
    plan->strip           = tile_reads < STRIP_FLOATS ? STRIP_FLOATS / (tile_reads + 1) + 1 : 1;
    *out                  = plan;
    return PARE_OK;
}

/* dst[group][panel][tap][c][width] from w[oc][c][tap] */
static void pack(const pare_conv_f32_plan *plan, const float *w, float *dst)
{
    const pare_conv_f32_desc *d      = &plan->d;
    const int                 n_taps = d->kh * d->kw;
    const int                 c      = d->c / d->group;
    const int                 oc     = d->oc / d->group;

    for (int g = 0; g < d->group; g++)
        for (int column = 0; column < oc; column += plan->kernel->nr) {
            const int    width = pare_gemm_f32_panel_width(plan->kernel, oc, column);
            const float *src   = w + ((size_t)g * oc + column) * c * n_taps;

            for (int p = 0; p < n_taps * c; p++, dst += width)
                for (int j = 0; j < width; j++)
                    dst[j] = column + j < oc ? src[((size_t)j * c + p % c) * n_taps + p / c] : 0;
        }
}

pare_status pare_conv_f32_plan_create(const pare_conv_f32_desc *d, const float *w, const float *bias,
                                      const pare_gemm_f32_kernel *kernel, pare_conv_f32_plan **out)
{
    pare_conv_f32_plan *plan;
    pare_status         status;

    PARE_TRY(plan_geometry(d, kernel, &plan));
    PARE_GOTO(pare_buf_alloc(sizeof(float) * (size_t)d->group * (size_t)group_size(plan), &plan->packed));
    pack(plan, w, (float *)pare_buf_bytes(plan->packed));
    if (bias) {
        PARE_GOTO(pare_buf_alloc(sizeof(float) * (size_t)d->oc, &plan->bias));
        memcpy(pare_buf_bytes(plan->bias), bias, sizeof(float) * (size_t)d->oc);
    }
    *out = plan;
    return PARE_OK;
out:
    pare_conv_f32_plan_destroy(plan);
    return status;
}

pare_status pare_conv_f32_plan_share(const pare_conv_f32_plan *like, const pare_conv_f32_desc *d,
                                     pare_conv_f32_plan **out)
{
    assert(d->c == like->d.c && d->oc == like->d.oc && d->group == like->d.group);
    assert(d->kh == like->d.kh && d->kw == like->d.kw);
    PARE_TRY(plan_geometry(d, like->kernel, out));
    (*out)->packed = pare_buf_ref(like->packed);
    (*out)->bias   = pare_buf_ref(like->bias);
    return PARE_OK;
}

void pare_conv_f32_plan_destroy(pare_conv_f32_plan *plan)
{
    if (!plan)
        return;
    pare_buf_unref(plan->packed);
    pare_buf_unref(plan->bias);
    pare_free(plan->taps);
    pare_free(plan);
}

const pare_gemm_f32_kernel *pare_conv_f32_plan_kernel(const pare_conv_f32_plan *plan)
{
    return plan->kernel;
}

typedef struct operands {
    const float *x;
    float       *y;
    const float *r;
} operands;

/* Tile number `index` of columns [column, column + n) of group `g`, as the micro-kernels want it. */
static pare_gemm_f32_tile make_tile(const pare_conv_f32_plan *plan, const operands *o, long index, int g, int column)
{
    const pare_conv_f32_desc *d       = &plan->d;
    const int                 c       = d->c / d->group;
    const int                 oc      = d->oc / d->group;
    const int                 n       = oc - column < plan->kernel->nr ? oc - column : plan->kernel->nr;
    const int                 channel = g * oc + column;
    const size_t              packed  = (size_t)g * (size_t)group_size(plan) + (size_t)column * d->kh * d->kw * c;
    const long                line    = index / plan->tiles_per_line;
    const long                i       = index % plan->tiles_per_line;
    const long                image   = line / d->oh;
    const long                row     = line % d->oh;
    const long                pixel   = d->ow * i / plan->tiles_per_line;
    const long                end     = d->ow * (i + 1) / plan->tiles_per_line;

    return (pare_gemm_f32_tile){
        .x       = o->x + image * d->x.image + row * d->x.row + pixel * d->x.pixel + g * c,
        .x_row   = d->x.pixel,
        .taps    = plan->taps,
        .n_taps  = d->kh * d->kw,
        .k       = c,
        .w       = (const float *)pare_buf_bytes(plan->packed) + packed,
        .init    = plan->bias ? (const float *)pare_buf_bytes(plan->bias) + channel : NULL,
        .add     = o->r ? o->r + image * d->r.image + row * d->r.row + pixel * d->r.pixel + channel : NULL,
        .add_row = d->r.pixel,
        .y       = o->y + image * d->y.image + row * d->y.row + pixel * d->y.pixel + channel,
        .y_row   = d->y.pixel,
        .lo      = d->lo,
        .hi      = d->hi,
        .m       = (int)(end - pixel),
        .n       = n,
    };
}

/* A single output pixel: the version's matrix-times-vector code takes this part's panels of each group in one call. */
static void run_pixel(const pare_conv_f32_plan *plan, const operands *o, long begin, long end)
{
    const int oc     = plan->d.oc / plan->d.group;
    const int nr     = plan->kernel->nr;
    const int panels = (oc + nr - 1) / nr;

    for (int g = 0; g < plan->d.group; g++) {
        const long first = begin - (long)g * panels > 0 ? begin - (long)g * panels : 0;
        const long last  = end - (long)g * panels < panels ? end - (long)g * panels : panels;

        if (first < last) {
            pare_gemm_f32_tile t = make_tile(plan, o, 0, g, (int)first * nr);

            t.n = (last * nr < oc ? (int)last * nr : oc) - (int)first * nr;
            plan->kernel->row(&t);
        }
    }
}

void pare_conv_f32_run(const pare_conv_f32_plan *plan, const float *x, float *y, const float *r, int part, int parts)
{
    const pare_conv_f32_desc *d          = &plan->d;
    const operands            o          = { x, y, r };
    const int                 nr         = plan->kernel->nr;
    const long                panels     = (d->oc / d->group + nr - 1) / nr;
    const long                all_panels = panels * d->group;
    const long                pixels     = (long)d->n * d->oh * d->ow;
    const bool                by_tiles   = plan->tiles >= parts && (pixels >= d->oc || all_panels < parts);
    long                      tiles[2]   = { 0, plan->tiles };
    long                      p[2]       = { 0, all_panels };

    if (by_tiles)
        pare_pool_split(plan->tiles, 1, part, parts, &tiles[0], &tiles[1]);
    else
        pare_pool_split(all_panels, 1, part, parts, &p[0], &p[1]);
    if (pixels == 1 && tiles[0] < tiles[1]) {
        run_pixel(plan, &o, p[0], p[1]);
        return;
    }
    for (long strip = tiles[0]; strip < tiles[1]; strip += plan->strip) {
        const long end = strip + plan->strip < tiles[1] ? strip + plan->strip : tiles[1];

        for (long panel = p[0]; panel < p[1]; panel++)
            for (long tile = strip; tile < end; tile++) {
                const pare_gemm_f32_tile t =
                    make_tile(plan, &o, tile, (int)(panel / panels), (int)(panel % panels) * nr);

                plan->kernel->tile(&t);
            }
    }
}
