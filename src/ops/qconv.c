/* SPDX-License-Identifier: Apache-2.0 */
/* qconv.c - convolution of quantized integers: conv after lowering */
#include "ops/qconv.h"

#include "base/status.h"
#include "kernels/qconv/qconv.h"
#include "kernels/qdw/qdw.h"
#include "ops/attr.h"
#include "ops/span.h"
#include "ops/samples.h"

typedef struct qconv_attrs {
    pare_window_attrs window;
    int64_t           group;
    pare_qfused_attrs q;
} qconv_attrs;

static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(qconv_attrs),
    PARE_ATTR_ROW_INT(qconv_attrs, group, 1),
    PARE_QFUSED_ROWS(qconv_attrs),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const qconv_attrs *a = call->attrs;
    pare_window        window;

    PARE_TRY(pare_q_check(call, &a->q));
    /* The shapes are those of conv, whose attributes begin this struct. */
    const pare_conv_attrs conv = { .window = a->window, .group = a->group };
    const pare_call       as_conv = { call->op, &conv, call->n_in, call->n_out, call->in, call->out };

    return pare_conv_shape(&as_conv, PARE_Q_X, PARE_Q_W, PARE_Q_BIAS, &window);
}

/* Sum of (x - zx) * w of one output; padding holds zx and adds nothing. */
static int64_t accumulate(const pare_call *call, const pare_window *window, const uint8_t *x, const int8_t *w,
                          const int64_t *at)
{
    const pare_tensor *tx = call->in[PARE_Q_X], *tw = call->in[PARE_Q_W];
    const int          zx = tx->q->zero ? tx->q->zero[0] : 0;
    int64_t            sum = 0;

    for (int64_t j = 0; j < window->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL], weight = 0;

        pare_window_tap(window, j, tap);
        for (int i = 0; i < window->n; i++)
            weight += tap[i] * tw->stride[i + 2];
        const int64_t pixel = pare_window_offset(window, at, tap, &tx->stride[2]);

        for (int64_t c = 0; pixel >= 0 && c < tw->shape.dim[1]; c++)
            sum += (x[pixel + c * tx->stride[1]] - zx) * w[weight + c * tw->stride[1]];
    }
    return sum;
}

static int64_t offset_at(const pare_tensor *t, int64_t n, int64_t c, const int64_t *at)
{
    int64_t to = n * t->stride[0] + c * t->stride[1];

    for (int i = 2; i < t->shape.rank; i++)
        to += at[i - 2] * t->stride[i];
    return to;
}

static pare_status forward(const pare_call *call)
{
    const qconv_attrs *a = call->attrs;
    const pare_tensor *x = call->in[PARE_Q_X], *w = call->in[PARE_Q_W], *r = pare_q_input(call, PARE_Q_RESIDUAL);
    const pare_tensor *rows = pare_q_input(call, PARE_Q_ROWS);
    const int64_t      per_group = w->shape.dim[0] / a->group;
    pare_window        window;

    PARE_TRY(pare_window_resolve(&a->window, &x->shape, &w->shape.dim[2], &window));
    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t c = 0; c < w->shape.dim[0]; c++)
            for (int64_t p = 0; p < window.positions; p++) {
                const uint8_t *xg =
                    (const uint8_t *)x->data + n * x->stride[0] + c / per_group * w->shape.dim[1] * x->stride[1];
                int64_t at[PARE_MAX_SPATIAL];

                pare_window_position(&window, p, at);
                pare_q_finish(
                    call, &a->q, c, accumulate(call, &window, xg, (const int8_t *)w->data + c * w->stride[0], at),
                    r ? ((const uint8_t *)r->data)[offset_at(r, n, c, at)] : 0,
                    rows ? ((const float *)rows->data)[n * rows->stride[0]] : 0, offset_at(call->out[0], n, c, at));
            }
    return PARE_OK;
}

static pare_qconv_args args_of(const pare_call *call)
{
    const pare_tensor *r = pare_q_input(call, PARE_Q_RESIDUAL), *rows = pare_q_input(call, PARE_Q_ROWS);

    return (pare_qconv_args){ .x = call->in[PARE_Q_X]->data,
                              .y = call->out[0]->data,
                              .residual = r ? r->data : NULL,
                              .row_scales = rows ? rows->data : NULL,
                              .batch = (int)call->in[PARE_Q_X]->shape.dim[0] };
}

/* What a part touches: the pixels first .. last-1 of the output and of the residual, and their windows in x. */
static pare_span span_of(const pare_call *call, int operand, long first, long last)
{
    const qconv_attrs *a = call->attrs;
    pare_window        window;
    pare_window_2d     g;

    if (operand == call->n_in || operand == PARE_Q_RESIDUAL)
        return pare_span_pixels(operand < call->n_in ? call->in[operand] : call->out[0], first, last);
    if (operand != PARE_Q_X ||
        pare_window_resolve(&a->window, &call->in[PARE_Q_X]->shape, &call->in[PARE_Q_W]->shape.dim[2], &window) !=
            PARE_OK ||
        !pare_window_as_2d(&window, &g))
        return pare_span_all();
    return pare_span_windows(call->in[PARE_Q_X], &g, first, last);
}

