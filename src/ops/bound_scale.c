/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bound_scale.c - a learned scale of weights stays between a quarter of `largest` and `largest`, which just holds the
 * largest weight: more would waste levels, much less would make nearly all weights equal, and a channel whose scale a
 * step throws towards 0 would not come back. The gradient passes unless it pushes further out.
 */
#include "base/status.h"
#include "ops/call.h"

static const float LEAST_SHARE = 0.25f;

static pare_status infer_like(const pare_call *call, int first)
{
    for (int i = 0; i < call->n_in; i++)
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (pare_shape_count(&call->in[first]->shape) != pare_shape_count(&call->in[first + 1]->shape))
        return pare_fail(PARE_ERR_SHAPE, "as many scales as bounds are needed");
    pare_call_out(call, 0, PARE_f32, &call->in[first]->shape);
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    return infer_like(call, 0);
}

static pare_status forward(const pare_call *call)
{
    for (int64_t i = 0; i < pare_shape_count(&call->out[0]->shape); i++) {
        const float s = (float)pare_tensor_real(call->in[0], i), most = (float)pare_tensor_real(call->in[1], i);
        const float least = LEAST_SHARE * most;

        pare_tensor_set_real(call->out[0], i, (double)(s < least ? least : s > most ? most : s));
    }
    return PARE_OK;
}

static const char *const samples[] = { "f32{0.1,1,2,3} f32{1,1,1,1}", "f32:0.5 f32[1]", NULL };

const pare_op pare_op_bound_scale = {
    .name = "bound_scale",
    .min_in = 2, /* scale, largest [n] */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .samples = samples,
};

static pare_status grad_infer(const pare_call *call)
{
    return infer_like(call, 1);
}

static pare_status grad_forward(const pare_call *call)
{
    for (int64_t i = 0; i < pare_shape_count(&call->out[0]->shape); i++) {
        const float dy = (float)pare_tensor_real(call->in[0], i);
        const float s = (float)pare_tensor_real(call->in[1], i), most = (float)pare_tensor_real(call->in[2], i);
        const bool  out = (s < LEAST_SHARE * most && dy > 0) || (s > most && dy < 0); /* a step goes against dy */

        pare_tensor_set_real(call->out[0], i, out ? 0 : (double)dy);
    }
    return PARE_OK;
}

static const char *const grad_samples[] = { "f32{1,1,-1,-1} f32{0.1,1,2,3} f32{1,1,1,4}", NULL };

const pare_op pare_op_bound_scale_grad = {
    .name = "bound_scale_grad",
    .min_in = 3, /* dy, scale, largest [n] */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = grad_infer,
    .forward = grad_forward,
    .samples = grad_samples,
};
