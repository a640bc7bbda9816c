/* SPDX-License-Identifier: Apache-2.0 */
/* qlinear_run.c - quantize_linear and dequantize_linear when planned */
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/quantize/quantize.h"
#include "ops/qlinear.h"
#include "ops/span.h"

extern const pare_op pare_op_quantize_linear;

typedef struct state {
    pare_qparams               *q;
    const pare_quantize_kernel *kernel; /* NULL: per channel, or codes of more than a byte */
    pare_quantize_params        p;
} state;

static void release(void *memory)
{
    state *const s = memory;

    pare_free(s->q);
    pare_free(s);
}

/* ------------------------------------------------------------------------------------------- one number at a time */

/* Scales and zero points as tensors that broadcast to the data's shape. */
static void as_tensors(const pare_qparams *q, int rank, pare_tensor *scale, pare_tensor *zero)
{
    static const int32_t none = 0;
    pare_shape           shape = { .rank = rank };

    for (int i = 0; i < rank; i++)
        shape.dim[i] = q->n > 1 && i == q->axis ? q->n : 1;
    *scale = pare_tensor_of(PARE_f32, shape);
    scale->data = (void *)(uintptr_t)q->scale;
    if (!q->zero)
        shape = (pare_shape){ .rank = 0 };
    *zero = pare_tensor_of(PARE_s32, shape);
    zero->data = (void *)(uintptr_t)(q->zero ? q->zero : &none);
}

static void quantize_plain(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const pare_qrange  range = pare_qrange_of(y->dtype, false);
    pare_tensor        scale, zero;
    pare_rows          r;

    (void)scratch;
    as_tensors(((const state *)step->state)->q, y->shape.rank, &scale, &zero);
    pare_rows_begin(&r, 4, (const pare_tensor *const[]){ y, x, &scale, &zero }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            pare_store_int(y->dtype, r.ptr[0], i * r.step[0],
                           pare_quantize_one(((const float *)r.ptr[1])[i * r.step[1]],
                                             ((const float *)r.ptr[2])[i * r.step[2]],
                                             ((const int32_t *)r.ptr[3])[i * r.step[3]], range));
}

static void dequantize_plain(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    pare_tensor        scale, zero;
    pare_rows          r;

    (void)scratch;
    as_tensors(((const state *)step->state)->q, y->shape.rank, &scale, &zero);
    pare_rows_begin(&r, 4, (const pare_tensor *const[]){ y, x, &scale, &zero }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            const int64_t code = pare_load_int(x->dtype, r.ptr[1], i * r.step[1]);

            ((float *)r.ptr[0])[i * r.step[0]] =
                (float)(code - ((const int32_t *)r.ptr[3])[i * r.step[3]]) * ((const float *)r.ptr[2])[i * r.step[2]];
        }
}

/* ------------------------------------------------------------------------------------------------------ by kernels */

/* Rows are handed over in pieces; strided ones pass through buffers of this size on the stack. */
enum { PIECE = 1024 };

static void quantize_rows(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const state *s = step->state;
    float        from[PIECE];
    uint8_t      codes[PIECE];
    pare_rows    r;

    (void)scratch;
    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i += PIECE) {
            const int64_t n = r.n - i < PIECE ? r.n - i : PIECE;
            const float  *x = (const float *)r.ptr[1] + i * r.step[1];
            uint8_t      *y = (uint8_t *)r.ptr[0] + i * r.step[0];

            for (int64_t j = 0; r.step[1] != 1 && j < n; j++)
                from[j] = x[j * r.step[1]];
            s->kernel->quantize(&s->p, r.step[1] == 1 ? x : from, r.step[0] == 1 ? y : codes, (long)n);
            for (int64_t j = 0; r.step[0] != 1 && j < n; j++)
                y[j * r.step[0]] = codes[j];
        }
}