static pare_span span_qconv(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const int batch = (int)call->in[PARE_Q_X]->shape.dim[0];
    long      first, last;

    return pare_qconv_share(step->state, batch, part, parts, &first, &last) ? span_of(call, operand, first, last)
                                                                            : pare_span_all();
}

static pare_span span_qdw(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long first, last;

    pare_qdw_share(step->state, (int)call->in[PARE_Q_X]->shape.dim[0], part, parts, &first, &last);
    return span_of(call, operand, first, last);
}

static void run_qconv(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    pare_qconv_args args = args_of(call);

    args.scratch = scratch;
    pare_qconv_run(step->state, &args, part, parts);
}

static void release_qconv(void *plan)
{
    pare_qconv_destroy(plan);
}

static void run_qdw(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_qconv_args args = args_of(call);

    (void)scratch;
    pare_qdw_run(step->state, &args, part, parts);
}

static void release_qdw(void *plan)
{
    pare_qdw_destroy(plan);
}

static pare_qconv_strides strides_of(const pare_tensor *t)
{
    pare_qconv_strides s;

    pare_window_strides(t, &s.image, &s.row, &s.pixel);
    const ptrdiff_t size = t->dtype == PARE_f32 ? (ptrdiff_t)sizeof(float) : 1;

    return (pare_qconv_strides){ s.pixel * size, s.row * size, s.image * size };
}

static bool channels_last(const pare_tensor *t)
{
    return t->stride[1] == 1 || t->shape.dim[1] == 1;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const qconv_attrs *a = call->attrs;
    const pare_tensor *x = call->in[PARE_Q_X], *w = call->in[PARE_Q_W], *y = call->out[0];
    const pare_tensor *r = pare_q_input(call, PARE_Q_RESIDUAL);
    pare_window        window;
    pare_window_2d     g;

    PARE_TRY(pare_window_resolve(&a->window, &x->shape, &w->shape.dim[2], &window));
    if (!w->data || pare_shape_count(&w->shape) == 0 || !pare_tensor_is_dense(w) || !pare_window_as_2d(&window, &g) ||
        !pare_window_fits_memory(&g, x) || !channels_last(y) || (r && !channels_last(r)))
        return PARE_OK; /* the reference runs */

    pare_qconv_desc d = {
        .in_c = (int)x->shape.dim[1],
        .out_c = (int)w->shape.dim[0],
        .groups = (int)a->group,
        .out_h = g.oh,
        .out_w = g.ow,
        .kernel_h = g.kh,
        .kernel_w = g.kw,
        .stride_h = g.stride_h,
        .stride_w = g.stride_w,
        .dilation_h = g.dilation_h,
        .dilation_w = g.dilation_w,
        .pad_top = g.top,
        .pad_left = g.left,
        .x = strides_of(x),
        .y = strides_of(y),
        .w = w->data,
        .batch = (int)x->shape.dim[0],
        .store = step->store,
    };
    if (r)
        d.residual = strides_of(r);
    pare_q_describe(call, &a->q, &d.channels, &d.out);
    if (!pare_q_kernel_bounds(&d.out))
        return PARE_OK;
    step->packed = PARE_Q_PACKED;
    if (d.groups == d.in_c && d.in_c == d.out_c && d.in_c > 1) {
        const pare_qdw_kernel *kernel[PARE_MAX_CHOICES];
        const int              i = pare_step_choose(step, pare_qdw_candidates(&d, step->cpu, kernel, PARE_MAX_CHOICES));
        pare_qdw_plan         *plan;

        PARE_TRY(pare_qdw_create(&d, kernel[i], &plan));
        step->state = plan;
        step->release = release_qdw;
        step->run = run_qdw;
        step->span = span_qdw;
        step->kernel = pare_qdw_kernel_name(kernel[i]);
        return PARE_OK;
    }
    const pare_qconv_kernel *kernel[PARE_MAX_CHOICES];
    const int                i = pare_step_choose(step, pare_qconv_candidates(&d, step->cpu, kernel, PARE_MAX_CHOICES));
    pare_qconv_plan         *plan;

    PARE_TRY(pare_qconv_create(&d, kernel[i], &plan));
    step->state = plan;
    step->release = release_qconv;
    step->run = run_qconv;
    step->scratch = pare_qconv_scratch(plan);
    step->span = span_qconv;
    step->kernel = pare_qconv_kernel_name(kernel[i]);
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1 << PARE_Q_X, 1 << PARE_Q_RESIDUAL | 1 << PARE_Q_ROWS);
}

const pare_op pare_op_qconv = {
    .name = "qconv",
    .min_in = 2, /* see qconv.h */
    .max_in = PARE_Q_INPUTS,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP | PARE_WANTS_CHANNELS_LAST | PARE_LINEAR_OP | PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(qconv_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
};
