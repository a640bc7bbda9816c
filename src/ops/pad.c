/* SPDX-License-Identifier: Apache-2.0 */
/* pad.c - elements around (or, negative, cut off) each axis: a constant, the edge, the mirror image, the other end */
#include <string.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"
#include "ops/samples.h"
#include "tensor/qparams.h"

/* before[i] and after[i] of each axis, from in[1] = all befores, then all afters, of the axes in[3]. */
static pare_status pads_of(const pare_call *call, int64_t before[PARE_MAX_RANK], int64_t after[PARE_MAX_RANK])
{
    const int rank = call->in[0]->shape.rank;
    bool      taken[PARE_MAX_RANK];
    pare_ints pads, axes;

    PARE_TRY(pare_call_ints(call, 1, "pads", &pads));
    PARE_TRY(pare_call_ints(call, 3, "axes", &axes));
    if (!pare_call_has(call, 3))
        for (axes.n = 0; axes.n < rank; axes.n++)
            axes.v[axes.n] = axes.n;
    if (pads.n != 2 * axes.n)
        return pare_fail(PARE_ERR_SHAPE, "%d pads for %d axes", pads.n, axes.n);
    PARE_TRY(pare_call_mark_axes(&axes, rank, taken));
    for (int i = 0; i < rank; i++)
        before[i] = after[i] = 0;
    for (int i = 0; i < axes.n; i++) {
        const int axis = (int)(axes.v[i] < 0 ? axes.v[i] + rank : axes.v[i]);
        before[axis] = pads.v[i];
        after[axis] = pads.v[axes.n + i];
        if (before[axis] != (int32_t)before[axis] || after[axis] != (int32_t)after[axis])
            return pare_fail(PARE_ERR_SHAPE, "the pads of axis %d are absurd", axis);
    }
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    const char *const        mode = ((const pare_pad_attrs *)call->attrs)->mode;
    const pare_tensor *const x = call->in[0];
    pare_shape               y = x->shape;
    int64_t                  before[PARE_MAX_RANK], after[PARE_MAX_RANK];

    if (strcmp(mode, "constant") && strcmp(mode, "reflect") && strcmp(mode, "edge") && strcmp(mode, "wrap"))
        return pare_fail(PARE_ERR_ARG, "mode is '%s', it must be constant, reflect, edge or wrap", mode);
    if (pare_call_has(call, 2)) {
        if (pare_shape_count(&call->in[2]->shape) != 1)
            return pare_fail(PARE_ERR_SHAPE, "the constant must be one number");
        if (call->in[2]->dtype != x->dtype && !(x->q && call->in[2]->dtype == PARE_f32))
            return pare_fail(PARE_ERR_SHAPE, "the constant is %s, the data is %s", pare_dtype_name(call->in[2]->dtype),
                             pare_dtype_name(x->dtype));
    }
    PARE_TRY(pads_of(call, before, after));
    for (int i = 0; i < y.rank; i++) {
        if (y.dim[i] == PARE_DIM_ANY)
            continue;
        y.dim[i] += before[i] + after[i];
        if (y.dim[i] < 0 || (x->shape.dim[i] == 0 && y.dim[i] > 0 && strcmp(mode, "constant")))
            return pare_fail(PARE_ERR_SHAPE, "dimension %d of length %lld cannot be padded by %lld and %lld", i,
                             (long long)x->shape.dim[i], (long long)before[i], (long long)after[i]);
    }
    return pare_call_select(call, 0, 0, 1, &y);
}

