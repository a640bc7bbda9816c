/* SPDX-License-Identifier: Apache-2.0 */
/* conv_transpose.c - transposed float convolution of any rank (ONNX ConvTranspose) */
#include "ops/conv_transpose.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(pare_conv_transpose_attrs),
    PARE_ATTR_ROW_INTS(pare_conv_transpose_attrs, output_padding),
    PARE_ATTR_ROW_INTS(pare_conv_transpose_attrs, output_shape),
    PARE_ATTR_ROW_INT(pare_conv_transpose_attrs, group, 1),
    PARE_ATTR_ROWS_CLAMP(pare_conv_transpose_attrs),
    PARE_ATTR_END,
};

static bool is_size(int64_t v, int64_t least)
{
    return v >= least && v <= 1 << 20;
}

/* Output size and padding of one axis; `want`: the size that output_shape asks for, 0: none. */
static pare_status resolve_axis(const pare_conv_transpose_attrs *a, pare_window *w, int i, int64_t want)
{
    const bool    upper = strcmp(a->window.auto_pad, "SAME_UPPER") == 0;
    const int64_t extra = a->output_padding.n ? a->output_padding.v[i] : 0;

    if (!is_size(w->kernel[i], 1) || !is_size(w->stride[i], 1) || !is_size(w->dilation[i], 1) ||
        !is_size(w->before[i], 0) || !is_size(w->after[i], 0) || !is_size(extra, 0) || want < 0 || w->in[i] == 0)
        return pare_fail(PARE_ERR_SHAPE,
                         "kernel, strides, dilations and the input must be at least 1, paddings at least 0");
    if (w->in[i] < 0) {
        w->out[i] = want ? want : PARE_DIM_ANY;
        return PARE_OK;
    }
    const int64_t full = w->stride[i] * (w->in[i] - 1) + extra + (w->kernel[i] - 1) * w->dilation[i] + 1;

    if (!want && strncmp(a->window.auto_pad, "SAME", 4) == 0)
        want = w->in[i] * w->stride[i];
    if (want) {
        const int64_t total = full > want ? full - want : 0;

        w->before[i] = upper ? total / 2 : total - total / 2;
        w->after[i] = total - w->before[i];
        w->out[i] = want;
        return PARE_OK;
    }
    w->out[i] = full - w->before[i] - w->after[i];
    if (w->out[i] < 1)
        return pare_fail(PARE_ERR_SHAPE, "the pads leave nothing of axis %d", i + 2);
    return PARE_OK;
}

pare_status pare_conv_transpose_resolve(const pare_call *call, pare_window *w)
{
    const pare_conv_transpose_attrs *a = call->attrs;
    const pare_shape                *x = &call->in[0]->shape, *weights = &call->in[1]->shape;
    const int                        n = x->rank - 2;
    const pare_window_attrs         *p = &a->window;

    if (n < 1 || weights->rank != x->rank)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d, the weights %d; both need N, C, spatial axes", x->rank,
                         weights->rank);
    if ((p->kernel_shape.n && p->kernel_shape.n != n) || (p->strides.n && p->strides.n != n) ||
        (p->dilations.n && p->dilations.n != n) || (p->pads.n && p->pads.n != 2 * n) ||
        (a->output_padding.n && a->output_padding.n != n) ||
        (a->output_shape.n && a->output_shape.n != n && a->output_shape.n != n + 2))
        return pare_fail(PARE_ERR_SHAPE, "an attribute list does not have %d spatial axes", n);
    *w = (pare_window){ .n = n, .taps = 1, .positions = 1 };
    for (int i = 0; i < n; i++) {
        const bool pads = p->pads.n && strcmp(p->auto_pad, "VALID") != 0;

        w->in[i] = x->dim[i + 2];
        w->kernel[i] = weights->dim[i + 2];
        w->stride[i] = p->strides.n ? p->strides.v[i] : 1;
        w->dilation[i] = p->dilations.n ? p->dilations.v[i] : 1;
        w->before[i] = pads ? p->pads.v[i] : 0;
        w->after[i] = pads ? p->pads.v[i + n] : 0;
        if (p->kernel_shape.n && p->kernel_shape.v[i] != w->kernel[i])
            return pare_fail(PARE_ERR_SHAPE, "kernel_shape and the weights disagree");
        /* A shape with N and C in front is understood too. */
        PARE_TRY(resolve_axis(a, w, i, a->output_shape.n ? a->output_shape.v[a->output_shape.n - n + i] : 0));
        w->taps *= w->kernel[i];
        w->positions *= w->out[i];
        if (w->taps > 1 << 24)
            return pare_fail(PARE_ERR_SHAPE, "the kernel has over 2^24 taps");
    }
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    const pare_conv_transpose_attrs *a = call->attrs;
    pare_shape                       y = call->in[0]->shape;
    pare_window                      w;

    for (int i = 0; i < call->n_in; i++)
        if (call->in[i])
            PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    PARE_TRY(pare_conv_transpose_resolve(call, &w));
    const pare_shape *weights = &call->in[1]->shape;

    if (a->group < 1 || weights->dim[0] != y.dim[1] || weights->dim[0] % a->group != 0)
        return pare_fail(PARE_ERR_SHAPE, "%lld input channels do not fit weights for %lld in %lld groups",
                         (long long)y.dim[1], (long long)weights->dim[0], (long long)a->group);
    y.dim[1] = weights->dim[1] * a->group;
    if (pare_call_has(call, 2) && (call->in[2]->shape.rank != 1 || call->in[2]->shape.dim[0] != y.dim[1]))
        return pare_fail(PARE_ERR_SHAPE, "the bias must have one number for each of the %lld output channels",
                         (long long)y.dim[1]);
    for (int i = 0; i < w.n; i++)
        y.dim[i + 2] = w.out[i];
    pare_call_out(call, 0, PARE_f32, &y);
    return PARE_OK;
}

