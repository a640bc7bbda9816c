/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_range.c - from values to scales while training: what a range is, how it moves, which scale it gives
 *
 *     min, max = value_range(x) axis        of each index of an axis; a NaN makes both NaN
 *     min, max = moving_range(min, max, running_min, running_max) constant
 *     scale, zero = choose_qparams(min, max) lo, hi, symmetric         docs/NUMERICS.md 3
 */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "tensor/qparams.h"

/* --------------------------------------------------------------------------------------------------- value_range */

static const pare_attr range_attrs[] = { PARE_ATTR_ROW_INT(pare_axis_attrs, axis, 0), PARE_ATTR_END };

static pare_status range_infer(const pare_call *call)
{
    const int64_t     axis = ((const pare_axis_attrs *)call->attrs)->axis;
    const pare_shape *x = &call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (axis < 0 || axis >= x->rank)
        return pare_fail(PARE_ERR_SHAPE, "axis %lld of an input of rank %d", (long long)axis, x->rank);
    const pare_shape entries = pare_shape_of(1, &x->dim[axis]);

    for (int i = 0; i < call->n_out; i++)
        pare_call_out(call, i, PARE_f32, &entries);
    return PARE_OK;
}

static void widen(float x, float *min, float *max)
{
    if (!(x >= *min) && *min == *min) /* NaN stays */
        *min = x;
    if (!(x <= *max) && *max == *max)
        *max = x;
}

/* Part `part` takes every parts-th index; rows of 16 so that the compiler makes vectors of it. */
static void range_run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    enum { LANES = 16 };
    const int64_t axis = ((const pare_axis_attrs *)call->attrs)->axis;

    (void)step, (void)scratch;
    for (int64_t e = part; e < call->in[0]->shape.dim[axis]; e += parts) {
        pare_tensor x = *call->in[0];
        float       min[LANES], max[LANES];
        int         bad = 0;
        pare_rows   r;

        for (int l = 0; l < LANES; l++) {
            min[l] = INFINITY;
            max[l] = -INFINITY;
        }
        x.data = (float *)x.data + e * x.stride[axis];
        x.shape.dim[axis] = 1;
        pare_rows_begin(&r, 1, (const pare_tensor *const[]){ &x }, 0, 1);
        while (pare_rows_next(&r)) {
            const float *const at = (const float *)r.ptr[0];
            const int64_t      whole = r.step[0] == 1 ? r.n / LANES * LANES : 0;

            for (int64_t i = 0; i < whole; i += LANES)
                for (int l = 0; l < LANES; l++) {
                    const float v = at[i + l];

                    bad |= v != v;
                    min[l] = v < min[l] ? v : min[l];
                    max[l] = v > max[l] ? v : max[l];
                }
            for (int64_t i = whole; i < r.n; i++) {
                bad |= at[i * r.step[0]] != at[i * r.step[0]];
                widen(at[i * r.step[0]], &min[0], &max[0]);
            }
        }
        for (int l = 1; l < LANES; l++) {
            min[0] = min[l] < min[0] ? min[l] : min[0];
            max[0] = max[l] > max[0] ? max[l] : max[0];
        }
        pare_tensor_set_real(call->out[0], e, bad ? NAN : (double)min[0]);
        pare_tensor_set_real(call->out[1], e, bad ? NAN : (double)max[0]);
    }
}

static pare_status range_forward(const pare_call *call)
{
    range_run(NULL, call, 0, 1, NULL);
    return PARE_OK;
}

static pare_status range_prepare(const pare_call *call, pare_step *step)
{
    (void)call;
    step->kernel = "c";
    step->run = range_run;
    return PARE_OK;
}

static const char *const range_samples[] = { "f32[2,3,5,5]", "f32[4,40] axis=1", "f32[3]", NULL };

const pare_op pare_op_value_range = {
    .name = "value_range",
    .min_in = 1,
    .max_in = 1,
    .min_out = 2,
    .max_out = 2,
    .attrs = range_attrs,
    .attrs_size = sizeof(pare_axis_attrs),
    .infer = range_infer,
    .forward = range_forward,
    .prepare = range_prepare,
    .samples = range_samples,
};

/* -------------------------------------------------------------------------------------------------- moving_range */

typedef struct moving_attrs {
    float constant; /* share of what is new */
} moving_attrs;

