/* SPDX-License-Identifier: Apache-2.0 */
/* recurrent_grad.c - what the ways back of both cells share: rows and states, products with the weights, memory */
#include "ops/recurrent_grad.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"

extern const pare_op pare_op_lstm_grad;

typedef struct grad_attrs {
    int64_t reverse;
} grad_attrs;
_Static_assert(sizeof(grad_attrs) == PARE_BACK_ATTRS_SIZE, "the header says so");

const pare_attr pare_back_attrs[] = {
    PARE_ATTR_ROW_INT(grad_attrs, reverse, 0),
    PARE_ATTR_END,
};

/* ------------------------------------------------------------------------------------------------- rows and states */

const pare_tensor *pare_back_input(const pare_back *j, int input)
{
    return pare_call_has(j->call, input) ? j->call->in[input] : NULL;
}

static const pare_tensor *output(const pare_back *j, int i)
{
    return i < j->call->n_out ? j->call->out[i] : NULL;
}

int64_t pare_back_step(const pare_back *j, int64_t s)
{
    return j->reverse ? j->steps - 1 - s : s;
}

bool pare_back_active(const pare_back *j, int64_t item, int64_t t)
{
    const pare_tensor *const lens = pare_back_input(j, j->cell->lens);

    return !lens || t < ((const int32_t *)lens->data)[(j->first + item) * lens->stride[0]];
}

static const float *row_at(const pare_back *j, const pare_tensor *t, int64_t step, int64_t item)
{
    return (const float *)t->data + step * t->stride[0] + (j->first + item) * t->stride[1];
}

void pare_back_get(const pare_back *j, const pare_tensor *t, int64_t step, int64_t item, float *to)
{
    const float *const from = row_at(j, t, step, item);

    for (int64_t i = 0; i < t->shape.dim[2]; i++)
        to[i] = from[i * t->stride[2]];
}

void pare_back_add_dy(const pare_back *j, int64_t t, int64_t item)
{
    const pare_tensor *const dy = pare_back_input(j, j->cell->dy);
    float *const             dh = j->dh + item * j->hidden;

    for (int64_t i = 0; i < j->hidden && dy; i++)
        dh[i] = dh[i] + row_at(j, dy, t, item)[i * dy->stride[2]];
}

void pare_back_load(const pare_back *j, int input, float *to)
{
    const pare_tensor *const s = pare_back_input(j, input);

    for (int64_t b = 0; b < j->n; b++)
        for (int64_t i = 0; i < j->hidden; i++)
            *to++ = s ? ((const float *)s->data)[(j->first + b) * s->stride[0] + i * s->stride[1]] : 0;
}

void pare_back_store(const pare_back *j, int out, const float *from)
{
    const pare_tensor *const s = output(j, out);

    for (int64_t b = 0; b < j->n && s; b++)
        for (int64_t i = 0; i < j->hidden; i++)
            ((float *)s->data)[(j->first + b) * s->stride[0] + i * s->stride[1]] = *from++;
}

void pare_back_store_step(const pare_back *j, int out, int64_t t, const float *from)
{
    const pare_tensor *const s = output(j, out);

    for (int64_t b = 0; b < j->n && s; b++)
        for (int64_t i = 0; i < j->width; i++)
            ((float *)s->data)[t * s->stride[0] + (j->first + b) * s->stride[1] + i * s->stride[2]] = *from++;
}

/* -------------------------------------------------------------------------------------------------------- arithmetic */

void pare_back_apply(const pare_back *j, pare_unary_f32 f, int64_t n, float *x)
{
    if (j->kernel)
        pare_unary_f32_row(f, j->cpu)((long)n, x, x, NULL);
    else
        pare_unary_f32_ref(f, (long)n, x, x, NULL);
}

static pare_gemm_f32_b weights(const pare_back *j)
{
    const pare_tensor *const r = j->call->in[j->cell->r];

    return (pare_gemm_f32_b){ .data = r->data,
                              .k_stride = (ptrdiff_t)r->stride[0],
                              .n_stride = (ptrdiff_t)r->stride[1],
                              .k = (int)j->width,
                              .n = (int)j->hidden };
}

void pare_back_through(const pare_back *j, const float *dz)
{
    const pare_gemm_f32_b    b = weights(j);
    const pare_gemm_f32_args g = { .m = (int)j->n,
                                   .n = b.n,
                                   .k = b.k,
                                   .a = dz,
                                   .a_row = (ptrdiff_t)j->width,
                                   .y = j->product,
                                   .y_row = (ptrdiff_t)j->hidden,
                                   .lo = -INFINITY,
                                   .hi = INFINITY };

    if (j->kernel)
        pare_gemm_f32_run(j->kernel, &g, j->packed, 0, 1);
    else
        pare_gemm_f32_ref(&g, &b);
}

/* ------------------------------------------------------------------------------------------------------------ calls */

static const pare_back_cell *cell_of(const pare_call *call)
{
    return call->op == &pare_op_lstm_grad ? &pare_lstm_back : &pare_gru_back;
}

