/* SPDX-License-Identifier: Apache-2.0 */
/* qcommon.c - what the integer convolution and the integer matrix product share */
#include <math.h>

#include "base/status.h"
#include "ops/qconv.h"
#include "tensor/qparams.h"

const pare_tensor *pare_q_input(const pare_call *call, int index)
{
    return index < call->n_in ? call->in[index] : NULL;
}

static pare_status check_dtype(const pare_call *call, int index, pare_dtype dtype)
{
    const pare_tensor *t = pare_q_input(call, index);

    return !t || t->dtype == dtype ? PARE_OK : pare_op_bad_dtype(call, index);
}

static bool per_tensor(const pare_tensor *t)
{
    return t->q && t->q->n == 1 && t->q->block == 0;
}

pare_status pare_q_check(const pare_call *call, const pare_qfused_attrs *a)
{
    const pare_tensor *x = call->in[PARE_Q_X], *w = call->in[PARE_Q_W], *r = pare_q_input(call, PARE_Q_RESIDUAL);
    const pare_tensor *table = pare_q_input(call, PARE_Q_TABLE);

    PARE_TRY(check_dtype(call, PARE_Q_X, PARE_u8));
    PARE_TRY(check_dtype(call, PARE_Q_W, PARE_s8));
    PARE_TRY(check_dtype(call, PARE_Q_BIAS, PARE_s32));
    PARE_TRY(check_dtype(call, PARE_Q_RESIDUAL, PARE_u8));
    PARE_TRY(check_dtype(call, PARE_Q_ROWS, PARE_f32));
    PARE_TRY(check_dtype(call, PARE_Q_BIAS_F32, PARE_f32));
    PARE_TRY(check_dtype(call, PARE_Q_TABLE, PARE_u8));
    if (!per_tensor(x) || !w->q || w->q->block != 0 || (w->q->n > 1 && (w->q->axis != 0 || w->q->n != w->shape.dim[0])))
        return pare_fail(PARE_ERR_SHAPE, "x needs one scale, the weights one or one per output channel");
    for (int i = 0; w->q->zero && i < w->q->n; i++)
        if (w->q->zero[i] != 0)
            return pare_fail(PARE_ERR_UNSUPPORTED, "weights with a zero point have no integer kernel");
    const int biases[] = { PARE_Q_BIAS, PARE_Q_BIAS_F32 };
    for (int i = 0; i < 2; i++) {
        const pare_tensor *b = pare_q_input(call, biases[i]);

        if (b && (pare_shape_count(&b->shape) != w->shape.dim[0] || !pare_tensor_is_dense(b)))
            return pare_fail(PARE_ERR_SHAPE, "the bias must have one number for each of the %lld outputs",
                             (long long)w->shape.dim[0]);
    }
    if ((r || table) != (a->mid_scale > 0) || (r && !per_tensor(r)) || ((r || table) && !call->out[0]->q))
        return pare_fail(PARE_ERR_SHAPE, "a residual or table needs its own scale, mid_scale and a quantized output");
    if (table && (r || !table->data || !pare_tensor_is_dense(table) || pare_shape_count(&table->shape) != 256))
        return pare_fail(PARE_ERR_SHAPE, "the table must be a constant list of 256 codes, without a residual");
    if (call->out[0]->q && !per_tensor(call->out[0]))
        return pare_fail(PARE_ERR_SHAPE, "the output needs one scale");
    call->out[0]->dtype = call->out[0]->q ? PARE_u8 : PARE_f32;
    return PARE_OK;
}

static int zero_of(const pare_qparams *q)
{
    return q->zero ? q->zero[0] : 0;
}

void pare_q_bounds(const pare_qparams *q, float lo, float hi, int *code_lo, int *code_hi)
{
    const pare_qrange all = { 0, 255 };

    *code_lo = lo > -INFINITY ? pare_quantize_one(lo, q->scale[0], zero_of(q), all) : all.lo;
    *code_hi = hi < INFINITY ? pare_quantize_one(hi, q->scale[0], zero_of(q), all) : all.hi;
}

