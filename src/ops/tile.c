/* SPDX-License-Identifier: Apache-2.0 */
/* tile.c - the whole tensor repeated in[1][i] times along each axis i */
#include "base/status.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

static pare_status infer(const pare_call *call)
{
    pare_shape y = call->in[0]->shape;
    pare_ints  repeats;

    PARE_TRY(pare_call_ints(call, 1, "repeats", &repeats));
    if (repeats.n != y.rank)
        return pare_fail(PARE_ERR_SHAPE, "%d repeats for rank %d", repeats.n, y.rank);
    for (int i = 0; i < y.rank; i++) {
        if (repeats.v[i] < 0 || (y.dim[i] > 0 && repeats.v[i] > INT64_MAX / y.dim[i]))
            return pare_fail(PARE_ERR_SHAPE, "repeat %d is %lld", i, (long long)repeats.v[i]);
        if (y.dim[i] != PARE_DIM_ANY)
            y.dim[i] *= repeats.v[i];
    }
    return pare_call_select(call, 0, 0, 1, &y);
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    int64_t   repeats[PARE_MAX_RANK];
    pare_walk w;

    if (pare_shape_count(&y->shape) == 0)
        return;
    for (int i = 0; i < x->shape.rank; i++)
        repeats[i] = y->shape.dim[i] / x->shape.dim[i];
    pare_walk_begin(&w, x->shape.rank, repeats);
    for (; w.left > 0; pare_walk_next(&w)) {
        pare_tensor place = *y;
        for (int i = 0; i < x->shape.rank; i++)
            place = pare_region(&place, i, w.at[i] * x->shape.dim[i], x->shape.dim[i], 1);
        pare_move(&place, x, part, parts);
    }
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[2,3] s64{2,3}", "f32[2,1,5,3] s64{1,3,1,2}", "u8[4]~0.5,7 s64{3}", "s64[2] s64{0}", "f16[2,2] s64{1,2}", NULL,
};

const pare_op pare_op_tile = {
    .name = "tile",
    .onnx = "Tile",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
