/* SPDX-License-Identifier: Apache-2.0 */
/* qbinary.c - sum and product of quantized tensors with broadcasting: add and mul after lowering (NUMERICS.md 6) */
#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "kernels/qadd/qadd.h"
#include "kernels/qmul/qmul.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/qconv.h"
#include "ops/qgated.h"
#include "ops/qtensor.h"
#include "ops/span.h"

extern const pare_op pare_op_qadd, pare_op_qmul;

/* The clamp is of the real result; it becomes bounds of the codes. */
static const pare_attr attrs[] = {
    PARE_ATTR_ROWS_CLAMP(pare_binary_attrs),
    PARE_ATTR_END,
};

/* Everything but the codes. */
typedef struct params {
    float ra, rb, k; /* add: q = fmaf(a, ra, fmaf(b, rb, k)) */
    float m;         /* mul: q = (a - za) * (b - zb) * m + zy */
    int   za, zb, zy, lo, hi;
    bool  swap; /* a and b change places: ra, za belong to in[1] */
} params;

/* Whether a is one number along the innermost axis of the result that is longer than 1 (ONNX Runtime's rule). */
static bool scalar_a(const pare_call *call)
{
    const pare_shape *a = &call->in[0]->shape, *y = &call->out[0]->shape;

    for (int i = 1; i <= y->rank; i++)
        if (y->dim[y->rank - i] != 1)
            return i > a->rank || a->dim[a->rank - i] == 1;
    return false;
}

static params params_of(const pare_call *call)
{
    const pare_binary_attrs *c = call->attrs;
    const bool               swap = call->op == &pare_op_qadd && scalar_a(call);
    const pare_tensor       *a = call->in[swap], *b = call->in[!swap], *y = call->out[0];
    const float              sa = pare_q_scale(a), sb = pare_q_scale(b), sy = pare_q_scale(y);
    params                   p = { .ra = sa / sy, .rb = sb / sy, .m = (sa * sb) / sy, .swap = swap };

    p.za = pare_q_zero(a);
    p.zb = pare_q_zero(b);
    p.zy = pare_q_zero(y);
    p.k = (float)p.zy - fmaf(p.ra, (float)p.za, p.rb * (float)p.zb);
    pare_q_bounds(y->q, c->clamp_lo, c->clamp_hi, &p.lo, &p.hi);
    return p;
}

static pare_status infer(const pare_call *call)
{
    pare_shape shape;

    PARE_TRY(pare_q_input_u8(call, 0));
    PARE_TRY(pare_q_input_u8(call, 1));
    PARE_TRY(pare_call_broadcast(call, 0, 2, &shape));
    PARE_TRY(pare_q_output_u8(call, &shape));
    const params p = params_of(call);

    return pare_q_check_range(call->op == &pare_op_qadd ? 255 * p.ra + 255 * p.rb + fabsf(p.k) : 255 * 255 * p.m + 255);
}

static uint8_t sum(const params *p, int a, int b)
{
    return (uint8_t)pare_qround(fmaf((float)a, p->ra, fmaf((float)b, p->rb, p->k)), 0, p->lo, p->hi);
}

static uint8_t product(const params *p, int a, int b)
{
    return (uint8_t)pare_qround((float)((a - p->za) * (b - p->zb)) * p->m + (float)p->zy, 0, p->lo, p->hi);
}

static void do_part(const pare_call *call, int part, int parts)
{
    const bool   add = call->op == &pare_op_qadd;
    const params p = params_of(call);
    pare_rows    r;

    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ call->out[0], call->in[p.swap], call->in[!p.swap] }, part,
                    parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            const int a = ((const uint8_t *)r.ptr[1])[i * r.step[1]], b = ((const uint8_t *)r.ptr[2])[i * r.step[2]];

            ((uint8_t *)r.ptr[0])[i * r.step[0]] = add ? sum(&p, a, b) : product(&p, a, b);
        }
}

static pare_status forward(const pare_call *call)
{
    do_part(call, 0, 1);
    return PARE_OK;
}

static void run_plain(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step, (void)scratch;
    do_part(call, part, parts);
}

typedef struct state {
    bool             swap;
    pare_qadd_params add;
    pare_qadd_row   *add_row;
    pare_qmul_params mul;
    pare_qmul_row   *mul_row;
} state;

/* Rows are handed over in pieces; strided ones pass through buffers of this size on the stack. */
enum { PIECE = 1024 };

