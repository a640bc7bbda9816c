/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool_grad.c - gradients of pools: each output's goes to the elements of its window
 *
 * An input element adds up what its windows send in the order of the output positions, first a block of channels of
 * one image is cleared, then one window after the other is added. So parts share images and blocks of channels.
 */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/parts.h"
#include "ops/pool_grad.h"

extern const pare_op pare_op_max_pool_grad, pare_op_average_pool_grad;

int64_t pare_pool_offset(const pare_tensor *t, int n, const int64_t *at)
{
    int64_t offset = 0;

    for (int i = 0; i < n; i++)
        offset += at[i] * t->stride[i + 2];
    return offset;
}

/* An equal share to every element of the window. */
static void add_mean(const pare_pool_block *b, const pare_window *w, const int64_t *at, const float *dy)
{
    const pare_pool_grad_attrs *const a = b->call->attrs;
    const pare_tensor *const          dx = b->call->out[0];
    const float                       count = (float)pare_pool_count(&a->pool, w, at);
    float                             share[PARE_POOL_BLOCK];

    for (int64_t c = 0; c < b->channels; c++)
        share[c] = dy[c] / count;
    for (int64_t j = 0; j < w->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL];

        pare_window_tap(w, j, tap);
        const int64_t to = pare_window_offset(w, at, tap, &dx->stride[2]);
        if (to < 0)
            continue;
        for (int64_t c = 0; c < b->channels; c++)
            b->dx[to + c * dx->stride[1]] += share[c];
    }
}

void pare_pool_clear(const pare_pool_block *b, const pare_window *w)
{
    const pare_tensor *const dx = b->call->out[0];
    int64_t                  at[PARE_MAX_SPATIAL], pixels = 1;

    for (int i = 0; i < w->n; i++)
        pixels *= w->in[i];
    for (int64_t p = 0; p < pixels; p++) {
        int64_t rest = p;

        for (int i = w->n - 1; i >= 0; rest /= w->in[i--])
            at[i] = rest % w->in[i];
        float *const to = b->dx + pare_pool_offset(dx, w->n, at);
        for (int64_t c = 0; c < b->channels; c++)
            to[c * dx->stride[1]] = 0;
    }
}

static void do_block(const pare_pool_block *b, const pare_window *w, pare_pool_window_fn *add)
{
    const pare_tensor *const dy = b->call->in[0];
    float                    gradient[PARE_POOL_BLOCK];
    int64_t                  at[PARE_MAX_SPATIAL];

    pare_pool_clear(b, w);
    for (int64_t p = 0; p < w->positions; p++) {
        pare_window_position(w, p, at);
        const float *const from = b->dy + pare_pool_offset(dy, w->n, at);
        for (int64_t c = 0; c < b->channels; c++)
            gradient[c] = from[c * dy->stride[1]];
        add(b, w, at, gradient);
    }
}

static void resolve(const pare_call *call, pare_window *w)
{
    const pare_pool_grad_attrs *const a = call->attrs;

    if (call->op == &pare_op_max_pool_grad || call->op == &pare_op_average_pool_grad)
        pare_window_resolve(&a->pool.window, &call->out[0]->shape, NULL, w); /* has succeeded in infer */
    else
        pare_pool_whole(&call->out[0]->shape, w);
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const dy = call->in[0], *const dx = call->out[0], *const x = call->n_in > 1 ? call->in[1] : NULL;
    const int64_t channels = dx->shape.dim[1], blocks = (channels + PARE_POOL_BLOCK - 1) / PARE_POOL_BLOCK;
    pare_window   w;
    long          begin, end;

    resolve(call, &w);
    pare_pool_split((long)(dx->shape.dim[0] * blocks), 1, part, parts, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const int64_t         n = i / blocks, c = i % blocks * PARE_POOL_BLOCK;
        const pare_pool_block b = { .call = call,
                                    .channels = channels - c < PARE_POOL_BLOCK ? channels - c : PARE_POOL_BLOCK,
                                    .x = x ? (const float *)x->data + n * x->stride[0] + c * x->stride[1] : NULL,
                                    .dy = (const float *)dy->data + n * dy->stride[0] + c * dy->stride[1],
                                    .dx = (float *)dx->data + n * dx->stride[0] + c * dx->stride[1] };

        if (!x || !pare_pool_max_block(&b, &w))
            do_block(&b, &w, x ? pare_pool_add_max : add_mean);
    }
}

PARE_IN_PARTS(do_part)

