/* SPDX-License-Identifier: Apache-2.0 */
/*
 * norm_rows.c - a residual sum, its layer norm and the norm's dynamic quantization, row by row (fuse_rows)
 *
 * Each row is read once and stays in the first-level cache; the bits are those of add, layer_normalization and
 * quantize_rows. Every output but one may be left out.
 */
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/quantize/quantize.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/span.h"
#include "ops/samples.h"

enum { X, SCALE, BIAS, RESIDUAL };
enum { CODES, SCALES, NORM, SUM };

typedef struct norm_attrs {
    float epsilon;
} norm_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_FLOAT(norm_attrs, epsilon, 1e-5f),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_shape *x = &call->in[X]->shape;
    const int         rows = x->rank - 1;

    for (int i = 0; i < call->n_in; i++)
        if (call->in[i])
            PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (rows < 0)
        return pare_fail(PARE_ERR_SHAPE, "a scalar has no rows");
    for (int i = SCALE; i <= BIAS; i++)
        if (pare_call_has(call, i) && (call->in[i]->shape.rank != 1 || call->in[i]->shape.dim[0] != x->dim[rows]))
            return pare_fail(PARE_ERR_SHAPE, "input %d is not a number for each of %lld columns", i,
                             (long long)x->dim[rows]);
    if (pare_call_has(call, RESIDUAL) && !pare_shape_equal(&call->in[RESIDUAL]->shape, x))
        return pare_fail(PARE_ERR_SHAPE, "the operands of the sum have different shapes");
    const pare_shape lead = pare_shape_of(rows, x->dim);

    if (call->out[CODES]) { /* whose qparams say that it is stored as q + 128 */
        call->out[CODES]->dtype = PARE_u8;
        call->out[CODES]->shape = *x;
    }
    pare_call_out(call, SCALES, PARE_f32, &lead);
    pare_call_out(call, NORM, PARE_f32, x);
    pare_call_out(call, SUM, PARE_f32, x);
    return PARE_OK;
}

static const pare_tensor *output(const pare_call *call, int i)
{
    return i < call->n_out ? call->out[i] : NULL;
}

/* Offsets of a row in the tensors that have rows; those that are left out follow x's. */
typedef struct walk {
    const pare_tensor *t[6]; /* x, residual, codes, scales, norm, sum; NULL: not there */
    pare_walk          w[2]; /* three each                                              */
} walk;

static void begin_walk(const pare_call *call, walk *w, long first)
{
    const int rows = call->in[X]->shape.rank - 1;

    *w = (walk){ .t = { call->in[X], pare_call_has(call, RESIDUAL) ? call->in[RESIDUAL] : NULL, output(call, CODES),
                        output(call, SCALES), output(call, NORM), output(call, SUM) } };
    for (int i = 0; i < 6; i++) {
        if (i % 3 == 0)
            pare_walk_begin(&w->w[i / 3], rows, call->in[X]->shape.dim);
        pare_walk_follow(&w->w[i / 3], i % 3, w->t[i] ? w->t[i]->stride : call->in[X]->stride);
    }
    for (int i = 0; i < 2; i++)
        pare_walk_seek(&w->w[i], first);
}

/* Row of tensor number i, or NULL. */
static float *row_of(const walk *w, int i)
{
    return w->t[i] ? (float *)w->t[i]->data + w->w[i / 3].offset[i % 3] : NULL;
}

/* One row, its floats side by side. Outputs that nobody wants go to `room`, two rows. */
static void do_row(const pare_call *call, const pare_rows_f32_kernel *rows, const pare_quantize_kernel *quantize,
                   const walk *w, float *room)
{
    const long   n = (long)call->in[X]->shape.dim[call->in[X]->shape.rank - 1];
    const float *x = row_of(w, 0), *residual = row_of(w, 1);
    float       *norm = row_of(w, 4), *sum = row_of(w, 5);

    norm = norm ? norm : room;
    sum = sum ? sum : room + n;
    if (residual)
        rows->binary[PARE_BINARY_F32_add](n, x, residual, sum, PARE_ROW_BOTH);
    rows->layer_norm(n, residual ? sum : x, call->in[SCALE]->data,
                     pare_call_has(call, BIAS) ? call->in[BIAS]->data : NULL,
                     ((const norm_attrs *)call->attrs)->epsilon, norm);
    if (w->t[2])
        *row_of(w, 3) = pare_quantize_dynamic(quantize, norm, (uint8_t *)w->t[2]->data + w->w[0].offset[2], n);
}

