/* SPDX-License-Identifier: Apache-2.0 */
/* rnn.c - the simple recurrent layer (ONNX RNN): h' = f(one chain from Wb + Rb over x, then over h) */
#include <string.h>

#include "ops/attr.h"
#include "ops/recurrent.h"

static const pare_attr attrs[] = {
    PARE_RECURRENT_ROWS(pare_recurrent_attrs),
    PARE_ATTR_END,
};

static void step(const pare_recurrent *r, int64_t t, float *z)
{
    float *const h = r->room.h;

    r->products->state(r, 0, h, (ptrdiff_t)r->hidden, z, true);
    for (int64_t b = 0; b < r->batch; b++) {
        float *const zb = z + b * r->hidden;

        if (!pare_recurrent_active(r, b, t))
            continue;
        pare_gate_apply(r, r->gate[r->d], zb);
        memcpy(h + b * r->hidden, zb, sizeof(*zb) * (size_t)r->hidden);
    }
}

const pare_recurrent_cell pare_rnn_cell = {
    .gates = 1,
    .activations = 1,
    .defaults = "Tanh",
    .step = step,
};

static const char *const samples[] = {
    "f32[3,2,5] f32[1,7,5] f32[1,7,7] f32[1,14]",
    "f32[4,3,5] f32[2,5,5] f32[2,5,5] f32[2,10] s32{2,4,0} f32[2,3,5] direction=bidirectional "
    "activations=\"Relu,Tanh\"",
    "f32[2,3,4] f32[1,33,4] f32[1,33,33] ? s32[2] f32[2,1,33] layout=1 direction=reverse clip=0.25",
    "f32[3,1,4] f32[1,5,4] f32[1,5,5] ? ? ? activations=\"Elu\"",
    "f32[3,0,4] f32[1,5,4] f32[1,5,5]",
    NULL,
};

const pare_op pare_op_rnn = {
    .name = "rnn",
    .onnx = "RNN",
    .min_in = 3, /* recurrent.h */
    .max_in = 6,
    .min_out = 1,
    .max_out = 2,
    .attrs = attrs,
    .attrs_size = sizeof(pare_recurrent_attrs),
    .infer = pare_recurrent_infer,
    .forward = pare_recurrent_forward,
    .prepare = pare_recurrent_prepare,
    .samples = samples,
};
