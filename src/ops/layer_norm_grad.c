/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_norm_grad.c - gradients of rows that are brought to mean 0 and variance 1: dy, x [R,n], scale [n]
 *
 * With r = 1 / sqrt(var + epsilon), x^ = (x - mean) r and g = dy scale: dx = r ((g - mean of g) - x^ mean of (g x^)).
 * Means are lane sums divided by n. The second output, [R,2], is mean and r; from it layer_norm_grad_params makes
 * dscale [n], the sum over rows of dy x^, and dbias [n], that of dy, rows in order from 0.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/lane_sum.h"
#include "ops/parts.h"

enum { DY, X, SCALE, STATS = 2 };

typedef struct grad_attrs {
    float epsilon;
} grad_attrs;

/* dy and x are matrices of one shape. */
static pare_status check(const pare_call *call)
{
    const pare_shape *const x = &call->in[X]->shape;

    for (int i = 0; i < 3; i++)
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (x->rank != 2 || !pare_shape_equal(x, &call->in[DY]->shape))
        return pare_fail(PARE_ERR_SHAPE, "the gradient and the input are not matrices of one shape");
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    const pare_shape *const x = &call->in[X]->shape, *const scale = &call->in[SCALE]->shape;

    PARE_TRY(check(call));
    if (scale->rank != 1 || scale->dim[0] != x->dim[1])
        return pare_fail(PARE_ERR_SHAPE, "the scale must have one number per column");
    const pare_shape stats = pare_shape_of(2, (const int64_t[]){ x->dim[0], 2 });

    pare_call_out(call, 0, PARE_f32, x);
    pare_call_out(call, 1, PARE_f32, &stats);
    return PARE_OK;
}

static pare_status infer_params(const pare_call *call)
{
    const pare_shape *const x = &call->in[X]->shape, *const stats = &call->in[STATS]->shape;

    PARE_TRY(check(call));
    if (stats->rank != 2 || stats->dim[0] != x->dim[0] || stats->dim[1] != 2)
        return pare_fail(PARE_ERR_SHAPE, "the statistics must be two numbers per row");
    const pare_shape row = pare_shape_of(1, &x->dim[1]);

    pare_call_out(call, 0, PARE_f32, &row);
    pare_call_out(call, 1, PARE_f32, &row);
    return PARE_OK;
}

/* One row: g comes in as dy scale; x becomes x^, then g becomes dx. */
static void do_row(int64_t n, float *restrict x, float *restrict g, float epsilon, float stats[2])
{
    const float count = (float)n, mean = pare_lane_sum(n, x) / count;

    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] - mean;
    const float r = 1.0f / sqrtf(pare_lane_dot(n, x, x) / count + epsilon);

    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] * r;
    const float m = pare_lane_sum(n, g) / count, mx = pare_lane_dot(n, g, x) / count;

    for (int64_t i = 0; i < n; i++)
        g[i] = pare_quietf(r * ((g[i] - m) - x[i] * mx));
    stats[0] = pare_quietf(mean);
    stats[1] = pare_quietf(r);
}

static float at2(const pare_tensor *t, int64_t i, int64_t j)
{
    return ((const float *)t->data)[i * t->stride[0] + j * t->stride[1]];
}

/* `room` has two rows. */
static void do_part(const pare_call *call, float *room, int part, int parts)
{
    const pare_tensor *const x = call->in[X], *const dy = call->in[DY], *const scale = call->in[SCALE];
    const pare_tensor *const dx = call->out[0], *const out = call->n_out > 1 ? call->out[1] : NULL;
    const int64_t n = x->shape.dim[1];
    float *const  g = room + n;
    long          begin, end;

    pare_pool_split((long)x->shape.dim[0], 1, part, parts, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        float stats[2];

        for (int64_t j = 0; j < n; j++) {
            room[j] = at2(x, i, j);
            g[j] = at2(dy, i, j) * ((const float *)scale->data)[j * scale->stride[0]];
        }
        do_row(n, room, g, ((const grad_attrs *)call->attrs)->epsilon, stats);
        for (int64_t j = 0; j < n && dx; j++)
            ((float *)dx->data)[i * dx->stride[0] + j * dx->stride[1]] = g[j];
        for (int k = 0; k < 2 && out; k++)
            ((float *)out->data)[i * out->stride[0] + k * out->stride[1]] = stats[k];
    }
}

