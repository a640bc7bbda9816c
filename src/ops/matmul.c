/* SPDX-License-Identifier: Apache-2.0 */
/* matmul.c - batched matrix product with broadcasting (ONNX MatMul) */
#include "ops/matmul.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/attr.h"
#include "ops/bf16.h"
#include "ops/span.h"
#include "ops/samples.h"

pare_status pare_matmul_shape(const pare_shape *a, const pare_shape *b, pare_shape *y)
{
    if (a->rank < 1 || b->rank < 1)
        return pare_fail(PARE_ERR_SHAPE, "a scalar cannot be multiplied as a matrix");
    const int64_t k = a->dim[a->rank - 1], k2 = b->dim[b->rank > 1 ? b->rank - 2 : 0];

    if (k != k2 && k >= 0 && k2 >= 0)
        return pare_fail(PARE_ERR_SHAPE, "the inner dimensions are %lld and %lld", (long long)k, (long long)k2);
    pare_shape ab = *a, bb = *b;

    ab.rank = a->rank > 2 ? a->rank - 2 : 0;
    bb.rank = b->rank > 2 ? b->rank - 2 : 0;
    if (!pare_shape_broadcast(&ab, &bb, y))
        return pare_fail(PARE_ERR_SHAPE, "the batch dimensions cannot be broadcast against each other");
    if (a->rank > 1)
        y->dim[y->rank++] = a->dim[a->rank - 2];
    if (b->rank > 1)
        y->dim[y->rank++] = b->dim[b->rank - 1];
    return PARE_OK;
}

/* A vector as a matrix of one row (front) or one column. */
static pare_tensor as_matrix(const pare_tensor *t, bool front)
{
    pare_tensor m = *t;

    if (t->shape.rank > 1)
        return m;
    m.shape.rank = 2;
    m.shape.dim[front] = t->shape.dim[0];
    m.stride[front] = t->stride[0];
    m.shape.dim[front ? 0 : 1] = 1;
    m.stride[front ? 0 : 1] = 0;
    return m;
}

static pare_tensor with_batch(const pare_tensor *t, const pare_shape *batch)
{
    pare_shape shape = *batch;

    shape.dim[shape.rank++] = t->shape.dim[t->shape.rank - 2];
    shape.dim[shape.rank++] = t->shape.dim[t->shape.rank - 1];
    return pare_tensor_broadcast_to(t, &shape);
}

pare_matmul pare_matmul_of(const pare_tensor *a, const pare_tensor *b, const pare_tensor *y)
{
    const pare_tensor ma = as_matrix(a, true), mb = as_matrix(b, false);
    pare_shape        ab = ma.shape, bb = mb.shape, batch;
    pare_matmul       g = { .y = *y };

    ab.rank -= 2;
    bb.rank -= 2;
    pare_shape_broadcast(&ab, &bb, &batch);
    g.batch = batch.rank;
    g.batches = pare_shape_count(&batch);
    g.a = with_batch(&ma, &batch);
    g.b = with_batch(&mb, &batch);
    g.m = ma.shape.dim[ma.shape.rank - 2];
    g.k = ma.shape.dim[ma.shape.rank - 1];
    g.n = mb.shape.dim[mb.shape.rank - 1];
    g.y.shape = batch;
    /* The missing dimensions of a vector operand come back as dimensions of 1. */
    memset(&g.y.stride[batch.rank], 0, 2 * sizeof(g.y.stride[0]));
    if (a->shape.rank > 1)
        g.y.stride[batch.rank] = y->stride[batch.rank];
    if (b->shape.rank > 1)
        g.y.stride[batch.rank + 1] = y->stride[y->shape.rank - 1];
    g.y.shape.dim[g.y.shape.rank++] = g.m;
    g.y.shape.dim[g.y.shape.rank++] = g.n;
    return g;
}

int64_t pare_matmul_offset(const pare_matmul *g, const pare_tensor *t, int64_t i)
{
    int64_t offset = 0;

    for (int axis = g->batch - 1; axis >= 0; axis--) {
        offset += i % t->shape.dim[axis] * t->stride[axis];
        i /= t->shape.dim[axis];
    }
    return offset;
}

static pare_status infer(const pare_call *call)
{
    for (int i = 0; i < 2; i++)
        if (call->in[i]->dtype != PARE_f32 && call->in[i]->dtype != PARE_s32 && call->in[i]->dtype != PARE_s64)
            return pare_op_bad_dtype(call, i);
    if (call->in[0]->dtype != call->in[1]->dtype)
        return pare_op_bad_dtype(call, 1);
    call->out[0]->dtype = call->in[0]->dtype;
    return pare_matmul_shape(&call->in[0]->shape, &call->in[1]->shape, &call->out[0]->shape);
}

