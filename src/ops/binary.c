/* SPDX-License-Identifier: Apache-2.0 */
/* binary.c - arithmetic of two inputs, element by element with broadcasting (binary.def) */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/number.h"
#include "ops/parts.h"

/* One row, by the way its operands advance: a[i], b[i] or one of them the same all along. */
typedef void   row_fn(const pare_rows *r, float lo, float hi);
typedef int64_t int_fn(int64_t a, int64_t b);

#define ROW_Y(i) ((float *)r->ptr[0])[(i) * r->step[0]]
#define ROW_A(i) ((const float *)r->ptr[1])[(i) * r->step[1]]
#define ROW_B(i) ((const float *)r->ptr[2])[(i) * r->step[2]]
#define PARE_BINARY(name, onnx_, formula, ints_, traits_)                                                       \
    static void name##_row(const pare_rows *r, float lo, float hi)                                              \
    {                                                                                                           \
        for (int64_t i = 0; i < r->n; i++) { const float a = ROW_A(i), b = ROW_B(i); ROW_Y(i) = pare_clampf(formula, lo, hi); } \
    }
#include "ops/binary.def"
#undef PARE_BINARY

#define PARE_BINARY(name, onnx_, formula, ints_, traits_) static int64_t name##_int(int64_t a, int64_t b) { return ints_; }
#include "ops/binary.def"
#undef PARE_BINARY

static const struct {
    const char *name;
    row_fn     *row;
    int_fn     *ints;
} formulas[] = {
#define PARE_BINARY(name_, onnx_, formula, ints_, traits_) { #name_, name_##_row, name_##_int },
#include "ops/binary.def"
#undef PARE_BINARY
};

static int formula_of(const pare_op *op)
{
    int i = 0;

    while (strcmp(formulas[i].name, op->name) != 0)
        i++;
    return i;
}

static pare_status infer(const pare_call *call)
{
    pare_shape shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_plain(call, 1, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_same_dtype(call, 0, 2));
    PARE_TRY(pare_call_broadcast(call, 0, 2, &shape));
    pare_call_out(call, 0, call->in[0]->dtype, &shape);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_binary_attrs *const p     = call->attrs;
    const pare_dtype               dtype = call->in[0]->dtype;
    const int                      f     = formula_of(call->op);
    pare_rows                      rows;

    pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, part, parts);
    while (pare_rows_next(&rows))
        if (dtype == PARE_f32)
            formulas[f].row(&rows, p->clamp_lo, p->clamp_hi);
        else
            for (int64_t i = 0; i < rows.n; i++)
                pare_store_int(dtype, rows.ptr[0], i * rows.step[0],
                               formulas[f].ints(pare_load_int(dtype, rows.ptr[1], i * rows.step[1]),
                                                pare_load_int(dtype, rows.ptr[2], i * rows.step[2])));
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step, (void)scratch;
    do_part(call, part, parts);
}

/* Integer division can fail on its data, so it is left to forward. */
static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (call->in[0]->dtype == PARE_f32) {
        step->kernel = "c";
        step->run    = run;
    }
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    do_part(call, 0, 1);
    return PARE_OK;
}

/* Looks at all integer divisors (and quotients) before anything is divided. */
static pare_status forward_div(const pare_call *call)
{
    const pare_dtype dtype  = call->in[0]->dtype;
    const int64_t    lowest = pare_dtype_lo(dtype);
    pare_rows        rows;

    if (dtype != PARE_f32) {
        pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, 0, 1);
        while (pare_rows_next(&rows))
            for (int64_t i = 0; i < rows.n; i++) {
                const int64_t b = pare_load_int(dtype, rows.ptr[2], i * rows.step[2]);
                if (b == 0)
                    return pare_fail(PARE_ERR_NUMERIC, "integer division by zero");
                if (b == -1 && lowest < 0 && pare_load_int(dtype, rows.ptr[1], i * rows.step[1]) == lowest)
                    return pare_fail(PARE_ERR_NUMERIC, "the quotient of the lowest %s and -1 does not fit",
                                     pare_dtype_name(dtype));
            }
    }
    return forward(call);
}
#define forward_add forward
#define forward_sub forward
#define forward_mul forward

static const pare_attr attrs[] = {
    PARE_ATTR_ROWS_CLAMP(pare_binary_attrs),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] f32[2,3,5,5]",
    "f32[2,3,5,5] f32[3,1,1] clamp_lo=0 clamp_hi=1.5",
    "f32[1,7] f32[6,1]",
    "f32[] f32[]",
    "f32[0,3] f32[3]",
    "s32[2,3] s32{3,-7,1}",
    "s64[4,1] s64:3",
    "u8[5] u8:2",
    NULL,
};

#define PARE_BINARY(name_, onnx_, formula, ints_, traits_)                                                      \
    const pare_op pare_op_##name_ = { .name = #name_, .onnx = onnx_, .min_in = 2, .max_in = 2, .min_out = 1,     \
        .max_out = 1, .traits = PARE_ELEMENTWISE | PARE_CAN_CLAMP | (traits_), .attrs = attrs,                  \
        .attrs_size = sizeof(pare_binary_attrs), .infer = infer, .forward = forward_##name_, .prepare = prepare, \
        .samples = samples };
#include "ops/binary.def"