/* Element offset inside a channel of the input position whose tap `tap` lands on output `at`; -1: none does. */
static int64_t source(const pare_window *w, const int64_t *at, const int64_t *tap, const int64_t *stride)
{
    int64_t offset = 0;

    for (int i = 0; i < w->n; i++) {
        const int64_t p = at[i] + w->before[i] - tap[i] * w->dilation[i];

        if (p < 0 || p % w->stride[i] != 0 || p / w->stride[i] >= w->in[i])
            return -1;
        offset += p / w->stride[i] * stride[i];
    }
    return offset;
}

/* One output: a chain of fmaf over the taps that reach it, in h, w order, then the channels of the group. */
static float one(const pare_call *call, const pare_window *w, const float *x, const float *weights, float sum,
                 const int64_t *at)
{
    const pare_conv_transpose_attrs *a = call->attrs;
    const pare_tensor               *tx = call->in[0], *tw = call->in[1];

    for (int64_t j = 0; j < w->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL], weight = 0;

        pare_window_tap(w, j, tap);
        for (int i = 0; i < w->n; i++)
            weight += tap[i] * tw->stride[i + 2];
        const int64_t from = source(w, at, tap, &tx->stride[2]);

        for (int64_t c = 0; from >= 0 && c < tw->shape.dim[0] / a->group; c++)
            sum = fmaf(x[from + c * tx->stride[1]], weights[weight + c * tw->stride[0]], sum);
    }
    sum = sum < a->clamp_lo ? a->clamp_lo : sum;
    return sum > a->clamp_hi ? a->clamp_hi : sum;
}

/* Planes (images times output channels) of share `part`. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_conv_transpose_attrs *a = call->attrs;
    const pare_tensor               *x = call->in[0], *tw = call->in[1], *y = call->out[0];
    const pare_tensor               *b = pare_call_has(call, 2) ? call->in[2] : NULL;
    const int64_t                    inputs = tw->shape.dim[0] / a->group, outputs = tw->shape.dim[1];
    const int64_t                    channels = outputs * a->group;
    pare_window                      w;
    long                             begin, end;

    pare_conv_transpose_resolve(call, &w); /* has succeeded in infer */
    pare_pool_split((long)(x->shape.dim[0] * channels), 1, part, parts, &begin, &end);
    for (int64_t plane = begin; plane < end; plane++)
        for (int64_t p = 0; p < w.positions; p++) {
            const int64_t n = plane / channels, c = plane % channels, group = c / outputs;
            int64_t       at[PARE_MAX_SPATIAL], to = n * y->stride[0] + c * y->stride[1];

            pare_window_position(&w, p, at);
            for (int i = 0; i < w.n; i++)
                to += at[i] * y->stride[i + 2];
            ((float *)y->data)[to] =
                one(call, &w, (const float *)x->data + n * x->stride[0] + group * inputs * x->stride[1],
                    (const float *)tw->data + group * inputs * tw->stride[0] + c % outputs * tw->stride[1],
                    b ? ((const float *)b->data)[c * b->stride[0]] : 0, at);
        }
}

static pare_status forward(const pare_call *call)
{
    do_part(call, 0, 1);
    return PARE_OK;
}

static void run_planes(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step, (void)scratch;
    do_part(call, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    step->kernel = "c";
    step->run = run_planes;
    return pare_conv_transpose_plan(call, step);
}

static const char *const samples[] = {
    "f32[1,3,4,5] f32[3,4,3,3] f32[4] strides=[2,2] pads=[1,1,1,1]",
    "f32[2,4,3,3] f32[4,2,2,2] ? group=2 strides=[2,2] clamp_lo=0",
    "f32[1,2,5] f32[2,3,3] f32[3] dilations=[2] output_padding=[1] strides=[2]",
    "f32[1,2,3,3] f32[2,3,3,3] ? auto_pad=\"SAME_UPPER\" strides=[2,2]",
    "f32[1,2,3,3] f32[2,3,3,3] ? output_shape=[8,7] strides=[3,2]",
    "f32[1,2,2,3,2] f32[2,1,2,2,2] f32[1] strides=[1,2,1]",
    NULL,
};

const pare_op pare_op_conv_transpose = {
    .name = "conv_transpose",
    .onnx = "ConvTranspose",
    .min_in = 2, /* x [N,C,spatial], w [C,OC/group,kernel], bias [OC] */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP | PARE_WANTS_CHANNELS_LAST,
    .attrs = attrs,
    .attrs_size = sizeof(pare_conv_transpose_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
