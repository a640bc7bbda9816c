/* SPDX-License-Identifier: Apache-2.0 */
/* unsqueeze.c - with new dimensions of length 1 at the places, counted in the result, that in[1] names */
#include "base/status.h"
#include "ops/view.h"

static pare_status infer(const pare_call *call)
{
    const pare_shape *const x = &call->in[0]->shape;
    pare_shape              y;
    bool                    fresh[PARE_MAX_RANK];
    pare_ints               axes;
    int                     taken = 0;

    PARE_TRY(pare_call_ints(call, 1, "axes", &axes));
    if (x->rank + axes.n > PARE_MAX_RANK)
        return pare_fail(PARE_ERR_UNSUPPORTED, "the result has more than %d dimensions", PARE_MAX_RANK);
    y.rank = x->rank + axes.n;
    PARE_TRY(pare_call_mark_axes(&axes, y.rank, fresh));
    for (int i = 0; i < y.rank; i++)
        y.dim[i] = fresh[i] ? 1 : x->dim[taken++];
    return pare_view_out(call, &y);
}

PARE_IN_PARTS(pare_view_part)

static const char *const samples[] = {
    "f32[2,3,5] s64{0,-1}", "f32[] s64{0}", "u8[4]~0.5,3 s64{1}", "f32[2,3] s64{}", NULL,
};

const pare_op pare_op_unsqueeze = {
    .name = "unsqueeze",
    .onnx = "Unsqueeze",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS | PARE_VIEW,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