/* The constant as an element of the data: for quantized data a real constant is quantized, and none is real 0. */
static void constant_element(const pare_call *call, void *value)
{
    const pare_tensor *const x = call->in[0];

    pare_zero_element(x, value);
    if (!pare_call_has(call, 2))
        return;
    if (!x->q || call->in[2]->dtype != PARE_f32) {
        memcpy(value, call->in[2]->data, pare_dtype_size(x->dtype));
        return;
    }
    const int32_t zero = x->q->zero ? x->q->zero[0] : 0;
    const float   real = *(const float *)call->in[2]->data;
    pare_store_int(x->dtype, value, 0, pare_quantize_one(real, x->q->scale[0], zero, pare_qrange_of(x->dtype, false)));
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/*
 * The input in the middle; around it, axis by axis, the strips before and behind it, which do not overlap, so that
 * parts may work on them at once.
 */
static void pad_constant(const pare_call *call, const int64_t *before, const int64_t *after, int part, int parts)
{
    pare_tensor from = *call->in[0], to = *call->out[0];
    char        value[8];

    constant_element(call, value);
    for (int i = 0; i < to.shape.rank; i++) {
        const int64_t     n = to.shape.dim[i], lead = larger(before[i], 0), trail = larger(after[i], 0);
        const int64_t     skip = larger(-before[i], 0);
        const int64_t     middle = larger(n - lead - trail, 0); /* 0 also where more is cut than there is */
        const pare_tensor head = pare_region(&to, i, 0, lead < n ? lead : n, 1);
        const pare_tensor tail = pare_region(&to, i, lead + middle, larger(n - lead - middle, 0), 1);
        pare_fill(&head, value, part, parts);
        pare_fill(&tail, value, part, parts);
        to = pare_region(&to, i, lead, middle, 1);
        from = pare_region(&from, i, skip, middle, 1);
    }
    pare_move(&to, &from, part, parts);
}

/* Where element i of a padded axis comes from, of n. */
static int64_t origin(int64_t i, int64_t n, char mode)
{
    if (mode == 'e')
        return i < 0 ? 0 : i >= n ? n - 1 : i;
    const int64_t period = mode == 'w' ? n : 2 * (n - 1); /* reflect does not repeat the edge */
    if (period == 0)
        return 0;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

static void pad_copy(const pare_call *call, const int64_t *before, char mode)
{
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const int64_t size = (int64_t)pare_dtype_size(x->dtype);
    pare_walk     w;

    pare_walk_begin(&w, y->shape.rank, y->shape.dim);
    pare_walk_follow(&w, 0, y->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        int64_t from = 0;
        for (int i = 0; i < w.rank; i++)
            from += origin(w.at[i] - before[i], x->shape.dim[i], mode) * x->stride[i];
        memcpy((char *)y->data + w.offset[0] * size, (const char *)x->data + from * size, (size_t)size);
    }
}

static void do_part(const pare_call *call, int part, int parts)
{
    const char *const mode = ((const pare_pad_attrs *)call->attrs)->mode;
    int64_t           before[PARE_MAX_RANK], after[PARE_MAX_RANK];

    if (pads_of(call, before, after) != PARE_OK) /* infer has read the same values */
        return;
    if (!strcmp(mode, "constant"))
        pad_constant(call, before, after, part, parts);
    else if (part == 0)
        pad_copy(call, before, mode[0]);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_STRING(pare_pad_attrs, mode, "constant"),
    PARE_ATTR_END,
};

static bool by_sample(const pare_call *call, unsigned carries)
{
    int64_t before[PARE_MAX_RANK], after[PARE_MAX_RANK];

    return pare_samples_are(call, carries, 1, 0) && pads_of(call, before, after) == PARE_OK && before[0] == 0 &&
           after[0] == 0;
}

static const char *const samples[] = {
    "f32[2,3,5,5] s64{0,0,1,2,0,0,3,0}",
    "f32[3,4] s64{1,-1,2,-1} f32:1.5",
    "f32[4,5] s64{2,7} ? s64{-1} mode=\"reflect\"",
    "f32[3,4] s64{4,1,0,2} mode=\"edge\"",
    "s64[3] s64{4,5} mode=\"wrap\"",
    "u8[3,4]~0.5,7 s64{1,1,1,1}",
    "s8[3]~0.25,-3 s64{1,1} f32:2",
    "u8[3] s64{1,1} u8:9",
    "f32[4] s64{-3,-1}",
    "f32[4] s64{3,-6}",
    "f32[0] s64{1,2}",
    NULL,
};

const pare_op pare_op_pad = {
    .name = "pad",
    .onnx = "Pad",
    .min_in = 2,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_pad_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
