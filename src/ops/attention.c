/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attention.c - softmax(q k / factor + mask) v of every head, with the transposes around it (fuse_attention)
 *
 * Each piece computes what the op of its own does: two chains per product from 0, the division or product, the sum,
 * the softmax; so the bits are those of the separate ops. What is saved is their memory: the scores of a few rows at a
 * time stay in the first-level cache, and heads are read and written where they lie.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "ops/attention.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/samples.h"

#define INTERNAL_INTS(field_)                                                                                       \
    {                                                                                                               \
        .name = #field_, .type = PARE_ATTR_INTS, .offset = offsetof(pare_attention_attrs, field_), .internal = true \
    }
static const pare_attr attrs[] = {
    INTERNAL_INTS(perm_q),
    INTERNAL_INTS(perm_k),
    INTERNAL_INTS(perm_v),
    INTERNAL_INTS(perm_y),
    { .name = "factor", .type = PARE_ATTR_FLOAT, .offset = offsetof(pare_attention_attrs, factor), .internal = true },
    { .name = "divides", .type = PARE_ATTR_INT, .offset = offsetof(pare_attention_attrs, divides), .internal = true },
    PARE_ATTR_END,
};

static pare_tensor permuted(const pare_tensor *t, const pare_ints *perm)
{
    int p[PARE_MAX_RANK];

    if (perm->n == 0)
        return *t;
    for (int i = 0; i < perm->n; i++)
        p[i] = (int)perm->v[i];
    return pare_tensor_permuted(t, p);
}

static pare_shape permuted_shape(const pare_shape *shape, const pare_ints *perm)
{
    pare_shape y = *shape;

    for (int i = 0; i < perm->n; i++)
        y.dim[i] = shape->dim[perm->v[i]];
    return y;
}

static bool is_perm(const pare_ints *perm, int rank)
{
    unsigned seen = 0;

    for (int i = 0; i < perm->n; i++)
        if (perm->v[i] >= 0 && perm->v[i] < rank)
            seen |= 1u << perm->v[i];
    return perm->n == 0 || (perm->n == rank && seen == (1u << rank) - 1);
}

/* The scores [batch..., M, N]: k stands with N last, as the product wants it. */
static pare_status scores_shape(const pare_call *call, pare_shape *s)
{
    const pare_attention_attrs *a = call->attrs;
    const pare_tensor           q = permuted(call->in[PARE_ATTENTION_Q], &a->perm_q),
                      k = permuted(call->in[PARE_ATTENTION_K], &a->perm_k);

    return pare_matmul_shape(&q.shape, &k.shape, s);
}

static pare_status infer(const pare_call *call)
{
    const pare_attention_attrs *a = call->attrs;
    const pare_ints *const      perms[] = { &a->perm_q, &a->perm_k, &a->perm_v };
    pare_shape                  scores, y, both;

    for (int i = 0; i < call->n_in; i++)
        if (call->in[i]) {
            PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
            if (i < PARE_ATTENTION_MASK && (call->in[i]->shape.rank < 2 || !is_perm(perms[i], call->in[i]->shape.rank)))
                return pare_fail(PARE_ERR_SHAPE, "input %d is not a matrix, or its axes are named wrongly", i);
        }
    const pare_tensor v = permuted(call->in[PARE_ATTENTION_V], &a->perm_v);

    PARE_TRY(scores_shape(call, &scores));
    if (pare_call_has(call, PARE_ATTENTION_MASK) &&
        (!pare_shape_broadcast(&call->in[PARE_ATTENTION_MASK]->shape, &scores, &both) ||
         !pare_shape_equal(&both, &scores)))
        return pare_fail(PARE_ERR_SHAPE, "the mask does not fit the scores");
    PARE_TRY(pare_matmul_shape(&scores, &v.shape, &y));
    for (int i = 0; i < scores.rank - 1; i++)
        if (y.rank != scores.rank || y.dim[i] != scores.dim[i])
            return pare_fail(PARE_ERR_SHAPE, "there are values for more matrices than there are scores");
    if (!is_perm(&a->perm_y, y.rank))
        return pare_fail(PARE_ERR_SHAPE, "the axes of the result are named wrongly");
    y = permuted_shape(&y, &a->perm_y);
    pare_call_out(call, 0, PARE_f32, &y);
    return PARE_OK;
}

pare_attention pare_attention_of(const pare_call *call)
{
    const pare_attention_attrs *a = call->attrs;
    const pare_tensor           q = permuted(call->in[PARE_ATTENTION_Q], &a->perm_q),
                      k = permuted(call->in[PARE_ATTENTION_K], &a->perm_k);
    const pare_tensor v = permuted(call->in[PARE_ATTENTION_V], &a->perm_v);
    pare_tensor       s = { .dtype = PARE_f32 }, y = *call->out[0];
    pare_attention    p = { .mask = { .dtype = PARE_f32 } };

    pare_matmul_shape(&q.shape, &k.shape, &s.shape);
    pare_tensor_set_dense(&s);
    for (int i = 0; i < a->perm_y.n; i++) { /* the inverse of perm_y */
        y.shape.dim[a->perm_y.v[i]] = call->out[0]->shape.dim[i];
        y.stride[a->perm_y.v[i]] = call->out[0]->stride[i];
    }
    p.qk = pare_matmul_of(&q, &k, &s);
    p.sv = pare_matmul_of(&s, &v, &y);
    if (pare_call_has(call, PARE_ATTENTION_MASK))
        p.mask = pare_tensor_broadcast_to(call->in[PARE_ATTENTION_MASK], &s.shape);
    return p;
}

