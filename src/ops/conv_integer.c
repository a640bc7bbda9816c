/* SPDX-License-Identifier: Apache-2.0 */
/* conv_integer.c - ONNX's own integer convolutions: ConvInteger, QLinearConv */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/conv.h"
#include "ops/integer_in.h"
#include "ops/parts.h"

extern const pare_op pare_op_conv_integer, pare_op_qlinear_conv;

/* The clamp members of pare_conv_attrs stay unused. */
static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(pare_conv_attrs),
    PARE_ATTR_ROW_INT(pare_conv_attrs, group, 1),
    PARE_ATTR_END,
};

static const pare_integer_in conv_integer_in = { .b = 1, .a_zero = 2, .b_zero = 3 };
static const pare_integer_in qlinear_conv_in = {
    .a_scale = 1, .a_zero = 2, .b = 3, .b_scale = 4, .b_zero = 5, .y_scale = 6, .y_zero = 7, .bias = 8
};

static const pare_integer_in *inputs_of(const pare_call *call)
{
    return call->op == &pare_op_qlinear_conv ? &qlinear_conv_in : &conv_integer_in;
}

static pare_status infer(const pare_call *call)
{
    const pare_integer_in *at = inputs_of(call);
    pare_window            window;

    if (call->in[at->b]->shape.rank < 3)
        return pare_fail(PARE_ERR_SHAPE, "the weights have rank %d, at least 3 is needed", call->in[at->b]->shape.rank);
    PARE_TRY(pare_integer_check(call, at, 1, call->in[at->b]->shape.dim[0]));
    if (at->bias && pare_call_has(call, at->bias))
        PARE_TRY(pare_call_plain(call, at->bias, PARE_D(s32)));
    return pare_conv_shape(call, 0, at->b, at->bias ? at->bias : -1, &window);
}

/* Sum of (x - zx) * (w - zw) of one output; `x`, `w`: element offsets of its image and group, and of its filter. */
static int64_t sum_of(const pare_call *call, const pare_window *window, int64_t x, int64_t w, const int64_t *at,
                      int64_t zw)
{
    const pare_tensor *tx = call->in[0], *tw = call->in[inputs_of(call)->b];
    const int64_t      zx = pare_integer_zero(call, inputs_of(call)->a_zero, 0);
    int64_t            sum = 0;

    for (int64_t j = 0; j < window->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL], weight = w;

        pare_window_tap(window, j, tap);
        for (int i = 0; i < window->n; i++)
            weight += tap[i] * tw->stride[i + 2];
        const int64_t pixel = pare_window_offset(window, at, tap, &tx->stride[2]);

        for (int64_t c = 0; pixel >= 0 && c < tw->shape.dim[1]; c++) /* padding holds zx and adds nothing */
            sum += (pare_load_int(tx->dtype, tx->data, x + pixel + c * tx->stride[1]) - zx) *
                   (pare_load_int(tw->dtype, tw->data, weight + c * tw->stride[1]) - zw);
    }
    return sum;
}

/* Planes (images times output channels) of share `part`. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_integer_in *at_in = inputs_of(call);
    const pare_conv_attrs *a = call->attrs;
    const pare_tensor     *x = call->in[0], *w = call->in[at_in->b], *y = call->out[0];
    const pare_tensor     *bias = at_in->bias && pare_call_has(call, at_in->bias) ? call->in[at_in->bias] : NULL;
    const int64_t          oc = w->shape.dim[0];
    pare_window            window;
    long                   begin, end;

    pare_window_resolve(&a->window, &x->shape, &w->shape.dim[2], &window); /* has succeeded in infer */
    pare_pool_split((long)(x->shape.dim[0] * oc), 1, part, parts, &begin, &end);
    for (int64_t plane = begin; plane < end; plane++) {
        const int64_t n = plane / oc, c = plane % oc, group = c / (oc / a->group);
        const int64_t zw = pare_integer_zero(call, at_in->b_zero, c);

        for (int64_t p = 0; p < window.positions; p++) {
            int64_t at[PARE_MAX_SPATIAL], to = n * y->stride[0] + c * y->stride[1];

            pare_window_position(&window, p, at);
            for (int i = 0; i < window.n; i++)
                to += at[i] * y->stride[i + 2];
            const int64_t sum = sum_of(call, &window, n * x->stride[0] + group * w->shape.dim[1] * x->stride[1],
                                       c * w->stride[0], at, zw);

            pare_integer_store(call, at_in, 0, c, bias ? sum + pare_tensor_int(bias, c) : sum, to);
        }
    }
}

PARE_IN_PARTS(do_part)

static const char *const integer_samples[] = {
    "u8[2,3,5,6] s8[4,3,3,3] u8:113 pads=[1,1,1,1]",
    "s8[1,4,6] u8[6,2,3] s8:-7 u8{0,1,2,3,255,128} group=2 strides=[2]",
    "u8[1,2,4,4] u8[3,2,2,2]",
    NULL,
};

static const char *const qlinear_samples[] = {
    "u8[2,3,5,6] f32:0.02 u8:113 s8[4,3,3,3] f32{0.01,0.02,0.03,0.04} s8{0,0,0,0} f32:0.5 u8:120 s32[4] "
    "pads=[1,1,1,1] strides=[2,2]",
    "s8[1,4,6,6] f32:0.02 s8:-5 s8[4,1,3,3] f32:0.01 s8:3 f32:0.3 s8:-128 group=4",
    "u8[1,2,9] f32:0.1 u8:0 u8[3,2,2] f32:0.1 u8:128 f32:0.001 u8:0 ? dilations=[2]",
    NULL,
};

const pare_op pare_op_conv_integer = {
    .name = "conv_integer",
    .onnx = "ConvInteger",
    .min_in = 2, /* x [N,C,spatial], w [OC,C/group,kernel], zero point of x, zero points of w [] or [OC] */
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_conv_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = integer_samples,
};

const pare_op pare_op_qlinear_conv = {
    .name = "qlinear_conv",
    .onnx = "QLinearConv",
    .min_in = 8, /* x, its scale and zero point; w, scales, zero points; scale and zero point of y; bias s32 [OC] */
    .max_in = 9,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_conv_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = qlinear_samples,
};
