/* SPDX-License-Identifier: Apache-2.0 */
/* test_exec.c - plans: where values lie in memory, borders of images, taps, contexts on several threads, bodies */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <pare/compile.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/status.h"
#include "exec/interp.h"
#include "exec/plan.h"
#include "tensor/tensor.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

enum { MAX_ENDS = 4, MAX_TAPS = 64 };

static pare_graph *parse(const char *text)
{
    pare_graph *g;

    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    return g;
}

/* ---------------------------------------------------------------------------------------------------------- memory */

static void places_do_not_overlap(void **state)
{
    enum { N = 60 };
    pare_rng rng = pare_rng_seed(1);

    (void)state;
    for (int round = 0; round < 200; round++) {
        pare_place places[N] = { { 0 } };
        const int  n = 1 + (int)pare_rng_below(&rng, N);
        size_t     all = 0, peak = 0;

        for (int i = 0; i < n; i++) {
            const int first = (int)pare_rng_below(&rng, 40);

            places[i].kind = pare_rng_below(&rng, 8) ? PARE_PLACE_BLOCK : PARE_PLACE_CONST;
            places[i].bytes = 1 + pare_rng_below(&rng, round % 2 ? 100000 : 300);
            places[i].first = first;
            places[i].last = first + (int)pare_rng_below(&rng, round % 3 ? 5 : 40);
        }
        size_t want[N];

        for (int i = 0; i < n; i++)
            want[i] = places[i].bytes;
        const size_t end = pare_place_all(places, n);

        for (int i = 0; i < n; i++) {
            if (places[i].kind != PARE_PLACE_BLOCK)
                continue;
            assert_true(places[i].offset % 64 == 0 && places[i].bytes >= want[i]);
            assert_true(places[i].offset + places[i].bytes <= end);
            all += places[i].bytes;
            for (int k = 0; k < i; k++) {
                const bool apart_in_time = places[i].last < places[k].first || places[k].last < places[i].first;
                const bool apart = places[i].offset + places[i].bytes <= places[k].offset ||
                                   places[k].offset + places[k].bytes <= places[i].offset;

                assert_true(places[k].kind != PARE_PLACE_BLOCK || apart_in_time || apart);
            }
        }
        /* What lives at one step must fit; memory is used again after that. */
        for (int step = 0; step < 80; step++) {
            size_t now = 0;

            for (int i = 0; i < n; i++)
                if (places[i].kind == PARE_PLACE_BLOCK && places[i].first <= step && step <= places[i].last)
                    now += places[i].bytes;
            peak = now > peak ? now : peak;
        }
        assert_true(end >= peak && end <= all && end <= 2 * peak);
    }
    assert_int_equal(pare_place_all(NULL, 0), 0);
}

/* Every byte of the allocation is either an element, or border, or padding of pixels, or guard; borders hold `byte`. */
static void check_halo(pare_dtype dtype, int rank, const int64_t *dims, const int halo[4], int parts)
{
    static const float   scale = 0.5f;
    static const int32_t zero = 77;
    const pare_qparams   q = { .scale = &scale, .zero = &zero, .n = 1 };
    const pare_shape     shape = pare_shape_of(rank, dims);
    pare_value           v = { .t = pare_tensor_of(dtype, shape), .format = PARE_CHANNELS_LAST };
    size_t               bytes, interior;
    pare_tensor          t;

    memcpy(v.halo, halo, sizeof(v.halo));
    v.t.q = dtype == PARE_u8 ? &q : NULL;
    t = v.t;
    pare_layout_of(&v, &t, &bytes, &interior);

    const size_t   size = pare_dtype_size(dtype);
    uint8_t *const block = pare_malloc(bytes);
    const int      byte = dtype == PARE_u8 ? 77 : 0;

    memset(block, 0xEE, bytes);
    t.data = block + interior;
    for (int part = 0; part < parts; part++)
        pare_halo_fill(&v, &t, part, parts);

    /* Pixels inside the image, padding of channels included, must stay untouched. */
    const int     h_axis = rank - 2, w_axis = rank - 1;
    const int64_t outer = rank == 5 ? dims[0] * dims[2] : dims[0], h = rank > 3 ? dims[h_axis] : 1, w = dims[w_axis];
    const int     top = rank > 3 ? halo[0] : 0, bottom = rank > 3 ? halo[1] : 0, left = halo[2], right = halo[3];
    const int64_t pixel = t.stride[w_axis] * (int64_t)size, row = (w + left + right) * pixel;
    int64_t       borders = 0;

    assert_int_equal(bytes, (size_t)(outer * (h + top + bottom) * row) + 64);
    for (int64_t i = 0; i < outer; i++)
        for (int64_t y = -top; y < h + bottom; y++)
            for (int64_t x = -left; x < w + right; x++) {
                const uint8_t *const at = block + (i * (h + top + bottom) + y + top) * row + (x + left) * pixel;
                const bool           real = y >= 0 && y < h && x >= 0 && x < w;

                for (int64_t k = 0; k < pixel; k++)
                    if (at[k] != (real ? 0xEE : byte))
                        fail_msg("rank %d, image %d, row %d, column %d: byte %d is %02x", rank, (int)i, (int)y, (int)x,
                                 (int)k, at[k]);
                borders += !real;
            }
    assert_true(borders > 0);
    for (size_t k = bytes - 64; k < bytes; k++)
        assert_int_equal(block[k], 0xEE);

    /* Strides reach the interior of every image and stay inside the block. */
    int64_t last = 0;

    for (int i = 0; i < rank; i++)
        last += (t.shape.dim[i] - 1) * t.stride[i];
    assert_true(interior + (size_t)(last + 1) * size <= bytes - 64);
    assert_int_equal(interior % (t.shape.dim[1] > 4 ? 32 : 4), 0);
    pare_free(block);
}

