/* SPDX-License-Identifier: Apache-2.0 */
/* gemm.c - y = alpha * A' * B' + beta * C for matrices (ONNX Gemm) */
#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/attr.h"
#include "ops/bf16.h"
#include "ops/span.h"
#include "ops/samples.h"

/*
 * With alpha == beta == 1 each output is one chain of fmaf that starts from C, k ascending (NUMERICS.md 9). Otherwise
 * the chain starts from 0 and y = alpha * chain + beta * c, each operation rounded.
 */
typedef struct gemm_attrs {
    float   alpha, beta;
    int64_t transA, transB;
    float   clamp_lo, clamp_hi;
} gemm_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(gemm_attrs, alpha, 1), PARE_ATTR_ROW_FLOAT(gemm_attrs, beta, 1),
    PARE_ATTR_ROW_INT(gemm_attrs, transA, 0),  PARE_ATTR_ROW_INT(gemm_attrs, transB, 0),
    PARE_ATTR_ROWS_CLAMP(gemm_attrs),          PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const gemm_attrs *a = call->attrs;
    const pare_shape *x = &call->in[0]->shape, *w = &call->in[1]->shape;
    const pare_shape *c = call->n_in > 2 && call->in[2] ? &call->in[2]->shape : NULL;

    for (int i = 0; i < call->n_in; i++)
        if (call->in[i] && call->in[i]->dtype != PARE_f32)
            return pare_op_bad_dtype(call, i);
    if (x->rank != 2 || w->rank != 2)
        return pare_fail(PARE_ERR_SHAPE, "both operands must be matrices, they have rank %d and %d", x->rank, w->rank);
    const int64_t k = x->dim[a->transA ? 0 : 1], k2 = w->dim[a->transB ? 1 : 0];

    if (k != k2)
        return pare_fail(PARE_ERR_SHAPE, "the inner dimensions are %lld and %lld", (long long)k, (long long)k2);
    call->out[0]->dtype = PARE_f32;
    call->out[0]->shape = pare_shape_of(2, (const int64_t[]){ x->dim[a->transA ? 1 : 0], w->dim[a->transB ? 0 : 1] });
    for (int i = 0; c && i < c->rank; i++) {
        const int64_t want = call->out[0]->shape.dim[2 - c->rank + i];

        if (c->rank > 2 || (c->dim[i] != 1 && c->dim[i] != want && want >= 0))
            return pare_fail(PARE_ERR_SHAPE, "C cannot be broadcast to the result");
    }
    return PARE_OK;
}

/* C broadcast to the result; data NULL where there is none. */
static pare_tensor addend(const pare_call *call)
{
    if (call->n_in < 3 || !call->in[2])
        return (pare_tensor){ 0 };
    return pare_tensor_broadcast_to(call->in[2], &call->out[0]->shape);
}

static pare_status forward(const pare_call *call)
{
    const gemm_attrs  *a = call->attrs;
    const pare_tensor *x = call->in[0], *w = call->in[1], *y = call->out[0];
    const pare_tensor  c = addend(call);
    const bool         chain = a->alpha == 1 && a->beta == 1;
    const int64_t      xi = x->stride[a->transA ? 1 : 0], xk = x->stride[a->transA ? 0 : 1];
    const int64_t      wk = w->stride[a->transB ? 1 : 0], wj = w->stride[a->transB ? 0 : 1];
    const int64_t      n_k = x->shape.dim[a->transA ? 0 : 1];

    for (int64_t i = 0; i < y->shape.dim[0]; i++)
        for (int64_t j = 0; j < y->shape.dim[1]; j++) {
            const float add = c.data ? ((const float *)c.data)[i * c.stride[0] + j * c.stride[1]] : 0;
            float       sum = chain ? add : 0;

            for (int64_t k = 0; k < n_k; k++)
                sum = fmaf(((const float *)x->data)[i * xi + k * xk], ((const float *)w->data)[k * wk + j * wj], sum);
            if (!chain) {
                sum = a->alpha * sum;
                if (c.data)
                    sum = sum + a->beta * add;
            }
            sum = sum < a->clamp_lo ? a->clamp_lo : sum;
            ((float *)y->data)[i * y->stride[0] + j * y->stride[1]] = sum > a->clamp_hi ? a->clamp_hi : sum;
        }
    return PARE_OK;
}

