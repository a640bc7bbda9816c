/* SPDX-License-Identifier: Apache-2.0 */
/* matmul_integer.c - ONNX's own integer matrix products: MatMulInteger, QLinearMatMul */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/integer_in.h"
#include "ops/matmul.h"
#include "ops/parts.h"

extern const pare_op pare_op_matmul_integer, pare_op_qlinear_matmul;

static const pare_integer_in matmul_integer_in = { .b = 1, .a_zero = 2, .b_zero = 3 };
static const pare_integer_in qlinear_matmul_in = {
    .a_scale = 1, .a_zero = 2, .b = 3, .b_scale = 4, .b_zero = 5, .y_scale = 6, .y_zero = 7
};

static const pare_integer_in *inputs_of(const pare_call *call)
{
    return call->op == &pare_op_qlinear_matmul ? &qlinear_matmul_in : &matmul_integer_in;
}

static pare_status infer(const pare_call *call)
{
    const pare_integer_in *at = inputs_of(call);
    const pare_shape      *a = &call->in[0]->shape, *b = &call->in[at->b]->shape;

    PARE_TRY(pare_matmul_shape(a, b, &call->out[0]->shape));
    return pare_integer_check(call, at, a->rank > 1 ? a->dim[a->rank - 2] : 1, b->rank > 1 ? b->dim[b->rank - 1] : 1);
}

/* Rows of all batches that share `part` computes. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_integer_in *at = inputs_of(call);
    const pare_tensor     *a = call->in[0], *b = call->in[at->b];
    const pare_matmul      g = pare_matmul_of(a, b, call->out[0]);
    long                   begin, end;

    pare_pool_split((long)(g.batches * g.m), 1, part, parts, &begin, &end);
    for (int64_t row = begin; row < end; row++) {
        const int64_t batch = row / g.m, i = row % g.m, za = pare_integer_zero(call, at->a_zero, i);
        const int64_t ai = pare_matmul_offset(&g, &g.a, batch) + i * g.a.stride[g.batch];
        const int64_t yi = pare_matmul_offset(&g, &g.y, batch) + i * g.y.stride[g.batch];

        for (int64_t j = 0; j < g.n; j++) {
            const int64_t zb = pare_integer_zero(call, at->b_zero, j);
            const int64_t bj = pare_matmul_offset(&g, &g.b, batch) + j * g.b.stride[g.batch + 1];
            int64_t       sum = 0;

            for (int64_t k = 0; k < g.k; k++)
                sum += (pare_load_int(a->dtype, a->data, ai + k * g.a.stride[g.batch + 1]) - za) *
                       (pare_load_int(b->dtype, b->data, bj + k * g.b.stride[g.batch]) - zb);
            pare_integer_store(call, at, i, j, sum, yi + j * g.y.stride[g.batch + 1]);
        }
    }
}

PARE_IN_PARTS(do_part)

static const char *const integer_samples[] = {
    "u8[3,5] s8[5,4] u8:113",
    "s8[2,3,5] u8[5,4] s8{0,1,-3} u8{128,0,255,7}",
    "u8[7] u8[7]",
    NULL,
};

static const char *const qlinear_samples[] = {
    "u8[3,5] f32:0.02 u8:113 s8[5,4] f32{0.01,0.02,0.03,0.04} s8{0,0,0,0} f32:0.5 u8:120",
    "s8[2,3,5] f32{0.1,0.2,0.3} s8{0,1,-3} u8[5,4] f32:0.02 u8:128 f32:0.1 s8:-128",
    NULL,
};

const pare_op pare_op_matmul_integer = {
    .name = "matmul_integer",
    .onnx = "MatMulInteger",
    .min_in = 2, /* A, B, zero points of A [] or [M], of B [] or [N] */
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = integer_samples,
};

const pare_op pare_op_qlinear_matmul = {
    .name = "qlinear_matmul",
    .onnx = "QLinearMatMul",
    .min_in = 8, /* A, scales [] or [M], zero points; B, scales [] or [N], zero points; scale, zero point of Y */
    .max_in = 8,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = qlinear_samples,
};