static void halo_fills_all_borders(void **state)
{
    static const int halos[][4] = { { 1, 1, 1, 1 }, { 2, 0, 0, 3 }, { 0, 0, 0, 1 }, { 3, 1, 2, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof(halos) / sizeof(halos[0]); i++)
        for (int parts = 1; parts <= 5; parts += 2)
            for (int k = 0; k < 2; k++) {
                const pare_dtype dtype = k ? PARE_u8 : PARE_f32;

                check_halo(dtype, 4, (const int64_t[]){ 2, 3, 4, 5 }, halos[i], parts);
                check_halo(dtype, 4, (const int64_t[]){ 1, 40, 1, 1 }, halos[i], parts);
                check_halo(dtype, 5, (const int64_t[]){ 2, 3, 2, 3, 2 }, halos[i], parts);
                if (halos[i][2] | halos[i][3])
                    check_halo(dtype, 3, (const int64_t[]){ 2, 33, 7 }, halos[i], parts);
            }
}

/* ---------------------------------------------------------------------------------------------------------- running */

/* A bit of everything: branches, views, channels-last and dense values, halos of different width, an If at the end. */
static const char zoo[] =
    "graph zoo\n"
    "%x = input f32[N,3,9,8]\n%c = input bool[]\n"
    "@w = const f32[8,3,3,3] seed=1\n@b = const f32[8] {1,2,3,4,-5,-6,-7,-8}\n@v = const f32[8,1,3,3] seed=2\n"
    "@u = const f32[5,8,1,1] seed=3\n@flat = const s64[2] {0,-1}\n@g = const f32[75,7] seed=4\n"
    "@shape = const s64[3] {0,7,1}\n"
    "%a = conv(%x, @w, @b) pads=[1,1,1,1] strides=[2,2]\n"
    "%r = relu(%a)\n"
    "%d = conv(%r, @v) group=8 pads=[2,2,2,2] dilations=[2,2]\n"
    "%s = add(%r, %d)\n"
    "%p = conv(%s, @u)\n"
    "%m = max_pool(%p) kernel_shape=[2,2] pads=[0,0,1,0] strides=[1,1]\n"
    "%j = concat(%p, %p) axis=1\n"
    "%k = average_pool(%j) kernel_shape=[3,2] strides=[2,1]\n"
    "%i0 = reshape(%k, @flat)\n%rs = relu(%m)\n"
    "%z = reshape(%rs, @flat)\n"
    "%l = matmul(%z, @g)\n"
    "%o = softmax(%l)\n"
    "%y = if(%c) then_branch={\n    %t1 = neg(%o)\n    %t2 = add(%t1, %l)\n    return %t2\n} else_branch={\n"
    "    %e1 = relu(%l)\n    return %e1\n}\n"
    "%q = reshape(%l, @shape)\n"
    "return %y, %o, %q, %i0\n";

typedef struct inputs {
    pare_tensor        t[MAX_ENDS];
    const pare_tensor *at[MAX_ENDS];
    int                n;
} inputs;

static void make_inputs(const pare_plan *plan, inputs *in, uint64_t seed)
{
    pare_rng rng = pare_rng_seed(seed);

    in->n = pare_plan_n_inputs(plan);
    for (int i = 0; i < in->n; i++) {
        const pare_tensor *shape;

        pare_plan_input(plan, i, &shape);
        in->t[i] = pare_tensor_of(shape->dtype, shape->shape);
        in->at[i] = &in->t[i];
        OK(pare_tensor_alloc(&in->t[i]));
        for (int64_t k = 0; k < pare_shape_count(&shape->shape); k++)
            pare_tensor_set_real(&in->t[i], k,
                                 shape->dtype == PARE_bool ? (double)(seed & 1) : (double)pare_rng_normal(&rng));
    }
}

static void drop_inputs(inputs *in)
{
    for (int i = 0; i < in->n; i++)
        pare_tensor_release(&in->t[i]);
}

static bool equal_tensors(const pare_tensor *a, const pare_tensor *b)
{
    if (a->dtype != b->dtype || !pare_shape_equal(&a->shape, &b->shape))
        return false;
    for (int64_t k = 0; k < pare_shape_count(&a->shape); k++) {
        const double x = pare_tensor_real(a, k), y = pare_tensor_real(b, k);

        if (memcmp(&x, &y, sizeof(x)) != 0)
            return false;
    }
    return true;
}

/* A tap that keeps a copy of what it saw. */
typedef struct seen {
    const char *name;
    pare_tensor t;
    int         times;
} seen;

static pare_status keep(void *user, const pare_tensor *t)
{
    seen *const s = user;

    s->times++;
    if (s->t.data)
        return PARE_OK;
    s->t = pare_tensor_of(t->dtype, t->shape);
    PARE_TRY(pare_tensor_alloc(&s->t));
    pare_tensor_copy(&s->t, t);
    return PARE_OK;
}

static int tap_all(const pare_graph *g, seen *s, pare_tap *taps)
{
    int n = 0;

    for (const pare_value *v = g->values; v; v = v->next)
        if (!pare_value_is_const(v)) {
            assert_true(n < MAX_TAPS);
            s[n] = (seen){ .name = v->name };
            taps[n] = (pare_tap){ v->name, keep, &s[n] };
            n++;
        }
    return n;
}

/*
 * Every value that survives compilation is shown once, on any number of threads, and is what the interpreter computes;
 * watching changes no output.
 */
static void taps_see_what_the_interpreter_computes(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++)
        for (uint64_t seed = 0; seed < 2; seed++) {
            pare_graph *const g = parse(zoo);
            seen              by_plan[MAX_TAPS], by_interp[MAX_TAPS];
            pare_tap          taps[MAX_TAPS], others[MAX_TAPS];
            pare_tensor       out[MAX_ENDS];
            pare_plan        *plan;
            pare_context     *ctx;
            pare_pool        *pool;
            inputs            in;
            int               shown = 0;

            OK(pare_compile(g, &(pare_compile_options){ .batch = 2 }, &plan));
            OK(pare_context_create(plan, &ctx));
            OK(pare_pool_create(threads, &pool));
            make_inputs(plan, &in, seed);
            const int n = tap_all(g, by_plan, taps);

            assert_int_equal(tap_all(g, by_interp, others), n);
            OK(pare_interp_run_taps(g, in.at, out, others, n));
            OK(pare_context_run(ctx, pool, in.at, taps, n));
            for (int i = 0; i < n; i++) {
                assert_int_equal(by_interp[i].times, 1);
                assert_true(by_plan[i].times <= 1);
                shown += by_plan[i].times;
                if (by_plan[i].times && !equal_tensors(&by_plan[i].t, &by_interp[i].t))
                    fail_msg("value '%s' differs, %d threads", by_plan[i].name, threads);
            }
            assert_true(shown >= n - 3); /* relu is fused into the node before it */
            for (int i = 0; i < g->n_outputs; i++)
                assert_true(equal_tensors(pare_context_output(ctx, i), &out[i]));
            OK(pare_context_run(ctx, pool, in.at, NULL, 0));
            for (int i = 0; i < g->n_outputs; i++) {
                assert_true(equal_tensors(pare_context_output(ctx, i), &out[i]));
                assert_true(pare_tensor_is_dense(pare_context_output(ctx, i)));
                pare_tensor_release(&out[i]);
            }
            for (int i = 0; i < n; i++) {
                pare_tensor_release(&by_plan[i].t);
                pare_tensor_release(&by_interp[i].t);
            }
            drop_inputs(&in);
            pare_pool_destroy(pool);
            pare_context_destroy(ctx);
            pare_plan_destroy(plan);
            pare_graph_destroy(g);
        }
}