typedef struct gemm_state {
    const pare_gemm_f32_kernel *kernel;
    pare_store                 *store;  /* where `packed` lies; NULL: heap memory           */
    float                      *packed; /* NULL: B is no constant, and packed while running */
} gemm_state;

static void release(void *state)
{
    gemm_state *const s = state;

    pare_store_drop(s->store, s->packed);
    pare_free(s);
}

/* B [K,N] as the kernels see it; data NULL while it is not known. */
static pare_gemm_f32_b operand(const pare_call *call)
{
    const gemm_attrs  *a = call->attrs;
    const pare_tensor *w = call->in[1];

    return (pare_gemm_f32_b){ .data = w->data,
                              .k_stride = (ptrdiff_t)w->stride[a->transB ? 1 : 0],
                              .n_stride = (ptrdiff_t)w->stride[a->transB ? 0 : 1],
                              .k = (int)w->shape.dim[a->transB ? 1 : 0],
                              .n = (int)w->shape.dim[a->transB ? 0 : 1] };
}

/* rows[m][k] of a transposed A [K,M], whose rows lie next to each other. */
static void turn(const pare_tensor *x, float *rows)
{
    const int64_t n_k = x->shape.dim[0], m = x->shape.dim[1];
    const int64_t block = 16; /* rows that are written at a time: their cache lines stay while k runs */

    for (int64_t first = 0; first < m; first += block)
        for (int64_t k = 0; k < n_k; k++) {
            const float *from = (const float *)x->data + k * x->stride[0];

            for (int64_t i = first; i < m && i < first + block; i++)
                rows[i * n_k + k] = from[i * x->stride[1]];
        }
}