/* Row i times column j, one chain from 0, in the dtype's own arithmetic (integers wrap). */
static void one(pare_dtype dtype, const pare_matmul *g, int64_t a, int64_t b, int64_t y)
{
    const int64_t ak = g->a.stride[g->batch + 1], bk = g->b.stride[g->batch];
    float         sum = 0;
    uint64_t      whole = 0;

    for (int64_t k = 0; k < g->k; k++, a += ak, b += bk)
        if (dtype == PARE_f32)
            sum = fmaf(((const float *)g->a.data)[a], ((const float *)g->b.data)[b], sum);
        else if (dtype == PARE_s32)
            whole += (uint64_t)((const int32_t *)g->a.data)[a] * (uint64_t)((const int32_t *)g->b.data)[b];
        else
            whole += (uint64_t)((const int64_t *)g->a.data)[a] * (uint64_t)((const int64_t *)g->b.data)[b];
    if (dtype == PARE_f32)
        ((float *)g->y.data)[y] = sum;
    else if (dtype == PARE_s32)
        ((int32_t *)g->y.data)[y] = (int32_t)(uint32_t)whole;
    else
        ((int64_t *)g->y.data)[y] = (int64_t)whole;
}

static pare_status forward(const pare_call *call)
{
    const pare_matmul g = pare_matmul_of(call->in[0], call->in[1], call->out[0]);

    for (int64_t p = 0; p < g.batches; p++)
        for (int64_t i = 0; i < g.m; i++)
            for (int64_t j = 0; j < g.n; j++)
                one(call->in[0]->dtype, &g, pare_matmul_offset(&g, &g.a, p) + i * g.a.stride[g.batch],
                    pare_matmul_offset(&g, &g.b, p) + j * g.b.stride[g.batch + 1],
                    pare_matmul_offset(&g, &g.y, p) + i * g.y.stride[g.batch] + j * g.y.stride[g.batch + 1]);
    return PARE_OK;
}

typedef struct matmul_state {
    const pare_gemm_f32_kernel *kernel;
    pare_store                 *store;  /* where `packed` lies; NULL: heap memory                  */
    float                      *packed; /* the one B of all batches, or NULL: packed while running */
} matmul_state;

static void release(void *state)
{
    matmul_state *const s = state;

    pare_store_drop(s->store, s->packed);
    pare_free(s);
}

static pare_gemm_f32_b operand(const pare_matmul *g, int64_t batch)
{
    return (pare_gemm_f32_b){ .data = (const float *)g->b.data + pare_matmul_offset(g, &g->b, batch),
                              .k_stride = (ptrdiff_t)g->b.stride[g->batch],
                              .n_stride = (ptrdiff_t)g->b.stride[g->batch + 1],
                              .k = (int)g->k,
                              .n = (int)g->n };
}

/* Rows [begin, end) of one batch. */
static void run_rows(const matmul_state *s, const pare_matmul *g, const float *packed, int64_t batch, int64_t begin,
                     int64_t end)
{
    const int64_t a = pare_matmul_offset(g, &g->a, batch) + begin * g->a.stride[g->batch];
    const int64_t y = pare_matmul_offset(g, &g->y, batch) + begin * g->y.stride[g->batch];

    pare_gemm_f32_run(s->kernel,
                      &(pare_gemm_f32_args){ .m = (int)(end - begin),
                                             .n = (int)g->n,
                                             .k = (int)g->k,
                                             .a = (const float *)g->a.data + a,
                                             .a_row = (ptrdiff_t)g->a.stride[g->batch],
                                             .y = (float *)g->y.data + y,
                                             .y_row = (ptrdiff_t)g->y.stride[g->batch],
                                             .lo = -INFINITY,
                                             .hi = INFINITY },
                      packed, 0, 1);
}

/* One B for all batches whose rows follow each other in memory is one tall product. */
static bool one_tall(const pare_matmul *g)
{
    for (int i = 0; i < g->batch; i++) {
        int64_t inner = g->m;

        for (int j = i + 1; j < g->batch; j++)
            inner *= g->a.shape.dim[j];
        if (g->a.shape.dim[i] != 1 &&
            (g->a.stride[i] != inner * g->a.stride[g->batch] || g->y.stride[i] != inner * g->y.stride[g->batch]))
            return false;
    }
    return true;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const matmul_state *s = step->state;
    const pare_matmul   g = pare_matmul_of(call->in[0], call->in[1], call->out[0]);

    if (s->packed && one_tall(&g)) {
        pare_gemm_f32_run(s->kernel,
                          &(pare_gemm_f32_args){ .m = (int)(g.m * g.batches),
                                                 .n = (int)g.n,
                                                 .k = (int)g.k,
                                                 .a = g.a.data,
                                                 .a_row = (ptrdiff_t)g.a.stride[g.batch],
                                                 .y = g.y.data,
                                                 .y_row = (ptrdiff_t)g.y.stride[g.batch],
                                                 .lo = -INFINITY,
                                                 .hi = INFINITY },
                          s->packed, part, parts);
        return;
    }
    /* Rows of all batches are shared out; each part packs the B of every batch that it touches for itself. */
    long begin, end;

    pare_pool_split((long)(g.m * g.batches), 1, part, parts, &begin, &end);
    for (int64_t row = begin; row < end;) {
        const int64_t batch = row / g.m, stop = (batch + 1) * g.m < end ? (batch + 1) * g.m : end;
        const float  *packed = s->packed;

        if (!packed) {
            const pare_gemm_f32_b b = operand(&g, batch);

            pare_gemm_f32_pack(s->kernel, &b, scratch, 0, 1);
            packed = scratch;
        }
        run_rows(s, &g, packed, batch, row - batch * g.m, stop - batch * g.m);
        row = stop;
    }
}

