/* SPDX-License-Identifier: Apache-2.0 */
/* lp_normalization.c - lines along an axis divided by their 1- or 2-norm (ONNX LpNormalization) */
#include <math.h>

#include "base/status.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/boxes.h"
#include "ops/call.h"

typedef struct norm_attrs {
    int64_t axis, p;
} norm_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(norm_attrs, axis, -1),
    PARE_ATTR_ROW_INT(norm_attrs, p, 2),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const norm_attrs *a = call->attrs;
    int               axis;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    PARE_TRY(pare_call_axis(a->axis, call->in[0]->shape.rank, &axis));
    if (a->p != 1 && a->p != 2)
        return pare_fail(PARE_ERR_ARG, "p is %lld, it must be 1 or 2", (long long)a->p);
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

typedef struct norm {
    const pare_rows_f32_kernel *kernel;
    int64_t                     p;
} norm;

/* The lane rule of NUMERICS.md 9. */
static float sum_of_sizes(long n, const float *x)
{
    float lane[16] = { 0 };

    for (long i = 0; i < n; i++)
        lane[i % 16] = lane[i % 16] + fabsf(x[i]);
    for (int half = 8; half >= 1; half /= 2)
        for (int i = 0; i < half; i++)
            lane[i] = lane[i] + lane[i + half];
    return lane[0];
}

/* A line of zeros stays zero. */
static void normalize(const void *arg, int64_t box, long n, const float *x, float *y)
{
    const norm *m = arg;
    const float size = m->p == 2 ? sqrtf(m->kernel->sum_squares(n, x)) : sum_of_sizes(n, x);
    const float by = size == 0 ? 1 : size;

    (void)box;
    m->kernel->binary[PARE_BINARY_F32_div](n, x, &by, y, PARE_ROW_SCALAR_B);
}

static pare_boxes boxes_of(const pare_call *call, const norm *m)
{
    const norm_attrs *a = call->attrs;

    return (pare_boxes){ .y = pare_axis_last(call->out[0], a->axis),
                         .x = pare_axis_last(call->in[0], a->axis),
                         .lead = call->in[0]->shape.rank - 1,
                         .fn = normalize,
                         .arg = m };
}

static pare_status forward(const pare_call *call)
{
    const norm       m = { &pare_rows_f32_ref, ((const norm_attrs *)call->attrs)->p };
    const pare_boxes b = boxes_of(call, &m);

    return pare_boxes_forward(&b);
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const norm       m = { pare_rows_f32_best(step->cpu), ((const norm_attrs *)call->attrs)->p };
    const pare_boxes b = boxes_of(call, &m);

    pare_boxes_run(&b, scratch, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_boxes b = boxes_of(call, NULL);

    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->run = run;
    step->scratch = pare_boxes_scattered(&b) ? sizeof(float) * (size_t)pare_boxes_size(&b) : 0;
    return PARE_OK;
}

static const char *const samples[] = { "f32[2,3,4,37]", "f32[2,19,5] axis=1 p=1", "f32{0,0,0}", NULL };

const pare_op pare_op_lp_normalization = {
    .name = "lp_normalization",
    .onnx = "LpNormalization",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(norm_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
