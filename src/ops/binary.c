/* SPDX-License-Identifier: Apache-2.0 */
/* binary.c - arithmetic of two inputs, element by element with broadcasting (binary.def) */
#include <string.h>

#include "base/status.h"
#include "ops/apply.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/number.h"
#include "ops/span.h"

typedef int64_t int_fn(int64_t a, int64_t b);

#define PARE_BINARY(name, onnx_, f32_, formula, traits_) \
    static int64_t name##_int(int64_t a, int64_t b)      \
    {                                                    \
        return formula;                                  \
    }
#include "ops/binary.def"
#undef PARE_BINARY

static const struct function {
    const char     *name;
    pare_binary_f32 f32;
    int_fn         *ints;
} functions[] = {
#define PARE_BINARY(name_, onnx_, f32_, formula, traits_) { #name_, PARE_BINARY_F32_##f32_, name_##_int },
#include "ops/binary.def"
#undef PARE_BINARY
};

static const struct function *function_of(const pare_op *op)
{
    const struct function *f = functions;

    while (strcmp(f->name, op->name) != 0)
        f++;
    return f;
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

static void apply_floats(const pare_call *call, pare_share share)
{
    const pare_binary_attrs *const p = call->attrs;
    const float                    clamp[2] = { p->clamp_lo, p->clamp_hi };
    const bool                     clamps = clamp[0] > -INFINITY || clamp[1] < INFINITY;

    pare_apply_binary(call->out[0], call->in[0], call->in[1], function_of(call->op)->f32, clamps ? clamp : NULL, share);
}

/* Asks before dividing whether integers can be: no divisor is 0 and every quotient fits. */
static pare_status check_division(const pare_call *call)
{
    const pare_dtype dtype = call->in[0]->dtype;
    const int64_t    lowest = pare_dtype_lo(dtype);
    pare_rows        r;

    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            const int64_t b = pare_load_int(dtype, r.ptr[2], i * r.step[2]);
            if (b == 0)
                return pare_fail(PARE_ERR_NUMERIC, "integer division by zero");
            if (b == -1 && lowest < 0 && pare_load_int(dtype, r.ptr[1], i * r.step[1]) == lowest)
                return pare_fail(PARE_ERR_NUMERIC, "the quotient of the lowest %s and -1 does not fit",
                                 pare_dtype_name(dtype));
        }
    return PARE_OK;
}

static pare_status forward(const pare_call *call)
{
    const struct function *const f = function_of(call->op);
    const pare_dtype             dtype = call->in[0]->dtype;
    pare_rows                    r;

    if (dtype == PARE_f32) {
        apply_floats(call, (pare_share){ .parts = 1 });
        return PARE_OK;
    }
    if (f->f32 == PARE_BINARY_F32_div)
        PARE_TRY(check_division(call));
    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            pare_store_int(
                dtype, r.ptr[0], i * r.step[0],
                f->ints(pare_load_int(dtype, r.ptr[1], i * r.step[1]), pare_load_int(dtype, r.ptr[2], i * r.step[2])));
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    apply_floats(call, (pare_share){ step, part, parts });
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    if (call->in[0]->dtype == PARE_f32) {
        step->kernel = pare_apply_kernel_name(step);
        step->run = run;
        step->span = pare_span_elementwise;
    }
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROWS_CLAMP(pare_binary_attrs),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] f32[2,3,5,5]",
    "f32[2,3,5,5] f32[3,1,1] clamp_lo=0 clamp_hi=1.5",
    "f32[1,7] f32[6,1]",
    "f32[1,1] f32[4,6]",
    "f32[] f32[]",
    "f32[0,3] f32[3]",
    "s32[2,3] s32{3,-7,1}",
    "s64[4,1] s64:3",
    "u8[5] u8:2",
    NULL,
};

#define PARE_BINARY(name_, onnx_, f32_, formula, traits_)                                      \
    const pare_op pare_op_##name_ = { .name = #name_,                                          \
                                      .onnx = onnx_,                                           \
                                      .min_in = 2,                                             \
                                      .max_in = 2,                                             \
                                      .min_out = 1,                                            \
                                      .max_out = 1,                                            \
                                      .traits = PARE_ELEMENTWISE | PARE_CAN_CLAMP | (traits_), \
                                      .attrs = attrs,                                          \
                                      .attrs_size = sizeof(pare_binary_attrs),                 \
                                      .infer = infer,                                          \
                                      .forward = forward,                                      \
                                      .prepare = prepare,                                      \
                                      .samples = samples };
#include "ops/binary.def"
