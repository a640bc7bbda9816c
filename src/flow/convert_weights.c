/* SPDX-License-Identifier: Apache-2.0 */
/* convert_weights.c - weights and biases become integers behind a dequantize node */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "flow/convert.h"
#include "passes/qdq.h"

extern const pare_op pare_op_conv, pare_op_gemm, pare_op_matmul;

/* Output channels lie on this axis. */
int pare_channel_axis(const pare_node *n)
{
    if (n->op == &pare_op_conv)
        return 0;
    if (n->op == &pare_op_gemm)
        return pare_node_i(n, "transB") ? 0 : 1;
    return 1; /* matmul [K][N]; conv_transpose [C][OC / groups][...]; lstm, gru [directions][gates][...] */
}

/* The largest magnitude of each index of `axis` (one for all when !per_channel). */
static pare_status magnitudes(const pare_value *w, int axis, bool per_channel, float *max)
{
    const int64_t n = per_channel ? w->t.shape.dim[axis] : 1;
    int64_t       inner = 1;

    for (int i = axis + 1; i < w->t.shape.rank; i++)
        inner *= w->t.shape.dim[i];
    memset(max, 0, sizeof(float) * (size_t)n);
    for (int64_t i = 0; i < pare_shape_count(&w->t.shape); i++) {
        const float x = fabsf((float)pare_tensor_real(&w->t, i));
        float      *m = &max[per_channel ? i / inner % n : 0];

        if (!isfinite(x))
            return pare_fail(PARE_ERR_NUMERIC, "weights '%s' hold %s", w->name, isnan(x) ? "NaN" : "an infinity");
        *m = x > *m ? x : *m;
    }
    return PARE_OK;
}

pare_status pare_weight_scales_choose(const pare_value *w, int axis, const pare_qconfig *c, pare_weight_scales *s)
{
    const bool        per_channel = c->granularity != PARE_PER_TENSOR;
    const int         hi = (1 << (c->weight_bits - 1)) - 1;
    const pare_qrange range = { c->weight_bits >= 4 ? -hi : -hi - 1, hi };

    s->n = per_channel ? (int)w->t.shape.dim[axis] : 1;
    s->axis = per_channel ? axis : -1;
    s->scale = pare_calloc((size_t)s->n + 1, sizeof(float));
    if (!s->scale)
        return pare_fail_memory(sizeof(float) * (size_t)s->n, "weight scales");
    PARE_TRY(magnitudes(w, axis, per_channel, s->scale));
    for (int i = 0; i < s->n; i++) {
        int32_t zero;

        PARE_TRY(pare_qparams_choose(-s->scale[i], s->scale[i], PARE_SYMMETRIC, range, 0, &s->scale[i], &zero));
    }
    return PARE_OK;
}

/*
 * A channel whose bias does not fit 30 bits, or whose sum might leave them, gets a larger weight scale: fewer weight
 * levels, but no overflow (NUMERICS.md 3). 30 bits leave room for both together.
 */
void pare_weight_scales_widen(pare_weight_scales *s, float sx, const pare_value *bias)
{
    const float limit = 1073741824.0f; /* 2^30 */

    for (int64_t c = 0; bias && c < pare_shape_count(&bias->t.shape); c++) {
        float *const sw = &s->scale[s->n > 1 ? c : 0];
        const float  b = fabsf((float)pare_tensor_real(&bias->t, c));

        if (b / (sx * *sw) > limit)
            *sw = b / (sx * limit);
    }
}

/*
 * ONNX Runtime makes an integer Gemm or MatMul only of weights that have zero points (a Conv needs none). They are all 0,
 * so layers of equal width share one constant.
 */
static pare_status zero_points_for_ort(pare_graph *g, pare_node *dq)
{
    pare_value *zero;

    PARE_TRY(pare_convert_zeros(g, dq->in[0]->t.dtype, dq->in[1]->t.shape, 0, &zero));
    return pare_node_add_in(dq, zero);
}

/* in[input] of n becomes dequantize(s8 constant). */
pare_status pare_convert_weights(pare_graph *g, pare_node *n, int input, const pare_weight_scales *s, int bits)
{
    pare_value *const  w = n->in[input];
    const int          hi = (1 << (bits - 1)) - 1;
    const pare_qparams q = { .scale = s->scale, .n = s->n, .axis = s->axis };
    pare_tensor        t = pare_tensor_of(bits == 2 ? PARE_s2 : bits <= 4 ? PARE_s4 : PARE_s8, w->t.shape);
    pare_value        *real;
    pare_status        status;

    t.q = &q;
    PARE_GOTO(pare_tensor_alloc(&t));
    pare_tensor_quantize(&w->t, &t, (pare_qrange){ bits >= 4 ? -hi : -hi - 1, hi });
    t.q = NULL;
    PARE_GOTO(pare_convert_constant(g, w, &t, &q, n, &real));
    pare_node_set_in(n, input, real);
    if (n->op == &pare_op_gemm || n->op == &pare_op_matmul)
        status = zero_points_for_ort(g, real->producer);
out:
    pare_tensor_release(&t);
    return status;
}

/* The bias (an input of the layer itself or of the add behind it) becomes dequantize(s32) at scale sx * sw[c]. */
pare_status pare_convert_bias(pare_graph *g, pare_node *n, int input, float sx, const pare_weight_scales *s)
{
    pare_value *const b = n->in[input];
    const int64_t     count = pare_shape_count(&b->t.shape);
    pare_tensor       t = pare_tensor_of(PARE_s32, pare_shape_of(1, &count));
    float *const      scale = pare_calloc((size_t)count + 1, sizeof(*scale));
    pare_value       *real;
    pare_status       status;

    if (!scale)
        return pare_fail_memory(sizeof(*scale) * (size_t)count, "bias scales");
    PARE_GOTO(pare_tensor_alloc(&t));
    for (int64_t c = 0; c < count; c++) {
        scale[c] = sx * s->scale[s->n > 1 ? c : 0];
        const float v = (float)pare_tensor_real(&b->t, c);

        if (!isfinite(v)) {
            status = pare_fail(PARE_ERR_NUMERIC, "bias '%s' holds %s", b->name, isnan(v) ? "NaN" : "an infinity");
            goto out;
        }
        ((int32_t *)t.data)[c] = (int32_t)rintf(v / scale[c]);
    }
    const pare_qparams q = { .scale = scale, .n = s->n > 1 ? (int)count : 1, .axis = s->n > 1 ? 0 : -1 };

    PARE_GOTO(pare_convert_constant(g, b, &t, &q, n, &real));
    pare_node_set_in(n, input, real);
out:
    pare_tensor_release(&t);
    pare_free(scale);
    return status;
}