static void pull(uint8_t *to, const uint8_t *from, int64_t step, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = from[i * step];
}

/* n <= PIECE codes from index i of the row on. */
static void run_piece(const state *s, const pare_rows *r, int64_t i, int64_t n)
{
    const uint8_t *a = (const uint8_t *)r->ptr[1] + i * r->step[1], *b = (const uint8_t *)r->ptr[2] + i * r->step[2];
    uint8_t *const to = (uint8_t *)r->ptr[0] + i * r->step[0];
    uint8_t        a_piece[PIECE], b_piece[PIECE], y_piece[PIECE];
    uint8_t *const y = r->step[0] == 1 ? to : y_piece;

    if (r->step[1] != 1) {
        pull(a_piece, a, r->step[1], n);
        a = a_piece;
    }
    if (r->step[2] != 1 && r->step[2] != 0) {
        pull(b_piece, b, r->step[2], n);
        b = b_piece;
    }
    if (s->add_row)
        s->add_row(&s->add, a, b, r->step[2] != 0, y, (long)n);
    else
        s->mul_row(&s->mul, a, b, r->step[2] != 0, y, (long)n);
    for (int64_t j = 0; y != to && j < n; j++)
        to[j * r->step[0]] = y[j];
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const state *s = step->state;
    pare_rows    r;

    (void)scratch;
    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ call->out[0], call->in[s->swap], call->in[!s->swap] }, part,
                    parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i += PIECE)
            run_piece(s, &r, i, r.n - i < PIECE ? r.n - i : PIECE);
}

static pare_status choose_add(const pare_call *call, const params *p, state *s, pare_step *step)
{
    const pare_tensor      *a = call->in[p->swap], *b = call->in[!p->swap];
    const pare_qadd_kernel *kernel;

    pare_qadd_candidates(step->cpu, &kernel, 1);
    step->kernel = kernel->name;
    s->add_row = kernel->row;
    return pare_qadd_init(&(pare_qadd_desc){ .sa = pare_q_scale(a),
                                             .sb = pare_q_scale(b),
                                             .sy = pare_q_scale(call->out[0]),
                                             .za = p->za,
                                             .zb = p->zb,
                                             .zy = p->zy,
                                             .lo = p->lo,
                                             .hi = p->hi },
                          &s->add);
}

static pare_status choose_mul(const pare_call *call, const params *p, state *s, pare_step *step)
{
    const pare_qmul_kernel *kernel;

    pare_qmul_candidates(step->cpu, &kernel, 1);
    step->kernel = kernel->name;
    s->mul_row = kernel->row;
    return pare_qmul_init(&(pare_qmul_desc){ .sa = pare_q_scale(call->in[0]),
                                             .sb = pare_q_scale(call->in[1]),
                                             .sy = pare_q_scale(call->out[0]),
                                             .za = p->za,
                                             .zb = p->zb,
                                             .zy = p->zy,
                                             .lo = p->lo,
                                             .hi = p->hi },
                          &s->mul);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const params p = params_of(call);

    if (p.hi == 0) { /* for the kernels an upper bound of 0 means none */
        step->kernel = "c";
        step->run = run_plain;
        step->span = pare_span_elementwise;
        return PARE_OK;
    }
    if (call->op == &pare_op_qmul && pare_qgated_fits(call))
        return pare_qgated_prepare(call, p.lo, p.hi, step);
    state *const s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "a sum or product");
    s->swap = p.swap;
    step->state = s;
    step->release = pare_free;
    step->run = run;
    step->span = pare_span_elementwise;
    return call->op == &pare_op_qadd ? choose_add(call, &p, s, step) : choose_mul(call, &p, s, step);
}

#define ROW(name_)                                                                                \
    const pare_op pare_op_##name_ = { .name = #name_,                                             \
                                      .min_in = 2,                                                \
                                      .max_in = 2,                                                \
                                      .min_out = 1,                                               \
                                      .max_out = 1,                                               \
                                      .traits = PARE_INTEGER | PARE_CAN_CLAMP | PARE_ELEMENTWISE, \
                                      .attrs = attrs,                                             \
                                      .attrs_size = sizeof(pare_binary_attrs),                    \
                                      .infer = infer,                                             \
                                      .forward = forward,                                         \
                                      .prepare = prepare };
ROW(qadd)
ROW(qmul)