enum { COLUMNS = 64 }; /* that are summed side by side */

/* The sums of columns first .. first + n - 1, n <= COLUMNS. */
static void do_columns(const pare_call *call, int64_t first, int64_t n)
{
    const pare_tensor *const dy = call->in[DY], *const x = call->in[X], *const stats = call->in[STATS];
    float sum[2][COLUMNS] = { { 0 } };

    for (int64_t i = 0; i < x->shape.dim[0]; i++) {
        const float mean = at2(stats, i, 0), r = at2(stats, i, 1);

        for (int64_t j = 0; j < n; j++) {
            const float d = at2(dy, i, first + j);

            sum[0][j] = sum[0][j] + d * ((at2(x, i, first + j) - mean) * r);
            sum[1][j] = sum[1][j] + d;
        }
    }
    for (int k = 0; k < call->n_out; k++)
        for (int64_t j = 0; j < n && call->out[k]; j++)
            ((float *)call->out[k]->data)[(first + j) * call->out[k]->stride[0]] = pare_quietf(sum[k][j]);
}

static void do_params_part(const pare_call *call, int part, int parts)
{
    long begin, end;

    pare_pool_split((long)call->in[X]->shape.dim[1], 16, part, parts, &begin, &end);
    for (long j = begin; j < end; j += COLUMNS)
        do_columns(call, j, end - j < COLUMNS ? end - j : COLUMNS);
}

static size_t room_bytes(const pare_call *call)
{
    return 2 * sizeof(float) * (size_t)call->in[X]->shape.dim[1];
}

static pare_status forward_rows(const pare_call *call)
{
    float *const room = pare_malloc_aligned(room_bytes(call) + 64);

    if (!room)
        return pare_fail_memory(room_bytes(call), "two rows");
    do_part(call, room, 0, 1);
    pare_free_aligned(room);
    return PARE_OK;
}

static void run_rows(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step;
    do_part(call, scratch, part, parts);
}

static pare_status prepare_rows(const pare_call *call, pare_step *step)
{
    step->kernel = "c";
    step->run = run_rows;
    step->scratch = room_bytes(call);
    return PARE_OK;
}

PARE_IN_PARTS(do_params_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(grad_attrs, epsilon, 1e-5f),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[5,37] f32[5,37] f32[37] -> 2",
    "f32[3,4] f32[3,4] f32[4] epsilon=0.01 -> 1",
    "f32[0,3] f32[0,3] f32[3] -> 2",
    NULL,
};
static const char *const params_samples[] = {
    "f32[5,37] f32[5,37] f32[5,2] -> 2",
    "f32[3,140] f32[3,140] f32[3,2] -> 2",
    "f32[0,3] f32[0,3] f32[0,2] -> 2",
    NULL,
};

const pare_op pare_op_layer_norm_grad = {
    .name = "layer_norm_grad",
    .min_in = 3, /* dy, x, scale */
    .max_in = 3,
    .min_out = 1, /* dx, statistics */
    .max_out = 2,
    .attrs = attrs,
    .attrs_size = sizeof(grad_attrs),
    .infer = infer,
    .forward = forward_rows,
    .prepare = prepare_rows,
    .samples = samples,
};

const pare_op pare_op_layer_norm_grad_params = {
    .name = "layer_norm_grad_params",
    .min_in = 3, /* dy, x, statistics */
    .max_in = 3,
    .min_out = 2, /* dscale, dbias */
    .max_out = 2,
    .infer = infer_params,
    .forward = forward,
    .prepare = prepare,
    .samples = params_samples,
};
