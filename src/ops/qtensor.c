/* SPDX-License-Identifier: Apache-2.0 */
/* qtensor.c - what the integer ops on u8 tensors with one scale ask of a call */
#include "ops/qtensor.h"

#include "base/status.h"

static bool one_scale(const pare_tensor *t)
{
    return t->q && t->q->n == 1 && t->q->block == 0 && !t->q->offset;
}

pare_status pare_q_input_u8(const pare_call *call, int input)
{
    if (call->in[input]->dtype != PARE_u8)
        return pare_op_bad_dtype(call, input);
    if (!one_scale(call->in[input]))
        return pare_fail(PARE_ERR_SHAPE, "input %d needs one scale for the tensor", input);
    return PARE_OK;
}

pare_status pare_q_output_u8(const pare_call *call, const pare_shape *shape)
{
    if (!one_scale(call->out[0]))
        return pare_fail(PARE_ERR_SHAPE, "the output needs one scale for the tensor");
    call->out[0]->dtype = PARE_u8;
    call->out[0]->shape = *shape;
    return PARE_OK;
}

pare_status pare_q_check_range(float largest)
{
    if (!(largest < 1073741824.0f))
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "the output's scale is too small beside the inputs': a value of %g steps does not fit 32 bits",
                         (double)largest);
    return PARE_OK;
}
