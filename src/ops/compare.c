/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - comparisons and logic of two inputs, element by element with broadcasting (compare.def) */
#include <string.h>

#include "base/status.h"
#include "ops/call.h"
#include "ops/parts.h"

enum {
    BOOLS = PARE_D(bool),
    NUMBERS = PARE_D(f32) | PARE_DTYPES_INT,
    ANY = NUMBERS | BOOLS,
};

#define PARE_COMPARE(name, onnx_, formula, dtypes, traits_) \
    static bool name##_f32(float a, float b)                \
    {                                                       \
        return formula;                                     \
    }                                                       \
    static bool name##_int(int64_t a, int64_t b)            \
    {                                                       \
        return formula;                                     \
    }
#include "ops/compare.def"
#undef PARE_COMPARE

static const struct {
    const char *name;
    bool (*f32)(float a, float b);
    bool (*ints)(int64_t a, int64_t b);
    unsigned dtypes;
} formulas[] = {
#define PARE_COMPARE(name_, onnx_, formula, dtypes_, traits_) { #name_, name_##_f32, name_##_int, dtypes_ },
#include "ops/compare.def"
#undef PARE_COMPARE
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
    const unsigned dtypes = formulas[formula_of(call->op)].dtypes;
    pare_shape     shape;

    PARE_TRY(pare_call_plain(call, 0, dtypes));
    PARE_TRY(pare_call_plain(call, 1, dtypes));
    PARE_TRY(pare_call_same_dtype(call, 0, 2));
    PARE_TRY(pare_call_broadcast(call, 0, 2, &shape));
    pare_call_out(call, 0, PARE_bool, &shape);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_dtype dtype = call->in[0]->dtype;
    const int        f = formula_of(call->op);
    pare_rows        rows;

    pare_rows_begin(&rows, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, part, parts);
    while (pare_rows_next(&rows))
        for (int64_t i = 0; i < rows.n; i++) {
            const int64_t ia = i * rows.step[1], ib = i * rows.step[2];
            const bool    y =
                dtype == PARE_f32
                       ? formulas[f].f32(((const float *)rows.ptr[1])[ia], ((const float *)rows.ptr[2])[ib])
                       : formulas[f].ints(pare_load_int(dtype, rows.ptr[1], ia), pare_load_int(dtype, rows.ptr[2], ib));
            ((uint8_t *)rows.ptr[0])[i * rows.step[0]] = y;
        }
}

PARE_IN_PARTS(do_part)

static const char *const NUMBERS_samples[] = {
    "f32[2,3,5,5] f32[2,3,5,5]",
    "f32[1,7] f32[6,1]",
    "s32[3] s32{3,-7,1}",
    "s64[4,3] s64:3",
    "u8[9] u8:2",
    "f32[0] f32[1]",
    NULL,
};
static const char *const ANY_samples[] = { "f32[2,3] f32[2,3]", "s64[2,3] s64:3", "bool[7] bool[7]", NULL };
static const char *const BOOLS_samples[] = {
    "bool[2,3,5,5] bool[2,3,5,5]",
    "bool[1,7] bool[6,1]",
    "bool[] bool[]",
    NULL,
};

#define PARE_COMPARE(name_, onnx_, formula, dtypes_, traits_)                 \
    const pare_op pare_op_##name_ = { .name = #name_,                         \
                                      .onnx = onnx_,                          \
                                      .min_in = 2,                            \
                                      .max_in = 2,                            \
                                      .min_out = 1,                           \
                                      .max_out = 1,                           \
                                      .traits = PARE_ELEMENTWISE | (traits_), \
                                      .infer = infer,                         \
                                      .forward = forward,                     \
                                      .prepare = prepare,                     \
                                      .samples = dtypes_##_samples };
#include "ops/compare.def"