/* Branches of a concat and pieces of a split, with borders of two widths, of floats and of codes; a channel shuffle. */
static const char slices[] = "%x = input f32[N,6,9,8]\n"
                             "@w = const f32[16,6,1,1] seed=1\n"
                             "@v = const f32[24,6,3,3] seed=2\n"
                             "@u = const f32[8,40,3,3] seed=3\n"
                             "@t = const f32[16,16,3,3] seed=4\n"
                             "@lengths = const s64[2] {16,24}\n"
                             "%a = conv(%x, @w)\n"
                             "%b = conv(%x, @v) pads=[1,1,1,1]\n"
                             "%c = concat(%a, %b) axis=1\n"
                             "%d = conv(%c, @u) pads=[2,2,0,0]\n"
                             "%e, %f = split(%c, @lengths) axis=1\n"
                             "%g = conv(%e, @t) pads=[1,1,1,1]\n"
                             "%h = max_pool(%f) kernel_shape=[3,3]\n"
                             "@s = const f32 {0.05}\n"
                             "@z = const u8 {100}\n"
                             "@qw = const s8[21,6,3,3] seed=5 q(0.01)\n"
                             "@qv = const s8[64,42,3,3] seed=6 q(0.005)\n"
                             "@qu = const s8[8,21,1,1] seed=7 q(0.01)\n"
                             "@deep = const s64[5] {-1,2,21,9,8}\n"
                             "@flat = const s64[4] {-1,42,9,8}\n"
                             "@zero = const s64[1] {0}\n"
                             "@half = const s64[1] {21}\n"
                             "@all = const s64[1] {42}\n"
                             "@one = const s64[1] {1}\n"
                             "%q : u8 q(0.05, 100) = quantize_linear(%x, @s, @z)\n"
                             "%i : u8 q(0.1, 120) = qconv(%q, @qw) pads=[1,1,1,1]\n"
                             "%j : u8 q(0.1, 120) = max_pool(%i) kernel_shape=[3,3] pads=[1,1,1,1]\n"
                             "%k : u8 q(0.1, 120) = concat(%i, %j) axis=1\n"
                             "%l : u8 q(0.1, 7) = qconv(%k, @qv) pads=[1,1,1,1]\n"
                             "%m = reshape(%k, @deep)\n"
                             "%n = transpose(%m) perm=[0,2,1,3,4]\n"
                             "%o = reshape(%n, @flat)\n"
                             "%p = slice(%o, @zero, @half, @one)\n"
                             "%r = slice(%o, @half, @all, @one)\n"
                             "%y : u8 q(0.1, 7) = qconv(%p, @qu)\n"
                             "%aa : u8 q(0.1, 7) = qconv(%r, @qu)\n"
                             "%ab = concat(%y, %aa, %l) axis=1\n"
                             "return %d, %g, %h, %ab\n";

