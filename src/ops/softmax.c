/* SPDX-License-Identifier: Apache-2.0 */
/* softmax.c - shares of 1 along an axis, and their logarithms (ONNX Softmax, LogSoftmax as of opset 13) */
#include "base/status.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/boxes.h"
#include "ops/call.h"
#include "ops/samples.h"

extern const pare_op pare_op_softmax, pare_op_log_softmax;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_axis_attrs, axis, -1),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_axis_attrs *a = call->attrs;
    int                    axis;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (call->in[0]->shape.rank > 0)
        PARE_TRY(pare_call_axis(a->axis, call->in[0]->shape.rank, &axis));
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

static void softmax_row(const void *kernel, int64_t box, long n, const float *x, float *y)
{
    (void)box;
    ((const pare_rows_f32_kernel *)kernel)->softmax(n, x, y);
}

static void log_softmax_row(const void *kernel, int64_t box, long n, const float *x, float *y)
{
    (void)box;
    ((const pare_rows_f32_kernel *)kernel)->log_softmax(n, x, y);
}

static pare_boxes boxes_of(const pare_call *call, const pare_rows_f32_kernel *kernel)
{
    const pare_axis_attrs *a = call->attrs;
    const pare_tensor      y = pare_axis_last(call->out[0], a->axis);

    return (pare_boxes){ .y = y,
                         .x = pare_axis_last(call->in[0], a->axis),
                         .lead = y.shape.rank - 1,
                         .fn = call->op == &pare_op_softmax ? softmax_row : log_softmax_row,
                         .arg = kernel };
}

static pare_status forward(const pare_call *call)
{
    const pare_boxes b = boxes_of(call, &pare_rows_f32_ref);

    return pare_boxes_forward(&b);
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_boxes b = boxes_of(call, pare_rows_f32_best(step->cpu));

    pare_boxes_run(&b, scratch, part, parts);
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_boxes b = boxes_of(call, pare_rows_f32_best(step->cpu));

    return pare_boxes_span(&b, operand == 0 ? &b.x : &b.y, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_boxes b = boxes_of(call, pare_rows_f32_best(step->cpu));

    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->run = run;
    step->span = span;
    step->scratch = pare_boxes_scattered(&b) ? sizeof(float) * (size_t)pare_boxes_size(&b) : 0;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1, 0) &&
           pare_samples_off_axis(call, ((const pare_axis_attrs *)call->attrs)->axis);
}

static const char *const samples[] = {
    "f32[2,3,5,7]", "f32[2,19,5] axis=1", "f32[2,3,4] axis=0", "f32[3,1000]", "f32[1]", "f32[]", "f32[0,3]", NULL,
};

#define ROW(name_, onnx_)                                                    \
    const pare_op pare_op_##name_ = { .name = #name_,                        \
                                      .onnx = onnx_,                         \
                                      .min_in = 1,                           \
                                      .max_in = 1,                           \
                                      .min_out = 1,                          \
                                      .max_out = 1,                          \
                                      .attrs = attrs,                        \
                                      .attrs_size = sizeof(pare_axis_attrs), \
                                      .infer = infer,                        \
                                      .forward = forward,                    \
                                      .by_sample = by_sample,                \
                                      .prepare = prepare,                    \
                                      .samples = samples };
ROW(softmax, "Softmax")
ROW(log_softmax, "LogSoftmax")
