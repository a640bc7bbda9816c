/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_problem.h - random convolutions with their memory, for qconv_test.c and qdw_test.c */
#ifndef PARE_KERNELS_QCONV_PROBLEM_H
#define PARE_KERNELS_QCONV_PROBLEM_H

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "kernels/qconv/qconv.h"
#include "runner.h"

enum { MAX_KERNELS = 16, GUARD = 64 };

/* One convolution with its memory. Output, residual and gaps start as the same random bytes for every version. */
typedef struct problem {
    pare_qconv_desc d;
    pare_qconv_args args;
    int8_t         *w;
    float          *sw, *bias_f32, *row_scales;
    int32_t        *bias;
    uint8_t         table[256];
    uint8_t        *x, *residual, *y, *y_start, *y_ref; /* whole blocks */
    size_t          x_size, r_size, y_size;
    bool            in_place;
} problem;

static int between(pare_rng *rng, int lo, int hi)
{
    return lo + (int)pare_rng_below(rng, (uint32_t)(hi - lo + 1));
}

static int pick(pare_rng *rng, const int *values, int n)
{
    return values[pare_rng_below(rng, (uint32_t)n)];
}
#define PICK(rng, ...) pick(rng, (const int[]){ __VA_ARGS__ }, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)))

/* Uniform bytes, or only the ends of the range. */
static void fill_bytes(pare_rng *rng, uint8_t *p, size_t n, bool extremes, uint8_t a, uint8_t b)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = pare_rng_u64(rng);
        p[i] = extremes ? (r & 1 ? a : b) : (uint8_t)(r >> 8);
    }
}

/* Strides of `h` x `w` pixels of `bytes`: dense, rounded up to 32 or 64, or a slice of something wider. */
static pare_qconv_strides make_strides(pare_rng *rng, int h, int w, int bytes, int align, size_t *image)
{
    const int          kind = between(rng, 0, 3);
    pare_qconv_strides s = { bytes, 0, 0 };

    if (kind == 1)
        s.pixel = (bytes + 31) / 32 * 32;
    else if (kind == 2)
        s.pixel = (bytes + 63) / 64 * 64;
    else if (kind == 3)
        s.pixel = bytes + between(rng, 0, 70) / align * align;
    s.row = s.pixel * (w + between(rng, 0, 2));
    s.image = s.row * (h + between(rng, 0, 1));
    *image = (size_t)((h - 1) * s.row + (w - 1) * s.pixel + bytes);
    return s;
}

static void make_scales(pare_rng *rng, problem *p)
{
    const int    n = p->d.channels.n_sw;
    const int    kind = between(rng, 0, 3);
    const double depth = (double)p->d.in_c / (p->d.groups ? p->d.groups : 1) * (p->d.kernel_h ? p->d.kernel_h : 1) *
                         (p->d.kernel_w ? p->d.kernel_w : 1);

    p->d.channels.sx = kind == 0 ? 1.0f : pare_rng_uniform(rng, 0.001f, 0.1f);
    p->d.out.scale = kind == 0 ? 1.0f : pare_rng_uniform(rng, 0.001f, 0.1f);
    for (int i = 0; i < n; i++) {
        /* Ties; ordinary; everything saturates; |acc| * m up to about 2^31. */
        const float usual = (float)(p->d.out.scale / p->d.channels.sx / (60 * (1 + depth)));
        p->sw[i] = kind == 0   ? (pare_rng_below(rng, 2) ? 0.5f : 0.25f)
                   : kind == 3 ? (float)(2.1e9 / (255.0 * 127 * depth + 70000) * p->d.out.scale / p->d.channels.sx)
                               : usual * pare_rng_uniform(rng, 0.5f, kind == 1 ? 2.0f : 100.0f);
    }
}