static void dequantize_rows(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const state *s = step->state;
    uint8_t      codes[PIECE];
    float        to[PIECE];
    pare_rows    r;

    (void)scratch;
    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i += PIECE) {
            const int64_t  n = r.n - i < PIECE ? r.n - i : PIECE;
            const uint8_t *x = (const uint8_t *)r.ptr[1] + i * r.step[1];
            float         *y = (float *)r.ptr[0] + i * r.step[0];

            for (int64_t j = 0; r.step[1] != 1 && j < n; j++)
                codes[j] = x[j * r.step[1]];
            s->kernel->dequantize(&s->p, r.step[1] == 1 ? x : codes, r.step[0] == 1 ? y : to, (long)n);
            for (int64_t j = 0; r.step[0] != 1 && j < n; j++)
                y[j * r.step[0]] = to[j];
        }
}

/* Planar floats into channels-last codes: the picture at the entrance of a network. */
static bool is_planar(const pare_tensor *x, const pare_tensor *y)
{
    const int last = x->shape.rank - 1;

    return (last == 2 || last == 3) && x->shape.dim[1] > 1 && x->stride[1] != 1 && x->stride[last] == 1 &&
           y->stride[1] == 1;
}

static int64_t lines_of(const pare_tensor *x)
{
    return x->shape.rank == 4 ? x->shape.dim[2] : 1;
}

/* Lines of pixels of all images. */
static void quantize_planar(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const state                    *s = step->state;
    const pare_tensor              *x = call->in[0], *y = call->out[0];
    const int                       last = x->shape.rank - 1;
    const int64_t                   lines = lines_of(x);
    const pare_quantize_planar_desc d = { .params = s->p,
                                          .plane = (ptrdiff_t)x->stride[1],
                                          .pixel = (ptrdiff_t)y->stride[last],
                                          .channels = (int)x->shape.dim[1] };
    long                            begin, end;

    (void)scratch;
    pare_pool_split((long)(x->shape.dim[0] * lines), 1, part, parts, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const int64_t image = i / lines, line = last == 3 ? i % lines : 0;

        pare_quantize_planar(s->kernel, &d, (const float *)x->data + image * x->stride[0] + line * x->stride[2],
                             (uint8_t *)y->data + image * y->stride[0] + line * y->stride[2], (long)x->shape.dim[last]);
    }
}

static pare_span span_planar(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_tensor *x = call->in[0];
    const long         width = (long)x->shape.dim[x->shape.rank - 1];
    long               begin, end;

    (void)step;
    pare_pool_split((long)(x->shape.dim[0] * lines_of(x)), 1, part, parts, &begin, &end);
    return operand == call->n_in ? pare_span_pixels(call->out[0], begin * width, end * width) : pare_span_all();
}

/* --------------------------------------------------------------------------------------------------------- choice */

static bool are_constant(const pare_call *call, const pare_tensor *codes)
{
    const pare_qlinear_attrs *a = call->attrs;
    const pare_tensor        *zero = call->n_in > 2 ? call->in[2] : NULL;

    return call->in[1]->data && (!zero || zero->data) && a->block_size == 0 && pare_dtype_bits(codes->dtype) >= 8;
}

pare_status pare_qlinear_prepare(const pare_call *call, pare_step *step)
{
    const bool         quantize = call->op == &pare_op_quantize_linear;
    const pare_tensor *codes = quantize ? call->out[0] : call->in[0];

    if (!are_constant(call, codes))
        return PARE_OK;
    state *const s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "scales");
    step->state = s;
    step->release = release;
    PARE_TRY(pare_qlinear_params(call->in[1], call->n_in > 2 ? call->in[2] : NULL, call->attrs, &codes->shape, &s->q));
    step->kernel = "c";
    step->run = quantize ? quantize_plain : dequantize_plain;
    if (s->q->n > 1 || (codes->dtype != PARE_u8 && codes->dtype != PARE_s8))
        return PARE_OK;

    const pare_qrange range = pare_qrange_of(codes->dtype, false);

    s->p = (pare_quantize_params){ s->q->scale[0], s->q->zero ? s->q->zero[0] : 0, range.lo, range.hi };
    pare_quantize_candidates(step->cpu, &s->kernel, 1);
    step->kernel = s->kernel->name;
    step->run = quantize ? quantize_rows : dequantize_rows;
    step->span = pare_span_map;
    if (quantize && is_planar(call->in[0], codes)) {
        step->run = quantize_planar;
        step->span = span_planar;
    }
    return PARE_OK;
}