void pare_q_describe(const pare_call *call, const pare_qfused_attrs *a, pare_qchannels *channels, pare_qoutput *out)
{
    const pare_tensor  *x = call->in[PARE_Q_X], *w = call->in[PARE_Q_W], *bias = pare_q_input(call, PARE_Q_BIAS);
    const pare_tensor  *r = pare_q_input(call, PARE_Q_RESIDUAL), *bias_f32 = pare_q_input(call, PARE_Q_BIAS_F32);
    const pare_tensor  *table = pare_q_input(call, PARE_Q_TABLE);
    const pare_qparams *y = call->out[0]->q;

    *channels = (pare_qchannels){
        .sw = w->q->scale, .n_sw = w->q->n, .bias = bias ? bias->data : NULL, .sx = x->q->scale[0], .zx = zero_of(x->q)
    };
    *out = (pare_qoutput){ .kind = y                                 ? PARE_QKIND_U8
                                   : pare_q_input(call, PARE_Q_ROWS) ? PARE_QKIND_F32_ROWS
                                                                     : PARE_QKIND_F32,
                           .bias_f32 = bias_f32 ? bias_f32->data : NULL };
    if (!y) {
        out->clamped = a->clamp_lo > -INFINITY || a->clamp_hi < INFINITY;
        out->clamp_lo = a->clamp_lo;
        out->clamp_hi = a->clamp_hi;
        return;
    }
    const float        mid_scale = a->mid_scale;
    const int32_t      mid_zero = (int32_t)a->mid_zero;
    const bool         twice = r || table;
    const pare_qparams mid = { .scale = twice ? &mid_scale : y->scale, .zero = twice ? &mid_zero : y->zero, .n = 1 };

    out->table = table ? table->data : NULL;
    out->scale = mid.scale[0];
    out->zero = zero_of(&mid);
    pare_q_bounds(&mid, a->clamp_lo, a->clamp_hi, &out->lo, &out->hi);
    if (!r)
        return;
    out->add = (pare_qfused_add){ .on = true,
                                  .conv_is_second = a->conv_is_second != 0,
                                  .scale_r = r->q->scale[0],
                                  .zero_r = zero_of(r->q),
                                  .scale = y->scale[0],
                                  .zero = zero_of(y) };
    pare_q_bounds(y, a->sum_lo, a->sum_hi, &out->add.lo, &out->add.hi);
}

bool pare_q_kernel_bounds(const pare_qoutput *out)
{
    return out->kind != PARE_QKIND_U8 || (out->hi > 0 && (!out->add.on || out->add.hi > 0));
}

/* NUMERICS.md 6, add: operand a is multiplied last. */
static int add_codes(const pare_qfused_add *add, const pare_qoutput *out, int code, int residual)
{
    const float rate_c = out->scale / add->scale, rate_r = add->scale_r / add->scale;
    const float za = (float)(add->conv_is_second ? add->zero_r : out->zero);
    const float zb = (float)(add->conv_is_second ? out->zero : add->zero_r);
    const float ra = add->conv_is_second ? rate_r : rate_c, rb = add->conv_is_second ? rate_c : rate_r;
    const float qa = (float)(add->conv_is_second ? residual : code);
    const float qb = (float)(add->conv_is_second ? code : residual);
    const float k = (float)add->zero - fmaf(ra, za, rb * zb);

    return pare_qround(fmaf(qa, ra, fmaf(qb, rb, k)), 0, add->lo, add->hi);
}

void pare_q_finish(const pare_call *call, const pare_qfused_attrs *a, int64_t channel, int64_t acc, int residual,
                   float row_scale, int64_t to)
{
    pare_qchannels ch;
    pare_qoutput   out;

    pare_q_describe(call, a, &ch, &out);
    const float sw = ch.sw[ch.n_sw > 1 ? channel : 0];

    acc += ch.bias ? ch.bias[channel] : 0;
    if (out.kind == PARE_QKIND_U8) {
        const float m = (ch.sx * sw) / out.scale;
        const int   sum = pare_qround((float)(int32_t)acc * m, out.zero, out.lo, out.hi);
        const int   code = out.table ? out.table[sum] : sum;

        ((uint8_t *)call->out[0]->data)[to] = (uint8_t)(out.add.on ? add_codes(&out.add, &out, code, residual) : code);
        return;
    }
    float y = (float)(int32_t)acc * ((out.kind == PARE_QKIND_F32_ROWS ? row_scale : ch.sx) * sw);

    y = out.bias_f32 ? y + out.bias_f32[channel] : y;
    y = y < a->clamp_lo ? a->clamp_lo : y;
    ((float *)call->out[0]->data)[to] = y > a->clamp_hi ? a->clamp_hi : y;
}
