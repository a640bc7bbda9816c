/* SPDX-License-Identifier: Apache-2.0 */
/* conv_f32_cases.h - random convolutions with their memory, for the tests of conv_f32 and dw_f32 only */
#ifndef PARE_KERNELS_CONV_F32_CASES_H
#define PARE_KERNELS_CONV_F32_CASES_H

#include "kernels/conv_f32/conv_f32.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <runner.h>

#include "base/rng.h"

/* One convolution with its memory. Sizes count floats; x, r and y end at a guard page. */
typedef struct conv_case {
    pare_conv_f32_desc d;
    size_t             slack; /* readable floats behind the last pixel of x */
    size_t             x_size, x_origin, y_size, r_size;
    float             *x, *r, *w, *bias, *want, *got;
    bool               with_r;
    bool               with_bias;
} conv_case;

static inline int between(pare_rng *rng, int lo, int hi)
{
    return lo + (int)pare_rng_below(rng, (uint32_t)(hi - lo + 1));
}

static inline void fill(pare_rng *rng, float *dst, size_t n, bool extremes)
{
    static const float odd[] = { 0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e38f, -1e38f, 1e-40f, 1.0f, 16777216.0f };

    for (size_t i = 0; i < n; i++)
        dst[i] = extremes && !pare_rng_below(rng, 16) ? odd[pare_rng_below(rng, 10)] : pare_rng_uniform(rng, -1, 1);
}

/* Equal bits, or NaN in both. Returns the first difference, or -1. */
static inline long difference(const float *want, const float *got, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&want[i], &got[i], sizeof(float)) && !(isnan(want[i]) && isnan(got[i])))
            return (long)i;
    return -1;
}

/* Strides for n images of h rows of w pixels of c channels, dense or with gaps; returns how far they reach. */
static inline size_t lay_out(pare_rng *rng, pare_conv_f32_strides *s, const int nhwc[4], bool gaps)
{
    s->pixel = gaps ? (nhwc[3] + 15) / 16 * 16 + 16 * between(rng, 0, 1) : nhwc[3];
    s->row = nhwc[2] * s->pixel + (gaps ? 16 * between(rng, 0, 2) : 0);
    s->image = nhwc[1] * s->row + (gaps ? 16 * between(rng, 0, 2) : 0);
    return (size_t)((nhwc[0] - 1) * s->image + (nhwc[1] - 1) * s->row + (nhwc[2] - 1) * s->pixel + nhwc[3]);
}

static inline void allocate(conv_case *t, pare_rng *rng, bool extremes)
{
    pare_conv_f32_desc *d = &t->d;
    const int           h = (d->oh - 1) * d->stride_h + (d->kh - 1) * d->dilation_h + 1;
    const int           w = (d->ow - 1) * d->stride_w + (d->kw - 1) * d->dilation_w + 1;
    const bool          gaps = pare_rng_below(rng, 3) > 0;
    const size_t        n_w = (size_t)d->oc * (size_t)(d->c / d->group) * (size_t)(d->kh * d->kw);

    t->x_size = lay_out(rng, &d->x, (int[4]){ d->n, h, w, d->c }, gaps);
    t->y_size = lay_out(rng, &d->y, (int[4]){ d->n, d->oh, d->ow, d->oc }, gaps);
    t->r_size = lay_out(rng, &d->r, (int[4]){ d->n, d->oh, d->ow, d->oc }, gaps);
    if (pare_rng_below(rng, 4) == 0) {
        d->r = (pare_conv_f32_strides){ 0 }; /* as y */
        t->r_size = t->y_size;
    }
    t->x_origin = (size_t)(d->pad_top * d->x.row + d->pad_left * d->x.pixel);
    t->x = runner_guarded((t->x_size + t->slack) * sizeof(float), 4);
    t->r = runner_guarded(t->r_size * sizeof(float), 4);
    t->want = runner_guarded(t->y_size * sizeof(float), 4);
    t->got = runner_guarded(t->y_size * sizeof(float), 4);
    t->w = malloc(sizeof(float) * n_w);
    t->bias = malloc(sizeof(float) * (size_t)d->oc);
    fill(rng, t->x, t->x_size + t->slack, extremes);
    fill(rng, t->r, t->r_size, extremes);
    fill(rng, t->w, n_w, extremes);
    fill(rng, t->bias, (size_t)d->oc, extremes);
}

static inline void release(conv_case *t)
{
    runner_guarded_free(t->x, (t->x_size + t->slack) * sizeof(float), 4);
    runner_guarded_free(t->r, t->r_size * sizeof(float), 4);
    runner_guarded_free(t->want, t->y_size * sizeof(float), 4);
    runner_guarded_free(t->got, t->y_size * sizeof(float), 4);
    free(t->w);
    free(t->bias);
}

/* Runs the reference; what it must not write keeps its canary. */
static inline void define(conv_case *t)
{
    memset(t->want, 0xA5, t->y_size * sizeof(float));
    pare_conv_f32_ref(&t->d, t->w, t->with_bias ? t->bias : NULL, t->x + t->x_origin, t->with_r ? t->r : NULL, t->want);
}

/* Compares all of the output's memory, what must not be written included. */
static inline void check_output(runner *r, const conv_case *t, const char *version, int parts)
{
    const pare_conv_f32_desc *d = &t->d;
    const long                at = difference(t->want, t->got, t->y_size);

    CHECK(r, at < 0,
          "%s n=%d oh=%d ow=%d c=%d oc=%d group=%d k=%dx%d stride=%dx%d dilation=%dx%d pixel=%td parts=%d: "
          "y[%ld] want %a, got %a",
          version, d->n, d->oh, d->ow, d->c, d->oc, d->group, d->kh, d->kw, d->stride_h, d->stride_w, d->dilation_h,
          d->dilation_w, d->x.pixel, parts, at, at < 0 ? 0.0 : (double)t->want[at], at < 0 ? 0.0 : (double)t->got[at]);
}

#endif
