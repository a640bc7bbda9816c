/* SPDX-License-Identifier: Apache-2.0 */
/* gru_grad.c - back through the steps of a GRU with linear_before_reset (recurrent_grad.h) */
#include <string.h>

#include "base/math.h"
#include "ops/recurrent_grad.h"

enum { ZX, ZS, H, R, DY, DH, LENS, N_INPUTS };

/* The gradients of both sums of one item; dh becomes what goes straight to the state before. */
static void item_back(const pare_back *j, int64_t t, int64_t b)
{
    const int64_t h = j->hidden;
    float *const x = j->row, *const s = j->row + 3 * h, *const g = x + 2 * h;
    float *const dx = j->dz + b * j->width, *const ds = j->other + b * j->width, *const dh = j->dh + b * h;
    float *const before = j->dc; /* a row that is free here */

    pare_back_get(j, j->call->in[ZX], t, b, x);
    pare_back_get(j, j->call->in[ZS], t, b, s);
    pare_back_get(j, j->call->in[H], t, b, before);
    for (int64_t i = 0; i < 2 * h; i++)
        x[i] = x[i] + s[i];
    pare_back_apply(j, PARE_UNARY_F32_gate_sigmoid, 2 * h, x);
    for (int64_t i = 0; i < h; i++)
        g[i] = g[i] + x[h + i] * s[2 * h + i];
    pare_back_apply(j, PARE_UNARY_F32_gate_tanh, h, g);
    pare_back_add_dy(j, t, b);
    for (int64_t i = 0; i < h; i++) {
        const float z = x[i], r = x[h + i];
        const float dg = dh[i] * (1.0f - z) * (1.0f - g[i] * g[i]);

        dx[i] = ds[i] = pare_quietf(dh[i] * (before[i] - g[i]) * (z * (1.0f - z)));
        dx[h + i] = ds[h + i] = pare_quietf(dg * s[2 * h + i] * (r * (1.0f - r)));
        dx[2 * h + i] = pare_quietf(dg);
        ds[2 * h + i] = pare_quietf(dg * r);
        dh[i] = pare_quietf(dh[i] * z);
    }
}

static void run(const pare_back *j)
{
    const int64_t h = j->hidden;

    pare_back_load(j, DH, j->dh);
    for (int64_t s = j->steps - 1; s >= 0; s--) {
        const int64_t t = pare_back_step(j, s);

        memset(j->dz, 0, sizeof(float) * (size_t)(j->n * j->width));
        memset(j->other, 0, sizeof(float) * (size_t)(j->n * j->width));
        for (int64_t b = 0; b < j->n; b++)
            if (pare_back_active(j, b, t))
                item_back(j, t, b);
        pare_back_store_step(j, 0, t, j->dz);
        pare_back_store_step(j, 1, t, j->other);
        pare_back_through(j, j->other);
        for (int64_t b = 0; b < j->n; b++)
            for (int64_t i = b * h; i < (b + 1) * h && pare_back_active(j, b, t); i++)
                j->dh[i] = pare_quietf(j->dh[i] + j->product[i]);
    }
    pare_back_store(j, 2, j->dh);
}

const pare_back_cell pare_gru_back = { .gates = 3, .z = ZX, .r = R, .dy = DY, .lens = LENS, .run = run };

static const char *const samples[] = {
    "f32[3,2,15] f32[3,2,15] f32[3,2,5] f32[15,5] f32[3,2,5] f32[2,5]",
    "f32[4,3,21] f32[4,3,21] f32[4,3,7] f32[21,7] f32[4,3,7] ? s32{4,2,0} reverse=1",
    "f32[2,9,51] f32[2,9,51] f32[2,9,17] f32[51,17] ? f32[9,17] -> 2",
    NULL,
};

const pare_op pare_op_gru_grad = {
    .name = "gru_grad",
    .min_in = 4,
    .max_in = N_INPUTS,
    .min_out = 2,
    .max_out = 3,
    .attrs = pare_back_attrs,
    .attrs_size = PARE_BACK_ATTRS_SIZE,
    .infer = pare_back_infer,
    .forward = pare_back_forward,
    .prepare = pare_back_prepare,
    .samples = samples,
};
