/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resize.c - bilinear resize in fixed point, along x and then along y, rounding to bytes in between.
 *
 * The arithmetic is Pillow's (its float weights in double, its 22 fraction bits, its rounding), because most trained
 * networks saw pictures that went through it, and a pixel off by one is an accuracy nobody can explain.
 */
#include "data/resize.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* 32 bits less 8 for the pixel and 2 for overshoot; weights are positive here and sum to 1, so sums stay under 2^31. */
enum { FRACTION_BITS = 32 - 8 - 2 };

/* For every output position along one axis: which inputs it sees and how much of each. */
typedef struct weights {
    int     *first;  /* [n] first input                         */
    int     *count;  /* [n] inputs seen, <= stride              */
    int32_t *weight; /* [n][stride] fixed point                 */
    int      stride;
} weights;

static void free_weights(weights *w)
{
    pare_free(w->first);
    pare_free(w->count);
    pare_free(w->weight);
}

static double triangle(double x)
{
    const double distance = fabs(x);

    return distance < 1.0 ? 1.0 - distance : 0.0;
}

/* The weights of output position `at`, before fixed point, in real[stride]. */
static void weigh(weights *w, double *real, int from, double scale, int at)
{
    const double width = scale < 1.0 ? 1.0 : scale; /* enlarging: the triangle is never narrower than a pixel */
    const double center = (at + 0.5) * scale;
    const double narrow = 1.0 / width;
    double       sum = 0.0;
    int          first = (int)(center - width + 0.5);
    int          end = (int)(center + width + 0.5);

    if (first < 0)
        first = 0;
    if (end > from)
        end = from;
    for (int i = first; i < end; i++) {
        real[i - first] = triangle((i - center + 0.5) * narrow);
        sum += real[i - first];
    }
    w->first[at] = first;
    w->count[at] = end - first;
    for (int i = 0; i < end - first; i++) {
        const double share = sum != 0.0 ? real[i] / sum : real[i];

        w->weight[(size_t)at * (size_t)w->stride + (size_t)i] = (int32_t)(0.5 + share * (1 << FRACTION_BITS));
    }
}

static pare_status make_weights(int from, int to, weights *w)
{
    const double scale = (double)from / to;

    *w = (weights){ .stride = (int)ceil(scale < 1.0 ? 1.0 : scale) * 2 + 1 };
    w->first = pare_calloc((size_t)to, sizeof(*w->first));
    w->count = pare_calloc((size_t)to, sizeof(*w->count));
    w->weight = pare_calloc((size_t)to * (size_t)w->stride, sizeof(*w->weight));

    double *const real = pare_calloc((size_t)w->stride, sizeof(*real));
    if (!w->first || !w->count || !w->weight || !real) {
        pare_free(real);
        free_weights(w);
        return pare_fail_memory((size_t)to * (size_t)w->stride * sizeof(*w->weight), "the weights of a resize");
    }
    for (int at = 0; at < to; at++)
        weigh(w, real, from, scale, at);
    pare_free(real);
    return PARE_OK;
}

/* One byte from its fixed-point sum. Weights are not negative, so there is nothing to clamp below. */
static uint8_t round_sum(int32_t sum)
{
    sum = (sum + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

/* One output pixel: `count` inputs, `step` bytes apart. */
static void mix(const uint8_t *in, size_t step, const int32_t *weight, int count, uint8_t *out)
{
    int32_t red = 0, green = 0, blue = 0;

    for (int i = 0; i < count; i++, in += step) {
        red += in[0] * weight[i];
        green += in[1] * weight[i];
        blue += in[2] * weight[i];
    }
    out[0] = round_sum(red);
    out[1] = round_sum(green);
    out[2] = round_sum(blue);
}

static void resize_rows(const pare_image *in, const weights *w, pare_image *out)
{
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            mix(in->rgb + ((size_t)y * (size_t)in->width + (size_t)w->first[x]) * 3, 3,
                w->weight + (size_t)x * (size_t)w->stride, w->count[x],
                out->rgb + ((size_t)y * (size_t)out->width + (size_t)x) * 3);
}

static void resize_columns(const pare_image *in, const weights *w, pare_image *out)
{
    const size_t row = (size_t)in->width * 3;

    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            mix(in->rgb + (size_t)w->first[y] * row + (size_t)x * 3, row, w->weight + (size_t)y * (size_t)w->stride,
                w->count[y], out->rgb + (size_t)y * row + (size_t)x * 3);
}

/* Along x to `width`; the height stays. */
static pare_status resize_x(const pare_image *in, int64_t width, pare_image *out)
{
    weights w;

    PARE_TRY(pare_image_alloc(width, in->height, out));
    PARE_TRY(make_weights(in->width, (int)width, &w));
    resize_rows(in, &w, out);
    free_weights(&w);
    return PARE_OK;
}

static pare_status resize_y(const pare_image *in, int64_t height, pare_image *out)
{
    weights w;

    PARE_TRY(pare_image_alloc(in->width, height, out));
    PARE_TRY(make_weights(in->height, (int)height, &w));
    resize_columns(in, &w, out);
    free_weights(&w);
    return PARE_OK;
}

pare_status pare_resize_bilinear(const pare_image *in, int64_t width, int64_t height, pare_image *out)
{
    pare_image  wide = { 0 };
    pare_status status = PARE_OK;

    *out = (pare_image){ 0 };
    if (width == in->width && height == in->height) {
        PARE_GOTO(pare_image_alloc(width, height, out));
        memcpy(out->rgb, in->rgb, (size_t)width * (size_t)height * 3);
    } else if (height == in->height) {
        PARE_GOTO(resize_x(in, width, out));
    } else if (width == in->width) {
        PARE_GOTO(resize_y(in, height, out));
    } else {
        PARE_GOTO(resize_x(in, width, &wide));
        PARE_GOTO(resize_y(&wide, height, out));
    }
out:
    pare_image_free(&wide);
    if (status != PARE_OK)
        pare_image_free(out);
    return status;
}
