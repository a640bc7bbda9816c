/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recurrent_f32.c - the products of float recurrent ops: chains of fmaf, k ascending (NUMERICS.md 9)
 *
 * x's part is a chain over x that starts from Wb + Rb, or from Wb in the rows whose two parts are chains of their own.
 * The state's part goes on with that chain, or starts one from Rb.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/recurrent.h"

static float input_start(const pare_recurrent *r, int64_t row)
{
    const float wb = pare_recurrent_wb(r, row);

    return pare_recurrent_splits(r, row) ? wb : wb + pare_recurrent_rb(r, row);
}

static float chain(const pare_tensor *w, int d, int64_t row, const float *a, float sum)
{
    const float *const wr = (const float *)w->data + d * w->stride[0] + row * w->stride[1];

    for (int64_t k = 0; k < w->shape.dim[2]; k++)
        sum = fmaf(a[k], wr[k * w->stride[2]], sum);
    return sum;
}

static void ref_input(const pare_recurrent *r, const float *x, ptrdiff_t x_row, int rows, float *z)
{
    for (int i = 0; i < rows; i++)
        for (int64_t n = 0; n < r->width; n++)
            z[i * r->width + n] = chain(r->call->in[PARE_RNN_W], r->d, n, x + i * x_row, input_start(r, n));
}

static void ref_state(const pare_recurrent *r, int which, const float *a, ptrdiff_t a_row, float *z, bool onto)
{
    int64_t first, count;

    pare_recurrent_span(r, which, &first, &count);
    for (int64_t b = 0; b < r->batch; b++)
        for (int64_t n = 0; n < count; n++) {
            float *const to = &z[b * r->width + n];
            *to = chain(r->call->in[PARE_RNN_R], r->d, first + n, a + b * a_row,
                        onto ? *to : pare_recurrent_rb(r, first + n));
        }
}

const pare_recurrent_products pare_recurrent_f32_ref = { false, ref_input, ref_state };

/* --------------------------------------------------------------------------------------------------------- planned */

typedef struct packed_f32 {
    pare_recurrent_state        head;
    const pare_gemm_f32_kernel *kernel;
    pare_store                 *store; /* where w and r lie; NULL: heap memory               */
    struct {
        float *w, *r[2];      /* r[1]: the second product, of those cells that have one */
        float *input, *state; /* [G*H] biases that chains start from                     */
    } of[2];
} packed_f32;

static void release(void *state)
{
    packed_f32 *const p = state;

    for (int d = 0; d < 2; d++) {
        pare_store_drop(p->store, p->of[d].w);
        pare_store_drop(p->store, p->of[d].r[0]);
        pare_store_drop(p->store, p->of[d].r[1]);
        pare_free_aligned(p->of[d].input);
        pare_free_aligned(p->of[d].state);
    }
    pare_free(p);
}

static void input(const pare_recurrent *r, const float *x, ptrdiff_t x_row, int rows, float *z)
{
    const packed_f32 *const  p = r->packed;
    const pare_gemm_f32_args g = { .m = rows,
                                   .n = (int)r->width,
                                   .k = (int)r->in,
                                   .a = x,
                                   .a_row = x_row,
                                   .init = p->of[r->d].input,
                                   .y = z,
                                   .y_row = (ptrdiff_t)r->width,
                                   .lo = -INFINITY,
                                   .hi = INFINITY };

    pare_gemm_f32_run(p->kernel, &g, p->of[r->d].w, 0, 1);
}

static void state(const pare_recurrent *r, int which, const float *a, ptrdiff_t a_row, float *z, bool onto)
{
    const packed_f32 *const p = r->packed;
    int64_t                 first, count;

    pare_recurrent_span(r, which, &first, &count);
    const pare_gemm_f32_args g = { .m = (int)r->batch,
                                   .n = (int)count,
                                   .k = (int)r->hidden,
                                   .a = a,
                                   .a_row = a_row,
                                   .init = onto ? z : p->of[r->d].state + first,
                                   .init_row = onto ? (ptrdiff_t)r->width : 0,
                                   .y = z,
                                   .y_row = (ptrdiff_t)r->width,
                                   .lo = -INFINITY,
                                   .hi = INFINITY };

    pare_gemm_f32_run(p->kernel, &g, p->of[r->d].r[which], 0, 1);
}

