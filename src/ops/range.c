/* SPDX-License-Identifier: Apache-2.0 */
/* range.c - start, start + delta, ... up to but without limit: element i is start + i * delta */
#include <math.h>

#include "base/status.h"
#include "ops/call.h"
#include "ops/number.h"

static pare_status count_ints(const pare_call *call, int64_t *count)
{
    const int64_t start = pare_tensor_int(call->in[0], 0), limit = pare_tensor_int(call->in[1], 0);
    const int64_t delta = pare_tensor_int(call->in[2], 0);

    if (delta == 0)
        return pare_fail(PARE_ERR_SHAPE, "delta is 0");
    const uint64_t span = delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    const uint64_t pace = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
    *count = (delta > 0 ? limit <= start : limit >= start) ? 0 : (int64_t)((span - 1) / pace + 1);
    return PARE_OK;
}

static pare_status count_reals(const pare_call *call, int64_t *count)
{
    const double start = pare_tensor_real(call->in[0], 0), limit = pare_tensor_real(call->in[1], 0);
    const double n = ceil((limit - start) / pare_tensor_real(call->in[2], 0));

    if (!(n < 0x1p62))
        return pare_fail(PARE_ERR_SHAPE, "delta is 0 or not a number");
    *count = n > 0 ? (int64_t)n : 0;
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    static const char *const names[] = { "start", "limit", "delta" };
    const pare_dtype         dtype = call->in[0]->dtype;
    int64_t                  count = 0;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_D(f64) | PARE_D(s16) | PARE_DTYPES_INDEX));
    PARE_TRY(pare_call_same_dtype(call, 0, 3));
    for (int i = 0; i < 3; i++) {
        if (pare_shape_count(&call->in[i]->shape) != 1)
            return pare_fail(PARE_ERR_SHAPE, "input %d (%s) must be a scalar", i, names[i]);
        if (!call->in[i]->data)
            return pare_op_needs_value(call, i, names[i]);
    }
    PARE_TRY(pare_dtype_kind(dtype) == PARE_KIND_FLOAT ? count_reals(call, &count) : count_ints(call, &count));
    pare_call_out(call, 0, dtype, &(pare_shape){ 1, { count } });
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    pare_tensor *const       y = call->out[0];
    const pare_tensor *const a = call->in[0], *const d = call->in[2];

    for (int64_t i = 0; i < y->shape.dim[0]; i++)
        if (y->dtype == PARE_f32)
            ((float *)y->data)[i * y->stride[0]] = *(const float *)a->data + (float)i * *(const float *)d->data;
        else if (y->dtype == PARE_f64)
            ((double *)y->data)[i * y->stride[0]] = *(const double *)a->data + (double)i * *(const double *)d->data;
        else
            pare_store_int(y->dtype, y->data, i * y->stride[0],
                           pare_wrap_add(pare_tensor_int(a, 0), pare_wrap_mul(i, pare_tensor_int(d, 0))));
    return PARE_OK;
}

static const char *const samples[] = {
    "s64:3 s64:10 s64:2", "s64:10 s64:-1 s64:-3", "f32:0 f32:1 f32:0.3", "s32:5 s32:5 s32:1", "f32:1 f32:0 f32:1", NULL,
};

const pare_op pare_op_range = {
    .name = "range",
    .onnx = "Range",
    .min_in = 3,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