/* dy fits the windows over an input of this shape. */
static pare_status check(const pare_call *call, const pare_shape *x)
{
    const pare_pool_grad_attrs *const a = call->attrs;
    const pare_shape *const           dy = &call->in[0]->shape;
    pare_shape                        y = *x;
    pare_window                       w;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (x->rank < 3)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d, at least 3 (N, C, spatial ...) is needed", x->rank);
    if (call->op == &pare_op_max_pool_grad || call->op == &pare_op_average_pool_grad)
        PARE_TRY(pare_window_resolve(&a->pool.window, x, NULL, &w));
    else
        pare_pool_whole(x, &w);
    for (int i = 2; i < y.rank; i++)
        y.dim[i] = w.out[i - 2];
    if (!pare_shape_equal(&y, dy))
        return pare_fail(PARE_ERR_SHAPE, "the gradient does not have the shape of the pool's result");
    pare_call_out(call, 0, PARE_f32, x);
    return PARE_OK;
}

static pare_status infer_max(const pare_call *call)
{
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32)));
    return check(call, &call->in[1]->shape);
}

static pare_status infer_mean(const pare_call *call)
{
    const pare_pool_grad_attrs *const a = call->attrs;

    if (a->shape.n > PARE_MAX_RANK)
        return pare_fail(PARE_ERR_SHAPE, "the shape has more than %d dimensions", PARE_MAX_RANK);
    for (int i = 0; i < a->shape.n; i++)
        if (a->shape.v[i] < 0)
            return pare_fail(PARE_ERR_SHAPE, "the shape has a negative dimension");
    const pare_shape x = pare_shape_of(a->shape.n, a->shape.v);

    return check(call, &x);
}

static const pare_attr max_attrs[] = {
    PARE_WINDOW_ROWS(pare_pool_attrs),
    { .name = "ceil_mode", .type = PARE_ATTR_INT, .offset = offsetof(pare_pool_grad_attrs, pool.window.ceil_mode) },
    PARE_ATTR_END,
};
static const pare_attr average_attrs[] = {
    PARE_WINDOW_ROWS(pare_pool_attrs),
    { .name = "ceil_mode", .type = PARE_ATTR_INT, .offset = offsetof(pare_pool_grad_attrs, pool.window.ceil_mode) },
    { .name = "count_include_pad",
      .type = PARE_ATTR_INT,
      .offset = offsetof(pare_pool_grad_attrs, pool.count_include_pad) },
    PARE_ATTR_ROW_INTS(pare_pool_grad_attrs, shape),
    PARE_ATTR_END,
};
static const pare_attr global_attrs[] = {
    PARE_ATTR_ROW_INTS(pare_pool_grad_attrs, shape),
    PARE_ATTR_END,
};
_Static_assert(offsetof(pare_pool_grad_attrs, pool) == 0, "the rows of windows count from the pool's attributes");

static const char *const max_samples[] = {
    "f32[2,3,4,4] f32[2,3,7,8] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
    "f32[1,5,5] f32[1,5,9] kernel_shape=[2] ceil_mode=1 strides=[2]",
    "f32[1,70,4,5] f32[1,70,6,6] kernel_shape=[3,2] dilations=[1,1]",
    "f32[1,3,4,4] f32[1,3,4,4] kernel_shape=[2,2] auto_pad=\"SAME_LOWER\"",
    NULL,
};
static const char *const average_samples[] = {
    "f32[2,3,4,4] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] shape=[2,3,7,8]",
    "f32[2,40,4,4] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] count_include_pad=1 shape=[2,40,7,8]",
    "f32[1,5,5] kernel_shape=[2] ceil_mode=1 strides=[2] shape=[1,5,9]",
    NULL,
};
static const char *const global_max_samples[] = { "f32[2,3,1,1] f32[2,3,7,5]", "f32[1,70,1] f32[1,70,9]", NULL };
static const char *const global_samples[] = { "f32[2,3,1,1] shape=[2,3,7,5]", "f32[1,70,1] shape=[1,70,9]", NULL };

const pare_op pare_op_max_pool_grad = {
    .name = "max_pool_grad",
    .min_in = 2, /* dy, x */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .attrs = max_attrs,
    .attrs_size = sizeof(pare_pool_grad_attrs),
    .infer = infer_max,
    .forward = forward,
    .prepare = prepare,
    .samples = max_samples,
};

const pare_op pare_op_global_max_pool_grad = {
    .name = "global_max_pool_grad",
    .min_in = 2, /* dy, x */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .attrs_size = sizeof(pare_pool_grad_attrs),
    .infer = infer_max,
    .forward = forward,
    .prepare = prepare,
    .samples = global_max_samples,
};

const pare_op pare_op_average_pool_grad = {
    .name = "average_pool_grad",
    .min_in = 1, /* dy */
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .attrs = average_attrs,
    .attrs_size = sizeof(pare_pool_grad_attrs),
    .infer = infer_mean,
    .forward = forward,
    .prepare = prepare,
    .samples = average_samples,
};

const pare_op pare_op_global_average_pool_grad = {
    .name = "global_average_pool_grad",
    .min_in = 1, /* dy */
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .attrs = global_attrs,
    .attrs_size = sizeof(pare_pool_grad_attrs),
    .infer = infer_mean,
    .forward = forward,
    .prepare = prepare,
    .samples = global_samples,
};
