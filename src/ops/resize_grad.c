/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resize_grad.c - the gradient of a resize: each output's goes to the elements it was mixed from, by their weights
 *
 * An input element adds up in the row-major order of the outputs, so parts share the positions along the axes that are
 * not resized (images, channels).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/resize.h"

typedef struct grad_attrs {
    pare_resize_attrs resize;
    pare_ints         shape; /* of the resized tensor */
} grad_attrs;

/* The forward call, whose input has nothing but its shape. */
typedef struct forward_call {
    pare_call          call;
    const pare_tensor *in[4];
    pare_tensor        x;
} forward_call;

static void forward_of(const pare_call *call, forward_call *f)
{
    const grad_attrs *const a = call->attrs;

    f->x = pare_tensor_of(PARE_f32, pare_shape_of(a->shape.n, a->shape.v));
    f->in[0] = &f->x;
    for (int i = 1; i < 4; i++)
        f->in[i] = i < call->n_in ? call->in[i] : NULL;
    f->call = (pare_call){ .op = call->op, .attrs = &a->resize, .n_in = call->n_in, .in = f->in };
}

static pare_status infer(const pare_call *call)
{
    const grad_attrs *const a = call->attrs;
    pare_resize_axis        axes[PARE_MAX_RANK];
    forward_call            f;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    PARE_TRY(pare_resize_check(&a->resize));
    if (a->shape.n != call->in[0]->shape.rank)
        return pare_fail(PARE_ERR_SHAPE, "the shape must have %d dimensions", call->in[0]->shape.rank);
    forward_of(call, &f);
    PARE_TRY(pare_resize_axes(&f.call, axes));
    for (int i = 0; i < a->shape.n; i++)
        if (a->shape.v[i] < 0 || axes[i].out != call->in[0]->shape.dim[i])
            return pare_fail(PARE_ERR_SHAPE, "the gradient does not have the shape of the result");
    pare_call_out(call, 0, PARE_f32, &f.x.shape);
    return PARE_OK;
}

static pare_status plan_of(const pare_call *call, pare_resize_plan **plan)
{
    pare_resize_axis axes[PARE_MAX_RANK];
    forward_call     f;

    forward_of(call, &f);
    PARE_TRY(pare_resize_axes(&f.call, axes));
    return pare_resize_plan_create(f.call.attrs, f.x.shape.rank, axes, plan);
}

/* The resized axes of a tensor as a view of their own, and the others. */
static pare_tensor axes_that(const pare_resize_plan *plan, const pare_tensor *t, bool resized)
{
    pare_tensor view = { .dtype = t->dtype, .data = t->data };

    for (int i = 0; i < t->shape.rank; i++)
        if ((plan->axis[i] != NULL) == resized) {
            view.stride[view.shape.rank] = t->stride[i];
            view.shape.dim[view.shape.rank++] = t->shape.dim[i];
        }
    return view;
}

/* Adds one output's gradient to all combinations of its taps. */
static void add(const pare_resize_taps *const taps[], const pare_tensor *dx, int axis, float *to, float grad)
{
    if (axis == dx->shape.rank) {
        *to = *to + grad;
        return;
    }
    for (int i = 0; i < taps[axis]->n; i++)
        if (taps[axis]->weight[i] != 0)
            add(taps, dx, axis + 1, to + taps[axis]->at[i] * dx->stride[axis], grad * taps[axis]->weight[i]);
}

/* One position along the axes that stay: dx and dy are views of the resized ones. */
static void do_image(const pare_resize_plan *plan, int rank, const pare_tensor *dx, const pare_tensor *dy)
{
    const pare_resize_taps *all[PARE_MAX_RANK], *taps[PARE_MAX_RANK];
    pare_walk               w;
    int                     n = 0;

    for (int i = 0; i < rank; i++)
        if (plan->axis[i])
            all[n++] = plan->axis[i];
    pare_fill(dx, &(float){ 0 }, 0, 1);
    pare_walk_begin(&w, n, dy->shape.dim);
    pare_walk_follow(&w, 0, dy->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        for (int k = 0; k < n; k++)
            taps[k] = &all[k][w.at[k]];
        add(taps, dx, 0, dx->data, ((const float *)dy->data)[w.offset[0]]);
    }
}

static void do_part(const pare_resize_plan *plan, const pare_call *call, int part, int parts)
{
    const pare_tensor *const dy = call->in[0], *const dx = call->out[0];
    const pare_tensor kept_x = axes_that(plan, dx, false), kept_y = axes_that(plan, dy, false);
    pare_tensor       x = axes_that(plan, dx, true), y = axes_that(plan, dy, true);
    pare_walk         w;
    long              begin, end;

    pare_walk_begin(&w, kept_x.shape.rank, kept_x.shape.dim);
    pare_walk_follow(&w, 0, kept_x.stride);
    pare_walk_follow(&w, 1, kept_y.stride);
    pare_pool_split((long)w.left, 1, part, parts, &begin, &end);
    pare_walk_seek(&w, begin);
    for (long i = begin; i < end; i++, pare_walk_next(&w)) {
        x.data = (float *)dx->data + w.offset[0];
        y.data = (float *)dy->data + w.offset[1];
        do_image(plan, dx->shape.rank, &x, &y);
    }
}

static pare_status forward(const pare_call *call)
{
    pare_resize_plan *plan;

    PARE_TRY(plan_of(call, &plan));
    do_part(plan, call, 0, 1);
    pare_free(plan);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    do_part(step->state, call, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    pare_resize_plan *plan = NULL;

    for (int i = 1; i < call->n_in; i++)
        if (call->in[i] && !call->in[i]->data && pare_shape_count(&call->in[i]->shape) != 0)
            return PARE_OK; /* not constant: forward plans anew each time */
    PARE_TRY(plan_of(call, &plan));
    step->kernel = "c";
    step->state = plan;
    step->release = pare_free;
    step->run = run;
    return PARE_OK;
}

/* Those of resize, and the shape. */
static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INTS(pare_resize_attrs, axes),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, coordinate_transformation_mode, "half_pixel"),
    PARE_ATTR_ROW_FLOAT(pare_resize_attrs, cubic_coeff_a, -0.75f),
    PARE_ATTR_ROW_INT(pare_resize_attrs, antialias, 0),
    PARE_ATTR_ROW_INT(pare_resize_attrs, exclude_outside, 0),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, keep_aspect_ratio_policy, "stretch"),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, mode, "nearest"),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, nearest_mode, "round_prefer_floor"),
    PARE_ATTR_ROW_INTS(grad_attrs, shape),
    PARE_ATTR_END,
};
_Static_assert(offsetof(grad_attrs, resize) == 0, "the rows of resize count from its attributes");

static const char *const samples[] = {
    "f32[2,3,10,10] ? f32{1,1,2,2} shape=[2,3,5,5]",
    "f32[2,3,10,8] ? f32{1,1,2,1.7} mode=\"linear\" shape=[2,3,5,5]",
    "f32[2,3,3,8] ? ? s64{3,8} axes=[2,3] mode=\"linear\" coordinate_transformation_mode=\"align_corners\" "
    "shape=[2,3,5,5]",
    "f32[1,2,3,11] ? f32{1,1,0.6,2.2} mode=\"cubic\" exclude_outside=1 shape=[1,2,5,5]",
    NULL,
};

const pare_op pare_op_resize_grad = {
    .name = "resize_grad",
    .min_in = 1, /* dy; roi, scales, sizes of the resize */
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(grad_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
