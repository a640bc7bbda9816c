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
    pare_buf                   *packed; /* bias [oc rounded up to 16], [group][panel][tap][c / group][panel width];
                                           NULL: the caller packs and keeps it */
    ptrdiff_t                  *taps;   /* [n_taps] offsets from the first pixel of a line                         */
    int                         n_taps; /* kh * kw, or kh where the taps of a filter row are one run               */
    int                         k;      /* floats of one tap or run                                                */
    long                        tiles_per_line;
    long                        tiles; /* of all lines                                                            */
    long                        strip; /* tiles done with one panel before the next panel                         */
};

enum { BIAS_ROUND = 16 }; /* weights begin at a cache line */

/* Floats read and written by a strip: they should still be in the second-level cache when the next panel comes. */
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

static size_t bias_size(const pare_conv_f32_plan *plan)
{
    return (size_t)(plan->d.oc + BIAS_ROUND - 1) / BIAS_ROUND * BIAS_ROUND;
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
    if (d->oh == 1 &&
        (d->ow == 1 || d->n == 1 ||
         (d->x.image == d->ow * d->x.pixel && d->y.image == d->ow * d->y.pixel && d->r.image == d->ow * d->r.pixel))) {
        d->ow *= d->n;
        d->n = 1;
    }
}

/* Neighbouring taps are neighbouring floats: a filter row is one longer tap, and the chain keeps its order. */
static bool rows_are_runs(const pare_conv_f32_desc *d)
{
    return d->group == 1 && d->dilation_w == 1 && d->x.pixel == d->c;
}

/* Everything of a plan but its weights. */
static pare_status plan_geometry(const pare_conv_f32_desc *d, const pare_gemm_f32_kernel *kernel,
                                 pare_conv_f32_plan **out)
{
    const int           run = rows_are_runs(d) ? d->kw : 1, in_row = d->kw / run, n_taps = d->kh * in_row;
    pare_conv_f32_plan *plan = pare_calloc(1, sizeof(*plan));
    ptrdiff_t          *taps = pare_calloc((size_t)n_taps, sizeof(*taps));

    assert(d->group > 0 && d->c % d->group == 0 && d->oc % d->group == 0);
    if (!plan || !taps) {
        pare_free(plan);
        pare_free(taps);
        return pare_fail_memory(sizeof(*plan) + (size_t)n_taps * sizeof(*taps), "a convolution plan");
    }
    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < in_row; j++)
            taps[i * in_row + j] =
                (i * d->dilation_h - d->pad_top) * d->x.row + (j * d->dilation_w - d->pad_left) * d->x.pixel;

    plan->kernel = kernel;
    plan->taps = taps;
    plan->n_taps = n_taps;
    plan->k = run * (d->c / d->group);
    plan->d = *d;
    plan->d.lo = d->clamp ? d->lo : -INFINITY;
    plan->d.hi = d->clamp ? d->hi : INFINITY;
    plan->d.r = d->r.pixel ? d->r : d->y;
    plan->d.x.row *= d->stride_h;
    plan->d.x.pixel *= d->stride_w;
    merge_lines(&plan->d);

    const int tile_rows = pare_gemm_f32_tile_rows(kernel, plan->d.x.pixel);
    plan->tiles_per_line = (plan->d.ow + tile_rows - 1) / tile_rows;
    plan->tiles = plan->tiles_per_line * plan->d.n * plan->d.oh;
    const long tile_size = (long)tile_rows * ((long)d->stride_w * d->stride_h * d->c + d->oc);
    plan->strip = STRIP_FLOATS / (tile_size + 1) + 1;
    *out = plan;
    return PARE_OK;
}

size_t pare_conv_f32_packed_size(const pare_conv_f32_plan *plan)
{
    return bias_size(plan) + (size_t)plan->d.group * (size_t)group_size(plan);
}

