/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_norm_grad_merge.c - the gradients of a batch normalization's parameters: sums [N,2,C] of batch_norm_grad_sums,
 * var [C] -> dbeta [C], dgamma [C]
 *
 * Images are added in order, from 0; dgamma is the second sum / sqrt(var + epsilon).
 */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/parts.h"

typedef struct merge_attrs {
    float epsilon;
} merge_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(merge_attrs, epsilon, 1e-5f),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_shape *p = &call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32)));
    if (p->rank != 3 || p->dim[1] != 2 || call->in[1]->shape.rank != 1 || call->in[1]->shape.dim[0] != p->dim[2])
        return pare_fail(PARE_ERR_SHAPE, "the inputs are not sums [N,2,C] and a variance [C]");
    pare_call_out(call, 0, PARE_f32, &call->in[1]->shape);
    pare_call_out(call, 1, PARE_f32, &call->in[1]->shape);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const float        epsilon = ((const merge_attrs *)call->attrs)->epsilon;
    const pare_tensor *p = call->in[0], *var = call->in[1];
    long               begin, end;

    pare_pool_split((long)p->shape.dim[2], 16, part, parts, &begin, &end);
    for (long c = begin; c < end; c++) {
        const float *of = (const float *)p->data + c * p->stride[2];
        float        sum[2] = { 0, 0 };

        for (int64_t i = 0; i < p->shape.dim[0]; i++, of += p->stride[0])
            for (int k = 0; k < 2; k++)
                sum[k] = sum[k] + of[k * p->stride[1]];
        sum[1] = sum[1] / sqrtf(((const float *)var->data)[c * var->stride[0]] + epsilon);
        for (int k = 0; k < call->n_out; k++)
            if (call->out[k])
                ((float *)call->out[k]->data)[c * call->out[k]->stride[0]] = sum[k];
    }
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[3,2,3] f32{0.5,1,0} -> 2",
    "f32[20,2,2] f32{0.25,3} epsilon=0.01 -> 2",
    "f32[0,2,1] f32{1} -> 2",
    NULL,
};

const pare_op pare_op_batch_norm_grad_merge = {
    .name = "batch_norm_grad_merge",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 2,
    .attrs = attrs,
    .attrs_size = sizeof(merge_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
