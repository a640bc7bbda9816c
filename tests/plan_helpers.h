/* SPDX-License-Identifier: Apache-2.0 */
/* plan_helpers.h - a graph with every kind of step that packs constants, and what plans of it give */
#ifndef PARE_TESTS_PLAN_HELPERS_H
#define PARE_TESTS_PLAN_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pare/compile.h>

#include "base/rng.h"
#include "exec/plan.h"
#include "tensor/tensor.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

enum { MAX_OUTPUTS = 4, PACKING_STEPS = 9 };

/* Integer and float: qconv, its depthwise form, qgemm, conv, its depthwise form, gemm, matmul, conv_transpose, lstm. */
static const char zoo[] =
    "graph zoo\n"
    "%x = input f32[N,16,9,8]\n%s = input f32[3,1,24]\n"
    "@h = const f32 {0.5}\n@z = const u8 {128}\n"
    "@w = const s8[24,16,3,3] seed=1 q(0.01)\n@b = const s32[24] seed=2 q(0.005)\n"
    "@d = const s8[24,1,3,3] seed=3 q(0.02)\n@g = const s8[10,24] seed=4 q(0.03)\n"
    "@fw = const f32[20,16,3,3] seed=5\n@fb = const f32[20] seed=6\n"
    "@fd = const f32[20,1,3,3] seed=7\n@fg = const f32[20,33] seed=8\n@fm = const f32[33,18] seed=12\n"
    "@ft = const f32[20,6,3,3] seed=9\n"
    "@lw = const f32[1,32,24] seed=10\n@lr = const f32[1,32,8] seed=11\n"
    "%q : u8 q(0.5, 128) = quantize_linear(%x, @h, @z)\n"
    "%c : u8 q(0.25, 4) = qconv(%q, @w, @b) pads=[1,1,1,1] strides=[2,2] clamp_lo=0\n"
    "%e : u8 q(0.5, 100) = qconv(%c, @d) pads=[1,1,1,1] group=24\n"
    "%a : u8 q(0.5, 100) = qglobal_average_pool(%e)\n"
    "%af : u8 q(0.5, 100) = flatten(%a)\n"
    "%i = qgemm(%af, @g)\n"
    "%f1 = conv(%x, @fw, @fb) pads=[1,1,1,1] clamp_lo=0\n"
    "%f2 = conv(%f1, @fd) group=20\n"
    "%f3 = global_average_pool(%f2)\n"
    "%f4 = flatten(%f3)\n"
    "%f5 = gemm(%f4, @fg)\n"
    "%f6 = matmul(%f5, @fm)\n"
    "%f7 = conv_transpose(%f1, @ft) strides=[2,2]\n"
    "%f8 = max_pool(%f7) kernel_shape=[2,2]\n"
    "%l = lstm(%s, @lw, @lr) hidden_size=8\n"
    "return %i, %f6, %f8, %l\n";

static inline pare_graph *parse(const char *text)
{
    pare_graph *g;

    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    return g;
}

/* Copies of the outputs for inputs that depend on nothing but their shapes. */
typedef struct results {
    pare_tensor t[MAX_OUTPUTS];
    int         n;
} results;

static inline results run_on(const pare_plan *plan, pare_pool *pool)
{
    pare_tensor        in[MAX_OUTPUTS];
    const pare_tensor *at[MAX_OUTPUTS], *shape;
    pare_rng           rng = pare_rng_seed(3);
    results            r = { .n = pare_plan_n_outputs(plan) };
    pare_context      *ctx;

    OK(pare_context_create(plan, &ctx));
    for (int i = 0; i < pare_plan_n_inputs(plan); i++) {
        pare_plan_input(plan, i, &shape);
        in[i] = pare_tensor_of(shape->dtype, shape->shape);
        OK(pare_tensor_alloc(&in[i]));
        at[i] = &in[i];
        for (int64_t k = 0; k < pare_shape_count(&shape->shape); k++)
            ((float *)in[i].data)[k] = 20 * (float)pare_rng_normal(&rng);
    }
    OK(pare_context_run(ctx, pool, at, NULL, 0));
    for (int i = 0; i < r.n; i++) {
        const pare_tensor *const y = pare_context_output(ctx, i);

        r.t[i] = pare_tensor_of(y->dtype, y->shape);
        OK(pare_tensor_alloc(&r.t[i]));
        pare_tensor_copy(&r.t[i], y);
    }
    pare_context_destroy(ctx);
    for (int i = 0; i < pare_plan_n_inputs(plan); i++)
        pare_tensor_release(&in[i]);
    return r;
}

static inline results run(const pare_plan *plan)
{
    return run_on(plan, NULL);
}

static inline void drop(results *r)
{
    for (int i = 0; i < r->n; i++)
        pare_tensor_release(&r->t[i]);
}

static inline void check_plan(const pare_plan *plan, const results *want, const char *what)
{
    results got = run(plan);

    assert_int_equal(got.n, want->n);
    for (int i = 0; i < got.n; i++)
        if (memcmp(got.t[i].data, want->t[i].data, (size_t)pare_tensor_bytes(&got.t[i])) != 0)
            fail_msg("%s: output %d is not the definition's", what, i);
    drop(&got);
}

static inline pare_plan *compile(const pare_graph *g, pare_compile_options o)
{
    pare_plan *plan;

    OK(pare_compile(g, &o, &plan));
    return plan;
}

/* By the definition of every op. */
static inline results expected(const pare_graph *g, int64_t batch)
{
    pare_plan *const plan = compile(g, (pare_compile_options){ .unfused = true, .batch = batch });
    const results    r = run(plan);

    pare_plan_destroy(plan);
    return r;
}

#endif
