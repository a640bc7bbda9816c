/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lstm.c - long short-term memory (ONNX LSTM), and its form on s8 weights
 *
 * Gates i, o, f, g. One chain per pre-activation: from Wb + Rb over x, then over h (recurrent_f32.c). Then
 * c' = sigmoid(f) * c + sigmoid(i) * tanh(g), h' = sigmoid(o) * tanh(c'), each operation rounded. With peepholes p * c
 * is added to i and f, p * c' to o, before the clip. Where gates are coupled f is 1 - i.
 */
#include "base/math.h"
#include "ops/attr.h"
#include "ops/recurrent.h"

static const pare_attr attrs[] = {
    PARE_RECURRENT_ROWS(pare_recurrent_attrs),
    PARE_ATTR_ROW_INT(pare_recurrent_attrs, input_forget, 0),
    PARE_ATTR_END,
};

/* z [n] += p * c */
static void peep(const pare_recurrent *r, int place, const float *c, float *z)
{
    const pare_tensor *const p = PARE_RNN_P < r->call->n_in ? r->call->in[PARE_RNN_P] : NULL;

    for (int64_t i = 0; p && i < r->hidden; i++)
        z[i] = z[i] + ((const float *)p->data)[r->d * p->stride[0] + (place * r->hidden + i) * p->stride[1]] * c[i];
}

/* One item with anything out of the usual; z becomes its gates. */
static void any_cell(const pare_recurrent *r, float *z, float *c, float *h)
{
    const int64_t          n = r->hidden;
    const pare_gate *const f = r->gate[r->d];
    float *const in = z, *const out = z + n, *const forget = z + 2 * n, *const g = z + 3 * n;

    peep(r, 0, c, in);
    peep(r, 2, c, forget);
    pare_gate_apply(r, &f[0], in);
    pare_gate_apply(r, &f[0], forget);
    pare_gate_apply(r, &f[1], g);
    for (int64_t i = 0; i < n; i++) {
        const float keep = (r->a->input_forget ? 1.0f - in[i] : forget[i]) * c[i];
        c[i] = h[i] = pare_quietf(keep + in[i] * g[i]);
    }
    peep(r, 1, c, out);
    pare_gate_apply(r, &f[0], out);
    pare_gate_apply(r, &f[2], h);
    for (int64_t i = 0; i < n; i++)
        h[i] = pare_quietf(out[i] * h[i]);
}

static void step(const pare_recurrent *r, int64_t t, float *z)
{
    const pare_recurrent_room *const room = &r->room;

    r->products->state(r, 0, room->h, (ptrdiff_t)r->hidden, z, true);
    for (int64_t b = 0; b < r->batch; b++) {
        float *const zb = z + b * r->width, *const c = room->c + b * r->hidden, *const h = room->h + b * r->hidden;

        if (!pare_recurrent_active(r, b, t))
            continue;
        if (r->plain)
            r->rows->lstm_cell((long)r->hidden, zb, c, c, h);
        else
            any_cell(r, zb, c, h);
    }
}

const pare_recurrent_cell pare_lstm_cell = {
    .gates = 4,
    .activations = 3,
    .defaults = "Sigmoid,Tanh,Tanh",
    .has_c = true,
    .step = step,
};

static const char *const samples[] = {
    "f32[3,2,5] f32[1,28,5] f32[1,28,7] f32[1,56]",
    "f32[4,1,5] f32[1,68,5] f32[1,68,17] f32[1,136] ? f32[1,1,17] f32[1,1,17] direction=reverse",
    "f32[4,3,5] f32[2,20,5] f32[2,20,5] f32[2,40] s32{2,4,0} f32[2,3,5] f32[2,3,5] f32[2,15] direction=bidirectional",
    "f32[2,3,4] f32[2,16,4] f32[2,16,4] ? s32[2] f32[2,2,4] ? layout=1 direction=bidirectional hidden_size=4",
    "f32[3,2,4] f32[1,12,4] f32[1,12,3] f32[1,24] activations=\"HardSigmoid,ScaledTanh,LeakyRelu\" clip=0.5 "
    "activation_alpha=[0.3,0.7,0.1] activation_beta=[0.4,0.9] input_forget=1",
    "f32[2,1,4] f32[1,12,4] f32[1,12,3] activations=\"relu,Affine,elu\" activation_alpha=[0.3,0.7] "
    "activation_beta=[0.4]",
    "f32[1,1,130] f32[1,512,130] f32[1,512,128] f32[1,1024] -> 1",
    "f32[0,1,3] f32[1,8,3] f32[1,8,2]",
    NULL,
};

const pare_op pare_op_lstm = {
    .name = "lstm",
    .onnx = "LSTM",
    .min_in = 3, /* recurrent.h */
    .max_in = 8,
    .min_out = 1,
    .max_out = 3,
    .attrs = attrs,
    .attrs_size = sizeof(pare_recurrent_attrs),
    .infer = pare_recurrent_infer,
    .forward = pare_recurrent_forward,
    .prepare = pare_recurrent_prepare,
    .samples = samples,
};

/* ------------------------------------------------------------------------------------------------------- s8 weights */

static const char *const samples_dynamic[] = {
    "f32[3,2,5] s8[1,28,5]~0.02,0 s8[1,28,7]~0.01,0 f32[1,56]",
    "f32[4,3,5] s8[2,20,5]~0.02,0 s8[2,20,5]~0.01,0 f32[2,40] s32{2,4,0} f32[2,3,5] f32[2,3,5] f32[2,15] "
    "direction=bidirectional",
    "f32[2,3,4] s8[2,16,4]~0.02,0 s8[2,16,4]~0.01,0 ? s32[2] f32[2,2,4] ? layout=1 direction=bidirectional",
    "f32[1,1,130] s8[1,512,130]~0.002,0 s8[1,512,128]~0.003,0 f32[1,1024] -> 1",
    "f32[3,1,4] s8[1,12,4]~0.1,0 s8[1,12,3]~0.2,0 clip=0.5 direction=reverse",
    NULL,
};

const pare_op pare_op_dynamic_lstm = {
    .name = "dynamic_lstm",
    .min_in = 3, /* as lstm; W and R s8 with one scale, or one per gate row */
    .max_in = 8,
    .min_out = 1,
    .max_out = 3,
    .traits = PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(pare_recurrent_attrs),
    .infer = pare_recurrent_infer,
    .forward = pare_recurrent_forward,
    .prepare = pare_recurrent_prepare,
    .samples = samples_dynamic,
};
