/* SPDX-License-Identifier: Apache-2.0 */
/* bf16.c - the form of convolutions and matrix products that rounds operands to bf16, where step->bf16 allows it */
#include "ops/bf16.h"

#include "base/status.h"
#include "ops/span.h"

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    pare_conv_bf16_run(step->state, call->in[0]->data, call->out[0]->data, (int[]){ part, parts }, scratch);
}

static void release(void *plan)
{
    pare_conv_bf16_destroy(plan);
}

pare_status pare_bf16_prepare(const pare_conv_f32_desc *d, const pare_bf16_weights *w, const float *bias,
                              pare_step *step)
{
    const pare_bf16_kernel *kernel;
    pare_conv_bf16_plan    *plan;

    if (!step->bf16 || d->group != 1 || d->c < 1)
        return PARE_OK;
    pare_bf16_candidates(step->cpu, &kernel, 1);
    if (!kernel->native)
        return PARE_OK;
    PARE_TRY(pare_conv_bf16_create(d, w, bias, kernel, &plan));
    step->state = plan;
    step->release = release;
    step->kernel = kernel->name;
    step->scratch = pare_conv_bf16_scratch(plan);
    step->run = run;
    return PARE_OK;
}

pare_conv_f32_desc pare_bf16_rows(const int64_t rows[3], int64_t x_row, int64_t y_row)
{
    return (pare_conv_f32_desc){ .n = (int)rows[0],
                                 .oh = 1,
                                 .ow = 1,
                                 .c = (int)rows[1],
                                 .oc = (int)rows[2],
                                 .group = 1,
                                 .kh = 1,
                                 .kw = 1,
                                 .stride_h = 1,
                                 .stride_w = 1,
                                 .dilation_h = 1,
                                 .dilation_w = 1,
                                 .x = { (ptrdiff_t)x_row, (ptrdiff_t)x_row, (ptrdiff_t)x_row },
                                 .y = { (ptrdiff_t)y_row, (ptrdiff_t)y_row, (ptrdiff_t)y_row } };
}

pare_span pare_bf16_span_rows(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_tensor *const t = operand == 0 ? call->in[0] : call->out[0];
    long                     first, last;

    if ((operand > 0 && operand != call->n_in) || !pare_conv_bf16_share(step->state, part, parts, &first, &last))
        return pare_span_all();
    return pare_span_items(t, t->shape.rank - 1, first, last);
}
