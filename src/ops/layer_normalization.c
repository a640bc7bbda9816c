/* SPDX-License-Identifier: Apache-2.0 */
/* layer_normalization.c - mean 0 and variance 1 over the last axes, then scale and bias (ONNX LayerNormalization) */
#include "base/alloc.h"
#include "base/status.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/boxes.h"
#include "ops/call.h"
#include "ops/span.h"
#include "ops/samples.h"

typedef struct norm_attrs {
    int64_t axis, stash_type;
    float   epsilon;
} norm_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(norm_attrs, axis, -1),
    PARE_ATTR_ROW_FLOAT(norm_attrs, epsilon, 1e-5f),
    PARE_ATTR_ROW_INT(norm_attrs, stash_type, 1),
    PARE_ATTR_END,
};

/* The axes that are normalized. */
static pare_shape box_shape(const pare_call *call)
{
    const norm_attrs *a = call->attrs;
    const pare_shape *x = &call->in[0]->shape;
    const int         axis = (int)(a->axis < 0 ? a->axis + x->rank : a->axis);

    return pare_shape_of(x->rank - axis, x->dim + axis);
}

static pare_status infer(const pare_call *call)
{
    const norm_attrs *a = call->attrs;
    int               axis;

    PARE_TRY(pare_call_axis(a->axis, call->in[0]->shape.rank, &axis));
    const pare_shape box = box_shape(call);

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    for (int i = 1; i < call->n_in; i++) {
        pare_shape both;

        if (!call->in[i])
            continue;
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
        if (!pare_shape_broadcast(&call->in[i]->shape, &box, &both) || !pare_shape_equal(&both, &box))
            return pare_fail(PARE_ERR_SHAPE, "input %d does not fit the normalized axes", i);
    }
    for (int i = 1; i < call->n_out; i++)
        if (call->out[i])
            return pare_fail(PARE_ERR_UNSUPPORTED, "outputs Mean and InvStdDev exist for training only");
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

typedef struct norm {
    const pare_rows_f32_kernel *kernel;
    const float                *scale, *bias; /* [n]; bias may be NULL */
    float                       eps;
} norm;

static void normalize(const void *arg, int64_t box, long n, const float *x, float *y)
{
    const norm *m = arg;

    (void)box;
    m->kernel->layer_norm(n, x, m->scale, m->bias, m->eps, y);
}

static pare_boxes boxes_of(const pare_call *call, const norm *m)
{
    return (pare_boxes){ .y = *call->out[0],
                         .x = *call->in[0],
                         .lead = call->in[0]->shape.rank - box_shape(call).rank,
                         .fn = normalize,
                         .arg = m };
}

/* Input `input` as n numbers in a row: its own memory, or `room`. */
static const float *expanded(const pare_call *call, int input, float *room)
{
    const pare_shape box = box_shape(call);
    pare_tensor      to = pare_tensor_of(PARE_f32, box);

    if (!pare_call_has(call, input))
        return NULL;
    if (pare_tensor_is_dense(call->in[input]) && pare_shape_equal(&call->in[input]->shape, &box))
        return call->in[input]->data;
    const pare_tensor from = pare_tensor_broadcast_to(call->in[input], &box);

    to.data = room;
    pare_tensor_copy(&to, &from);
    return room;
}

/* `room` has 3 boxes: scale, bias, and one that is scattered in memory. */
static void do_part(const pare_call *call, const pare_rows_f32_kernel *kernel, float *room, int part, int parts)
{
    const norm_attrs *a = call->attrs;
    const pare_shape  box = box_shape(call);
    const int64_t     n = pare_shape_count(&box);
    const norm        m = { kernel, expanded(call, 1, room), expanded(call, 2, room + n), a->epsilon };
    const pare_boxes  b = boxes_of(call, &m);

    pare_boxes_run(&b, room + 2 * n, part, parts);
}

static size_t room_bytes(const pare_call *call)
{
    const pare_shape box = box_shape(call);

    return 3 * sizeof(float) * (size_t)pare_shape_count(&box);
}

static pare_status forward(const pare_call *call)
{
    float *const room = pare_malloc_aligned(room_bytes(call) + 64);

    if (!room)
        return pare_fail_memory(room_bytes(call), "a row");
    do_part(call, &pare_rows_f32_ref, room, 0, 1);
    pare_free_aligned(room);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    do_part(call, pare_rows_f32_best(step->cpu), scratch, part, parts);
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_boxes b = boxes_of(call, NULL);

    (void)step;
    if (operand > 0 && operand != call->n_in)
        return pare_span_all();
    return pare_boxes_span(&b, operand == 0 ? &b.x : &b.y, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->scratch = room_bytes(call);
    step->run = run;
    step->span = span;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1, 0) && box_shape(call).rank < call->in[0]->shape.rank;
}

static const char *const samples[] = {
    "f32[2,5,37] f32[37] f32[37] -> 1",
    "f32[2,3,4,5] f32[4,5] ? axis=2 epsilon=0.01 -> 1",
    "f32[6,7] f32[1] f32[7] axis=-1 -> 1",
    "f32[3] f32[3] axis=0 -> 1",
    NULL,
};

const pare_op pare_op_layer_normalization = {
    .name = "layer_normalization",
    .onnx = "LayerNormalization",
    .min_in = 2, /* x, scale, bias: broadcast to the normalized axes */
    .max_in = 3,
    .min_out = 1, /* y; mean and inverse deviation are refused        */
    .max_out = 3,
    .attrs = attrs,
    .attrs_size = sizeof(norm_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