static int count_views(const pare_plan *plan)
{
    int views = 0;

    for (int i = 0; i < pare_plan_n_steps(plan); i++) {
        pare_step_info info;

        pare_plan_describe(plan, i, &info);
        views += strcmp(info.kernel, "view") == 0;
    }
    return views;
}

static void slices_share_memory(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++)
        for (int batch = 1; batch <= 2; batch++) {
            pare_graph *const g = parse(slices);
            pare_tensor       out[MAX_ENDS];
            pare_plan        *plan;
            pare_context     *ctx;
            pare_pool        *pool;
            inputs            in;

            OK(pare_compile(g, &(pare_compile_options){ .batch = batch }, &plan));
            assert_int_equal(count_views(plan), 3); /* two concats and the split; the last concat is an output */
            OK(pare_context_create(plan, &ctx));
            OK(pare_pool_create(threads, &pool));
            make_inputs(plan, &in, 7);
            OK(pare_interp_run(g, in.at, out));
            for (int again = 0; again < 3; again++) {
                OK(pare_context_run(ctx, pool, in.at, NULL, 0));
                for (int i = 0; i < g->n_outputs; i++)
                    if (!equal_tensors(pare_context_output(ctx, i), &out[i]))
                        fail_msg("output %d differs, %d threads, batch %d", i, threads, batch);
            }
            for (int i = 0; i < g->n_outputs; i++)
                pare_tensor_release(&out[i]);
            drop_inputs(&in);
            pare_pool_destroy(pool);
            pare_context_destroy(ctx);
            pare_plan_destroy(plan);
            pare_graph_destroy(g);
        }
}

