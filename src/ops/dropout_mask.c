/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dropout_mask.c - what a layer is multiplied with while it is trained: 0 with probability `ratio`, else 1 / (1 - ratio)
 *
 * Element i of the mask, counted in row-major order, is decided by a number that depends on nothing but the seed, the
 * stream (one per layer) and i: a step of splitmix64 (Steele et al. 2014) started there. So every part and every
 * machine finds the same.
 */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

typedef struct mask_attrs {
    float     ratio;
    int64_t   stream;
    pare_ints shape; /* where there is no second input */
} mask_attrs;

static pare_status infer(const pare_call *call)
{
    const mask_attrs *const a = call->attrs;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(s64)));
    if (pare_shape_count(&call->in[0]->shape) != 1)
        return pare_fail(PARE_ERR_SHAPE, "the seed must be one number");
    if (!(a->ratio >= 0 && a->ratio < 1))
        return pare_fail(PARE_ERR_ARG, "ratio is %g, it must be at least 0 and less than 1", (double)a->ratio);
    if (pare_call_has(call, 1)) {
        pare_call_out(call, 0, PARE_f32, &call->in[1]->shape);
        return PARE_OK;
    }
    for (int i = 0; i < a->shape.n; i++)
        if (a->shape.n > PARE_MAX_RANK || a->shape.v[i] < 0)
            return pare_fail(PARE_ERR_SHAPE, "the shape has a negative dimension, or too many");
    const pare_shape shape = pare_shape_of(a->shape.n, a->shape.v);

    pare_call_out(call, 0, PARE_f32, &shape);
    return PARE_OK;
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Lines along the last axis are shared out. */
static void do_part(const pare_call *call, int part, int parts)
{
    enum { BITS = 24 };
    const mask_attrs *const  a = call->attrs;
    const pare_tensor *const y = call->out[0];
    const uint64_t           seed = (uint64_t)pare_tensor_int(call->in[0], 0);
    const uint64_t           key = mix(seed + 0x9e3779b97f4a7c15u * (uint64_t)(a->stream + 1));
    const uint64_t           limit = (uint64_t)((double)a->ratio * (1 << BITS) + 0.5);
    const float              kept = 1.0f / (1.0f - a->ratio);
    const int                lead = y->shape.rank > 0 ? y->shape.rank - 1 : 0;
    const int64_t n = y->shape.rank > 0 ? y->shape.dim[lead] : 1, step = y->shape.rank > 0 ? y->stride[lead] : 1;
    pare_walk     w;
    long          begin, end;

    pare_walk_begin(&w, lead, y->shape.dim);
    pare_walk_follow(&w, 0, y->stride);
    pare_pool_split((long)w.left, 1, part, parts, &begin, &end);
    pare_walk_seek(&w, begin);
    for (long line = begin; line < end; line++, pare_walk_next(&w))
        for (int64_t i = 0; i < n; i++) {
            const uint64_t number = mix(key + 0x9e3779b97f4a7c15u * (uint64_t)(line * n + i + 1));

            ((float *)y->data)[w.offset[0] + i * step] = number >> (64 - BITS) < limit ? 0.0f : kept;
        }
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(mask_attrs, ratio, 0.5f),
    PARE_ATTR_ROW_INTS(mask_attrs, shape),
    PARE_ATTR_ROW_INT(mask_attrs, stream, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "s64:7 shape=[3,37]", "s64{-1} f32[2,3,4] ratio=0.1 stream=5", "s64:0 ratio=0 shape=[]", "s64:1 shape=[0,3]", NULL,
};

const pare_op pare_op_dropout_mask = {
    .name = "dropout_mask",
    .min_in = 1, /* seed; a tensor whose shape the mask has (only that is read) */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(mask_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