/* Rows of all batches are shared out, or columns. */
static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const matmul_state *s = step->state;
    const pare_matmul   g = pare_matmul_of(call->in[0], call->in[1], call->out[0]);
    const long          n_rows = (long)(g.m * g.batches);
    long                rows[2];

    if (s->packed && one_tall(&g)) {
        if (!pare_gemm_f32_share(s->kernel, (long[2]){ n_rows, (long)g.n }, part, parts, rows))
            return pare_span_all();
    } else {
        pare_pool_split(n_rows, 1, part, parts, &rows[0], &rows[1]);
    }
    if (operand == 1)
        return rows[0] == rows[1] ? pare_span_none()
                                  : pare_span_items(&g.b, g.batch, rows[0] / (long)g.m, (rows[1] - 1) / (long)g.m + 1);
    return pare_span_items(operand == 0 ? &g.a : &g.y, g.batch + 1, rows[0], rows[1]);
}

/* A tall matrix times constant weights; step->run stays NULL otherwise. */
static pare_status prepare_bf16(const pare_call *call, const pare_matmul *g, pare_step *step)
{
    const pare_gemm_f32_b b = operand(g, 0);
    pare_conv_f32_desc    d = pare_bf16_rows((const int64_t[]){ g->m * g->batches, g->k, g->n }, g->a.stride[g->batch],
                                             g->y.stride[g->batch]);

    if (!call->in[1]->data || call->in[1]->shape.rank != 2 || call->in[0]->shape.rank < 2 || !one_tall(g))
        return PARE_OK;
    d.store = step->store;
    PARE_TRY(pare_bf16_prepare(&d, &(pare_bf16_weights){ b.data, b.n_stride, 0, b.k_stride }, NULL, step));
    if (step->run) {
        step->span = pare_bf16_span_rows;
        step->packed = 1 << 1;
    }
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_matmul g = pare_matmul_of(call->in[0], call->in[1], call->out[0]);

    if (pare_shape_count(&call->out[0]->shape) == 0 || call->in[0]->dtype != PARE_f32 ||
        (g.a.stride[g.batch + 1] != 1 && g.k > 1) || (g.y.stride[g.batch + 1] != 1 && g.n > 1))
        return PARE_OK; /* the reference runs */
    PARE_TRY(prepare_bf16(call, &g, step));
    if (step->run)
        return PARE_OK;
    const pare_gemm_f32_kernel *kernel[PARE_MAX_CHOICES];
    const int                   n_kernels = pare_gemm_f32_candidates(step->cpu, kernel, PARE_MAX_CHOICES);
    matmul_state *const         s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "a MatMul");
    step->state = s;
    step->release = release;
    s->kernel = kernel[pare_step_choose(step, n_kernels)];
    s->store = step->store;
    const size_t bytes = sizeof(float) * pare_gemm_f32_packed_size(s->kernel, (int)g.n, (int)g.k);

    if (call->in[1]->data && call->in[1]->shape.rank <= 2) {
        const pare_gemm_f32_b b = operand(&g, 0);

        s->packed = pare_store_take(s->store, bytes);
        if (!s->packed)
            return pare_fail_memory(bytes, "packed weights");
        if (!pare_store_is_filled(s->store))
            pare_gemm_f32_pack(s->kernel, &b, s->packed, 0, 1);
        step->packed = 1 << 1;
    } else {
        step->scratch = bytes;
    }
    step->kernel = s->kernel->name;
    step->run = run;
    step->span = span;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    const pare_shape *a = &call->in[0]->shape, *b = &call->in[1]->shape;

    if (carries == 1)
        return a->rank >= 2 && (b->rank <= 2 || b->rank < a->rank || (b->rank == a->rank && b->dim[0] == 1));
    return carries == 3 && a->rank >= 3 && a->rank == b->rank;
}

static const char *const samples[] = {
    "f32[3,5] f32[5,7]",    "f32[5] f32[5,7]",   "f32[3,5] f32[5]",           "f32[2,1,9,5] f32[3,5,7]",
    "f32[2,4,6] f32[6,18]", "s32[3,4] s32[4,2]", "f32[2,17,40] f32[2,40,33]", NULL,
};

const pare_op pare_op_matmul = {
    .name = "matmul",
    .onnx = "MatMul",
    .min_in = 2, /* A [..., M, K], B [..., K, N] */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_LINEAR_OP,
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
