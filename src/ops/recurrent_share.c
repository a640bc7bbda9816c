/* SPDX-License-Identifier: Apache-2.0 */
/* recurrent_share.c - a recurrent op on some items of its batch, as a call of its own */
#include "ops/move.h"
#include "ops/recurrent.h"

void pare_recurrent_share_of(const pare_call *call, int64_t first, int64_t last, pare_recurrent_share *s)
{
    const bool       batch_first = ((const pare_recurrent_attrs *)call->attrs)->layout == 1;
    static const int in_axis[PARE_RNN_INPUTS] = { 1, -1, -1, -1, 0, 1, 1, -1 }, out_axis[3] = { 2, 1, 1 };

    *s = (pare_recurrent_share){ .call = *call };
    s->call.in = s->in;
    s->call.out = s->out;
    for (int i = 0; i < call->n_in; i++) {
        const int axis = batch_first && in_axis[i] > 0 ? 0 : in_axis[i];

        if (!call->in[i])
            continue;
        s->t_in[i] = axis < 0 ? *call->in[i] : pare_region(call->in[i], axis, first, last - first, 1);
        s->in[i] = &s->t_in[i];
    }
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i]) {
            s->t_out[i] = pare_region(call->out[i], batch_first ? 0 : out_axis[i], first, last - first, 1);
            s->out[i] = &s->t_out[i];
        }
}