static pare_status refuse(void *user, const pare_tensor *t)
{
    (void)t;
    ++*(int *)user;
    return pare_fail(PARE_ERR_NUMERIC, "seen enough");
}

static void a_tap_may_stop_the_run(void **state)
{
    static const char *const names[] = { "x", "s", "o" };

    (void)state;
    for (int threads = 1; threads <= 2; threads++)
        for (int i = 0; i < 3; i++) {
            pare_graph *const g = parse(zoo);
            int               calls = 0, later = 0;
            const pare_tap    taps[] = { { names[i], refuse, &calls }, { "q", refuse, &later } };
            pare_plan        *plan;
            pare_context     *ctx;
            pare_pool        *pool;
            inputs            in;

            OK(pare_compile(g, NULL, &plan));
            OK(pare_context_create(plan, &ctx));
            OK(pare_pool_create(threads, &pool));
            make_inputs(plan, &in, 1);
            assert_int_equal(pare_context_run(ctx, pool, in.at, taps, 2), PARE_ERR_NUMERIC);
            assert_non_null(strstr(pare_error(), "seen enough"));
            assert_true(calls == 1 && later == 0);
            OK(pare_context_run(ctx, pool, in.at, NULL, 0));
            drop_inputs(&in);
            pare_pool_destroy(pool);
            pare_context_destroy(ctx);
            pare_plan_destroy(plan);
            pare_graph_destroy(g);
        }
}

static void wrong_inputs_are_refused(void **state)
{
    pare_graph *const g = parse(zoo);
    pare_plan        *plan;
    pare_context     *ctx;
    inputs            in;

    (void)state;
    OK(pare_compile(g, NULL, &plan));
    OK(pare_context_create(plan, &ctx));
    make_inputs(plan, &in, 0);
    const pare_tensor good = in.t[0];

    in.at[0] = NULL;
    assert_int_equal(pare_context_run(ctx, NULL, in.at, NULL, 0), PARE_ERR_ARG);
    assert_non_null(strstr(pare_error(), "'x'"));
    in.at[0] = &in.t[0];
    in.t[0].data = NULL;
    assert_int_equal(pare_context_run(ctx, NULL, in.at, NULL, 0), PARE_ERR_ARG);
    in.t[0] = good;
    in.t[0].dtype = PARE_s32;
    assert_int_equal(pare_context_run(ctx, NULL, in.at, NULL, 0), PARE_ERR_SHAPE);
    assert_non_null(strstr(pare_error(), "s32[1,3,9,8]"));
    in.t[0] = good;
    in.t[0].shape.dim[2] = 10;
    assert_int_equal(pare_context_run(ctx, NULL, in.at, NULL, 0), PARE_ERR_SHAPE);
    assert_non_null(strstr(pare_error(), "[1,3,10,8]"));
    in.t[0] = good;
    in.t[0].shape.rank = 3;
    assert_int_equal(pare_context_run(ctx, NULL, in.at, NULL, 0), PARE_ERR_SHAPE);
    in.t[0] = good;
    in.t[0].stride[2] = 1;
    in.t[0].stride[3] = 9;
    assert_int_equal(pare_context_run(ctx, NULL, in.at, NULL, 0), PARE_ERR_SHAPE);
    assert_non_null(strstr(pare_error(), "not dense"));
    in.t[0] = good;
    OK(pare_context_run(ctx, NULL, in.at, NULL, 0));
    drop_inputs(&in);
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
}

