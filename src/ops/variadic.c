/* SPDX-License-Identifier: Apache-2.0 */
/* variadic.c - ops of any number of inputs, element by element, from the first to the last (variadic.def) */
#include <string.h>

#include "base/status.h"
#include "ops/apply.h"
#include "ops/call.h"
#include "ops/move.h"

#define PARE_VARIADIC(name, onnx_, f32_, formula, traits_) \
    static int64_t name##_int(int64_t a, int64_t b)        \
    {                                                      \
        return formula;                                    \
    }
#include "ops/variadic.def"
#undef PARE_VARIADIC

static const struct function {
    const char     *name;
    pare_binary_f32 f32;
    int64_t (*ints)(int64_t a, int64_t b);
} functions[] = {
#define PARE_VARIADIC(name_, onnx_, f32_, formula, traits_) { #name_, PARE_BINARY_F32_##f32_, name_##_int },
#include "ops/variadic.def"
#undef PARE_VARIADIC
};

static const struct function *function_of(const pare_op *op)
{
    const struct function *f = functions;

    while (strcmp(f->name, op->name) != 0)
        f++;
    return f;
}

extern const pare_op pare_op_mean;

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

static void fold_ints(const pare_call *call, int k)
{
    const struct function *const f = function_of(call->op);
    const pare_tensor *const     y = call->out[0];
    const pare_dtype             dtype = y->dtype;
    pare_rows                    r;

    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ y, k == 1 ? call->in[0] : y, call->in[k] }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            pare_store_int(
                dtype, r.ptr[0], i * r.step[0],
                f->ints(pare_load_int(dtype, r.ptr[1], i * r.step[1]), pare_load_int(dtype, r.ptr[2], i * r.step[2])));
}

static void apply_floats(const pare_call *call, pare_share share)
{
    const pare_tensor *const y = call->out[0];
    const float              count = (float)call->n_in;
    const pare_tensor        n = { .dtype = PARE_f32, .data = (void *)(uintptr_t)&count };

    if (call->n_in == 1)
        pare_move(y, call->in[0], share.part, share.parts);
    for (int k = 1; k < call->n_in; k++)
        pare_apply_binary(y, k == 1 ? call->in[0] : y, call->in[k], function_of(call->op)->f32, NULL, share);
    if (call->op == &pare_op_mean && call->n_in > 1)
        pare_apply_binary(y, y, &n, PARE_BINARY_F32_div, NULL, share);
}

static pare_status forward(const pare_call *call)
{
    if (call->in[0]->dtype == PARE_f32) {
        apply_floats(call, (pare_share){ .parts = 1 });
        return PARE_OK;
    }
    if (call->n_in == 1)
        pare_move(call->out[0], call->in[0], 0, 1);
    for (int k = 1; k < call->n_in; k++)
        fold_ints(call, k);
    return PARE_OK;
}

/* Every part visits the same elements for each input, so that no part waits for another. */
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
    }
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,5]", "f32[2,3,5,5] f32[2,3,5,5]", "f32[2,1,5] f32[] f32[3,1] f32[2,3,5]", "f32[0,3] f32[3]", NULL,
};

#define PARE_VARIADIC(name_, onnx_, f32_, formula, traits_)                   \
    const pare_op pare_op_##name_ = { .name = #name_,                         \
                                      .onnx = onnx_,                          \
                                      .min_in = 1,                            \
                                      .max_in = -1,                           \
                                      .min_out = 1,                           \
                                      .max_out = 1,                           \
                                      .traits = PARE_ELEMENTWISE | (traits_), \
                                      .infer = infer,                         \
                                      .forward = forward,                     \
                                      .prepare = prepare,                     \
                                      .samples = samples };
#include "ops/variadic.def"
