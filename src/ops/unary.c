/* SPDX-License-Identifier: Apache-2.0 */
/* unary.c - ops of one input, element by element (unary.def) */
#include <string.h>

#include "base/status.h"
#include "ops/apply.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/number.h"
#include "ops/span.h"

static const pare_attr alpha_attrs[] = {
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, alpha, 1.0f),
    PARE_ATTR_END,
};
static const pare_attr leaky_relu_attrs[] = {
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, alpha, 0.01f),
    PARE_ATTR_END,
};
static const pare_attr selu_attrs[] = {
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, alpha, 1.67326319217681884765625f),
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, gamma, 1.05070102214813232421875f),
    PARE_ATTR_END,
};
static const pare_attr hard_sigmoid_attrs[] = {
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, alpha, 0.2f),
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, beta, 0.5f),
    PARE_ATTR_END,
};
static const pare_attr gelu_attrs[] = {
    PARE_ATTR_ROW_STRING(pare_unary_attrs, approximate, "none"),
    PARE_ATTR_END,
};

typedef int64_t int_fn(int64_t x, int64_t z);

#define PARE_UNARY(name, onnx_, f32_, traits_, table)
#define PARE_UNARY_INT(name, onnx_, f32_, formula, traits_) \
    static int64_t name##_int(int64_t x, int64_t z)         \
    {                                                       \
        (void)z;                                            \
        return formula;                                     \
    }
#include "ops/unary.def"
#undef PARE_UNARY
#undef PARE_UNARY_INT

static const struct function {
    const char    *name;
    pare_unary_f32 f32;
    int_fn        *ints; /* NULL: floats only */
} functions[] = {
#define PARE_UNARY(name_, onnx_, f32_, traits_, table)       { #name_, PARE_UNARY_F32_##f32_, NULL },
#define PARE_UNARY_INT(name_, onnx_, f32_, formula, traits_) { #name_, PARE_UNARY_F32_##f32_, name_##_int },
#include "ops/unary.def"
#undef PARE_UNARY
#undef PARE_UNARY_INT
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
    const pare_unary_attrs *const p = call->attrs;
    const pare_tensor *const      x = call->in[0];

    if (p->approximate && strcmp(p->approximate, "none") != 0 && strcmp(p->approximate, "tanh") != 0)
        return pare_fail(PARE_ERR_ARG, "approximate is '%s', it must be none or tanh", p->approximate);
    if (x->q && call->op->traits & PARE_SELECTS)
        return pare_call_select(call, 0, 0, 1, &x->shape);
    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | (function_of(call->op)->ints ? PARE_DTYPES_INT : 0u)));
    pare_call_out(call, 0, x->dtype, &x->shape);
    return PARE_OK;
}

static void apply_floats(const pare_call *call, pare_share share)
{
    const pare_unary_attrs *const p = call->attrs;
    const float                   param[2] = { p->alpha, p->beta };
    pare_unary_f32                f = function_of(call->op)->f32;

    if (f == PARE_UNARY_F32_gelu && p->approximate[0] == 't')
        f = PARE_UNARY_F32_gelu_tanh;
    pare_apply_unary(call->out[0], call->in[0], f, param, share);
}

static void apply_ints(const pare_call *call)
{
    const pare_tensor *const x = call->in[0];
    const int64_t            zero = x->q && x->q->zero ? x->q->zero[0] : 0;
    int_fn *const            f = function_of(call->op)->ints;
    pare_rows                r;

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ call->out[0], x }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            pare_store_int(x->dtype, r.ptr[0], i * r.step[0],
                           f(pare_load_int(x->dtype, r.ptr[1], i * r.step[1]), zero));
}

static pare_status forward(const pare_call *call)
{
    if (call->in[0]->dtype == PARE_f32)
        apply_floats(call, (pare_share){ .parts = 1 });
    else
        apply_ints(call);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    apply_floats(call, (pare_share){ step, part, parts });
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_unary_f32_kernel *best;

    if (call->in[0]->dtype == PARE_f32 && pare_unary_f32_candidates(step->cpu, &best, 1) > 0) {
        step->kernel = best->name;
        step->run = run;
        step->span = pare_span_map;
    }
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,5]", "f32[]", "f32[7]", "f32[0,3]", NULL,
};
static const char *const int_samples[] = {
    "f32[2,3,5,5]", "s8[3,7]", "s32[]", "s64[4]", NULL,
};

#define ROW(name_, onnx_, traits_, table, samples_)                           \
    const pare_op pare_op_##name_ = { .name = #name_,                         \
                                      .onnx = onnx_,                          \
                                      .min_in = 1,                            \
                                      .max_in = 1,                            \
                                      .min_out = 1,                           \
                                      .max_out = 1,                           \
                                      .traits = PARE_ELEMENTWISE | (traits_), \
                                      .attrs = table,                         \
                                      .attrs_size = sizeof(pare_unary_attrs), \
                                      .infer = infer,                         \
                                      .forward = forward,                     \
                                      .prepare = prepare,                     \
                                      .samples = samples_ };
#define PARE_UNARY(name_, onnx_, f32_, traits_, table)       ROW(name_, onnx_, traits_, table, samples)
#define PARE_UNARY_INT(name_, onnx_, f32_, formula, traits_) ROW(name_, onnx_, traits_, NULL, int_samples)
#include "ops/unary.def"