/* What a node finds wrong with its numbers names the node; the context is fine afterwards. */
static void failures_at_run_time_name_the_node(void **state)
{
    pare_graph *const g = parse("%x = input f32[4]\n%i = input s64[2]\n%a = neg(%x)\n%y = gather(%a, %i)\n"
                                "%z = abs(%y)\nreturn %z");
    int64_t           index[2] = { 0, 9 };
    float             numbers[4] = { 1, 2, 3, 4 };
    pare_plan        *plan;
    pare_context     *ctx;

    (void)state;
    OK(pare_compile(g, NULL, &plan));
    OK(pare_context_create(plan, &ctx));
    for (int threads = 1; threads <= 3; threads++) {
        pare_tensor        x = pare_tensor_of(PARE_f32, pare_shape_of(1, (const int64_t[]){ 4 }));
        pare_tensor        i = pare_tensor_of(PARE_s64, pare_shape_of(1, (const int64_t[]){ 2 }));
        const pare_tensor *in[2] = { &x, &i };
        pare_pool         *pool;

        x.data = numbers, i.data = index;
        OK(pare_pool_create(threads, &pool));
        index[1] = 9;
        assert_int_not_equal(pare_context_run(ctx, pool, in, NULL, 0), PARE_OK);
        assert_non_null(strstr(pare_error(), "'y'"));
        assert_non_null(strstr(pare_error(), "gather"));
        index[1] = 2;
        OK(pare_context_run(ctx, pool, in, NULL, 0));
        assert_true(((const float *)pare_context_output(ctx, 0)->data)[1] == 3);
        pare_pool_destroy(pool);
    }
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
}

/* The caller's memory may end right behind the last number: nothing is read beyond. */
static void inputs_need_no_room_behind(void **state)
{
    static const char *const texts[] = {
        zoo,
        "%x = input f32[3,5]\n@w = const f32[5,7] seed=1\n%y = matmul(%x, @w)\nreturn %y",
        "%x = input f32[1,5]\n@w = const f32[7,5] seed=1\n%y = gemm(%x, @w) transB=1\nreturn %y",
        "%x = input f32[2,13]\n@s = const f32 {0.1}\n@z = const u8 {3}\n%q = quantize_linear(%x, @s, @z)\nreturn %q",
        "meta \"pare.dynamic\" \"1\"\n%x = input f32[3,13]\n@s = const f32 {0.1}\n@w = const s8[13,3] seed=1\n"
        "%d = dequantize_linear(@w, @s)\n%y = matmul(%x, %d)\nreturn %y",
        "%x = input u8[1,3,3,3] @s = const f32 {0.1}\n@z = const u8 {3}\n@w = const s8[2,3,2,2] seed=1\n"
        "%d = dequantize_linear(%x, @s, @z)\n%wd = dequantize_linear(@w, @s)\n%y = conv(%d, %wd)\nreturn %y",
        "%x = input u8[2,13] @s = const f32 {0.1}\n@z = const u8 {3}\n@w = const s8[13,3] seed=1\n"
        "%d = dequantize_linear(%x, @s, @z)\n%wd = dequantize_linear(@w, @s)\n%y = matmul(%d, %wd)\nreturn %y",
        "%x = input f32[1,3,3,3]\n%y = max_pool(%x) kernel_shape=[2,2]\nreturn %y",
        "%x = input f32[1,3,3,3]\n%y = global_average_pool(%x)\nreturn %y",
        "%x = input f32[2,5]\n%y = softmax(%x)\nreturn %y",
        "%x = input f32[2,5]\n%y = sigmoid(%x)\n%z = add(%x, %x)\nreturn %y, %z",
    };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        pare_graph *const g = parse(texts[i]);
        pare_plan        *plan;
        pare_context     *ctx;
        inputs            in;

        OK(pare_compile(g, NULL, &plan));
        OK(pare_context_create(plan, &ctx));
        make_inputs(plan, &in, 1);
        const size_t bytes = (size_t)pare_tensor_bytes(&in.t[0]), room = (bytes + page - 1) / page * page;
        char *const  at = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        assert_true(at != MAP_FAILED);
        assert_int_equal(mprotect(at + room, page, PROT_NONE), 0);
        memcpy(at + room - bytes, in.t[0].data, bytes);
        pare_tensor moved = in.t[0];

        moved.data = at + room - bytes;
        in.at[0] = &moved;
        OK(pare_context_run(ctx, NULL, in.at, NULL, 0));
        munmap(at, room + page);
        drop_inputs(&in);
        pare_context_destroy(ctx);
        pare_plan_destroy(plan);
        pare_graph_destroy(g);
    }
}

/* ---------------------------------------------------------------------------------------------------------- threads */

