/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gru.c - gated recurrent unit (ONNX GRU), and its form on s8 weights
 *
 * Gates z, r, h. The parts of x and of the state are chains of their own, from Wb and from Rb: z = sigmoid(xz + sz),
 * r = sigmoid(xr + sr). With linear_before_reset g = tanh(xh + r * sh); without, the chain of xh starts from Wb + Rb
 * and goes on over r * h with R's rows of h. Then h' = (1 - z) * g + z * h. Each operation is rounded.
 */
#include "base/math.h"
#include "ops/attr.h"
#include "ops/recurrent.h"

static const pare_attr attrs[] = {
    PARE_RECURRENT_ROWS(pare_recurrent_attrs),
    PARE_ATTR_ROW_INT(pare_recurrent_attrs, linear_before_reset, 0),
    PARE_ATTR_END,
};

static bool splits(const pare_recurrent_attrs *a, int gate)
{
    return gate < 2 || a->linear_before_reset;
}

static int first_product(const pare_recurrent_attrs *a)
{
    return a->linear_before_reset ? 3 : 2;
}

/* x [n] = f(clip(x + s)) */
static void gate(const pare_recurrent *r, const pare_gate *f, const float *s, float *x)
{
    for (int64_t i = 0; i < r->hidden; i++)
        x[i] = x[i] + s[i];
    pare_gate_apply(r, f, x);
}

/* h' from z and g's sum before its function */
static void update(const pare_recurrent *r, const float *z, float *g, float *h)
{
    pare_gate_apply(r, &r->gate[r->d][1], g);
    for (int64_t i = 0; i < r->hidden; i++)
        h[i] = pare_quietf((1.0f - z[i]) * g[i] + z[i] * h[i]);
}

static void after_linear(const pare_recurrent *r, float *x, const float *s, float *h)
{
    const int64_t n = r->hidden;

    if (r->plain) {
        r->rows->gru_cell((long)n, x, s, h, h);
        return;
    }
    gate(r, &r->gate[r->d][0], s, x);
    gate(r, &r->gate[r->d][0], s + n, x + n);
    for (int64_t i = 0; i < n; i++)
        x[2 * n + i] = x[2 * n + i] + x[n + i] * s[2 * n + i];
    update(r, x, x + 2 * n, h);
}

/* z and r * h take the place of the sums in s. */
static void reset(const pare_recurrent *r, float *x, float *s, const float *h)
{
    const int64_t n = r->hidden;

    if (r->plain) {
        r->rows->gru_reset((long)n, x, s, h, s, s + n);
        return;
    }
    gate(r, &r->gate[r->d][0], x, s);
    gate(r, &r->gate[r->d][0], x + n, s + n);
    for (int64_t i = 0; i < n; i++)
        s[n + i] = pare_quietf(s[n + i] * h[i]);
}

static void step(const pare_recurrent *r, int64_t t, float *x)
{
    const pare_recurrent_room *const room = &r->room;
    const int64_t                    n = r->hidden;
    const bool                       before = !r->a->linear_before_reset; /* the reset comes before the product */

    r->products->state(r, 0, room->h, (ptrdiff_t)n, room->s, false);
    for (int64_t b = 0; b < r->batch && before; b++)
        reset(r, x + b * r->width, room->s + b * r->width, room->h + b * n);
    if (before)
        r->products->state(r, 1, room->s + n, (ptrdiff_t)r->width, x + 2 * n, true);
    for (int64_t b = 0; b < r->batch; b++) {
        float *const xb = x + b * r->width, *const s = room->s + b * r->width, *const h = room->h + b * n;

        if (!pare_recurrent_active(r, b, t))
            continue;
        if (!before)
            after_linear(r, xb, s, h);
        else if (r->plain)
            r->rows->gru_update((long)n, s, xb + 2 * n, h, h);
        else
            update(r, s, xb + 2 * n, h);
    }
}

const pare_recurrent_cell pare_gru_cell = {
    .gates = 3,
    .activations = 2,
    .defaults = "Sigmoid,Tanh",
    .splits = splits,
    .first_product = first_product,
    .step = step,
};

static const char *const samples[] = {
    "f32[3,2,5] f32[1,21,5] f32[1,21,7] f32[1,42]",
    "f32[3,2,5] f32[1,21,5] f32[1,21,7] f32[1,42] linear_before_reset=1",
    "f32[4,1,5] f32[1,51,5] f32[1,51,17] f32[1,102] ? f32[1,1,17] direction=reverse linear_before_reset=1",
    "f32[4,3,5] f32[2,15,5] f32[2,15,5] f32[2,30] s32{2,4,0} f32[2,3,5] direction=bidirectional",
    "f32[2,3,4] f32[2,12,4] f32[2,12,4] ? s32[2] f32[2,2,4] layout=1 direction=bidirectional linear_before_reset=1",
    "f32[3,2,4] f32[1,9,4] f32[1,9,3] f32[1,18] activations=\"Softsign,ThresholdedRelu\" activation_alpha=[0.3] "
    "clip=0.5",
    "f32[3,2,4] f32[1,9,4] f32[1,9,3] f32[1,18] activations=\"HardSigmoid,Softplus\" clip=0.5 linear_before_reset=1",
    "f32[1,1,40] f32[1,192,40] f32[1,192,64] f32[1,384] linear_before_reset=1 -> 1",
    "f32[0,1,3] f32[1,6,3] f32[1,6,2]",
    NULL,
};

const pare_op pare_op_gru = {
    .name = "gru",
    .onnx = "GRU",
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

/* ------------------------------------------------------------------------------------------------------- s8 weights */

static const char *const samples_dynamic[] = {
    "f32[3,2,5] s8[1,21,5]~0.02,0 s8[1,21,7]~0.01,0 f32[1,42]",
    "f32[3,2,5] s8[1,21,5]~0.02,0 s8[1,21,7]~0.01,0 f32[1,42] linear_before_reset=1",
    "f32[4,3,5] s8[2,15,5]~0.02,0 s8[2,15,5]~0.01,0 f32[2,30] s32{2,4,0} f32[2,3,5] direction=bidirectional",
    "f32[2,3,4] s8[2,12,4]~0.02,0 s8[2,12,4]~0.01,0 ? s32[2] f32[2,2,4] layout=1 direction=bidirectional "
    "linear_before_reset=1",
    "f32[1,1,40] s8[1,192,40]~0.002,0 s8[1,192,64]~0.003,0 f32[1,384] linear_before_reset=1 -> 1",
    NULL,
};

const pare_op pare_op_dynamic_gru = {
    .name = "dynamic_gru",
    .min_in = 3, /* as gru; W and R s8 with one scale, or one per gate row */
    .max_in = 6,
    .min_out = 1,
    .max_out = 2,
    .traits = PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(pare_recurrent_attrs),
    .infer = pare_recurrent_infer,
    .forward = pare_recurrent_forward,
    .prepare = pare_recurrent_prepare,
    .samples = samples_dynamic,
};
