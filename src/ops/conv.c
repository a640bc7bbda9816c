/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.c - float convolution of any rank, groups, strides, dilations (ONNX Conv), and conv_add: the same with an addition
 * behind it, which the fusion puts there; same bits
 */
#include "ops/conv.h"

#include <math.h>

#include "base/status.h"
#include "kernels/conv_f32/conv_f32.h"
#include "kernels/dw_f32/dw_f32.h"
#include "ops/attr.h"
#include "ops/bf16.h"
#include "ops/samples.h"
#include "ops/span.h"

const pare_attr pare_conv_attr_table[] = {
    PARE_WINDOW_ROWS(pare_conv_attrs),
    PARE_ATTR_ROW_INT(pare_conv_attrs, group, 1),
    PARE_ATTR_ROWS_CLAMP(pare_conv_attrs),
    PARE_ATTR_END,
};

pare_status pare_conv_shape(const pare_call *call, int ix, int iw, int ib, pare_window *window)
{
    const pare_conv_attrs *a = call->attrs;
    const pare_shape      *x = &call->in[ix]->shape, *w = &call->in[iw]->shape;
    const pare_shape      *b = ib >= 0 && ib < call->n_in && call->in[ib] ? &call->in[ib]->shape : NULL;

    if (w->rank != x->rank || x->rank < 3)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d, the weights %d; both need N, C, spatial axes", x->rank,
                         w->rank);
    PARE_TRY(pare_window_resolve(&a->window, x, &w->dim[2], window));
    if (a->group < 1 || x->dim[1] != w->dim[1] * a->group || w->dim[0] % a->group != 0)
        return pare_fail(PARE_ERR_SHAPE,
                         "%lld input channels do not fit weights for %lld in %lld groups with %lld outputs",
                         (long long)x->dim[1], (long long)w->dim[1], (long long)a->group, (long long)w->dim[0]);
    if (b && (b->rank != 1 || b->dim[0] != w->dim[0]))
        return pare_fail(PARE_ERR_SHAPE, "the bias must have one number for each of the %lld output channels",
                         (long long)w->dim[0]);
    call->out[0]->shape = *x;
    call->out[0]->shape.dim[1] = w->dim[0];
    for (int i = 0; i < window->n; i++)
        call->out[0]->shape.dim[i + 2] = window->out[i];
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    pare_window window;

    for (int i = 0; i < call->n_in; i++)
        if (call->in[i] && call->in[i]->dtype != PARE_f32)
            return pare_op_bad_dtype(call, i);
    call->out[0]->dtype = PARE_f32;
    PARE_TRY(pare_conv_shape(call, 0, 1, 2, &window));
    return call->n_in <= PARE_CONV_ADDEND || pare_shape_equal(&call->in[PARE_CONV_ADDEND]->shape, &call->out[0]->shape)
               ? PARE_OK
               : pare_fail(PARE_ERR_SHAPE, "the addend does not have the shape of the output");
}

static const float *floats(const pare_call *call, int input)
{
    return input < call->n_in && call->in[input] ? call->in[input]->data : NULL;
}

static void run_conv(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    pare_conv_f32_run(step->state, call->in[0]->data, call->out[0]->data, floats(call, PARE_CONV_ADDEND), part, parts);
}

/* The pixels first .. last-1 of the output and their windows in x. */
static pare_span span_of(const pare_call *call, int operand, long first, long last)
{
    const pare_conv_attrs *a = call->attrs;
    pare_window            window;
    pare_window_2d         g;

    if (operand == call->n_in || operand == PARE_CONV_ADDEND)
        return pare_span_pixels(operand == call->n_in ? call->out[0] : call->in[PARE_CONV_ADDEND], first, last);
    if (operand > 0 ||
        pare_window_resolve(&a->window, &call->in[0]->shape, &call->in[1]->shape.dim[2], &window) != PARE_OK ||
        !pare_window_as_2d(&window, &g))
        return pare_span_all();
    return pare_span_windows(call->in[0], &g, first, last);
}

