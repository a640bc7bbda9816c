/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge_stats.c - mean and variance of a batch from those of its images: [N,2,C] of image_stats -> mean [C], var [C]
 *
 * Images are joined in order, in double: mean += d * count / (n + count), m2 += m2_i + d * d * n * count / (n + count),
 * d = mean_i - mean, n = pixels so far. var = m2 / n: biased, as the normalization uses it.
 */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/parts.h"

typedef struct merge_attrs {
    int64_t count; /* pixels of one image */
} merge_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(merge_attrs, count, 1),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_shape *p = &call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (p->rank != 3 || p->dim[1] != 2)
        return pare_fail(PARE_ERR_SHAPE, "the input is not [N,2,C]");
    if (((const merge_attrs *)call->attrs)->count < 1)
        return pare_fail(PARE_ERR_SHAPE, "count must be at least 1");
    const pare_shape c = pare_shape_of(1, &p->dim[2]);

    pare_call_out(call, 0, PARE_f32, &c);
    pare_call_out(call, 1, PARE_f32, &c);
    return PARE_OK;
}

static void do_channel(const pare_call *call, int64_t c)
{
    const double       count = (double)((const merge_attrs *)call->attrs)->count;
    const pare_tensor *p = call->in[0];
    double             n = 0, mean = 0, m2 = 0;

    for (int64_t i = 0; i < p->shape.dim[0]; i++, n += count) {
        const float *const of = (const float *)p->data + i * p->stride[0] + c * p->stride[2];
        const double       d = (double)of[0] - mean, share = count / (n + count);

        mean = mean + d * share;
        m2 = m2 + ((double)of[p->stride[1]] + d * d * (n * share));
    }
    if (call->out[0])
        ((float *)call->out[0]->data)[c * call->out[0]->stride[0]] = (float)mean;
    if (call->n_out > 1 && call->out[1])
        ((float *)call->out[1]->data)[c * call->out[1]->stride[0]] = (float)(n > 0 ? m2 / n : 0);
}

static void do_part(const pare_call *call, int part, int parts)
{
    long begin, end;

    pare_pool_split((long)call->in[0]->shape.dim[2], 16, part, parts, &begin, &end);
    for (long c = begin; c < end; c++)
        do_channel(call, c);
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[3,2,5] count=20 -> 2",
    "f32[1,2,40] -> 2",
    "f32[0,2,4] count=9 -> 2",
    NULL,
};

const pare_op pare_op_merge_stats = {
    .name = "merge_stats",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 2,
    .attrs = attrs,
    .attrs_size = sizeof(merge_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
