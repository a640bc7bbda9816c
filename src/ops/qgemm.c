/* SPDX-License-Identifier: Apache-2.0 */
/* qgemm.c - Linear layers on quantized integers: gemm and matmul with constant weights after lowering */
#include "base/status.h"
#include "kernels/qconv/qconv.h"
#include "ops/attr.h"
#include "ops/qconv.h"
#include "ops/span.h"
#include "ops/samples.h"

/* See qconv.h for the inputs. */
typedef struct qgemm_attrs {
    pare_qfused_attrs q;
} qgemm_attrs;

static const pare_attr attrs[] = {
    PARE_QFUSED_ROWS(qgemm_attrs),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const qgemm_attrs *a = call->attrs;
    const pare_shape  *x = &call->in[PARE_Q_X]->shape, *w = &call->in[PARE_Q_W]->shape;

    PARE_TRY(pare_q_check(call, &a->q));
    if (x->rank < 1 || w->rank != 2 || x->dim[x->rank - 1] != w->dim[1])
        return pare_fail(PARE_ERR_SHAPE, "rows of %lld numbers do not fit weights for %lld",
                         (long long)(x->rank ? x->dim[x->rank - 1] : 0), (long long)(w->rank == 2 ? w->dim[1] : 0));
    call->out[0]->shape = *x;
    call->out[0]->shape.dim[x->rank - 1] = w->dim[0];
    return PARE_OK;
}

/* Element offset of row number i: all axes but the last. */
static int64_t row_offset(const pare_tensor *t, int axes, int64_t i)
{
    int64_t offset = 0;

    for (int axis = axes - 1; axis >= 0; axis--) {
        offset += i % t->shape.dim[axis] * t->stride[axis];
        i /= t->shape.dim[axis];
    }
    return offset;
}

static int64_t n_rows(const pare_shape *shape)
{
    int64_t rows = 1;

    for (int i = 0; i < shape->rank - 1; i++)
        rows *= shape->dim[i];
    return rows;
}

static pare_status forward(const pare_call *call)
{
    const qgemm_attrs *a = call->attrs;
    const pare_tensor *x = call->in[PARE_Q_X], *w = call->in[PARE_Q_W], *y = call->out[0];
    const pare_tensor *r = pare_q_input(call, PARE_Q_RESIDUAL), *scales = pare_q_input(call, PARE_Q_ROWS);
    const int          last = x->shape.rank - 1, zx = x->q->zero ? x->q->zero[0] : 0;

    for (int64_t i = 0; i < n_rows(&x->shape); i++) {
        const uint8_t *xi = (const uint8_t *)x->data + row_offset(x, last, i);
        const float    row = scales ? ((const float *)scales->data)[row_offset(scales, last, i)] : 0;

        for (int64_t j = 0; j < w->shape.dim[0]; j++) {
            const int8_t *wj = (const int8_t *)w->data + j * w->stride[0];
            int64_t       acc = 0;

            for (int64_t k = 0; k < w->shape.dim[1]; k++)
                acc += (xi[k * x->stride[last]] - zx) * wj[k * w->stride[1]];
            pare_q_finish(call, &a->q, j, acc,
                          r ? ((const uint8_t *)r->data)[row_offset(r, last, i) + j * r->stride[last]] : 0, row,
                          row_offset(y, last, i) + j * y->stride[last]);
        }
    }
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_tensor    *r = pare_q_input(call, PARE_Q_RESIDUAL), *rows = pare_q_input(call, PARE_Q_ROWS);
    const pare_qconv_args args = { .x = call->in[PARE_Q_X]->data,
                                   .y = call->out[0]->data,
                                   .residual = r ? r->data : NULL,
                                   .row_scales = rows ? rows->data : NULL,
                                   .batch = (int)n_rows(&call->in[PARE_Q_X]->shape) };

    (void)scratch;
    pare_qconv_run(step->state, &args, part, parts);
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_tensor *const t = operand < call->n_in ? call->in[operand] : call->out[0];
    const int                axes = call->in[PARE_Q_X]->shape.rank - 1;
    long                     first, last;

    if ((operand < call->n_in && operand != PARE_Q_X && operand != PARE_Q_RESIDUAL && operand != PARE_Q_ROWS) ||
        !pare_qconv_share(step->state, (int)n_rows(&call->in[PARE_Q_X]->shape), part, parts, &first, &last))
        return pare_span_all();
    pare_span span = pare_span_items(t, axes, first, last);

    if (operand == PARE_Q_X && first < last && span.end < PTRDIFF_MAX) /* rows are read in blocks of 64 bytes */
        span.end += 63 - (call->in[PARE_Q_W]->shape.dim[1] + 63) % 64;
    return span;
}

static void release(void *plan)
{
    pare_qconv_destroy(plan);
}

/* A row is an image of one pixel; rows must follow each other at one distance. */
static bool rows_are_even(const pare_tensor *t, int64_t size, pare_qconv_strides *s)
{
    const int last = t->shape.rank - 1;

    if (t->stride[last] != 1 && t->shape.dim[last] > 1)
        return false;
    for (int axis = 0; axis < last - 1; axis++)
        if (t->stride[axis] != t->stride[axis + 1] * t->shape.dim[axis + 1])
            return false;
    const int64_t step = last > 0 ? t->stride[last - 1] : t->shape.dim[last];

    *s = (pare_qconv_strides){ (ptrdiff_t)(step * size), (ptrdiff_t)(step * size), (ptrdiff_t)(step * size) };
    return true;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const qgemm_attrs *a = call->attrs;
    const pare_tensor *x = call->in[PARE_Q_X], *w = call->in[PARE_Q_W], *r = pare_q_input(call, PARE_Q_RESIDUAL);
    const pare_tensor *y = call->out[0], *rows = pare_q_input(call, PARE_Q_ROWS);
    pare_qconv_desc    d = {
           .in_c = (int)w->shape.dim[1],
           .out_c = (int)w->shape.dim[0],
           .out_h = 1,
           .out_w = 1,
           .w = w->data,
           .batch = (int)n_rows(&x->shape),
           .store = step->store,
    };

    if (!w->data || pare_shape_count(&w->shape) == 0 || !pare_tensor_is_dense(w) || !rows_are_even(x, 1, &d.x) ||
        !rows_are_even(y, y->q ? 1 : (int64_t)sizeof(float), &d.y) || (r && !rows_are_even(r, 1, &d.residual)) ||
        (rows && !pare_tensor_is_dense(rows)))
        return PARE_OK; /* the reference runs */

    pare_q_describe(call, &a->q, &d.channels, &d.out);
    if (!pare_q_kernel_bounds(&d.out))
        return PARE_OK;
    const pare_qconv_kernel *kernel[PARE_MAX_CHOICES];
    const int                i = pare_step_choose(step, pare_qconv_candidates(&d, step->cpu, kernel, PARE_MAX_CHOICES));
    pare_qconv_plan         *plan;

    PARE_TRY(pare_qconv_create(&d, kernel[i], &plan));
    step->state = plan;
    step->release = release;
    step->run = run;
    step->span = span;
    step->kernel = pare_qconv_kernel_name(kernel[i]);
    step->packed = PARE_Q_PACKED;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1 << PARE_Q_X, 1 << PARE_Q_RESIDUAL | 1 << PARE_Q_ROWS) &&
           call->in[PARE_Q_X]->shape.rank >= 2;
}

const pare_op pare_op_qgemm = {
    .name = "qgemm",
    .min_in = 2,
    .max_in = PARE_Q_INPUTS,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP | PARE_LINEAR_OP | PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(qgemm_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
};
