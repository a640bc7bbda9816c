/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax_cross_entropy.c - the loss of a classifier for each row of logits, and its gradient
 *
 * loss = -sum over classes of t log softmax(x), probs = softmax(x). The target t is a distribution, or a class: then
 * t = (1 - s) [class] + s / classes with s = label_smoothing. A class outside of 0 .. classes - 1 gives NaN, in the
 * loss and in the gradient.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/call.h"

typedef struct entropy_attrs {
    float label_smoothing;
} entropy_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(entropy_attrs, label_smoothing, 0),
    PARE_ATTR_END,
};

enum { LANES = 16 };

/* Of logits or probabilities `x` and of the target in `target`. */
static pare_status check(const pare_call *call, int x, int target)
{
    const pare_shape *const s = &call->in[x]->shape, *const t = &call->in[target]->shape;
    const bool classes = call->in[target]->dtype == PARE_s64;

    PARE_TRY(pare_call_plain(call, x, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, target, PARE_D(f32) | PARE_D(s64)));
    if (s->rank != 2)
        return pare_fail(PARE_ERR_SHAPE, "the logits have rank %d, a row for each example is needed", s->rank);
    if (classes ? t->rank != 1 || t->dim[0] != s->dim[0] : !pare_shape_equal(s, t))
        return pare_fail(PARE_ERR_SHAPE, "the target is neither a class nor a distribution for each row");
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    PARE_TRY(check(call, 0, 1));
    const pare_shape rows = pare_shape_of(1, call->in[0]->shape.dim);

    pare_call_out(call, 0, PARE_f32, &rows);
    pare_call_out(call, 1, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

static pare_status infer_grad(const pare_call *call)
{
    PARE_TRY(check(call, 1, 2));
    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (call->in[0]->shape.rank != 1 || call->in[0]->shape.dim[0] != call->in[1]->shape.dim[0])
        return pare_fail(PARE_ERR_SHAPE, "the gradient is not one number for each row");
    pare_call_out(call, 0, PARE_f32, &call->in[1]->shape);
    return PARE_OK;
}

/* Row i of the target. */
typedef struct target_row {
    const float *share; /* a distribution, `step` from one to the next; NULL: a class */
    int64_t      step;
    int64_t class;
    float on, off; /* t of that class and of the others */
} target_row;

static target_row row_of(const pare_call *call, const pare_tensor *t, int64_t i, int64_t classes)
{
    const float s = ((const entropy_attrs *)call->attrs)->label_smoothing, off = s / (float)classes;
    target_row  r = { .off = off, .on = (1.0f - s) + off };

    if (t->dtype == PARE_f32) {
        r.share = (const float *)t->data + i * t->stride[0];
        r.step = t->stride[1];
        return r;
    }
    r.class = ((const int64_t *)t->data)[i * t->stride[0]];
    if (r.class < 0 || r.class >= classes)
        r.on = r.off = pare_f32_of_bits(PARE_NAN_BITS);
    return r;
}

static float target_at(const target_row *r, int64_t j)
{
    return r->share ? r->share[j * r->step] : j == r->class ? r->on : r->off;
}

/* -sum of t log p by the lane rule (NUMERICS.md 9): class j goes to lane j mod 16. Classes without a share are left out. */
static float loss_of(const target_row *r, int64_t n, const float *log_p)
{
    float lane[LANES] = { 0 };

    for (int64_t j = 0; j < n; j++) {
        const float t = target_at(r, j);

        if (t != 0)
            lane[j % LANES] += t * log_p[j];
    }
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return pare_quietf(-lane[0]);
}

static void pull(float *to, const pare_tensor *t, int64_t row, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        to[j] = ((const float *)t->data)[row * t->stride[0] + j * t->stride[1]];
}

static void push(const pare_tensor *t, const float *from, int64_t row, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        ((float *)t->data)[row * t->stride[0] + j * t->stride[1]] = from[j];
}

/* `room` has two rows. */
static void do_part(const pare_call *call, const pare_rows_f32_kernel *k, float *room, int part, int parts)
{
    const pare_tensor *const x = call->in[0], *const loss = call->out[0];
    const pare_tensor *const probs = call->n_out > 1 ? call->out[1] : NULL;
    const int64_t            n = x->shape.dim[1];
    long                     begin, end;

    pare_pool_split((long)x->shape.dim[0], 1, part, parts, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const target_row r = row_of(call, call->in[1], i, n);

        pull(room, x, i, n);
        k->log_softmax((long)n, room, room + n);
        ((float *)loss->data)[i * loss->stride[0]] = loss_of(&r, n, room + n);
        if (probs) {
            k->softmax((long)n, room, room);
            push(probs, room, i, n);
        }
    }
}

/* dx = dloss (p sum of t - t), where a class makes the sum 1. */
static void do_grad_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const dloss = call->in[0], *const probs = call->in[1], *const dx = call->out[0];
    const int64_t n = probs->shape.dim[1];
    long          begin, end;

    pare_pool_split((long)probs->shape.dim[0], 1, part, parts, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const target_row   r = row_of(call, call->in[2], i, n);
        const float        scale = ((const float *)dloss->data)[i * dloss->stride[0]];
        const float *const p = (const float *)probs->data + i * probs->stride[0];
        float *const       to = (float *)dx->data + i * dx->stride[0];
        float              sum = r.share ? 0.0f : 1.0f;

        for (int64_t j = 0; j < n && r.share; j++)
            sum += r.share[j * r.step];
        for (int64_t j = 0; j < n; j++)
            to[j * dx->stride[1]] = pare_quietf(scale * (p[j * probs->stride[1]] * sum - target_at(&r, j)));
    }
}

static size_t room_bytes(const pare_call *call)
{
    return 2 * sizeof(float) * (size_t)call->in[0]->shape.dim[1];
}

static pare_status forward(const pare_call *call)
{
    float *const room = pare_malloc_aligned(room_bytes(call) + 64);

    if (!room)
        return pare_fail_memory(room_bytes(call), "two rows");
    do_part(call, &pare_rows_f32_ref, room, 0, 1);
    pare_free_aligned(room);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    do_part(call, pare_rows_f32_best(step->cpu), scratch, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->scratch = room_bytes(call);
    step->run = run;
    return PARE_OK;
}

static pare_status forward_grad(const pare_call *call)
{
    do_grad_part(call, 0, 1);
    return PARE_OK;
}

static void run_grad(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step, (void)scratch;
    do_grad_part(call, part, parts);
}

static pare_status prepare_grad(const pare_call *call, pare_step *step)
{
    (void)call;
    step->kernel = "c";
    step->run = run_grad;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[3,10] s64{0,9,4} -> 2",
    "f32[2,37] s64{36,5} label_smoothing=0.1 -> 2",
    "f32[2,3] s64{-1,3} -> 2",
    "f32[4,19] f32[4,19] -> 2",
    "f32[2,1] s64{0,0} -> 1",
    "f32[0,3] f32[0,3] -> 2",
    NULL,
};
static const char *const grad_samples[] = {
    "f32[3] f32[3,10] s64{0,9,4}", "f32[2] f32[2,37] s64{36,5} label_smoothing=0.1",
    "f32[2] f32[2,3] s64{-1,3}",   "f32[4] f32[4,19] f32[4,19]",
    "f32[0] f32[0,3] f32[0,3]",    NULL,
};

const pare_op pare_op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .min_in = 2, /* logits [N,C], target s64[N] or f32[N,C] */
    .max_in = 2,
    .min_out = 1, /* loss [N], probs [N,C] */
    .max_out = 2,
    .attrs = attrs,
    .attrs_size = sizeof(entropy_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};

const pare_op pare_op_softmax_cross_entropy_grad = {
    .name = "softmax_cross_entropy_grad",
    .min_in = 3, /* dloss [N], probs [N,C], target */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(entropy_attrs),
    .infer = infer_grad,
    .forward = forward_grad,
    .prepare = prepare_grad,
    .samples = grad_samples,
};
