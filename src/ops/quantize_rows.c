/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_rows.c - dynamic quantization: each row gets its own symmetric scale at run time (NUMERICS.md 7) */
#include <math.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/quantize/quantize.h"
#include "kernels/unary_f32/unary_f32.h"
#include "ops/attr.h"
#include "ops/move.h"
#include "ops/quantize_rows.h"
#include "ops/span.h"
#include "ops/samples.h"

/*
 * The first `row_axes` axes number the rows (-1: all but the last axis); the others are what one scale covers. What is
 * quantized is `function` of x, a function of unary_f32.def without parameters (fuse_rows); "": x itself.
 */
typedef struct rows_attrs {
    int64_t     row_axes;
    const char *function;
} rows_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(rows_attrs, row_axes, -1),
    PARE_ATTR_ROW_STRING(rows_attrs, function, ""),
    PARE_ATTR_END,
};

int pare_row_axes(const pare_call *call)
{
    const rows_attrs *a = call->attrs;

    return a->row_axes < 0 ? call->in[0]->shape.rank - 1 : (int)a->row_axes;
}

/* The function, or -1. */
static int function_of(const pare_call *call)
{
    const rows_attrs *a = call->attrs;

    return a->function[0] ? pare_unary_f32_find(a->function) : -1;
}

static pare_status infer(const pare_call *call)
{
    const rows_attrs *a = call->attrs;
    const pare_shape *x = &call->in[0]->shape;
    const int         n = pare_row_axes(call);

    if (call->in[0]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 0);
    if (n < 0 || n > x->rank)
        return pare_fail(PARE_ERR_SHAPE, "row_axes is %d, the input has rank %d", n, x->rank);
    if (a->function[0] && (function_of(call) < 0 || pare_unary_f32_params((pare_unary_f32)function_of(call)) > 0))
        return pare_fail(PARE_ERR_ARG, "'%s' is not a function of one float without parameters", a->function);
    if (!call->out[0] || !call->out[1])
        return pare_fail(PARE_ERR_SHAPE, "both the codes and the scales are needed");
    call->out[0]->dtype = PARE_u8;
    call->out[0]->shape = *x;
    call->out[1]->dtype = PARE_f32;
    call->out[1]->shape = pare_shape_of(n, x->dim);
    return PARE_OK;
}

void pare_row_views(const pare_call *call, int64_t row, pare_tensor *q, pare_tensor *x, float **scale)
{
    int64_t at_scale = 0;

    *q = *call->out[0];
    *x = *call->in[0];
    for (int axis = pare_row_axes(call) - 1; axis >= 0; axis--) {
        const int64_t i = row % x->shape.dim[axis];

        row /= x->shape.dim[axis];
        q->data = (uint8_t *)q->data + i * q->stride[axis];
        x->data = (float *)x->data + i * x->stride[axis];
        at_scale += i * call->out[1]->stride[axis];
        q->shape.dim[axis] = x->shape.dim[axis] = 1;
    }
    *scale = (float *)call->out[1]->data + at_scale;
}

/* Numbers that one scale covers. */
static long row_size(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;
    long              n = 1;

    for (int axis = pare_row_axes(call); axis < x->rank; axis++)
        n *= (long)x->dim[axis];
    return n;
}

bool pare_rows_in_one_piece(const pare_tensor *t, int first)
{
    int64_t step = 1;

    for (int axis = t->shape.rank - 1; axis >= first; axis--) {
        if (t->shape.dim[axis] != 1 && t->stride[axis] != step)
            return false;
        step *= t->shape.dim[axis];
    }
    return true;
}

/* max|x|; NaN does not count. The reference: any strides. */
static float largest(const pare_tensor *x)
{
    pare_rows rows;
    float     a = 0;

    pare_rows_begin(&rows, 1, &x, 0, 1);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            const float v = fabsf(((const float *)rows.ptr[0])[i * rows.step[0]]);

            a = v > a ? v : a;
        }
    return a;
}

/* inv = 127 / a, q = clamp(rint(x * inv), -127, 127) + 128; a row of zeros: 128. */
static void quantize_row(const pare_tensor *q, const pare_tensor *x, float a)
{
    const float inv = 127 / a;
    pare_rows   rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ q, x }, 0, 1);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            float v = rintf(((const float *)rows.ptr[1])[i * rows.step[1]] * inv);

            v = v > -127 ? v : -127; /* NaN -> -127 */
            v = v < 127 ? v : 127;
            ((uint8_t *)rows.ptr[0])[i * rows.step[0]] = (uint8_t)(a > 0 ? v + 128 : 128);
        }
}

