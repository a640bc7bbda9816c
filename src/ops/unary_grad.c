/* SPDX-License-Identifier: Apache-2.0 */
/* unary_grad.c - gradients of ops of one input, element by element (unary_grad.def) */
#include <string.h>

#include "base/status.h"
#include "kernels/unary_grad_f32/unary_grad_f32.h"
#include "ops/apply.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/span.h"

static const struct function {
    const char         *name;
    pare_unary_grad_f32 row;
} functions[] = {
#define PARE_UNARY_GRAD(name, of, n_param)    { #name "_grad", PARE_UNARY_GRAD_F32_##name },
#define PARE_UNARY_GRAD_OF(name, of, n_param) PARE_UNARY_GRAD(name, of, n_param)
#include "ops/unary_grad.def"
#undef PARE_UNARY_GRAD
};

static pare_status infer(const pare_call *call)
{
    for (int i = 0; i < 2; i++)
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
    if (!pare_shape_equal(&call->in[0]->shape, &call->in[1]->shape))
        return pare_fail(PARE_ERR_SHAPE, "the gradient and the value have different shapes");
    pare_call_out(call, 0, PARE_f32, &call->in[0]->shape);
    return PARE_OK;
}

/* One row: by the version, or by the definition where that is NULL. */
static void do_row(const pare_unary_grad_f32_kernel *kernel, pare_unary_grad_f32 f, int64_t n, const float *dy,
                   const float *of, float *dx, const float *param)
{
    if (kernel)
        kernel->rows[f]((long)n, dy, of, dx, param);
    else
        pare_unary_grad_f32_ref(f, (long)n, dy, of, dx, param);
}

static void do_part(const pare_call *call, const pare_unary_grad_f32_kernel *kernel, int part, int parts)
{
    const pare_unary_attrs *const p = call->attrs;
    const float                   param[2] = { p->alpha, p->beta };
    const struct function        *f = functions;
    pare_rows                     r;
    enum { PIECE = 256 };
    float piece[3][PIECE];

    while (strcmp(f->name, call->op->name) != 0)
        f++;
    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ call->out[0], call->in[0], call->in[1] }, part, parts);
    while (pare_rows_next(&r)) {
        if (r.step[0] == 1 && r.step[1] == 1 && r.step[2] == 1) {
            do_row(kernel, f->row, r.n, (const float *)r.ptr[1], (const float *)r.ptr[2], (float *)r.ptr[0], param);
            continue;
        }
        for (int64_t i = 0; i < r.n; i += PIECE) {
            const int64_t n = r.n - i < PIECE ? r.n - i : PIECE;

            for (int k = 1; k < 3; k++)
                for (int64_t j = 0; j < n; j++)
                    piece[k][j] = ((const float *)r.ptr[k])[(i + j) * r.step[k]];
            do_row(kernel, f->row, n, piece[1], piece[2], piece[0], param);
            for (int64_t j = 0; j < n; j++)
                ((float *)r.ptr[0])[(i + j) * r.step[0]] = piece[0][j];
        }
    }
}

static pare_status forward(const pare_call *call)
{
    do_part(call, NULL, 0, 1);
    return PARE_OK;
}

static const pare_unary_grad_f32_kernel *best(const pare_step *step)
{
    const pare_unary_grad_f32_kernel *kernel = NULL;

    pare_unary_grad_f32_candidates(step->cpu, &kernel, 1);
    return kernel;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    do_part(call, best(step), part, parts);
}

/* The one that every network trains with has a row kernel. */
static void run_relu(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_share share = { step, part, parts };

    (void)scratch;
    pare_apply_binary(call->out[0], call->in[0], call->in[1], PARE_BINARY_F32_relu_grad, NULL, share);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const bool is_relu = strcmp(call->op->name, "relu_grad") == 0;

    step->kernel = is_relu ? pare_apply_kernel_name(step) : best(step)->name;
    step->run = is_relu ? run_relu : run;
    step->span = pare_span_elementwise;
    return PARE_OK;
}

static const pare_attr params0[] = { PARE_ATTR_END };
static const pare_attr params1[] = {
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, alpha, 1.0f),
    PARE_ATTR_END,
};
static const pare_attr params2[] = {
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, alpha, 0.25f),
    PARE_ATTR_ROW_FLOAT(pare_unary_attrs, beta, 0.5f),
    { .name = "gamma", .type = PARE_ATTR_FLOAT, .offset = offsetof(pare_unary_attrs, gamma), .f = 0.5f },
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] f32[2,3,5,5]", "f32[] f32[]", "f32[7] f32[7]", "f32[0,3] f32[0,3]", NULL,
};

#define PARE_UNARY_GRAD(name_, of, n_param)                                          \
    const pare_op pare_op_##name_##_grad = { .name = #name_ "_grad",                 \
                                             .min_in = 2,                            \
                                             .max_in = 2,                            \
                                             .min_out = 1,                           \
                                             .max_out = 1,                           \
                                             .traits = PARE_ELEMENTWISE,             \
                                             .attrs = params##n_param,               \
                                             .attrs_size = sizeof(pare_unary_attrs), \
                                             .infer = infer,                         \
                                             .forward = forward,                     \
                                             .prepare = prepare,                     \
                                             .samples = samples };
#include "ops/unary_grad.def"