/* What of the operands must be rearranged, every part does for itself: B into scratch, and a transposed A behind it. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const gemm_state     *s = step->state;
    const gemm_attrs     *a = call->attrs;
    const pare_tensor    *x = call->in[0], *y = call->out[0];
    const pare_tensor     c = addend(call);
    const pare_gemm_f32_b b = operand(call);
    const float          *packed = s->packed, *rows = x->data;
    float                *room = scratch;

    if (!packed) {
        pare_gemm_f32_pack(s->kernel, &b, room, 0, 1);
        packed = room;
        room += pare_gemm_f32_packed_size(s->kernel, b.n, b.k);
    }
    if (a->transA) {
        turn(x, room);
        rows = room;
    }
    pare_gemm_f32_run(s->kernel,
                      &(pare_gemm_f32_args){ .m = (int)y->shape.dim[0],
                                             .n = b.n,
                                             .k = b.k,
                                             .a = rows,
                                             .a_row = a->transA ? b.k : (ptrdiff_t)x->stride[0],
                                             .init = c.data,
                                             .init_row = (ptrdiff_t)c.stride[0],
                                             .y = y->data,
                                             .y_row = (ptrdiff_t)y->stride[0],
                                             .lo = a->clamp_lo,
                                             .hi = a->clamp_hi },
                      packed, part, parts);
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const gemm_state  *s = step->state;
    const pare_tensor *y = call->out[0];
    long               rows[2];

    if ((operand > 0 && operand < call->n_in) ||
        !pare_gemm_f32_share(s->kernel, (long[2]){ (long)y->shape.dim[0], (long)y->shape.dim[1] }, part, parts, rows))
        return pare_span_all();
    if (operand == 0 && ((const gemm_attrs *)call->attrs)->transA)
        return pare_span_all();
    return pare_span_items(operand == 0 ? call->in[0] : y, 1, rows[0], rows[1]);
}

/* Constant weights and one bias for all rows; step->run stays NULL otherwise. */
static pare_status prepare_bf16(const pare_call *call, const pare_tensor *c, pare_step *step)
{
    const gemm_attrs     *a = call->attrs;
    const pare_tensor    *x = call->in[0], *y = call->out[0];
    const pare_gemm_f32_b b = operand(call);
    const bool            biased = call->n_in > 2 && call->in[2];
    pare_conv_f32_desc d = pare_bf16_rows((const int64_t[]){ y->shape.dim[0], b.k, b.n }, x->stride[0], y->stride[0]);

    if (!call->in[1]->data || a->transA || (biased && (!c->data || c->stride[0] != 0)))
        return PARE_OK;
    d.clamp = true;
    d.lo = a->clamp_lo;
    d.hi = a->clamp_hi;
    d.store = step->store;
    PARE_TRY(pare_bf16_prepare(&d, &(pare_bf16_weights){ b.data, b.n_stride, 0, b.k_stride }, c->data, step));
    if (step->run) {
        step->span = pare_bf16_span_rows;
        step->packed = 1 << 1 | 1 << 2;
    }
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const gemm_attrs  *a = call->attrs;
    const pare_tensor *x = call->in[0], *w = call->in[1], *y = call->out[0];
    const pare_tensor  c = addend(call);

    if (a->alpha != 1 || a->beta != 1 || (!a->transA && x->stride[1] != 1) || y->stride[1] != 1 ||
        pare_shape_count(&y->shape) == 0 ||
        (call->n_in > 2 && call->in[2] && (c.stride[1] != 1 || pare_shape_count(&y->shape) < 2)))
        return PARE_OK; /* the reference runs */
    PARE_TRY(prepare_bf16(call, &c, step));
    if (step->run)
        return PARE_OK;

    const pare_gemm_f32_b       b = operand(call);
    const pare_gemm_f32_kernel *kernel[PARE_MAX_CHOICES];
    const int                   n_kernels = pare_gemm_f32_candidates(step->cpu, kernel, PARE_MAX_CHOICES);
    gemm_state *const           s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "a Gemm");
    s->kernel = kernel[pare_step_choose(step, n_kernels)];
    s->store = step->store;
    const size_t bytes = sizeof(float) * pare_gemm_f32_packed_size(s->kernel, b.n, b.k);

    step->state = s;
    step->release = release;
    step->scratch = (w->data ? 0 : bytes) + (a->transA ? (size_t)pare_tensor_bytes(x) : 0);
    if (w->data) {
        s->packed = pare_store_take(s->store, bytes);
        if (!s->packed)
            return pare_fail_memory(bytes, "packed weights");
        if (!pare_store_is_filled(s->store))
            pare_gemm_f32_pack(s->kernel, &b, s->packed, 0, 1);
        step->packed = 1 << 1;
    }
    step->kernel = s->kernel->name;
    step->run = run;
    step->span = span;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    const gemm_attrs *a = call->attrs;

    return pare_samples_are(call, carries, 1, 0) && !a->transA &&
           (!pare_call_has(call, 2) || call->in[2]->shape.rank < 2 || call->in[2]->shape.dim[0] == 1);
}

static const char *const samples[] = {
    "f32[3,5] f32[5,7] f32[7]",
    "f32[1,20] f32[33,20] f32[33] transB=1 clamp_lo=0",
    "f32[5,3] f32[5,7] f32[3,1] transA=1 alpha=0.5 beta=2",
    "f32[40,18] f32[19,40] f32[19] transA=1 transB=1 clamp_hi=1",
    "f32[18,40] f32[40,19] ?",
    NULL,
};

const pare_op pare_op_gemm = {
    .name = "gemm",
    .onnx = "Gemm",
    .min_in = 2, /* A [M,K], B [K,N], C broadcast to [M,N] */
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_CAN_CLAMP | PARE_LINEAR_OP,
    .attrs = attrs,
    .attrs_size = sizeof(gemm_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
