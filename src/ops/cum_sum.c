/* SPDX-License-Identifier: Apache-2.0 */
/* cum_sum.c - running sums along the axis in[1], one addition after the other */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/number.h"

static pare_status infer(const pare_call *call)
{
    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_D(f64) | PARE_DTYPES_INDEX));
    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    if (pare_shape_count(&call->in[1]->shape) != 1)
        return pare_fail(PARE_ERR_SHAPE, "axis must be one number");
    pare_call_out(call, 0, call->in[0]->dtype, &call->in[0]->shape);
    return PARE_OK;
}

/* n elements; an exclusive sum leaves out the element itself. */
#define RUN_SUM(type, add)                                             \
    for (int64_t i = 0; i < n; i++) {                                  \
        const type before = sum, here = ((const type *)x)[i * x_step]; \
        sum = add;                                                     \
        ((type *)y)[i * y_step] = exclusive ? before : sum;            \
    }

static void run_sum(pare_dtype dtype, int64_t n, const char *x, int64_t x_step, char *y, int64_t y_step, bool exclusive)
{
    if (dtype == PARE_f32) {
        float sum = 0;
        RUN_SUM(float, sum + here)
    } else if (dtype == PARE_f64) {
        double sum = 0;
        RUN_SUM(double, sum + here)
    } else if (dtype == PARE_s32) {
        int32_t sum = 0;
        RUN_SUM(int32_t, (int32_t)pare_wrap_add(sum, here))
    } else {
        int64_t sum = 0;
        RUN_SUM(int64_t, pare_wrap_add(sum, here))
    }
}

static pare_status forward(const pare_call *call)
{
    const pare_cum_sum_attrs *const p = call->attrs;
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const int64_t size = (int64_t)pare_dtype_size(x->dtype);
    pare_shape    lines = x->shape;
    pare_walk     w;
    int           axis = 0;

    if (pare_shape_count(&x->shape) == 0)
        return PARE_OK;
    PARE_TRY(pare_call_axis(pare_tensor_int(call->in[1], 0), x->shape.rank, &axis));
    const int64_t n = x->shape.dim[axis], from = p->reverse ? n - 1 : 0, way = p->reverse ? -1 : 1;
    lines.dim[axis] = 1;
    pare_walk_begin(&w, lines.rank, lines.dim);
    pare_walk_follow(&w, 0, x->stride);
    pare_walk_follow(&w, 1, y->stride);
    for (; w.left > 0; pare_walk_next(&w))
        run_sum(x->dtype, n, (const char *)x->data + (w.offset[0] + from * x->stride[axis]) * size,
                way * x->stride[axis], (char *)y->data + (w.offset[1] + from * y->stride[axis]) * size,
                way * y->stride[axis], p->exclusive);
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_cum_sum_attrs, exclusive, 0),
    PARE_ATTR_ROW_INT(pare_cum_sum_attrs, reverse, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] s64:1",     "f32[4,7] s32:-1 exclusive=1",
    "s64[5] s64:0 reverse=1", "s32[2,3] s64:1 reverse=1 exclusive=1",
    "f32[0] s64:0",           NULL,
};

const pare_op pare_op_cum_sum = {
    .name = "cum_sum",
    .onnx = "CumSum",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_cum_sum_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