static const pare_attr moving_table[] = { PARE_ATTR_ROW_FLOAT(moving_attrs, constant, 0.01f), PARE_ATTR_END };

static pare_status moving_infer(const pare_call *call)
{
    for (int i = 0; i < 4; i++) {
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
        if (i >= 2 && pare_shape_count(&call->in[i]->shape) != 1)
            return pare_fail(PARE_ERR_SHAPE, "the running range is one number and one number");
    }
    for (int i = 0; i < 2; i++)
        pare_call_out(call, i, PARE_f32, &call->in[2 + i]->shape);
    return PARE_OK;
}

/* m + constant * (x - m), as PyTorch's moving average; a running range that is no range yet (min > max) becomes x. */
static pare_status moving_forward(const pare_call *call)
{
    const float constant = ((const moving_attrs *)call->attrs)->constant;
    float       of[2] = { INFINITY, -INFINITY }, running[2];

    for (int64_t i = 0; i < pare_shape_count(&call->in[0]->shape); i++) {
        widen((float)pare_tensor_real(call->in[0], i), &of[0], &of[1]);
        widen((float)pare_tensor_real(call->in[1], i), &of[0], &of[1]);
    }
    for (int k = 0; k < 2; k++)
        running[k] = (float)pare_tensor_real(call->in[2 + k], 0);
    for (int k = 0; k < 2; k++)
        pare_tensor_set_real(call->out[k], 0,
                             running[0] <= running[1] ? running[k] + constant * (of[k] - running[k]) : of[k]);
    return PARE_OK;
}

static const char *const moving_samples[] = { "f32{-1,-3} f32{2,5} f32:-2 f32:4",
                                              "f32{-1,-3} f32{2,5} f32{1} f32{-1} constant=0.5", NULL };

const pare_op pare_op_moving_range = {
    .name = "moving_range",
    .min_in = 4, /* min, max [any], running min and max [1] */
    .max_in = 4,
    .min_out = 2,
    .max_out = 2,
    .attrs = moving_table,
    .attrs_size = sizeof(moving_attrs),
    .infer = moving_infer,
    .forward = moving_forward,
    .samples = moving_samples,
};

/* ------------------------------------------------------------------------------------------------ choose_qparams */

typedef struct choose_attrs {
    int64_t lo, hi, symmetric;
} choose_attrs;

static const pare_attr choose_table[] = {
    PARE_ATTR_ROW_INT(choose_attrs, lo, 0),
    PARE_ATTR_ROW_INT(choose_attrs, hi, 255),
    PARE_ATTR_ROW_INT(choose_attrs, symmetric, 0),
    PARE_ATTR_END,
};

static pare_status choose_infer(const pare_call *call)
{
    for (int i = 0; i < 2; i++)
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (!pare_shape_equal(&call->in[0]->shape, &call->in[1]->shape))
        return pare_fail(PARE_ERR_SHAPE, "as many minima as maxima are needed");
    for (int i = 0; i < call->n_out; i++)
        pare_call_out(call, i, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

static pare_status choose_forward(const pare_call *call)
{
    const choose_attrs *a = call->attrs;
    const pare_qrange   range = { (int32_t)a->lo, (int32_t)a->hi };

    for (int64_t i = 0; i < pare_shape_count(&call->in[0]->shape); i++) {
        float   scale;
        int32_t zero;

        PARE_TRY(pare_qparams_choose((float)pare_tensor_real(call->in[0], i), (float)pare_tensor_real(call->in[1], i),
                                     a->symmetric ? PARE_SYMMETRIC : PARE_AFFINE, range, 0, &scale, &zero));
        pare_tensor_set_real(call->out[0], i, (double)scale);
        if (call->n_out > 1 && call->out[1])
            pare_tensor_set_real(call->out[1], i, zero);
    }
    return PARE_OK;
}

static const char *const choose_samples[] = { "f32{-1,-3} f32{2,5}", "f32:-1 f32:0.5 lo=-127 hi=127 symmetric=1 -> 1",
                                              NULL };

const pare_op pare_op_choose_qparams = {
    .name = "choose_qparams",
    .min_in = 2, /* min, max */
    .max_in = 2,
    .min_out = 1, /* scale, zero (a whole number in f32) */
    .max_out = 2,
    .attrs = choose_table,
    .attrs_size = sizeof(choose_attrs),
    .infer = choose_infer,
    .forward = choose_forward,
    .samples = choose_samples,
};
