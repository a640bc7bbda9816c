/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_rows.c - dynamic quantization: each row gets its own symmetric scale at run time (NUMERICS.md 7) */
#include <math.h>

#include "base/pool.h"
#include "base/status.h"
#include "kernels/quantize/quantize.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"

/* The first `row_axes` axes number the rows (-1: all but the last axis); the others are what one scale covers. */
typedef struct rows_attrs {
    int64_t row_axes;
} rows_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(rows_attrs, row_axes, -1),
    PARE_ATTR_END,
};

static int row_axes(const pare_call *call)
{
    const rows_attrs *a = call->attrs;

    return a->row_axes < 0 ? call->in[0]->shape.rank - 1 : (int)a->row_axes;
}

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[0]->shape;
    const int         n = row_axes(call);

    if (call->in[0]->dtype != PARE_f32)
        return pare_op_bad_dtype(call, 0);
    if (n < 0 || n > x->rank)
        return pare_fail(PARE_ERR_SHAPE, "row_axes is %d, the input has rank %d", n, x->rank);
    if (!call->out[0] || !call->out[1])
        return pare_fail(PARE_ERR_SHAPE, "both the codes and the scales are needed");
    call->out[0]->dtype = PARE_u8;
    call->out[0]->shape = *x;
    call->out[1]->dtype = PARE_f32;
    call->out[1]->shape = pare_shape_of(n, x->dim);
    return PARE_OK;
}

/* One row as views: codes and numbers. */
static void row_views(const pare_call *call, int64_t row, pare_tensor *q, pare_tensor *x, float **scale)
{
    int64_t at_scale = 0;

    *q = *call->out[0];
    *x = *call->in[0];
    for (int axis = row_axes(call) - 1; axis >= 0; axis--) {
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

    for (int axis = row_axes(call); axis < x->rank; axis++)
        n *= (long)x->dim[axis];
    return n;
}

/* Whether the axes from `first` on are neighbours in memory, in their order. */
static bool in_one_piece(const pare_tensor *t, int first)
{
    int64_t step = 1;

    for (int axis = t->shape.rank - 1; axis >= first; axis--) {
        if (t->shape.dim[axis] != 1 && t->stride[axis] != step)
            return false;
        step *= t->shape.dim[axis];
    }
    return true;
}

/* max|x|; NaN does not count. `kernel` NULL: the reference. */
static float largest(const pare_tensor *x, const pare_rows_f32_kernel *kernel)
{
    pare_rows rows;
    float     a = 0;

    pare_rows_begin(&rows, 1, &x, 0, 1);
    while (pare_rows_next(&rows)) {
        const float *from = (const float *)rows.ptr[0];
        const float  most = kernel && rows.step[0] == 1 ? kernel->max_abs((long)rows.n, from) : NAN;

        for (int64_t i = 0; most != most && i < rows.n; i++) { /* no kernel, or there is a NaN in the row */
            const float v = fabsf(from[i * rows.step[0]]);

            a = v > a ? v : a;
        }
        a = most > a ? most : a;
    }
    return a;
}

/* inv = 127 / a, q = clamp(rint(x * inv), -127, 127) + 128, scale = a / 127; a row of zeros: 128 and 0. */
static void quantize_row(const pare_tensor *q, const pare_tensor *x, float a, int part, int parts)
{
    const float inv = a > 0 ? 127 / a : 0;
    pare_rows   rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ q, x }, part, parts);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            float v = rintf(((const float *)rows.ptr[1])[i * rows.step[1]] * inv);

            v = v > -127 ? v : -127; /* NaN -> -127 */
            v = v < 127 ? v : 127;
            ((uint8_t *)rows.ptr[0])[i * rows.step[0]] = (uint8_t)(v + 128);
        }
}

/* All rows, of each the share `part`: every part finds the whole row's scale for itself, the first one stores it. */
static void share_rows(const pare_call *call, const pare_rows_f32_kernel *kernel, int part, int parts)
{
    const int64_t n = pare_shape_count(&call->out[1]->shape);

    for (int64_t row = 0; row < n; row++) {
        pare_tensor q, x;
        float      *scale;

        row_views(call, row, &q, &x, &scale);
        const float a = largest(&x, kernel);

        if (part == 0)
            *scale = a / 127;
        quantize_row(&q, &x, a, part, parts);
    }
}

static pare_status forward(const pare_call *call)
{
    share_rows(call, NULL, 0, 1);
    return PARE_OK;
}

/* Rows that are scattered in memory: images. */
static void run_scattered(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    share_rows(call, pare_rows_f32_best(step->cpu), part, parts);
}

/* Rows in one piece, shared whole. The state of the step is the kernel. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_quantize_kernel *kernel = step->state;
    long                        begin, end;

    (void)scratch;
    pare_pool_split((long)pare_shape_count(&call->out[1]->shape), 1, part, parts, &begin, &end);
    for (long row = begin; row < end; row++) {
        pare_tensor q, x;
        float      *scale;

        row_views(call, row, &q, &x, &scale);
        *scale = kernel->dynamic(x.data, q.data, row_size(call));
    }
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_quantize_kernel *kernel;

    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->run    = run_scattered;
    if (!in_one_piece(call->in[0], row_axes(call)) || !in_one_piece(call->out[0], row_axes(call)))
        return PARE_OK;
    pare_quantize_candidates(step->cpu, &kernel, 1);
    step->state  = (void *)(uintptr_t)kernel; /* static: nothing to release */
    step->kernel = kernel->name;
    step->run    = run;
    return PARE_OK;
}

static const char *const samples[] = { "f32[3,70]", "f32[2,3,5]", "f32[2,3,4,5] row_axes=1", NULL };

const pare_op pare_op_quantize_rows = {
    .name       = "quantize_rows",
    .min_in     = 1, /* x f32                                    */
    .max_in     = 1,
    .min_out    = 2, /* q u8 (stored as q + 128), scales f32     */
    .max_out    = 2,
    .traits     = PARE_INTEGER,
    .attrs      = attrs,
    .attrs_size = sizeof(rows_attrs),
    .infer      = infer,
    .forward    = forward,
    .prepare    = prepare,
    .samples    = samples,
};
