/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_bf16.c - packing weights, and walking strips of pixels
 *
 * The windows of a strip of pixels are rounded into scratch, one row per pixel, which stays in the second-level cache
 * while all panels of weights go by: each number of x is rounded once per tap, and tiles read plain rows.
 */
#include "kernels/conv_bf16/conv_bf16.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "tensor/tensor.h"

#define CONV_BF16(mr, nr, name, native)                 \
    void pare_bf16_tile_##name(const pare_bf16_tile *); \
    void pare_bf16_round_##name(long n, const float *x, uint16_t *y);
#include "kernels/conv_bf16/conv_bf16.def"
#undef CONV_BF16

static const pare_bf16_kernel kernels[] = {
#define CONV_BF16(mr, nr, name, native) \
    { "conv_bf16_" #mr "x" #nr "_" #name, native, mr, nr, pare_bf16_tile_##name, pare_bf16_round_##name },
#include "kernels/conv_bf16/conv_bf16.def"
#undef CONV_BF16
};

enum {
    STRIP_BYTES = 128 * 1024, /* of rounded rows: an eighth of a second-level cache, beside a panel of weights */
};

struct pare_conv_bf16_plan {
    const pare_bf16_kernel *kernel;
    pare_conv_f32_desc      d;      /* lo and hi filled in                    */
    pare_buf               *packed; /* [panel][pairs][nr][2], the last panel's missing columns 0 */
    pare_buf               *bias;   /* [oc], or NULL                    */
    int                     pairs;
    long                    strip; /* pixels */
};

int pare_bf16_candidates(unsigned cpu, const pare_bf16_kernel *out[], int max)
{
    int n = 0;

    for (size_t i = 0; n < max && i < sizeof(kernels) / sizeof(kernels[0]); i++)
        if (!kernels[i].native || pare_cpu_bf16(cpu))
            out[n++] = &kernels[i];
    return n;
}

static long n_panels(const pare_conv_bf16_plan *plan)
{
    return (plan->d.oc + plan->kernel->nr - 1) / plan->kernel->nr;
}

static size_t panel_size(const pare_conv_bf16_plan *plan)
{
    return (size_t)plan->pairs * 2 * (size_t)plan->kernel->nr;
}

static void pack(const pare_conv_bf16_plan *plan, const pare_bf16_weights *w, uint16_t *dst)
{
    const pare_conv_f32_desc *d = &plan->d;
    const int                 nr = plan->kernel->nr, n_k = d->kh * d->kw * d->c;

    memset(dst, 0, sizeof(*dst) * panel_size(plan) * (size_t)n_panels(plan));
    for (int column = 0; column < d->oc; column++) {
        uint16_t *const panel = dst + (size_t)(column / nr) * panel_size(plan);

        for (int k = 0; k < n_k; k++)
            panel[(size_t)(k / 2 * nr + column % nr) * 2 + (size_t)(k % 2)] =
                pare_f32_to_bf16(w->data[column * w->column + k / d->c * w->tap + k % d->c * w->channel]);
    }
}

pare_status pare_conv_bf16_create(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *bias,
                                  const pare_bf16_kernel *kernel, pare_conv_bf16_plan **out)
{
    pare_conv_bf16_plan *const plan = pare_calloc(1, sizeof(*plan));
    pare_status                status;

    assert(d->group == 1);
    if (!plan)
        return pare_fail_memory(sizeof(*plan), "a convolution plan");
    plan->kernel = kernel;
    plan->d = *d;
    plan->d.lo = d->clamp ? d->lo : -INFINITY;
    plan->d.hi = d->clamp ? d->hi : INFINITY;
    plan->pairs = (d->kh * d->kw * d->c + 1) / 2;
    plan->strip = STRIP_BYTES / (4 * (long)plan->pairs + 1) / kernel->mr * kernel->mr + kernel->mr;
    PARE_GOTO(
        pare_store_take_buf(d->store, sizeof(uint16_t) * panel_size(plan) * (size_t)n_panels(plan), &plan->packed));
    if (bias)
        PARE_GOTO(pare_store_take_buf(d->store, sizeof(float) * (size_t)d->oc, &plan->bias));
    if (!pare_store_is_filled(d->store)) {
        pack(plan, w, (uint16_t *)(void *)pare_buf_bytes(plan->packed));
        if (bias)
            memcpy(pare_buf_bytes(plan->bias), bias, sizeof(float) * (size_t)d->oc);
    }
    *out = plan;
    return PARE_OK;
out:
    pare_conv_bf16_destroy(plan);
    return status;
}

void pare_conv_bf16_destroy(pare_conv_bf16_plan *plan)
{
    if (!plan)
        return;
    pare_buf_unref(plan->packed);
    pare_buf_unref(plan->bias);
    pare_free(plan);
}

/* Where the pixels of a strip go, up to a cache line. */
static size_t pointer_bytes(const pare_conv_bf16_plan *plan)
{
    return ((size_t)plan->strip * sizeof(float *) + 63) / 64 * 64;
}

size_t pare_conv_bf16_scratch(const pare_conv_bf16_plan *plan)
{
    return pointer_bytes(plan) + (size_t)plan->strip * (size_t)plan->pairs * 2 * sizeof(uint16_t);
}

/* Pixels where each part gets enough of them to use a weight again, else panels: the rule of conv_f32. */
bool pare_conv_bf16_share(const pare_conv_bf16_plan *plan, int part, int parts, long *first, long *last)
{
    const long pixels = (long)plan->d.n * plan->d.oh * plan->d.ow;
    const bool enough =
        pixels >= plan->d.oc || pixels >= (long)PARE_GEMM_F32_FEW_ROWS * parts || n_panels(plan) < parts;

    *first = 0;
    *last = pixels;
    if (enough)
        pare_pool_split(pixels, 1, part, parts, first, last);
    return enough;
}

typedef struct place {
    const float *x; /* the window's first pixel */
    float       *y;
} place;

static place place_of(const pare_conv_bf16_plan *plan, const float *x, float *y, long pixel)
{
    const pare_conv_f32_desc *d = &plan->d;
    const long                image = pixel / d->ow / d->oh, row = pixel / d->ow % d->oh, column = pixel % d->ow;

    return (place){ x + image * d->x.image + (row * d->stride_h - d->pad_top) * d->x.row +
                        (column * d->stride_w - d->pad_left) * d->x.pixel,
                    y + image * d->y.image + row * d->y.row + column * d->y.pixel };
}

/* One window as a row of 2 * pairs numbers. */
static void round_window(const pare_conv_bf16_plan *plan, const float *x, uint16_t *row)
{
    const pare_conv_f32_desc *d = &plan->d;
    const bool                run = d->dilation_w == 1 && d->x.pixel == d->c; /* a line of the window is one piece */
    const int                 n = run ? d->kw * d->c : d->c, in_line = run ? 1 : d->kw;

    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < in_line; j++, row += n)
            plan->kernel->round(n, x + i * d->dilation_h * d->x.row + j * d->dilation_w * d->x.pixel, row);
    if (d->kh * d->kw * d->c % 2)
        *row = 0;
}

