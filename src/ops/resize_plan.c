/* SPDX-License-Identifier: Apache-2.0 */
/* resize_plan.c - the coordinates and weights of a resize, as ONNX opset 19 defines and ONNX Runtime rounds them */
#include <string.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/status.h"
#include "ops/resize.h"

static bool is(const char *word, const char *what)
{
    return !strcmp(word, what);
}

/*
 * The input coordinate, not yet within the input, of output coordinate i. Where scale * in is no whole number
 * align_corners goes by it as it is: ONNX's test vectors do, ONNX Runtime and PyTorch go by the rounded length.
 */
static float coordinate(const char *mode, const pare_resize_axis *a, int64_t i)
{
    const float x = (float)i, in = (float)a->in, out = (float)a->out;

    if (is(mode, "asymmetric"))
        return x / a->scale;
    if (is(mode, "align_corners"))
        return a->out == 1 ? 0.0f : x * (in - 1) / (a->length - 1);
    if (is(mode, "pytorch_half_pixel"))
        return a->out > 1 ? (x + 0.5f) / a->scale - 0.5f : 0.0f;
    if (is(mode, "tf_half_pixel_for_nn"))
        return (x + 0.5f) / a->scale;
    if (is(mode, "tf_crop_and_resize"))
        return a->out > 1 ? a->start * (in - 1) + x * (a->end - a->start) * (in - 1) / (out - 1)
                          : 0.5f * (a->start + a->end) * (in - 1);
    if (is(mode, "half_pixel_symmetric")) {
        const float center = in / 2, adjustment = out / (a->scale * in);
        return center * (1 - adjustment) + (x + 0.5f) / a->scale - 0.5f;
    }
    return (x + 0.5f) / a->scale - 0.5f; /* half_pixel */
}

static int64_t within(int64_t i, int64_t n)
{
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static pare_resize_taps nearest(const char *rounding, float x, int64_t n)
{
    float at;

    if (is(rounding, "floor"))
        at = pare_floorf(x);
    else if (is(rounding, "ceil"))
        at = pare_ceilf(x);
    else if (is(rounding, "round_prefer_ceil"))
        at = pare_floorf(x + 0.5f);
    else
        at = pare_ceilf(x - 0.5f);
    return (pare_resize_taps){ .n = 1, .weight = { 1 }, .at = { within((int64_t)at, n) } };
}

/* Where both neighbours are one pixel each gets half, as in ONNX Runtime. */
static pare_resize_taps linear(float x, int64_t n)
{
    const float   at = pare_clampf(x, 0, (float)(n - 1));
    const int64_t first = within((int64_t)at, n), second = within(first + 1, n);
    const float   past = at - (float)first, to_go = (float)second - at;

    if (first == second)
        return (pare_resize_taps){ .n = 2, .weight = { 0.5f, 0.5f }, .at = { first, second } };
    return (pare_resize_taps){ .n = 2, .weight = { to_go, past }, .at = { first, second } };
}

/* Keys' kernel of four taps with coefficient a; taps outside repeat the edge, or are left out of the average. */
static pare_resize_taps cubic(const pare_resize_attrs *p, float x, int64_t n)
{
    const float   a = p->cubic_coeff_a, base = pare_floorf(x), s = x - base;
    const float   d0 = s + 1, d2 = 1 - s, d3 = 2 - s;
    const int64_t first = (int64_t)base - 1;
    float         total = 0;

    pare_resize_taps t = { .n = 4,
                           .weight = {
                               ((a * d0 - 5 * a) * d0 + 8 * a) * d0 - 4 * a,
                               ((a + 2) * s - (a + 3)) * s * s + 1,
                               ((a + 2) * d2 - (a + 3)) * d2 * d2 + 1,
                               ((a * d3 - 5 * a) * d3 + 8 * a) * d3 - 4 * a,
                           } };
    for (int i = 0; i < 4; i++) {
        t.at[i] = within(first + i, n);
        if (p->exclude_outside && t.at[i] != first + i)
            t.weight[i] = 0;
        total += t.weight[i];
    }
    for (int i = 0; i < 4 && p->exclude_outside; i++)
        t.weight[i] /= total;
    return t;
}

static pare_resize_taps taps_of(const pare_resize_attrs *p, const pare_resize_axis *a, int64_t i)
{
    const char *const mode = p->coordinate_transformation_mode;
    const float       x = coordinate(mode, a, i);

    if (is(mode, "tf_crop_and_resize") && !(x >= 0 && x <= (float)(a->in - 1)))
        return (pare_resize_taps){ .n = 0 };
    if (is(p->mode, "nearest"))
        return nearest(p->nearest_mode, x, a->in);
    return is(p->mode, "linear") ? linear(x, a->in) : cubic(p, x, a->in);
}

pare_status pare_resize_plan_create(const pare_resize_attrs *p, int rank, const pare_resize_axis *axes,
                                    pare_resize_plan **out)
{
    size_t            count = 0;
    pare_resize_taps *next;

    for (int k = 0; k < rank; k++)
        count += axes[k].resized ? (size_t)axes[k].out : 0;
    pare_resize_plan *const plan = pare_malloc(sizeof(*plan) + count * sizeof(*next));
    if (!plan)
        return pare_fail_memory(sizeof(*plan) + count * sizeof(*next), "the coordinates of a resize");
    next = plan->taps;
    for (int k = 0; k < rank; k++) {
        plan->axis[k] = axes[k].resized ? next : NULL;
        for (int64_t i = 0; axes[k].resized && i < axes[k].out; i++)
            *next++ = taps_of(p, &axes[k], i);
    }
    *out = plan;
    return PARE_OK;
}