/* Gate rows first .. first + n of direction d of W or R as the right operand. */
static pare_status pack(const packed_f32 *p, const pare_tensor *w, int d, int64_t first, int64_t n, float **out)
{
    const pare_gemm_f32_b b = { .data = (const float *)w->data + d * w->stride[0] + first * w->stride[1],
                                .k_stride = (ptrdiff_t)w->stride[2],
                                .n_stride = (ptrdiff_t)w->stride[1],
                                .k = (int)w->shape.dim[2],
                                .n = (int)n };
    const size_t          bytes = sizeof(float) * pare_gemm_f32_packed_size(p->kernel, b.n, b.k);

    if (n == 0)
        return PARE_OK;
    *out = pare_store_take(p->store, bytes);
    if (!*out)
        return pare_fail_memory(bytes, "packed weights");
    if (!pare_store_is_filled(p->store))
        pare_gemm_f32_pack(p->kernel, &b, *out, 0, 1);
    return PARE_OK;
}

static pare_status fill(const pare_recurrent *r, packed_f32 *p)
{
    const size_t bytes = sizeof(float) * (size_t)r->width;
    const int    d = r->d;

    PARE_TRY(pack(p, r->call->in[PARE_RNN_W], d, 0, r->width, &p->of[d].w));
    for (int which = 0; which < 2; which++) {
        int64_t first, count;

        pare_recurrent_span(r, which, &first, &count);
        PARE_TRY(pack(p, r->call->in[PARE_RNN_R], d, first, count, &p->of[d].r[which]));
    }
    p->of[d].input = pare_malloc_aligned(bytes);
    p->of[d].state = pare_malloc_aligned(bytes);
    if (!p->of[d].input || !p->of[d].state)
        return pare_fail_memory(bytes, "biases");
    for (int64_t n = 0; n < r->width; n++) {
        p->of[d].input[n] = input_start(r, n);
        p->of[d].state[n] = pare_recurrent_rb(r, n);
    }
    return PARE_OK;
}

