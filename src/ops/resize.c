/* SPDX-License-Identifier: Apache-2.0 */
/* resize.c - inputs x, roi, scales, sizes: nearest, linear or cubic interpolation along any axes */
#include "ops/resize.h"

#include <string.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/status.h"
#include "ops/call.h"

/* Is `word` one of the list, which ends with NULL? */
static pare_status check_word(const char *attr, const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(*list, word))
            return PARE_OK;
    return pare_fail(PARE_ERR_UNSUPPORTED, "%s '%s' is not supported", attr, word);
}

pare_status pare_resize_check(const pare_resize_attrs *p)
{
    static const char *const modes[] = { "nearest", "linear", "cubic", NULL };
    static const char *const roundings[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL };
    static const char *const policies[] = { "stretch", "not_larger", "not_smaller", NULL };
    static const char *const places[] = { "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                          "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL };

    PARE_TRY(check_word("mode", p->mode, modes));
    PARE_TRY(check_word("nearest_mode", p->nearest_mode, roundings));
    PARE_TRY(check_word("keep_aspect_ratio_policy", p->keep_aspect_ratio_policy, policies));
    PARE_TRY(check_word("coordinate_transformation_mode", p->coordinate_transformation_mode, places));
    if (p->antialias)
        return pare_fail(PARE_ERR_UNSUPPORTED, "antialias is not supported");
    return PARE_OK;
}

/* One scale for all axes that are named: the smallest (not_larger) or the largest (not_smaller) of size / in. */
static void keep_aspect(const pare_resize_attrs *p, const pare_ints *named, pare_resize_axis *axes)
{
    const bool larger = !strcmp(p->keep_aspect_ratio_policy, "not_smaller");
    float      scale = axes[named->v[0]].scale;

    if (!strcmp(p->keep_aspect_ratio_policy, "stretch"))
        return;
    for (int i = 1; i < named->n; i++) {
        const float s = axes[named->v[i]].scale;
        scale = (larger ? s > scale : s < scale) ? s : scale;
    }
    for (int i = 0; i < named->n; i++) {
        pare_resize_axis *const a = &axes[named->v[i]];
        a->scale = scale;
        a->out = (int64_t)pare_floorf(scale * (float)a->in + 0.5f);
        a->length = (float)a->out;
    }
}

/*
 * With "linear" the spatial axes take part together even where one keeps its size, as in ONNX Runtime: so the bits of
 * a result do not depend on how an axis happens to be scaled.
 */
static void mark_resized(const pare_resize_attrs *p, int rank, pare_resize_axis *axes)
{
    const bool planar = rank > 2 && axes[0].scale == 1 && axes[1].scale == 1;
    const bool crops = !strcmp(p->coordinate_transformation_mode, "tf_crop_and_resize");

    for (int i = 0; i < rank; i++) {
        pare_resize_axis *const a = &axes[i];
        a->resized = a->in != a->out || a->scale != 1 || crops;
        if (planar && !strcmp(p->mode, "linear"))
            a->resized = i >= 2 && (a->resized || rank == 4);
    }
}

pare_status pare_resize_axes(const pare_call *call, pare_resize_axis axes[PARE_MAX_RANK])
{
    const pare_resize_attrs *const p = call->attrs;
    const pare_shape *const        x = &call->in[0]->shape;
    const int                      by = pare_call_has(call, 3) && pare_shape_count(&call->in[3]->shape) > 0 ? 3 : 2;
    pare_ints                      named = p->axes;
    bool                           taken[PARE_MAX_RANK];

    for (int i = 0; i < x->rank; i++)
        axes[i] =
            (pare_resize_axis){ .in = x->dim[i], .out = x->dim[i], .scale = 1, .end = 1, .length = (float)x->dim[i] };
    for (; p->axes.n == 0 && named.n < x->rank; named.n++)
        named.v[named.n] = named.n;
    PARE_TRY(pare_call_mark_axes(&named, x->rank, taken));
    if (!pare_call_has(call, by) || pare_shape_count(&call->in[by]->shape) != named.n)
        return pare_fail(PARE_ERR_SHAPE, "needs %d scales or %d sizes", named.n, named.n);
    if (!call->in[by]->data)
        return pare_op_needs_value(call, by, by == 2 ? "scales" : "sizes");

    const bool crops = !strcmp(p->coordinate_transformation_mode, "tf_crop_and_resize");
    if (crops && (!pare_call_has(call, 1) || pare_shape_count(&call->in[1]->shape) != 2 * named.n))
        return pare_fail(PARE_ERR_SHAPE, "needs a roi of %d numbers", 2 * named.n);
    if (crops && !call->in[1]->data)
        return pare_op_needs_value(call, 1, "roi");

    for (int i = 0; i < named.n; i++) {
        if (named.v[i] < 0)
            named.v[i] += x->rank;
        pare_resize_axis *const a = &axes[named.v[i]];
        const double            v = pare_tensor_real(call->in[by], i);
        if (!(v >= 0 && v < 0x1p31) || (by == 2 && v == 0))
            return pare_fail(PARE_ERR_SHAPE, "the %s of axis %d is %g", by == 2 ? "scale" : "size", (int)named.v[i], v);
        if (a->in == PARE_DIM_ANY && !(by == 2 && v == 1))
            return pare_fail(PARE_ERR_DYNAMIC, "dimension %d is not fixed", (int)named.v[i]);
        a->scale = by == 2 ? (float)v : a->in ? (float)v / (float)a->in : 1;
        if (a->in != PARE_DIM_ANY)
            a->out = by == 2 ? (int64_t)pare_floorf(a->scale * (float)a->in) : (int64_t)v;
        a->length = by == 2 ? a->scale * (float)a->in : (float)v;
        a->start = crops ? (float)pare_tensor_real(call->in[1], i) : 0;
        a->end = crops ? (float)pare_tensor_real(call->in[1], i + named.n) : 1;
    }
    if (by == 3 && named.n > 0)
        keep_aspect(p, &named, axes);
    mark_resized(p, x->rank, axes);
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    const pare_resize_attrs *const p = call->attrs;
    pare_shape                     y = call->in[0]->shape;
    pare_resize_axis               axes[PARE_MAX_RANK];
    int                            resized = 0;

    PARE_TRY(pare_resize_check(p));
    if (strcmp(p->mode, "nearest") != 0)
        PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    PARE_TRY(pare_resize_axes(call, axes));
    for (int i = 0; i < y.rank; i++) {
        y.dim[i] = axes[i].out;
        resized += axes[i].resized;
        if (axes[i].in == 0 && axes[i].out > 0)
            return pare_fail(PARE_ERR_SHAPE, "dimension %d is 0 and cannot grow", i);
    }
    if (resized > (!strcmp(p->mode, "cubic") ? 3 : 6))
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s interpolation of %d axes at once", p->mode, resized);
    return pare_call_select(call, 0, 0, 1, &y);
}

