/* SPDX-License-Identifier: Apache-2.0 */
/* clip.c - into [in[1], in[2]]; a bound that is left out does not bind, NaN passes, where min > max all is max */
#include <math.h>

#include "base/status.h"
#include "ops/apply.h"
#include "ops/call.h"

static pare_status infer(const pare_call *call)
{
    const pare_tensor *const x = call->in[0];

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_same_dtype(call, 0, 3));
    for (int i = 1; i < 3; i++)
        if (pare_call_has(call, i) && pare_shape_count(&call->in[i]->shape) != 1)
            return pare_fail(PARE_ERR_SHAPE, "input %d (%s) must be a scalar", i, i == 1 ? "min" : "max");
    pare_call_out(call, 0, x->dtype, &x->shape);
    return PARE_OK;
}

static void clip_floats(const pare_call *call, pare_share share)
{
    const float bounds[2] = {
        pare_call_has(call, 1) ? *(const float *)call->in[1]->data : -INFINITY,
        pare_call_has(call, 2) ? *(const float *)call->in[2]->data : INFINITY,
    };

    pare_apply_unary(call->out[0], call->in[0], PARE_UNARY_F32_clip, bounds, share);
}

static void clip_ints(const pare_call *call)
{
    const pare_dtype dtype = call->in[0]->dtype;
    const int64_t    lo = pare_call_has(call, 1) ? pare_tensor_int(call->in[1], 0) : INT64_MIN;
    const int64_t    hi = pare_call_has(call, 2) ? pare_tensor_int(call->in[2], 0) : INT64_MAX;
    pare_rows        r;

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            const int64_t x = pare_load_int(dtype, r.ptr[1], i * r.step[1]);
            const int64_t above = x < lo ? lo : x;
            pare_store_int(dtype, r.ptr[0], i * r.step[0], above > hi ? hi : above);
        }
}

static pare_status forward(const pare_call *call)
{
    if (call->in[0]->dtype == PARE_f32)
        clip_floats(call, (pare_share){ .parts = 1 });
    else
        clip_ints(call);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    clip_floats(call, (pare_share){ step, part, parts });
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_unary_f32_kernel *best;

    if (call->in[0]->dtype == PARE_f32 && pare_unary_f32_candidates(step->cpu, &best, 1) > 0) {
        step->kernel = best->name;
        step->run = run;
    }
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,5] f32:-0.5 f32:1",
    "f32[9] ? f32:0",
    "f32[9] f32:2 f32:1",
    "f32[9]",
    "s8[9] s8:-3 s8:100",
    "s64[3] s64:1",
    NULL,
};

const pare_op pare_op_clip = {
    .name = "clip",
    .onnx = "Clip",
    .min_in = 1,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_ELEMENTWISE,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