static void make_output(pare_rng *rng, problem *p)
{
    pare_qoutput *out = &p->d.out;

    out->kind = (pare_qkind)PICK(rng, PARE_QKIND_U8, PARE_QKIND_U8, PARE_QKIND_U8, PARE_QKIND_F32, PARE_QKIND_F32_ROWS);
    if (out->kind != PARE_QKIND_U8) {
        out->bias_f32 = pare_rng_below(rng, 2) ? p->bias_f32 : NULL;
        out->clamped = pare_rng_below(rng, 2);
        out->clamp_lo = pare_rng_below(rng, 2) ? 0 : -INFINITY;
        out->clamp_hi = pare_rng_below(rng, 2) ? 1.5f : INFINITY;
        return;
    }
    out->zero = PICK(rng, 0, 0, 3, 128, 255);
    if (pare_rng_below(rng, 3) == 0) {
        out->lo = between(rng, 0, 100);
        out->hi = between(rng, 101, 255);
    }
    if (pare_rng_below(rng, 4) == 0)
        out->table = p->table;
    if (pare_rng_below(rng, 3) == 0)
        out->add = (pare_qfused_add){
            .on = true,
            .conv_is_second = pare_rng_below(rng, 2),
            .scale_r = out->scale * pare_rng_uniform(rng, 0.2f, 3.0f),
            .zero_r = between(rng, 0, 255),
            .scale = out->scale * (pare_rng_below(rng, 3) ? pare_rng_uniform(rng, 0.5f, 3.0f) : 2.0f),
            .zero = between(rng, 0, 255),
            .lo = between(rng, 0, 60),
            .hi = PICK(rng, 0, 200),
        };
}

static size_t weights_of(const pare_qconv_desc *d)
{
    return (size_t)d->out_c * (size_t)(d->in_c / (d->groups ? d->groups : 1)) *
           (size_t)(d->kernel_h ? d->kernel_h : 1) * (size_t)(d->kernel_w ? d->kernel_w : 1);
}

/* Memory that ends (with its guard bytes) at a page nobody may touch. */
static void make_memory(pare_rng *rng, problem *p)
{
    pare_qconv_desc *d = &p->d;
    const int        sh = d->stride_h ? d->stride_h : 1, sw = d->stride_w ? d->stride_w : 1;
    const int        kh = d->kernel_h ? d->kernel_h : 1, kw = d->kernel_w ? d->kernel_w : 1;
    const int        dh = d->dilation_h ? d->dilation_h : 1, dw = d->dilation_w ? d->dilation_w : 1;
    const int        in_h = (d->out_h - 1) * sh + (kh - 1) * dh + 1, in_w = (d->out_w - 1) * sw + (kw - 1) * dw + 1;
    const int        item = d->out.kind == PARE_QKIND_U8 ? 1 : 4;
    size_t           image;

    d->x = make_strides(rng, in_h, in_w, d->in_c, 1, &image);
    p->x_size = (size_t)((p->args.batch - 1) * d->x.image) + image + GUARD;
    p->x = runner_guarded(p->x_size, 1);
    fill_bytes(rng, p->x, p->x_size, pare_rng_below(rng, 3) == 0, 0, 255);
    p->args.x = p->x + d->pad_top * d->x.row + d->pad_left * d->x.pixel;

    d->y = make_strides(rng, d->out_h, d->out_w, d->out_c * item, item, &image);
    p->y_size = (size_t)((p->args.batch - 1) * d->y.image) + image;
    p->y = runner_guarded(p->y_size, (size_t)item);
    p->y_ref = runner_guarded(p->y_size, (size_t)item);
    p->y_start = malloc(p->y_size);
    fill_bytes(rng, p->y_start, p->y_size, false, 0, 0);
    if (!d->out.add.on)
        return;
    p->in_place = pare_rng_below(rng, 2);
    d->residual = p->in_place ? d->y : make_strides(rng, d->out_h, d->out_w, d->out_c, 1, &image);
    if (!p->in_place) {
        p->r_size = (size_t)((p->args.batch - 1) * d->residual.image) + image;
        p->residual = runner_guarded(p->r_size, 1);
        p->args.residual = p->residual;
        fill_bytes(rng, p->residual, p->r_size, pare_rng_below(rng, 3) == 0, 0, 255);
    }
}