/* f of the row, side by side in `room`, as a view of the row's shape. */
static pare_tensor mapped(int f, const pare_tensor *x, float *room)
{
    pare_tensor y = pare_tensor_of(PARE_f32, x->shape);

    y.data = room;
    pare_tensor_copy(&y, x);
    pare_unary_f32_ref((pare_unary_f32)f, (long)pare_shape_count(&x->shape), room, room, NULL);
    return y;
}

static pare_status forward(const pare_call *call)
{
    const int64_t n = pare_shape_count(&call->out[1]->shape);
    const int     f = function_of(call);
    const size_t  bytes = f < 0 ? 0 : sizeof(float) * (size_t)row_size(call) + 64;
    float *const  room = bytes ? pare_malloc_aligned(bytes) : NULL;

    if (bytes && !room)
        return pare_fail_memory(bytes, "a row");
    for (int64_t row = 0; row < n; row++) {
        pare_tensor q, x;
        float      *scale;

        pare_row_views(call, row, &q, &x, &scale);
        if (f >= 0)
            x = mapped(f, &x, room);
        const float a = largest(&x);

        *scale = a / 127;
        quantize_row(&q, &x, a);
    }
    pare_free_aligned(room);
    return PARE_OK;
}

/* Rows in one piece, shared whole. The state of the step is the kernel. */
static void run_rows(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_quantize_kernel *kernel = step->state;
    const pare_tensor          *x = call->in[0], *q = call->out[0], *scales = call->out[1];
    const long                  n = row_size(call);
    const int                   f = function_of(call);
    pare_unary_f32_fn          *map = f < 0 ? NULL : pare_unary_f32_row((pare_unary_f32)f, step->cpu);
    long                        begin, end;
    pare_walk                   w;

    pare_pool_split((long)pare_shape_count(&scales->shape), 1, part, parts, &begin, &end);
    pare_walk_begin(&w, pare_row_axes(call), x->shape.dim);
    pare_walk_follow(&w, 0, x->stride);
    pare_walk_follow(&w, 1, q->stride);
    pare_walk_follow(&w, 2, scales->stride);
    pare_walk_seek(&w, begin);
    for (long row = begin; row < end; row++, pare_walk_next(&w)) {
        const float *from = (const float *)x->data + w.offset[0];

        if (map) {
            map(n, from, scratch, NULL);
            from = scratch;
        }
        ((float *)scales->data)[w.offset[2]] = pare_quantize_dynamic(kernel, from, (uint8_t *)q->data + w.offset[1], n);
    }
}

static pare_span span_rows(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_tensor *const t = operand == 0 ? call->in[0] : call->out[operand - 1];
    long                     begin, end;

    (void)step;
    pare_pool_split((long)pare_shape_count(&call->out[1]->shape), 1, part, parts, &begin, &end);
    return pare_span_items(t, pare_row_axes(call), begin, end);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_quantize_kernel *kernel;

    pare_quantize_candidates(step->cpu, &kernel, 1);
    if (pare_rows_in_one_piece(call->in[0], pare_row_axes(call)) &&
        pare_rows_in_one_piece(call->out[0], pare_row_axes(call))) {
        step->run = run_rows;
        step->span = span_rows;
    } else if (pare_quantizes_images(call) && function_of(call) < 0) {
        step->run = pare_quantize_images;
        step->span = pare_quantize_images_span;
    } else {
        return PARE_OK; /* the reference runs */
    }
    step->state = (void *)(uintptr_t)kernel; /* static: nothing to release */
    step->kernel = kernel->name;
    step->scratch = function_of(call) < 0 ? 0 : sizeof(float) * (size_t)row_size(call);
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1, 0) && pare_row_axes(call) >= 1;
}

static const char *const samples[] = { "f32[3,70]", "f32[2,3,5]", "f32[2,3,4,5] row_axes=1", "f32[5,33] function=gelu",
                                       NULL };

const pare_op pare_op_quantize_rows = {
    .name = "quantize_rows",
    .min_in = 1, /* x f32                                    */
    .max_in = 1,
    .min_out = 2, /* q u8 (stored as q + 128), scales f32     */
    .max_out = 2,
    .traits = PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(rows_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