static pare_status plan_of(const pare_call *call, pare_resize_plan **plan)
{
    pare_resize_axis axes[PARE_MAX_RANK];

    PARE_TRY(pare_resize_axes(call, axes));
    return pare_resize_plan_create(call->attrs, call->in[0]->shape.rank, axes, plan);
}

static void apply(const pare_resize_plan *plan, const pare_call *call, int part, int parts)
{
    if (!strcmp(((const pare_resize_attrs *)call->attrs)->mode, "nearest"))
        pare_resize_nearest(plan, call, part, parts);
    else
        pare_resize_weighted(plan, call, part, parts);
}

static pare_status forward(const pare_call *call)
{
    pare_resize_plan *plan;

    PARE_TRY(plan_of(call, &plan));
    apply(plan, call, 0, 1);
    pare_free(plan);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    apply(step->state, call, part, parts);
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

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_resize_attrs, antialias, 0),
    PARE_ATTR_ROW_INTS(pare_resize_attrs, axes),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, coordinate_transformation_mode, "half_pixel"),
    PARE_ATTR_ROW_FLOAT(pare_resize_attrs, cubic_coeff_a, -0.75f),
    PARE_ATTR_ROW_INT(pare_resize_attrs, exclude_outside, 0),
    PARE_ATTR_ROW_FLOAT(pare_resize_attrs, extrapolation_value, 0),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, keep_aspect_ratio_policy, "stretch"),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, mode, "nearest"),
    PARE_ATTR_ROW_STRING(pare_resize_attrs, nearest_mode, "round_prefer_floor"),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] ? f32{1,1,2,2}",
    "u8[1,3,4,6]~0.5,7 ? ? s64{1,3,7,5} coordinate_transformation_mode=\"asymmetric\" nearest_mode=\"floor\"",
    "f32[2,3,5,5] ? f32{1,1,2,1.7} mode=\"linear\"",
    "f32[2,3,5,5] ? ? s64{3,8} axes=[2,3] mode=\"linear\" coordinate_transformation_mode=\"align_corners\"",
    "f32[2,3,4,5] ? ? s64{7,9} axes=[2,3] mode=\"linear\" coordinate_transformation_mode=\"pytorch_half_pixel\"",
    "f32[1,2,5,5] ? f32{1,1,0.6,2.2} mode=\"cubic\" exclude_outside=1",
    "f32[1,2,5,5] f32{0,0,0.2,-0.3,1,1,0.9,1.2} ? s64{1,2,4,4} mode=\"linear\" extrapolation_value=9 "
    "coordinate_transformation_mode=\"tf_crop_and_resize\"",
    "s64[1,2,5,5] f32{0,0,-0.5,0.2,1,1,0.9,1.3} ? s64{1,2,4,6} coordinate_transformation_mode=\"tf_crop_and_resize\"",
    "f32[1,2,3,4,5] ? f32{1,1,2,2,2} mode=\"linear\"",
    "f32[3,5] ? f32{2,0.5} mode=\"linear\"",
    "f16[2,2] ? f32{2,2} nearest_mode=\"ceil\"",
    NULL,
};

const pare_op pare_op_resize = {
    .name = "resize",
    .onnx = "Resize",
    .min_in = 1,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_resize_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