static pare_span span_conv(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long first, last;

    return pare_conv_f32_share(step->state, part, parts, &first, &last) ? span_of(call, operand, first, last)
                                                                        : pare_span_all();
}

static pare_span span_dw(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long first, last;

    pare_dw_f32_share(step->state, part, parts, &first, &last);
    return span_of(call, operand, first, last);
}

/* Weights that are no constants: every part packs them for itself, which is little beside a batch of images. */
static void run_conv_packing(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    pare_conv_f32_pack(step->state, floats(call, 1), floats(call, 2), scratch);
    pare_conv_f32_run_packed(step->state, scratch, call->in[0]->data, call->out[0]->data,
                             floats(call, PARE_CONV_ADDEND), part, parts);
}

static pare_span span_bf16(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long first, last;

    return pare_conv_bf16_share(step->state, part, parts, &first, &last) ? span_of(call, operand, first, last)
                                                                         : pare_span_all();
}

static void release_conv(void *plan)
{
    pare_conv_f32_plan_destroy(plan);
}

static void run_dw(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    pare_dw_f32_run(step->state, call->in[0]->data, call->out[0]->data, floats(call, PARE_CONV_ADDEND), part, parts);
}

static void run_dw_packing(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    pare_dw_f32_pack(step->state, floats(call, 1), floats(call, 2), scratch);
    pare_dw_f32_run_packed(step->state, scratch, call->in[0]->data, call->out[0]->data, floats(call, PARE_CONV_ADDEND),
                           part, parts);
}

static void release_dw(void *plan)
{
    pare_dw_f32_plan_destroy(plan);
}

static pare_status prepare_dw(const pare_conv_f32_desc *d, const float *w, const float *bias, pare_step *step)
{
    const pare_dw_f32_kernel *kernel[PARE_MAX_CHOICES];
    const int         i = pare_step_choose(step, pare_dw_f32_candidates(d, step->cpu, kernel, PARE_MAX_CHOICES));
    pare_dw_f32_plan *plan;

    PARE_TRY(pare_dw_f32_plan_create(d, w, bias, kernel[i], &plan));
    step->state = plan;
    step->release = release_dw;
    step->kernel = kernel[i]->name;
    step->run = w ? run_dw : run_dw_packing;
    step->scratch = w ? 0 : sizeof(float) * pare_dw_f32_packed_size(plan);
    step->span = span_dw;
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_conv_attrs *a = call->attrs;
    const pare_tensor     *x = call->in[0], *w = call->in[1], *b = call->n_in > 2 ? call->in[2] : NULL;
    const pare_tensor     *y = call->out[0];
    pare_window            window;
    pare_window_2d         g;

    PARE_TRY(pare_window_resolve(&a->window, &x->shape, &w->shape.dim[2], &window));
    if (!pare_tensor_is_dense(w) || (b && !pare_tensor_is_dense(b)) || !pare_window_as_2d(&window, &g) ||
        !pare_window_fits_memory(&g, x) || !(y->stride[1] == 1 || y->shape.dim[1] == 1) ||
        (pare_conv_addend(call) && pare_conv_addend(call)->stride[1] != 1 && y->shape.dim[1] != 1))
        return PARE_OK; /* the reference runs */

    pare_conv_f32_desc d = {
        .n = (int)x->shape.dim[0],
        .oh = g.oh,
        .ow = g.ow,
        .c = (int)x->shape.dim[1],
        .oc = (int)w->shape.dim[0],
        .group = (int)a->group,
        .kh = g.kh,
        .kw = g.kw,
        .stride_h = g.stride_h,
        .stride_w = g.stride_w,
        .dilation_h = g.dilation_h,
        .dilation_w = g.dilation_w,
        .pad_top = g.top,
        .pad_left = g.left,
        .clamp = a->clamp_lo > -INFINITY || a->clamp_hi < INFINITY,
        .lo = a->clamp_lo,
        .hi = a->clamp_hi,
        .store = step->store,
    };
    pare_window_strides(x, &d.x.image, &d.x.row, &d.x.pixel);
    pare_window_strides(y, &d.y.image, &d.y.row, &d.y.pixel);
    if (pare_conv_addend(call))
        pare_window_strides(pare_conv_addend(call), &d.r.image, &d.r.row, &d.r.pixel);
    const bool   constant = w->data && (!b || b->data);
    const float *weights = constant ? w->data : NULL, *bias = constant ? floats(call, 2) : NULL;

    step->packed = constant ? 1 << 1 | 1 << 2 : 0;
    if (d.group == d.c && d.c == d.oc && d.c > 1)
        return prepare_dw(&d, weights, bias, step);
    if (constant && !pare_conv_addend(call)) {
        const int taps = d.kh * d.kw;

        PARE_TRY(pare_bf16_prepare(&d, &(pare_bf16_weights){ weights, (ptrdiff_t)d.c * taps, 1, taps }, bias, step));
        step->span = step->run ? span_bf16 : NULL;
    }
    if (step->run)
        return PARE_OK;

    const pare_gemm_f32_kernel *kernel[PARE_MAX_CHOICES];
    const int           i = pare_step_choose(step, pare_conv_f32_candidates(&d, step->cpu, kernel, PARE_MAX_CHOICES));
    pare_conv_f32_plan *plan;

    PARE_TRY(pare_conv_f32_plan_create(&d, weights, bias, kernel[i], &plan));
    step->state = plan;
    step->release = release_conv;
    step->kernel = kernel[i]->name;
    step->run = constant ? run_conv : run_conv_packing;
    step->scratch = constant ? 0 : sizeof(float) * pare_conv_f32_packed_size(plan);
    step->span = span_conv;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1, 1 << PARE_CONV_ADDEND);
}

