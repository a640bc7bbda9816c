/* SPDX-License-Identifier: Apache-2.0 */
/* unary.c - ops of one input, element by element (unary.def) */
#include <string.h>

#include "base/math.h"
#include "base/math_trig.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/number.h"
#include "ops/parts.h"

/* ONNX opset 20; `approximate` takes tanh in place of erf. */
static inline float gelu(float x, bool approximate)
{
    if (approximate)
        return 0.5f * x * (1.0f + pare_tanhf(0.797884561f * (x + 0.044715f * (x * x * x)))); /* sqrt(2 / pi) */
    return 0.5f * x * (1.0f + pare_erff(x * 0.707106781f));                                 /* sqrt(1 / 2)  */
}

static const pare_attr elu_attrs[] = {
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

/* One row of floats: the whole of an op is its row. */
typedef void row_fn(const pare_rows *r, const pare_unary_attrs *p);

#define ROW_X(i) ((const float *)r->ptr[1])[(i) * r->step[1]]
#define ROW_Y(i) ((float *)r->ptr[0])[(i) * r->step[0]]
#define PARE_UNARY(name, onnx_, formula, traits_, table)                                                  \
    static void name##_row(const pare_rows *r, const pare_unary_attrs *p)                                 \
    {                                                                                                     \
        for (int64_t i = 0; i < r->n; i++) { const float x = ROW_X(i); (void)p; ROW_Y(i) = (formula); }   \
    }
#define PARE_UNARY_INT(name, onnx_, formula, ints, traits_) PARE_UNARY(name, onnx_, formula, traits_, NULL)
#include "ops/unary.def"
#undef PARE_UNARY
#undef PARE_UNARY_INT

typedef int64_t int_fn(int64_t x, int64_t z);

#define PARE_UNARY(name, onnx_, formula, traits_, table)
#define PARE_UNARY_INT(name, onnx_, formula, ints, traits_) \
    static int64_t name##_int(int64_t x, int64_t z) { (void)z; return (ints); }
#include "ops/unary.def"
#undef PARE_UNARY
#undef PARE_UNARY_INT

static const struct {
    const char *name;
    row_fn     *row;
    int_fn     *ints; /* NULL: floats only */
} formulas[] = {
#define PARE_UNARY(name_, onnx_, formula, traits_, table) { #name_, name_##_row, NULL },
#define PARE_UNARY_INT(name_, onnx_, formula, ints_, traits_) { #name_, name_##_row, name_##_int },
#include "ops/unary.def"
#undef PARE_UNARY
#undef PARE_UNARY_INT
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
    const pare_unary_attrs *const p = call->attrs;
    const pare_tensor *const      x = call->in[0];

    if (p->approximate && strcmp(p->approximate, "none") != 0 && strcmp(p->approximate, "tanh") != 0)
        return pare_fail(PARE_ERR_ARG, "approximate is '%s', it must be none or tanh", p->approximate);
    if (x->q && call->op->traits & PARE_SELECTS)
        return pare_call_select(call, 0, 0, 1, &x->shape);
    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | (formulas[formula_of(call->op)].ints ? PARE_DTYPES_INT : 0)));
    pare_call_out(call, 0, x->dtype, &x->shape);
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const x    = call->in[0];
    const int64_t            zero = x->q && x->q->zero ? x->q->zero[0] : 0;
    const int                f    = formula_of(call->op);
    pare_rows                rows;

    pare_rows_begin(&rows, 2, (const pare_tensor *const[]){ call->out[0], x }, part, parts);
    while (pare_rows_next(&rows))
        if (x->dtype == PARE_f32)
            formulas[f].row(&rows, call->attrs);
        else
            for (int64_t i = 0; i < rows.n; i++)
                pare_store_int(x->dtype, rows.ptr[0], i * rows.step[0],
                               formulas[f].ints(pare_load_int(x->dtype, rows.ptr[1], i * rows.step[1]), zero));
}

PARE_IN_PARTS(do_part)

static const char *const samples[]     = { "f32[2,3,5,5]", "f32[]", "f32[7]", "f32[0,3]", NULL };
static const char *const int_samples[] = { "f32[2,3,5,5]", "s8[3,7]", "s32[]", "s64[4]", NULL };

#define ROW(name_, onnx_, traits_, table, samples_)                                                         \
    const pare_op pare_op_##name_ = { .name = #name_, .onnx = onnx_, .min_in = 1, .max_in = 1, .min_out = 1, \
        .max_out = 1, .traits = PARE_ELEMENTWISE | (traits_), .attrs = table,                               \
        .attrs_size = sizeof(pare_unary_attrs), .infer = infer, .forward = forward, .prepare = prepare,     \
        .samples = samples_ };
#define PARE_UNARY(name_, onnx_, formula, traits_, table) ROW(name_, onnx_, traits_, table, samples)
#define PARE_UNARY_INT(name_, onnx_, formula, ints_, traits_) ROW(name_, onnx_, traits_, NULL, int_samples)
#include "ops/unary.def"
