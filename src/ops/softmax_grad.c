/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax_grad.c - gradients of softmax and of its logarithm, from their results
 *
 * softmax: dx = y (dy - sum of dy y); log_softmax: dx = dy - e^y sum of dy. Sums are lane sums.
 */
#include "base/alloc.h"
#include "base/math.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/boxes.h"
#include "ops/call.h"
#include "ops/lane_sum.h"
#include "ops/move.h"

extern const pare_op pare_op_softmax_grad, pare_op_log_softmax_grad;

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *a = call->attrs;
    int                    axis;

    for (int i = 0; i < 2; i++)
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (!pare_shape_equal(&call->in[0]->shape, &call->in[1]->shape))
        return pare_fail(PARE_ERR_SHAPE, "the gradient and the result have different shapes");
    if (call->in[0]->shape.rank > 0)
        PARE_TRY(pare_call_axis(a->axis, call->in[0]->shape.rank, &axis));
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

static void softmax_row(int64_t n, const float *dy, const float *y, float *dx)
{
    const float sum = pare_lane_dot(n, dy, y);

    for (int64_t i = 0; i < n; i++)
        dx[i] = pare_quietf(y[i] * (dy[i] - sum));
}

static void log_softmax_row(int64_t n, const float *dy, const float *y, float *dx)
{
    const float sum = pare_lane_sum(n, dy);

    for (int64_t i = 0; i < n; i++)
        dx[i] = pare_quietf(dy[i] - pare_expf(y[i]) * sum);
}

/* Lines of share `part`, each through `room`, which has three of them. */
static void do_part(const pare_call *call, float *room, int part, int parts)
{
    const int64_t     axis = ((const pare_axis_attrs *)call->attrs)->axis;
    const pare_tensor t[3] = { pare_axis_last(call->out[0], axis), pare_axis_last(call->in[0], axis),
                               pare_axis_last(call->in[1], axis) };
    const int         last = t[0].shape.rank - 1;
    const int64_t     n = t[0].shape.dim[last];
    pare_walk         w;
    long              begin, end;

    pare_walk_begin(&w, last, t[0].shape.dim);
    for (int k = 0; k < 3; k++)
        pare_walk_follow(&w, k, t[k].stride);
    pare_pool_split((long)w.left, 1, part, parts, &begin, &end);
    pare_walk_seek(&w, begin);
    for (long line = begin; line < end; line++, pare_walk_next(&w)) {
        for (int k = 1; k < 3; k++)
            for (int64_t i = 0; i < n; i++)
                room[k * n + i] = ((const float *)t[k].data)[w.offset[k] + i * t[k].stride[last]];
        (call->op == &pare_op_softmax_grad ? softmax_row : log_softmax_row)(n, room + n, room + 2 * n, room);
        for (int64_t i = 0; i < n; i++)
            ((float *)t[0].data)[w.offset[0] + i * t[0].stride[last]] = room[i];
    }
}

static size_t room_bytes(const pare_call *call)
{
    const pare_tensor x = pare_axis_last(call->in[0], ((const pare_axis_attrs *)call->attrs)->axis);

    return 3 * sizeof(float) * (size_t)x.shape.dim[x.shape.rank - 1];
}

static pare_status forward(const pare_call *call)
{
    float *const room = pare_malloc_aligned(room_bytes(call) + 64);

    if (!room)
        return pare_fail_memory(room_bytes(call), "three rows");
    do_part(call, room, 0, 1);
    pare_free_aligned(room);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step;
    do_part(call, scratch, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    step->kernel = "c";
    step->run = run;
    step->scratch = room_bytes(call);
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, -1),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,7] f32[2,3,5,7]",
    "f32[2,19,5] f32[2,19,5] axis=1",
    "f32[2,3,4] f32[2,3,4] axis=0",
    "f32[3,40] f32[3,40]",
    "f32[] f32[]",
    "f32[0,3] f32[0,3]",
    NULL,
};

#define ROW(name_)                                                           \
    const pare_op pare_op_##name_ = { .name = #name_,                        \
                                      .min_in = 2, /* dy, y */               \
                                      .max_in = 2,                           \
                                      .min_out = 1,                          \
                                      .max_out = 1,                          \
                                      .attrs = attrs,                        \
                                      .attrs_size = sizeof(pare_axis_attrs), \
                                      .infer = infer,                        \
                                      .forward = forward,                    \
                                      .prepare = prepare,                    \
                                      .samples = samples };
ROW(softmax_grad)
ROW(log_softmax_grad)
