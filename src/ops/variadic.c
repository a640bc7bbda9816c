/* SPDX-License-Identifier: Apache-2.0 */
/* variadic.c - ops of any number of inputs, element by element, from the first to the last (variadic.def) */
#include <string.h>

#include "base/status.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

#define PARE_VARIADIC(name, onnx_, formula, traits_)                   \
    static float   name##_f32(float a, float b) { return formula; }    \
    static int64_t name##_int(int64_t a, int64_t b) { return formula; }
#include "ops/variadic.def"
#undef PARE_VARIADIC

static const struct {
    const char *name;
    float     (*f32)(float a, float b);
    int64_t   (*ints)(int64_t a, int64_t b);
} formulas[] = {
#define PARE_VARIADIC(name_, onnx_, formula, traits_) { #name_, name_##_f32, name_##_int },
#include "ops/variadic.def"
#undef PARE_VARIADIC
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
    const bool selects = call->op->traits & PARE_SELECTS;
    pare_shape shape;

    for (int i = 0; i < call->n_in; i++) {
        if (!call->in[i])
            return pare_fail(PARE_ERR_SHAPE, "input %d is left out but required", i);
        if (!selects || !call->in[i]->q)
            PARE_TRY(pare_call_plain(call, i, PARE_D(f32) | (selects ? PARE_DTYPES_INT : 0u)));
    }
    PARE_TRY(pare_call_broadcast(call, 0, call->n_in, &shape));
    return pare_call_select(call, 0, 0, call->n_in, &shape);
}

static void fold(int f, const pare_tensor *y, const pare_tensor *a, const pare_tensor *b, int part, int parts)
{
    pare_rows r;

    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ y, a, b }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            const int64_t iy = i * r.step[0], ia = i * r.step[1], ib = i * r.step[2];
            if (y->dtype == PARE_f32)
                ((float *)r.ptr[0])[iy] = formulas[f].f32(((const float *)r.ptr[1])[ia], ((const float *)r.ptr[2])[ib]);
            else
                pare_store_int(y->dtype, r.ptr[0], iy, formulas[f].ints(pare_load_int(y->dtype, r.ptr[1], ia),
                                                                        pare_load_int(y->dtype, r.ptr[2], ib)));
        }
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const y = call->out[0];
    const int                f = formula_of(call->op);
    pare_rows                r;

    if (call->n_in == 1)
        pare_move(y, call->in[0], part, parts);
    for (int k = 1; k < call->n_in; k++)
        fold(f, y, k == 1 ? call->in[0] : y, call->in[k], part, parts);
    if (!strcmp(call->op->name, "mean") && call->n_in > 1) {
        pare_rows_begin(&r, 1, (const pare_tensor *const[]){ y }, part, parts);
        while (pare_rows_next(&r))
            for (int64_t i = 0; i < r.n; i++)
                ((float *)r.ptr[0])[i * r.step[0]] /= (float)call->n_in;
    }
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[2,3,5,5]", "f32[2,3,5,5] f32[2,3,5,5]", "f32[2,1,5] f32[] f32[3,1] f32[2,3,5]", "f32[0,3] f32[3]", NULL,
};

#define PARE_VARIADIC(name_, onnx_, formula, traits_)                                                             \
    const pare_op pare_op_##name_ = { .name = #name_, .onnx = onnx_, .min_in = 1, .max_in = -1, .min_out = 1,      \
        .max_out = 1, .traits = PARE_ELEMENTWISE | (traits_), .infer = infer, .forward = forward,                 \
        .prepare = prepare, .samples = samples };
#include "ops/variadic.def"
