/* SPDX-License-Identifier: Apache-2.0 */
/* view.c - ops that give in[0] another shape and nothing else */
#include "ops/view.h"

#include "base/status.h"

pare_status pare_view_out(const pare_call *call, const pare_shape *shape)
{
    const pare_tensor *const x = call->in[0];

    if (x->q && (x->q->n != 1 || x->q->block) && !pare_shape_equal(shape, &x->shape))
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "input 0 is quantized with %d scales; only one per tensor can be reshaped", x->q->n);
    pare_call_out(call, 0, x->dtype, shape);
    if (call->out[0])
        call->out[0]->q = x->q;
    return PARE_OK;
}

void pare_view_part(const pare_call *call, int part, int parts)
{
    pare_move_flat(call->out[0], call->in[0], part, parts);
}