void pare_attention_finish_row(const pare_rows_f32_kernel *rows, const pare_call *call, const pare_attention *p,
                               const int64_t at[2], float *s, float *room)
{
    const pare_attention_attrs *a = call->attrs;
    const long                  n = (long)p->qk.n;

    if (a->factor != 0)
        rows->binary[a->divides ? PARE_BINARY_F32_div : PARE_BINARY_F32_mul](n, s, &a->factor, s, PARE_ROW_SCALAR_B);
    if (pare_call_has(call, PARE_ATTENTION_MASK)) {
        const int64_t step = p->mask.stride[p->qk.batch + 1];
        const float  *mask = (const float *)p->mask.data + pare_matmul_offset(&p->qk, &p->mask, at[0]) +
                            at[1] * p->mask.stride[p->qk.batch];

        for (long j = 0; step > 1 && j < n; j++)
            room[j] = mask[j * step];
        rows->binary[PARE_BINARY_F32_add](n, s, step > 1 ? room : mask, s, step ? PARE_ROW_BOTH : PARE_ROW_SCALAR_B);
    }
    rows->softmax(n, s, s);
}

/* ------------------------------------------------------------------------------------------------------- definition */

static float chain(const float *a, int64_t a_step, const float *b, int64_t b_step, int64_t n)
{
    float sum = 0;

    for (int64_t k = 0; k < n; k++)
        sum = fmaf(a[k * a_step], b[k * b_step], sum);
    return sum;
}

static void ref_row(const pare_call *call, const pare_attention *p, const int64_t at[2], float *s, float *room)
{
    const pare_matmul *qk = &p->qk, *sv = &p->sv;
    const int          b = qk->batch;
    const float       *q = (const float *)qk->a.data + pare_matmul_offset(qk, &qk->a, at[0]) + at[1] * qk->a.stride[b];
    const float       *k = (const float *)qk->b.data + pare_matmul_offset(qk, &qk->b, at[0]);
    const float       *v = (const float *)sv->b.data + pare_matmul_offset(sv, &sv->b, at[0]);
    float             *y = (float *)sv->y.data + pare_matmul_offset(sv, &sv->y, at[0]) + at[1] * sv->y.stride[b];

    for (int64_t j = 0; j < qk->n; j++)
        s[j] = chain(q, qk->a.stride[b + 1], k + j * qk->b.stride[b + 1], qk->b.stride[b], qk->k);
    pare_attention_finish_row(&pare_rows_f32_ref, call, p, at, s, room);
    for (int64_t j = 0; j < sv->n; j++)
        y[j * sv->y.stride[b + 1]] = chain(s, 1, v + j * sv->b.stride[b + 1], sv->b.stride[b], sv->k);
}

static pare_status forward(const pare_call *call)
{
    const pare_attention p = pare_attention_of(call);
    const size_t         bytes = 2 * sizeof(float) * (size_t)p.qk.n + 64;
    float *const         s = pare_malloc_aligned(bytes);

    if (!s)
        return pare_fail_memory(bytes, "a row of scores");
    for (int64_t i = 0; i < p.qk.batches; i++)
        for (int64_t row = 0; row < p.qk.m; row++)
            ref_row(call, &p, (const int64_t[]){ i, row }, s, s + p.qk.n);
    pare_free_aligned(s);
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    const pare_attention_attrs *a = call->attrs;
    const unsigned              qkv = 1 << PARE_ATTENTION_Q | 1 << PARE_ATTENTION_K | 1 << PARE_ATTENTION_V;
    const int                   rank = call->in[PARE_ATTENTION_Q]->shape.rank;
    const pare_shape *mask = pare_call_has(call, PARE_ATTENTION_MASK) ? &call->in[PARE_ATTENTION_MASK]->shape : NULL;
    const bool        masked = carries >> PARE_ATTENTION_MASK & 1;

    if (rank < 3 || call->in[PARE_ATTENTION_K]->shape.rank != rank || call->in[PARE_ATTENTION_V]->shape.rank != rank ||
        (masked && mask->rank != rank) || (mask && !masked && mask->rank == rank && mask->dim[0] != 1))
        return false;
    return (carries & qkv) == qkv && pare_samples_stay(&a->perm_q) && pare_samples_stay(&a->perm_k) &&
           pare_samples_stay(&a->perm_v) && pare_samples_stay(&a->perm_y);
}

static const char *const samples[] = {
    "f32[2,3,37,8] f32[2,3,8,33] f32[2,3,33,5] f32[2,1,1,33] factor=2.5 divides=1",
    "f32[1,29,2,8] f32[1,17,2,8] f32[1,17,2,16] f32[29,17] perm_q=[0,2,1,3] perm_k=[0,2,3,1] perm_v=[0,2,1,3] "
    "perm_y=[0,2,1,3] factor=0.125",
    "f32[3,4] f32[4,5] f32[5,2] f32[3,1]",
    "f32[4,1,8] f32[4,8,70] f32[4,70,8]",
    NULL,
};

const pare_op pare_op_attention = {
    .name = "attention",
    .min_in = 3, /* q [..., M, D], k [..., D, N], v [..., N, E], mask: each after its perm */
    .max_in = 4,
    .min_out = 1, /* [..., M, E], then perm_y */
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(pare_attention_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = pare_attention_prepare,
    .samples = samples,
};