typedef struct worker {
    const pare_plan *plan;
    const inputs    *in;
    pare_tensor      want[MAX_ENDS];
    int              wrong;
} worker;

static void *work(void *arg)
{
    worker *const w = arg;
    pare_context *ctx;

    if (pare_context_create(w->plan, &ctx) != PARE_OK) {
        w->wrong = -1;
        return NULL;
    }
    for (int i = 0; i < 100; i++) {
        w->wrong += pare_context_run(ctx, NULL, w->in->at, NULL, 0) != PARE_OK;
        for (int k = 0; k < pare_plan_n_outputs(w->plan); k++)
            w->wrong += !equal_tensors(pare_context_output(ctx, k), &w->want[k]);
    }
    pare_context_destroy(ctx);
    return NULL;
}

static void contexts_share_a_plan(void **state)
{
    pare_graph *const g = parse(zoo);
    pare_plan        *plan;
    inputs            in[2];
    worker            w[2] = { { 0 } };
    pthread_t         threads[2];

    (void)state;
    OK(pare_compile(g, &(pare_compile_options){ .batch = 2 }, &plan));
    for (int i = 0; i < 2; i++) {
        make_inputs(plan, &in[i], (uint64_t)i);
        w[i].plan = plan;
        w[i].in = &in[i];
        OK(pare_interp_run(g, in[i].at, w[i].want));
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(w[i].wrong, 0);
        for (int k = 0; k < g->n_outputs; k++)
            pare_tensor_release(&w[i].want[k]);
        drop_inputs(&in[i]);
    }
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
}

/* ------------------------------------------------------------------------------------------------------------ plans */

/* Bodies read values of the graph around them, long after their last other reader. */
static void bodies_keep_what_they_read(void **state)
{
    pare_graph *const g = parse("%x = input f32[64]\n%c = input bool[]\n%a = neg(%x)\n%b = abs(%a)\n%d = add(%b, %b)\n"
                                "%e = mul(%d, %d)\n%f = sub(%e, %b)\n"
                                "%y = if(%c) then_branch={\n%i = if(%c) then_branch={\nreturn %a\n} else_branch={\n"
                                "return %x\n}\n%j = add(%i, %f)\nreturn %j\n} else_branch={\nreturn %d\n}\n"
                                "%z = relu(%y)\nreturn %z, %y");

    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++) {
        pare_plan    *plan;
        pare_context *ctx;
        inputs        in;
        pare_tensor   out[2];

        OK(pare_compile(g, NULL, &plan));
        OK(pare_context_create(plan, &ctx));
        make_inputs(plan, &in, seed);
        OK(pare_interp_run(g, in.at, out));
        for (int again = 0; again < 2; again++) {
            OK(pare_context_run(ctx, NULL, in.at, NULL, 0));
            for (int i = 0; i < 2; i++)
                assert_true(equal_tensors(pare_context_output(ctx, i), &out[i]));
        }
        for (int i = 0; i < 2; i++)
            pare_tensor_release(&out[i]);
        drop_inputs(&in);
        pare_context_destroy(ctx);
        pare_plan_destroy(plan);
    }
    pare_graph_destroy(g);
}

static void steps_are_described_and_measured(void **state)
{
    pare_graph *const g = parse(zoo);
    pare_plan        *plan;
    pare_context     *ctx;
    inputs            in;
    double            macs = 0, sum = 0, before;
    int               views = 0;

    (void)state;
    OK(pare_compile(g, &(pare_compile_options){ .batch = 2 }, &plan));
    OK(pare_context_create(plan, &ctx));
    make_inputs(plan, &in, 1);
    const int     n = pare_plan_n_steps(plan);
    double *const ns = pare_calloc((size_t)n, sizeof(*ns));

    for (int i = 0; i < n; i++) {
        pare_step_info s;

        pare_plan_describe(plan, i, &s);
        assert_true(s.name[0] && s.op[0] && s.kernel[0] && s.output[0]);
        macs += s.macs;
        views += strcmp(s.kernel, "view") == 0;
    }
    /* 2 images of 5 x 4 pixels: 8 channels of 27 taps, 8 of 9, 5 of 8; and 2 rows of 7 outputs. */
    assert_true(macs == 2 * 20 * (8 * 27 + 8 * 9 + 5 * 8) + 2 * 7 * 75);
    assert_true(views >= 1);
    assert_true(pare_plan_context_bytes(plan) > 0);

    pare_context_profile(ctx, ns);
    OK(pare_context_run(ctx, NULL, in.at, NULL, 0));
    for (int i = 0; i < n; i++) {
        assert_true(ns[i] >= 0 && ns[i] < 1e10);
        sum += ns[i];
    }
    assert_true(sum > 0);
    before = ns[0];
    OK(pare_context_run(ctx, NULL, in.at, NULL, 0));
    assert_true(ns[0] > before); /* it adds up */
    pare_context_profile(ctx, NULL);
    before = ns[0];
    OK(pare_context_run(ctx, NULL, in.at, NULL, 0));
    assert_true(ns[0] == before);
    pare_free(ns);
    drop_inputs(&in);
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
}

