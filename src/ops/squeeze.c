/* SPDX-License-Identifier: Apache-2.0 */
/* squeeze.c - without the dimensions of length 1 that in[1] names, or without any when it names none */
#include "base/status.h"
#include "ops/view.h"

static pare_status infer(const pare_call *call)
{
    const pare_shape *const x = &call->in[0]->shape;
    pare_shape              y = { .rank = 0 };
    bool                    named[PARE_MAX_RANK];
    pare_ints               axes;

    PARE_TRY(pare_call_ints(call, 1, "axes", &axes));
    PARE_TRY(pare_call_mark_axes(&axes, x->rank, named));
    for (int i = 0; i < x->rank; i++) {
        if (named[i] && x->dim[i] != 1 && x->dim[i] != PARE_DIM_ANY)
            return pare_fail(PARE_ERR_SHAPE, "dimension %d is %lld, only 1 can be squeezed", i, (long long)x->dim[i]);
        if (axes.n == 0 && x->dim[i] == PARE_DIM_ANY)
            return pare_fail(PARE_ERR_DYNAMIC, "whether dimension %d is 1 is not known; name the axes", i);
        if (axes.n == 0 ? x->dim[i] != 1 : !named[i])
            PARE_TRY(pare_shape_push(&y, x->dim[i]));
    }
    return pare_view_out(call, &y);
}

PARE_IN_PARTS(pare_view_part)

static const char *const samples[] = { "f32[2,1,5,1]", "f32[1,3,1,5] s64{0,-2}", "u8[1,1]~0.5,3", "f32[3] ?", NULL };

const pare_op pare_op_squeeze = {
    .name = "squeeze",
    .onnx = "Squeeze",
    .min_in = 1,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS | PARE_VIEW,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