static void do_part(const pare_call *call, const pare_rows_f32_kernel *rows, unsigned cpu, float *room, long begin,
                    long end)
{
    const pare_quantize_kernel *quantize;
    walk                        w;

    pare_quantize_candidates(cpu, &quantize, 1);
    begin_walk(call, &w, begin);
    for (long i = begin; i < end; i++, pare_walk_next(&w.w[0]), pare_walk_next(&w.w[1]))
        do_row(call, rows, quantize, &w, room);
}

static long n_rows(const pare_call *call)
{
    long n = 1;

    for (int i = 0; i < call->in[X]->shape.rank - 1; i++)
        n *= (long)call->in[X]->shape.dim[i];
    return call->in[X]->shape.dim[call->in[X]->shape.rank - 1] > 0 ? n : 0;
}

static size_t room_bytes(const pare_call *call)
{
    return 2 * sizeof(float) * (size_t)call->in[X]->shape.dim[call->in[X]->shape.rank - 1];
}

/* Whether what do_row takes as rows is one in memory. */
static bool has_rows(const pare_call *call)
{
    const int last = call->in[X]->shape.rank - 1;

    for (int i = 0; i < call->n_in; i++)
        if (pare_call_has(call, i) && call->in[i]->stride[i == SCALE || i == BIAS ? 0 : last] != 1)
            return false;
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i] && i != SCALES && call->out[i]->stride[last] != 1)
            return false;
    return true;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    long begin, end;

    pare_pool_split(n_rows(call), 1, part, parts, &begin, &end);
    do_part(call, pare_rows_f32_best(step->cpu), step->cpu, scratch, begin, end);
}

static pare_span span(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    long begin, end;

    (void)step;
    if (operand == SCALE || (operand == BIAS && operand < call->n_in))
        return pare_span_all();
    pare_pool_split(n_rows(call), 1, part, parts, &begin, &end);
    return pare_span_items(operand < call->n_in ? call->in[operand] : call->out[operand - call->n_in],
                           call->in[X]->shape.rank - 1, begin, end);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (!has_rows(call))
        return PARE_OK; /* the reference runs */
    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->scratch = room_bytes(call);
    step->run = run;
    step->span = span;
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------- definition */

/* The call on dense copies: any strides. */
typedef struct copies {
    pare_tensor        in[4], out[4];
    const pare_tensor *pin[4];
    pare_tensor       *pout[4];
} copies;

static pare_status copy_in(const pare_call *call, copies *c)
{
    for (int i = 0; i < call->n_in; i++)
        if (call->in[i]) {
            c->in[i] = pare_tensor_of(call->in[i]->dtype, call->in[i]->shape);
            PARE_TRY(pare_tensor_alloc(&c->in[i]));
            pare_tensor_copy(&c->in[i], call->in[i]);
            c->pin[i] = &c->in[i];
        }
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i]) {
            c->out[i] = pare_tensor_of(call->out[i]->dtype, call->out[i]->shape);
            PARE_TRY(pare_tensor_alloc(&c->out[i]));
            c->pout[i] = &c->out[i];
        }
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    copies       c = { 0 };
    pare_call    dense = { call->op, call->attrs, call->n_in, call->n_out, c.pin, c.pout };
    pare_status  status = copy_in(call, &c);
    float *const room = status == PARE_OK ? pare_malloc_aligned(room_bytes(call) + 64) : NULL;

    if (room) {
        do_part(&dense, &pare_rows_f32_ref, 0, room, 0, n_rows(call));
        for (int i = 0; i < call->n_out; i++)
            if (call->out[i])
                pare_tensor_copy(call->out[i], &c.out[i]);
    } else if (status == PARE_OK) {
        status = pare_fail_memory(room_bytes(call), "rows");
    }
    pare_free_aligned(room);
    for (int i = 0; i < 4; i++) {
        pare_tensor_release(&c.in[i]);
        pare_tensor_release(&c.out[i]);
    }
    return status;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    return pare_samples_are(call, carries, 1 << X, 1 << RESIDUAL) && call->in[X]->shape.rank >= 2;
}

static const char *const samples[] = {
    "f32[2,5,37] f32[37] f32[37] f32[2,5,37] -> 4",
    "f32[3,70] f32[70] ? f32[3,70] epsilon=0.01 -> 3",
    "f32[4,2,16] f32[16] f32[16] -> 2",
    "f32[1,1] f32[1] f32[1] f32[1,1] -> 4",
    NULL,
};

const pare_op pare_op_norm_rows = {
    .name = "norm_rows",
    .min_in = 2, /* x, scale [n], bias [n], what is added to x        */
    .max_in = 4,
    .min_out = 1, /* codes u8 (q + 128) and their scales, norm, sum */
    .max_out = 4,
    .traits = PARE_INTEGER,
    .attrs = attrs,
    .attrs_size = sizeof(norm_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