/* [group][panel][tap][c][width] from w[oc][c][tap] */
void pare_conv_f32_pack(const pare_conv_f32_plan *plan, const float *w, const float *bias, float *packed)
{
    const pare_conv_f32_desc *d = &plan->d;
    const int                 n_taps = d->kh * d->kw;
    const int                 c = d->c / d->group;
    const int                 oc = d->oc / d->group;
    float                    *dst = packed + bias_size(plan);

    for (int i = 0; i < d->oc; i++)
        packed[i] = bias ? bias[i] : 0;
    for (int g = 0; g < d->group; g++)
        for (int column = 0; column < oc; column += plan->kernel->nr) {
            const int    width = pare_gemm_f32_panel_width(plan->kernel, oc, column);
            const float *src = w + ((size_t)g * oc + column) * c * n_taps;

            for (int tap = 0; tap < n_taps; tap++)
                for (int i = 0; i < c; i++, dst += width)
                    for (int j = 0; j < width; j++)
                        dst[j] = column + j < oc ? src[((size_t)j * c + i) * n_taps + tap] : 0;
        }
}

pare_status pare_conv_f32_plan_create(const pare_conv_f32_desc *d, const float *w, const float *bias,
                                      const pare_gemm_f32_kernel *kernel, pare_conv_f32_plan **out)
{
    pare_conv_f32_plan *plan;
    pare_status         status;

    PARE_TRY(plan_geometry(d, kernel, &plan));
    if (w) {
        PARE_GOTO(pare_store_take_buf(d->store, sizeof(float) * pare_conv_f32_packed_size(plan), &plan->packed));
        if (!pare_store_is_filled(d->store))
            pare_conv_f32_pack(plan, w, bias, (float *)pare_buf_bytes(plan->packed));
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
    return PARE_OK;
}

void pare_conv_f32_plan_destroy(pare_conv_f32_plan *plan)
{
    if (!plan)
        return;
    pare_buf_unref(plan->packed);
    pare_free(plan->taps);
    pare_free(plan);
}

const pare_gemm_f32_kernel *pare_conv_f32_plan_kernel(const pare_conv_f32_plan *plan)
{
    return plan->kernel;
}

typedef struct operands {
    const float *packed;
    const float *x;
    float       *y;
    const float *r;
} operands;

/* What the tiles of columns [column, column + n) of group `g` have in common; x, add and y are those of pixel 0. */
static pare_gemm_f32_tile make_panel(const pare_conv_f32_plan *plan, const operands *o, int g, int column)
{
    const pare_conv_f32_desc *d = &plan->d;
    const int                 c = d->c / d->group;
    const int                 oc = d->oc / d->group;
    const int                 channel = g * oc + column;
    const size_t packed = bias_size(plan) + (size_t)g * (size_t)group_size(plan) + (size_t)column * d->kh * d->kw * c;

    return (pare_gemm_f32_tile){
        .x = o->x + g * c,
        .x_row = d->x.pixel,
        .taps = plan->taps,
        .n_taps = plan->n_taps,
        .k = plan->k,
        .w = o->packed + packed,
        .init = o->packed + channel,
        .add = o->r ? o->r + channel : NULL,
        .add_row = d->r.pixel,
        .y = o->y + channel,
        .y_row = d->y.pixel,
        .lo = d->lo,
        .hi = d->hi,
        .m = 1,
        .n = oc - column < plan->kernel->nr ? oc - column : plan->kernel->nr,
    };
}

static ptrdiff_t line_start(const pare_conv_f32_strides *s, long image, long row)
{
    return image * s->image + row * s->row;
}

/* The tiles [begin, end) of one panel. */
static void run_panel(const pare_conv_f32_plan *plan, const pare_gemm_f32_tile *panel, long begin, long end)
{
    const pare_conv_f32_desc *d = &plan->d;
    const long                length = d->ow / plan->tiles_per_line; /* the first `longer` tiles of a line */
    const long                longer = d->ow % plan->tiles_per_line; /* have one pixel more                */
    pare_gemm_f32_tile        t = *panel;

    for (long tile = begin; tile < end;) {
        const long      line = tile / plan->tiles_per_line;
        const long      last = (line + 1) * plan->tiles_per_line < end ? (line + 1) * plan->tiles_per_line : end;
        const long      image = line / d->oh;
        const long      row = line % d->oh;
        const ptrdiff_t x = line_start(&d->x, image, row);
        const ptrdiff_t y = line_start(&d->y, image, row);
        const ptrdiff_t r = line_start(&d->r, image, row);

        for (long i = tile % plan->tiles_per_line; tile < last; tile++, i++) {
            const long pixel = i * length + (i < longer ? i : longer);

            t.m = (int)(length + (i < longer));
            t.x = panel->x + x + pixel * d->x.pixel;
            t.y = panel->y + y + pixel * d->y.pixel;
            t.add = panel->add ? panel->add + r + pixel * d->r.pixel : NULL;
            plan->kernel->tile(&t);
        }
    }
}

/* A single output pixel: the version's matrix-times-vector code takes this part's panels of each group in one call. */
static void run_pixel(const pare_conv_f32_plan *plan, const operands *o, long begin, long end)
{
    const int oc = plan->d.oc / plan->d.group;
    const int nr = plan->kernel->nr;
    const int panels = (oc + nr - 1) / nr;

    for (int g = 0; g < plan->d.group; g++) {
        const long first = begin - (long)g * panels > 0 ? begin - (long)g * panels : 0;
        const long last = end - (long)g * panels < panels ? end - (long)g * panels : panels;

        if (first < last) {
            pare_gemm_f32_tile t = make_panel(plan, o, g, (int)first * nr);

            t.n = (last * nr < oc ? (int)last * nr : oc) - (int)first * nr;
            plan->kernel->row(&t);
        }
    }
}

/*
 * Tiles [0] .. [1]-1 and panels [0] .. [1]-1 of all groups of a part; whether tiles are shared out. They are where each
 * part gets enough pixels to use a weight again, so that parts wait for neighbours only.
 */
static bool share_out(const pare_conv_f32_plan *plan, int part, int parts, long tiles[2], long panels[2])
{
    const pare_conv_f32_desc *d = &plan->d;
    const int                 nr = plan->kernel->nr;
    const long                all_panels = (d->oc / d->group + nr - 1) / nr * d->group;
    const long                pixels = (long)d->n * d->oh * d->ow;
    const bool enough = pixels >= d->oc || pixels >= (long)PARE_GEMM_F32_FEW_ROWS * parts || all_panels < parts;

    tiles[0] = panels[0] = 0;
    tiles[1] = plan->tiles;
    panels[1] = all_panels;
    if (plan->tiles >= parts && enough)
        pare_pool_split(plan->tiles, 1, part, parts, &tiles[0], &tiles[1]);
    else
        pare_pool_split(all_panels, 1, part, parts, &panels[0], &panels[1]);
    return plan->tiles >= parts && enough;
}

/* Pixels of all tiles before this one. */
static long pixels_before(const pare_conv_f32_plan *plan, long tile)
{
    const long length = plan->d.ow / plan->tiles_per_line, longer = plan->d.ow % plan->tiles_per_line;
    const long in_line = tile % plan->tiles_per_line;

    return tile / plan->tiles_per_line * plan->d.ow + in_line * length + (in_line < longer ? in_line : longer);
}

/* Merging lines keeps the order of pixels. */
bool pare_conv_f32_share(const pare_conv_f32_plan *plan, int part, int parts, long *first, long *last)
{
    long       tiles[2], panels[2];
    const bool by_tiles = share_out(plan, part, parts, tiles, panels);

    *first = pixels_before(plan, tiles[0]);
    *last = pixels_before(plan, tiles[1]);
    return by_tiles;
}

void pare_conv_f32_run(const pare_conv_f32_plan *plan, const float *x, float *y, const float *r, int part, int parts)
{
    pare_conv_f32_run_packed(plan, (const float *)pare_buf_bytes(plan->packed), x, y, r, part, parts);
}

void pare_conv_f32_run_packed(const pare_conv_f32_plan *plan, const float *packed, const float *x, float *y,
                              const float *r, int part, int parts)
{
    const pare_conv_f32_desc *d = &plan->d;
    const operands            o = { packed, x, y, r };
    const int                 nr = plan->kernel->nr;
    const long                panels = (d->oc / d->group + nr - 1) / nr;
    long                      tiles[2], p[2];

    share_out(plan, part, parts, tiles, p);
    if ((long)d->n * d->oh * d->ow == 1 && tiles[0] < tiles[1]) {
        run_pixel(plan, &o, p[0], p[1]);
        return;
    }
    for (long strip = tiles[0]; strip < tiles[1]; strip += plan->strip) {
        const long end = strip + plan->strip < tiles[1] ? strip + plan->strip : tiles[1];

        for (long i = p[0]; i < p[1]; i++) {
            const pare_gemm_f32_tile panel = make_panel(plan, &o, (int)(i / panels), (int)(i % panels) * nr);

            run_panel(plan, &panel, strip, end);
        }
    }
}