static const char *const samples[] = {
    "f32[2,3,5,6] f32[4,3,3,3] f32[4] strides=[2,2] pads=[1,1,1,1]",
    "f32[1,4,6,5] f32[4,1,3,3] ? group=4 pads=[1,0,1,2] clamp_lo=0",
    "f32[1,4,9] f32[6,2,3] f32[6] group=2 dilations=[2]",
    "f32[1,2,3,4,5] f32[3,2,2,2,2] f32[3]",
    "f32[1,3,7,7] f32[2,3,3,3] f32[2] auto_pad=\"SAME_UPPER\" strides=[2,2] clamp_lo=-0.5 clamp_hi=0.5",
    NULL,
};

const pare_op pare_op_conv = {
    .name = "conv",
    .onnx = "Conv",
    .min_in = 2, /* x [N,C,spatial], w [OC,C/group,kernel], bias [OC] */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP | PARE_WANTS_CHANNELS_LAST | PARE_LINEAR_OP,
    .attrs = pare_conv_attr_table,
    .attrs_size = sizeof(pare_conv_attrs),
    .infer = infer,
    .forward = pare_conv_forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};

static const char *const add_samples[] = {
    "f32[2,3,5,6] f32[4,3,3,3] f32[4] f32[2,4,3,3] strides=[2,2] pads=[1,1,1,1]",
    "f32[1,4,6,5] f32[4,1,3,3] ? f32[1,4,5,6] group=4 pads=[1,0,0,3] clamp_lo=0",
    "f32[2,20,4,4] f32[35,20,1,1] ? f32[2,35,4,4]",
    "f32[1,4,9] f32[6,2,3] f32[6] f32[1,6,5] group=2 dilations=[2]",
    "f32[1,2,3,4,5] f32[3,2,2,2,2] f32[3] f32[1,3,2,3,4]",
    NULL,
};

const pare_op pare_op_conv_add = {
    .name = "conv_add",
    .min_in = 2, /* as conv, and what is added before the clamp, of the output's shape */
    .max_in = PARE_CONV_ADDEND + 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP | PARE_WANTS_CHANNELS_LAST | PARE_LINEAR_OP,
    .attrs = pare_conv_attr_table,
    .attrs_size = sizeof(pare_conv_attrs),
    .infer = infer,
    .forward = pare_conv_forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = add_samples,
};
