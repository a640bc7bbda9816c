/* SPDX-License-Identifier: Apache-2.0 */
/* attention_plan.c - attention with packed keys and values: a few rows of scores at a time, in the first-level cache */
#include <math.h>

#include "base/pool.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/attention.h"
#include "ops/span.h"

/* Rows of scores at a time: two tiles of the products. */
enum { STRIP = 28 };

/* A part's scratch, in floats. */
typedef struct room {
    size_t k, v, s, row, end; /* packed k, packed v, [STRIP][n] scores, a row of the mask */
} room;

static size_t lines(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static room room_of(const pare_attention *p, const pare_gemm_f32_kernel *kernel)
{
    room r = { 0 };

    r.v = lines(pare_gemm_f32_packed_size(kernel, (int)p->qk.n, (int)p->qk.k));
    r.s = r.v + lines(pare_gemm_f32_packed_size(kernel, (int)p->sv.n, (int)p->sv.k));
    r.row = r.s + lines(STRIP * (size_t)p->qk.n);
    r.end = r.row + lines((size_t)p->qk.n);
    return r;
}

static void pack(const pare_gemm_f32_kernel *kernel, const pare_matmul *g, int64_t batch, float *packed)
{
    const pare_gemm_f32_b b = { .data = (const float *)g->b.data + pare_matmul_offset(g, &g->b, batch),
                                .k_stride = (ptrdiff_t)g->b.stride[g->batch],
                                .n_stride = (ptrdiff_t)g->b.stride[g->batch + 1],
                                .k = (int)g->k,
                                .n = (int)g->n };

    pare_gemm_f32_pack(kernel, &b, packed, 0, 1);
}

/* Rows at[1] .. at[1] + m of one batch. */
static void run_strip(const pare_step *step, const pare_call *call, const pare_attention *p, const int64_t at[2], int m,
                      float *scratch)
{
    const pare_gemm_f32_kernel *kernel = step->state;
    const pare_rows_f32_kernel *rows = pare_rows_f32_best(step->cpu);
    const pare_matmul          *qk = &p->qk, *sv = &p->sv;
    const room                  r = room_of(p, kernel);
    const int                   b = qk->batch;
    pare_gemm_f32_args          g = { .m = m,
                                      .n = (int)qk->n,
                                      .k = (int)qk->k,
                                      .a = (const float *)qk->a.data + pare_matmul_offset(qk, &qk->a, at[0]) +
                                           at[1] * qk->a.stride[b],
                                      .a_row = (ptrdiff_t)qk->a.stride[b],
                                      .y = scratch + r.s,
                                      .y_row = (ptrdiff_t)qk->n,
                                      .lo = -INFINITY,
                                      .hi = INFINITY };

    pare_gemm_f32_run(kernel, &g, scratch + r.k, 0, 1);
    for (int i = 0; i < m; i++)
        pare_attention_finish_row(rows, call, p, (const int64_t[]){ at[0], at[1] + i }, scratch + r.s + i * qk->n,
                                  scratch + r.row);
    g.n = (int)sv->n;
    g.k = (int)sv->k;
    g.a = scratch + r.s;
    g.a_row = (ptrdiff_t)qk->n;
    g.y = (float *)sv->y.data + pare_matmul_offset(sv, &sv->y, at[0]) + at[1] * sv->y.stride[b];
    g.y_row = (ptrdiff_t)sv->y.stride[b];
    pare_gemm_f32_run(kernel, &g, scratch + r.v, 0, 1);
}

/* Rows of all batches are shared out; each part packs k and v of the batches that it touches for itself. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_attention p = pare_attention_of(call);
    const room           r = room_of(&p, step->state);
    long                 begin, end;

    pare_pool_split((long)(p.qk.m * p.qk.batches), 1, part, parts, &begin, &end);
    for (int64_t row = begin; row < end;) {
        const int64_t batch = row / p.qk.m, stop = (batch + 1) * p.qk.m < end ? (batch + 1) * p.qk.m : end;

        pack(step->state, &p.qk, batch, (float *)scratch + r.k);
        pack(step->state, &p.sv, batch, (float *)scratch + r.v);
        for (int64_t next; row < stop; row = next) {
            next = row + STRIP < stop ? row + STRIP : stop;
            run_strip(step, call, &p, (const int64_t[]){ batch, row - batch * p.qk.m }, (int)(next - row), scratch);
        }
    }
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_attention p = pare_attention_of(call);
    const long           m = (long)p.qk.m;
    long                 begin, end;

    (void)step;
    pare_pool_split(m * (long)p.qk.batches, 1, part, parts, &begin, &end);
    if (begin == end)
        return pare_span_none();
    if (operand == PARE_ATTENTION_Q || operand == call->n_in)
        return pare_span_items(operand ? &p.sv.y : &p.qk.a, p.qk.batch + 1, begin, end);
    if (operand == PARE_ATTENTION_MASK)
        return pare_span_all();
    return pare_span_items(operand == PARE_ATTENTION_K ? &p.qk.b : &p.sv.b, p.qk.batch, begin / m, (end - 1) / m + 1);
}

pare_status pare_attention_prepare(const pare_call *call, pare_step *step)
{
    const pare_attention        p = pare_attention_of(call);
    const int                   b = p.qk.batch;
    const pare_gemm_f32_kernel *kernel[1];

    if (pare_shape_count(&call->out[0]->shape) == 0 || p.qk.n == 0 || p.qk.k == 0 ||
        (p.qk.a.stride[b + 1] != 1 && p.qk.k > 1) || (p.sv.y.stride[b + 1] != 1 && p.sv.n > 1))
        return PARE_OK; /* the reference runs */
    pare_gemm_f32_candidates(step->cpu, kernel, 1);
    step->state = (void *)(uintptr_t)kernel[0]; /* static: nothing to release */
    step->kernel = kernel[0]->name;
    step->scratch = sizeof(float) * room_of(&p, kernel[0]).end;
    step->run = run;
    step->span = span;
    return PARE_OK;
}
