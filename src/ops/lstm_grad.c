/* SPDX-License-Identifier: Apache-2.0 */
/* lstm_grad.c - back through the steps of an LSTM (recurrent_grad.h) */
#include <string.h>

#include "base/math.h"
#include "ops/recurrent_grad.h"

enum { Z, R, DY, C, DH, DC, LENS, N_INPUTS };

/* The gates i, o, f, g of one item at step t, in j->row. */
static void gates_of(const pare_back *j, int64_t t, int64_t item)
{
    pare_back_get(j, j->call->in[Z], t, item, j->row);
    pare_back_apply(j, PARE_UNARY_F32_gate_sigmoid, 3 * j->hidden, j->row);
    pare_back_apply(j, PARE_UNARY_F32_gate_tanh, j->hidden, j->row + 3 * j->hidden);
}

/* c[s + 1] = f c[s] + i g, of the items that take step t, which is number s. */
static void cells(const pare_back *j, int64_t s, int64_t t)
{
    const int64_t      h = j->hidden;
    const float *const in = j->row, *const forget = in + 2 * h, *const g = in + 3 * h;

    for (int64_t b = 0; b < j->n; b++) {
        const float *const before = j->c + (s * j->n + b) * h;
        float *const       after = j->c + ((s + 1) * j->n + b) * h;

        memcpy(after, before, sizeof(float) * (size_t)h);
        if (!pare_back_active(j, b, t))
            continue;
        gates_of(j, t, b);
        for (int64_t i = 0; i < h; i++)
            after[i] = pare_quietf(forget[i] * before[i] + in[i] * g[i]);
    }
}

/* dz of one item from dh and dc; dc becomes that of the state before. */
static void item_back(const pare_back *j, int64_t s, int64_t t, int64_t b)
{
    const int64_t      h = j->hidden;
    const float *const before = j->c + (s * j->n + b) * h, *const after = j->c + ((s + 1) * j->n + b) * h;
    const float *const in = j->row, *const out = in + h, *const forget = in + 2 * h, *const g = in + 3 * h;
    float *const dz = j->dz + b * j->width, *const dh = j->dh + b * h, *const dc = j->dc + b * h;
    float *const tanh_c = j->row + j->width;

    gates_of(j, t, b);
    memcpy(tanh_c, after, sizeof(float) * (size_t)h);
    pare_back_apply(j, PARE_UNARY_F32_gate_tanh, h, tanh_c);
    pare_back_add_dy(j, t, b);
    for (int64_t i = 0; i < h; i++) {
        const float cell = dc[i] + dh[i] * out[i] * (1.0f - tanh_c[i] * tanh_c[i]);

        dz[i] = pare_quietf(cell * g[i] * (in[i] * (1.0f - in[i])));
        dz[h + i] = pare_quietf(dh[i] * tanh_c[i] * (out[i] * (1.0f - out[i])));
        dz[2 * h + i] = pare_quietf(cell * before[i] * (forget[i] * (1.0f - forget[i])));
        dz[3 * h + i] = pare_quietf(cell * in[i] * (1.0f - g[i] * g[i]));
        dc[i] = pare_quietf(cell * forget[i]);
    }
}

static void run(const pare_back *j)
{
    const int64_t h = j->hidden;

    pare_back_load(j, C, j->c);
    pare_back_load(j, DH, j->dh);
    pare_back_load(j, DC, j->dc);
    for (int64_t s = 0; s < j->steps; s++)
        cells(j, s, pare_back_step(j, s));
    for (int64_t s = j->steps - 1; s >= 0; s--) {
        const int64_t t = pare_back_step(j, s);

        memset(j->dz, 0, sizeof(float) * (size_t)(j->n * j->width));
        for (int64_t b = 0; b < j->n; b++)
            if (pare_back_active(j, b, t))
                item_back(j, s, t, b);
        pare_back_store_step(j, 0, t, j->dz);
        pare_back_through(j, j->dz);
        for (int64_t b = 0; b < j->n; b++)
            for (int64_t i = b * h; i < (b + 1) * h && pare_back_active(j, b, t); i++)
                j->dh[i] = pare_quietf(j->product[i]);
    }
    pare_back_store(j, 1, j->dh);
    pare_back_store(j, 2, j->dc);
}

const pare_back_cell pare_lstm_back = {
    .gates = 4, .z = Z, .r = R, .dy = DY, .lens = LENS, .keeps_c = true, .run = run
};

static const char *const samples[] = {
    "f32[3,2,20] f32[20,5] f32[3,2,5] f32[2,5] f32[2,5] f32[2,5]",
    "f32[4,3,28] f32[28,7] f32[4,3,7] ? ? ? s32{4,2,0} reverse=1",
    "f32[2,9,68] f32[68,17] ? ? f32[9,17] -> 1",
    "f32[0,2,12] f32[12,3] f32[0,2,3] f32[2,3]",
    NULL,
};

const pare_op pare_op_lstm_grad = {
    .name = "lstm_grad",
    .min_in = 2,
    .max_in = N_INPUTS,
    .min_out = 1,
    .max_out = 3,
    .attrs = pare_back_attrs,
    .attrs_size = PARE_BACK_ATTRS_SIZE,
    .infer = pare_back_infer,
    .forward = pare_back_forward,
    .prepare = pare_back_prepare,
    .samples = samples,
};