static pare_status fits(const pare_call *call, int input, pare_dtype dtype, int rank, const int64_t *dims)
{
    const pare_shape want = pare_shape_of(rank, dims);

    if (!pare_call_has(call, input))
        return PARE_OK;
    if (call->in[input]->dtype != dtype)
        return pare_op_bad_dtype(call, input);
    return pare_shape_equal(&call->in[input]->shape, &want)
               ? PARE_OK
               : pare_fail(PARE_ERR_SHAPE, "input %d does not have the shape that the sums and weights ask for", input);
}

pare_status pare_back_infer(const pare_call *call)
{
    const pare_back_cell *const cell = cell_of(call);
    const pare_shape *const z = &call->in[cell->z]->shape, *const r = &call->in[cell->r]->shape;

    PARE_TRY(pare_call_plain(call, cell->z, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, cell->r, PARE_D(f32)));
    if (z->rank != 3 || r->rank != 2 || z->dim[2] != cell->gates * r->dim[1] || r->dim[0] != z->dim[2] ||
        z->dim[2] < 1 || z->dim[2] > INT32_MAX / 64)
        return pare_fail(PARE_ERR_SHAPE, "sums [T,B,%dH] and weights [%dH,H] are needed", cell->gates, cell->gates);
    const int64_t    step[3] = { z->dim[0], z->dim[1], r->dim[1] };
    const pare_shape state = pare_shape_of(2, step + 1);

    for (int i = cell->z + 1; i < cell->r; i++) /* gru: zs, h */
        PARE_TRY(fits(call, i, PARE_f32, 3, i == cell->r - 1 ? step : z->dim));
    PARE_TRY(fits(call, cell->dy, PARE_f32, 3, step));
    for (int i = cell->dy + 1; i < cell->lens; i++)
        PARE_TRY(fits(call, i, PARE_f32, 2, step + 1));
    PARE_TRY(fits(call, cell->lens, PARE_s32, 1, &z->dim[1]));
    pare_call_out(call, 0, PARE_f32, z);
    pare_call_out(call, 1, PARE_f32, cell->keeps_c ? &state : z);
    pare_call_out(call, 2, PARE_f32, &state);
    return PARE_OK;
}

static float *take(char *base, size_t *used, int64_t floats)
{
    float *const at = base ? (float *)(void *)(base + *used) : NULL;

    *used += (sizeof(float) * (size_t)floats + 63) / 64 * 64;
    return at;
}

/* Sets the memory for n items; base NULL only counts its bytes. */
static size_t lay_out(pare_back *j, char *base)
{
    const int64_t h = j->hidden;
    size_t        used = 0;

    j->packed = take(base, &used, j->kernel ? (int64_t)pare_gemm_f32_packed_size(j->kernel, (int)h, (int)j->width) : 0);
    j->c = take(base, &used, j->cell->keeps_c ? (j->steps + 1) * j->n * h : 0);
    j->dh = take(base, &used, j->n * h);
    j->dc = take(base, &used, j->n * h);
    j->product = take(base, &used, j->n * h);
    j->dz = take(base, &used, j->n * j->width);
    j->other = take(base, &used, j->n * j->width);
    j->row = take(base, &used, 2 * j->width);
    return used;
}

static pare_back whole(const pare_call *call, const pare_gemm_f32_kernel *kernel)
{
    const pare_back_cell *const cell = cell_of(call);
    const pare_shape *const     z = &call->in[cell->z]->shape;

    return (pare_back){ .call = call,
                        .cell = cell,
                        .kernel = kernel,
                        .reverse = ((const grad_attrs *)call->attrs)->reverse != 0,
                        .steps = z->dim[0],
                        .n = z->dim[1],
                        .hidden = call->in[cell->r]->shape.dim[1],
                        .width = z->dim[2] };
}

pare_status pare_back_forward(const pare_call *call)
{
    pare_back    j = whole(call, NULL);
    const size_t bytes = lay_out(&j, NULL);
    char *const  base = pare_malloc_aligned(bytes + 64);

    if (!base)
        return pare_fail_memory(bytes, "recurrent states");
    lay_out(&j, base);
    j.cell->run(&j);
    pare_free_aligned(base);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    pare_back j = whole(call, step->state);
    long      begin, end;

    pare_pool_split((long)j.n, 1, part, parts, &begin, &end);
    if (begin == end)
        return;
    j.cpu = step->cpu;
    j.first = begin;
    j.n = end - begin;
    lay_out(&j, scratch);
    const pare_gemm_f32_b b = weights(&j);

    pare_gemm_f32_pack(j.kernel, &b, scratch, 0, 1); /* what lay_out puts first */
    j.cell->run(&j);
}

pare_status pare_back_prepare(const pare_call *call, pare_step *step)
{
    const pare_gemm_f32_kernel *kernel;

    if (pare_gemm_f32_candidates(step->cpu, &kernel, 1) < 1)
        return PARE_OK;
    pare_back j = whole(call, kernel);

    step->state = (void *)(uintptr_t)kernel; /* a constant of the family: nothing to release */
    step->kernel = kernel->name;
    step->scratch = lay_out(&j, NULL);
    step->run = run;
    return PARE_OK;
}
