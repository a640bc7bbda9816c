/* SPDX-License-Identifier: Apache-2.0 */
/* transpose.c - dimension i of the result is dimension perm[i] of the input; without perm the order is reversed */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"
#include "ops/samples.h"

static void permutation(const pare_call *call, int perm[PARE_MAX_RANK])
{
    const pare_transpose_attrs *const p = call->attrs;
    const int                         rank = call->in[0]->shape.rank;

    for (int i = 0; i < rank; i++)
        perm[i] = p->perm.n ? (int)p->perm.v[i] : rank - 1 - i;
}

static pare_status infer(const pare_call *call)
{
    const pare_transpose_attrs *const p = call->attrs;
    const pare_shape *const           x = &call->in[0]->shape;
    int                               perm[PARE_MAX_RANK];
    bool                              taken[PARE_MAX_RANK] = { false };

    if (p->perm.n && p->perm.n != x->rank)
        return pare_fail(PARE_ERR_SHAPE, "perm has %d entries for rank %d", p->perm.n, x->rank);
    for (int i = 0; i < p->perm.n; i++) {
        if (p->perm.v[i] < 0 || p->perm.v[i] >= x->rank || taken[p->perm.v[i]])
            return pare_fail(PARE_ERR_SHAPE, "perm is not a permutation of 0 .. %d", x->rank - 1);
        taken[p->perm.v[i]] = true;
    }
    permutation(call, perm);
    const pare_tensor view = pare_tensor_permuted(call->in[0], perm);
    return pare_call_select(call, 0, 0, 1, &view.shape);
}

static void do_part(const pare_call *call, int part, int parts)
{
    int perm[PARE_MAX_RANK];

    permutation(call, perm);
    const pare_tensor view = pare_tensor_permuted(call->in[0], perm);
    pare_move(call->out[0], &view, part, parts);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INTS(pare_transpose_attrs, perm),
    PARE_ATTR_END,
};

static bool by_sample(const pare_call *call, unsigned carries)
{
    const pare_transpose_attrs *const a = call->attrs;

    return pare_samples_are(call, carries, 1, 0) && a->perm.n > 0 && a->perm.v[0] == 0;
}

static const char *const samples[] = {
    "f32[2,3,5,4]", "f32[2,3,5,4] perm=[0,2,3,1]", "u8[3,4]~0.5,7", "s64[]", "f32[2,0,3] perm=[1,0,2]", "f16[2,3]",
    NULL,
};

const pare_op pare_op_transpose = {
    .name = "transpose",
    .onnx = "Transpose",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_transpose_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