static void check_unplannable(const char *text, const pare_compile_options *o, const char *word)
{
    pare_graph *const g = parse(text);
    const long        live = pare_alloc_live();
    pare_plan        *plan;

    assert_int_equal(pare_compile(g, o, &plan), PARE_ERR_DYNAMIC);
    if (!strstr(pare_error(), word))
        fail_msg("'%s' is not in: %s", word, pare_error());
    assert_int_equal(pare_alloc_live(), live);
    pare_graph_destroy(g);
}

static void open_shapes_are_refused(void **state)
{
    (void)state;
    check_unplannable("%x = input f32[N,T]\n%y = relu(%x)\nreturn %y", NULL, "'x'");
    check_unplannable("%x = input f32[N,2]\n%y = relu(%x)\nreturn %y", &(pare_compile_options){ .batch = -2 }, "'x'");
    check_unplannable("%x = input f32[4]\n%s = input s64[2]\n%y = reshape(%x, %s)\nreturn %y", NULL, "'y'");
}

static pare_status whole_life(const pare_graph *g, const inputs *in, int threads)
{
    pare_plan    *plan = NULL;
    pare_context *ctx = NULL;
    pare_pool    *pool = NULL;
    pare_status   status = pare_compile(g, &(pare_compile_options){ .batch = 2 }, &plan);

    if (status == PARE_OK)
        status = pare_context_create(plan, &ctx);
    if (status == PARE_OK)
        status = pare_pool_create(threads, &pool);
    if (status == PARE_OK)
        status = pare_context_run(ctx, pool, in->at, NULL, 0);
    pare_pool_destroy(pool);
    if (ctx)
        pare_context_destroy(ctx);
    if (plan)
        pare_plan_destroy(plan);
    return status;
}

static void short_memory_leaks_nothing(void **state)
{
    pare_graph *const g = parse(zoo);
    pare_plan        *plan;
    inputs            in;
    pare_status       status = PARE_ERR_MEMORY;

    (void)state;
    OK(pare_compile(g, &(pare_compile_options){ .batch = 2 }, &plan));
    make_inputs(plan, &in, 1);
    pare_plan_destroy(plan);
    const long live = pare_alloc_live();

    for (long n = 1; status != PARE_OK; n++) {
        pare_alloc_fail_after(n);
        status = whole_life(g, &in, 2);
        pare_alloc_fail_after(0);
        if (status != PARE_OK && status != PARE_ERR_MEMORY)
            fail_msg("allocation %ld: %s", n, pare_error());
        if (pare_alloc_live() != live)
            fail_msg("allocation %ld: %ld blocks are left", n, pare_alloc_live() - live);
        assert_true(n < 10000);
    }
    drop_inputs(&in);
    pare_graph_destroy(g);
}

static int nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(pare_alloc_live(), 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_do_not_overlap),
        cmocka_unit_test(halo_fills_all_borders),
        cmocka_unit_test(taps_see_what_the_interpreter_computes),
        cmocka_unit_test(slices_share_memory),
        cmocka_unit_test(a_tap_may_stop_the_run),
        cmocka_unit_test(wrong_inputs_are_refused),
        cmocka_unit_test(failures_at_run_time_name_the_node),
        cmocka_unit_test(inputs_need_no_room_behind),
        cmocka_unit_test(contexts_share_a_plan),
        cmocka_unit_test(bodies_keep_what_they_read),
        cmocka_unit_test(steps_are_described_and_measured),
        cmocka_unit_test(open_shapes_are_refused),
        cmocka_unit_test(short_memory_leaks_nothing),
    };

    return cmocka_run_group_tests_name("exec", tests, NULL, nothing_is_left);
}