/* Rows of a strip times a panel, in tiles of nearly equal height. */
static void run_panel(const pare_conv_bf16_plan *plan, const uint16_t *rows, float *const *y, long n, long panel)
{
    const int             nr = plan->kernel->nr, mr = plan->kernel->mr, column = (int)panel * nr;
    const long            tiles = (n + mr - 1) / mr;
    const float *const    bias = plan->bias ? (const float *)(const void *)pare_buf_bytes(plan->bias) : NULL;
    const uint16_t *const packed = (const uint16_t *)(const void *)pare_buf_bytes(plan->packed);

    for (long tile = 0; tile < tiles; tile++) {
        const long begin = n * tile / tiles, end = n * (tile + 1) / tiles;

        plan->kernel->tile(&(pare_bf16_tile){ .x = rows + begin * 2 * plan->pairs,
                                              .x_row = 2 * plan->pairs,
                                              .w = packed + (size_t)panel * panel_size(plan),
                                              .init = bias ? bias + column : NULL,
                                              .y = y + begin,
                                              .column = column,
                                              .lo = plan->d.lo,
                                              .hi = plan->d.hi,
                                              .pairs = plan->pairs,
                                              .m = (int)(end - begin),
                                              .n = plan->d.oc - column < nr ? plan->d.oc - column : nr });
    }
}

void pare_conv_bf16_run(const pare_conv_bf16_plan *plan, const float *x, float *y, const int share[2], void *scratch)
{
    float **const   to = scratch; /* [strip] */
    uint16_t *const rows = (uint16_t *)(void *)((char *)scratch + pointer_bytes(plan));
    long            first, last, panels[2] = { 0, n_panels(plan) };

    if (!pare_conv_bf16_share(plan, share[0], share[1], &first, &last))
        pare_pool_split(n_panels(plan), 1, share[0], share[1], &panels[0], &panels[1]);
    for (long at = first; at < last && panels[0] < panels[1]; at += plan->strip) {
        const long n = last - at < plan->strip ? last - at : plan->strip;

        for (long i = 0; i < n; i++) {
            const place p = place_of(plan, x, y, at + i);

            round_window(plan, p.x, rows + i * 2 * plan->pairs);
            to[i] = p.y;
        }
        for (long panel = panels[0]; panel < panels[1]; panel++)
            run_panel(plan, rows, to, n, panel);
    }
}