static void make_constants(pare_rng *rng, problem *p)
{
    pare_qconv_desc *d = &p->d;
    const size_t     n = weights_of(d);

    p->w = malloc(n);
    p->sw = malloc((size_t)d->out_c * sizeof(float));
    p->bias_f32 = malloc((size_t)d->out_c * sizeof(float));
    p->bias = malloc((size_t)d->out_c * sizeof(int32_t));
    p->row_scales = malloc((size_t)p->args.batch * sizeof(float));
    fill_bytes(rng, (uint8_t *)p->w, n, pare_rng_below(rng, 3) == 0, 0x80, 0x7f);
    fill_bytes(rng, p->table, sizeof(p->table), false, 0, 0);
    for (int i = 0; i < d->out_c; i++) {
        p->bias_f32[i] = pare_rng_normal(rng);
        p->bias[i] = between(rng, -70000, 70000);
    }
    for (int i = 0; i < p->args.batch; i++)
        p->row_scales[i] = PICK(rng, 0, 1, 1, 1, 1, 1) ? pare_rng_uniform(rng, 0.0f, 0.3f)
                           : pare_rng_below(rng, 2)    ? 0
                                                       : INFINITY; /* infinity times 0 is a NaN to be kept */
    d->w = p->w;
    d->channels.sw = p->sw;
    d->channels.n_sw = pare_rng_below(rng, 4) ? d->out_c : 1;
    d->channels.zx = PICK(rng, 0, 1, 128, 255);
    d->channels.bias = pare_rng_below(rng, 4) ? p->bias : NULL;
    make_scales(rng, p);
    make_output(rng, p);
    if (d->out.kind == PARE_QKIND_F32_ROWS) {
        d->channels.zx = 128;
        p->args.row_scales = p->row_scales;
    }
}

static void problem_free(problem *p)
{
    const size_t item = p->d.out.kind == PARE_QKIND_U8 ? 1 : 4;

    free(p->w);
    free(p->sw);
    free(p->bias_f32);
    free(p->bias);
    free(p->row_scales);
    free(p->y_start);
    runner_guarded_free(p->x, p->x_size, 1);
    runner_guarded_free(p->y, p->y_size, item);
    runner_guarded_free(p->y_ref, p->y_size, item);
    if (p->residual)
        runner_guarded_free(p->residual, p->r_size, 1);
}

/* The arguments of a run into `y`, which starts as every version's output does. */
static pare_qconv_args start_run(problem *p, uint8_t *y)
{
    pare_qconv_args args = p->args;

    memcpy(y, p->y_start, p->y_size);
    args.y = y;
    if (p->in_place)
        args.residual = y;
    return args;
}

static void run_reference(problem *p)
{
    const pare_qconv_args args = start_run(p, p->y_ref);

    pare_qconv_ref(&p->d, &args);
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
    size_t i = 0;

    while (i < n && a[i] == b[i])
        i++;
    return i;
}

/* Fails where the output of `name` is not the reference's; everything around the pixels counts too. */
static void check_output(runner *r, const problem *p, const char *name, int parts)
{
    const pare_qconv_desc *d = &p->d;
    const size_t           at = first_difference(p->y, p->y_ref, p->y_size), shown = at < p->y_size ? at : 0;

    CHECK(r, at == p->y_size,
          "%s c=%d oc=%d groups=%d out=%dx%d batch=%d k=%dx%d s=%dx%d parts=%d kind=%d table=%d add=%d byte %zu: "
          "want %d, got %d",
          name, d->in_c, d->out_c, d->groups, d->out_h, d->out_w, p->args.batch, d->kernel_h, d->kernel_w, d->stride_h,
          d->stride_w, parts, d->out.kind, d->out.table != NULL, d->out.add.on, at, p->y_ref[shown], p->y[shown]);
}

#endif