pare_status pare_recurrent_prepare_f32(const pare_call *call, const pare_recurrent_cell *cell, pare_step *step)
{
    static const pare_recurrent_products planned = { false, input, state };
    pare_recurrent                       r;
    const pare_gemm_f32_kernel          *kernel[PARE_MAX_CHOICES];
    const int                            n_kernels = pare_gemm_f32_candidates(step->cpu, kernel, PARE_MAX_CHOICES);
    packed_f32 *const                    p = pare_calloc(1, sizeof(*p));

    if (!p)
        return pare_fail_memory(sizeof(*p), "a recurrent op");
    step->state = p;
    step->release = release;
    p->head = (pare_recurrent_state){ cell, &planned };
    p->store = step->store;
    p->kernel = kernel[pare_step_choose(step, n_kernels)];
    pare_recurrent_of(call, cell, &planned, &r);
    for (r.d = 0; r.d < r.directions; r.d++)
        PARE_TRY(fill(&r, p));
    step->packed = 1 << PARE_RNN_W | 1 << PARE_RNN_R;
    step->kernel = p->kernel->name;
    step->scratch = pare_recurrent_scratch(&r);
    step->run = pare_recurrent_run;
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------ weights that are no constants */

/* Where the operands of direction d lie in scratch; `base` NULL only counts. Returns the bytes used so far. */
static size_t lay_out_live(const pare_recurrent *r, packed_f32 *p, char *base, size_t used)
{
    const int width = (int)r->width;
    float   **at[] = { &p->of[r->d].w, &p->of[r->d].r[0], &p->of[r->d].r[1], &p->of[r->d].input, &p->of[r->d].state };
    int64_t   first, n[2];

    for (int which = 0; which < 2; which++)
        pare_recurrent_span(r, which, &first, &n[which]);
    const size_t floats[] = { pare_gemm_f32_packed_size(p->kernel, width, (int)r->in),
                              pare_gemm_f32_packed_size(p->kernel, (int)n[0], (int)r->hidden),
                              n[1] ? pare_gemm_f32_packed_size(p->kernel, (int)n[1], (int)r->hidden) : 0, (size_t)width,
                              (size_t)width };

    for (int i = 0; i < 5; i++) {
        *at[i] = base ? (float *)(void *)(base + used) : NULL;
        used += (sizeof(float) * floats[i] + 63) / 64 * 64;
    }
    return used;
}

static void pack_live(const packed_f32 *p, const pare_tensor *w, int d, int64_t first, int64_t n, float *to)
{
    const pare_gemm_f32_b b = { .data = (const float *)w->data + d * w->stride[0] + first * w->stride[1],
                                .k_stride = (ptrdiff_t)w->stride[2],
                                .n_stride = (ptrdiff_t)w->stride[1],
                                .k = (int)w->shape.dim[2],
                                .n = (int)n };

    if (n > 0)
        pare_gemm_f32_pack(p->kernel, &b, to, 0, 1);
}

static void fill_live(const pare_recurrent *r, const packed_f32 *p)
{
    pack_live(p, r->call->in[PARE_RNN_W], r->d, 0, r->width, p->of[r->d].w);
    for (int which = 0; which < 2; which++) {
        int64_t first, n;

        pare_recurrent_span(r, which, &first, &n);
        pack_live(p, r->call->in[PARE_RNN_R], r->d, first, n, p->of[r->d].r[which]);
    }
    for (int64_t n = 0; n < r->width; n++) {
        p->of[r->d].input[n] = input_start(r, n);
        p->of[r->d].state[n] = pare_recurrent_rb(r, n);
    }
}

/* Each part packs the weights for itself and does its items of the batch, which know nothing of each other. */
static void run_live(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    packed_f32           p = *(const packed_f32 *)step->state;
    size_t               used = 0;
    pare_recurrent       all, r;
    pare_recurrent_share s;
    long                 first, last;

    pare_recurrent_of(call, p.head.cell, p.head.products, &all);
    pare_pool_split((long)all.batch, 1, part, parts, &first, &last);
    if (first == last)
        return;
    pare_recurrent_share_of(call, first, last, &s);
    pare_recurrent_of(&s.call, p.head.cell, p.head.products, &r);
    r.block = all.block; /* which the scratch was measured for */
    r.packed = &p;
    r.cpu = step->cpu;
    r.rows = pare_rows_f32_best(step->cpu);
    for (r.d = 0; r.d < r.directions; r.d++) {
        used = lay_out_live(&r, &p, scratch, used);
        fill_live(&r, &p);
    }
    pare_recurrent_walk(&r, (char *)scratch + used);
}

pare_status pare_recurrent_prepare_live(const pare_call *call, const pare_recurrent_cell *cell, pare_step *step)
{
    static const pare_recurrent_products planned = { false, input, state };
    pare_recurrent                       r;
    size_t                               used = 0;
    const pare_gemm_f32_kernel          *kernel[PARE_MAX_CHOICES];
    const int                            n_kernels = pare_gemm_f32_candidates(step->cpu, kernel, PARE_MAX_CHOICES);
    packed_f32 *const                    p = pare_calloc(1, sizeof(*p));

    if (!p)
        return pare_fail_memory(sizeof(*p), "a recurrent op");
    step->state = p;
    step->release = pare_free;
    p->head = (pare_recurrent_state){ cell, &planned };
    p->kernel = kernel[pare_step_choose(step, n_kernels)];
    pare_recurrent_of(call, cell, &planned, &r);
    for (r.d = 0; r.d < r.directions; r.d++)
        used = lay_out_live(&r, p, NULL, used);
    step->kernel = p->kernel->name;
    /* Rows of x that lie side by side may no longer do so in a part of the batch: then they are copied. */
    step->scratch = used + pare_recurrent_scratch(&r) + sizeof(float) * (size_t)(r.block * r.batch * r.in) + 64;
    step->run = run_live;
    return PARE_OK;
}
