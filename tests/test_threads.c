/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_threads.c - parts of a run that drift apart: spans tell the truth, any number of threads gives the same bytes
 *
 * Also to be run where every unordered access is seen (ThreadSanitizer):
 *     cmake -S . -B build-tsan -DCMAKE_C_FLAGS=-fsanitize=thread && cmake --build build-tsan --target pool_test test_threads
 *     build-tsan/tests/pool_test && build-tsan/tests/test_threads
 * With -DPARE_EMULATE=ON the line race:pare_tile_emulate_load belongs into TSAN_OPTIONS=suppressions=FILE: tiles hold
 * rows that lie in a neighbour's share and of which nothing is used.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "exec/order.h"
#include "exec/plan.h"
#include "ops/span.h"
#include "random_networks.h"

/* One slab: all parts share all steps. */
static pare_plan *make_network(uint64_t seed)
{
    const int batch = 1 + (int)(seed % 3);

    return make_batch(seed, batch, batch);
}

/* ---------------------------------------------------------------------------------------------------------- drifting */

typedef void run_fn(const pare_step *step, const pare_call *call, int part, int parts, void *scratch);

/* The runs that others stand in for. Written before threads begin. */
static struct {
    const pare_plan *plan;
    run_fn          *run[MAX_STEPS * 4];
} real;

static run_fn *real_run(const pare_step *step)
{
    const pare_plan_step *const at = (const pare_plan_step *)((const char *)step - offsetof(pare_plan_step, step));

    return real.run[at - real.plan->steps];
}

static void stand_in(pare_plan *plan, run_fn *run)
{
    real.plan = plan;
    assert_true(plan->n_steps <= MAX_STEPS * 4);
    for (int i = 0; i < plan->n_steps; i++) {
        real.run[i] = plan->steps[i].step.run;
        if (plan->steps[i].step.run)
            plan->steps[i].step.run = run;
    }
}

static atomic_uint dice;

/* Now and then a part sleeps before a step, or after it: the others run ahead as far as the order lets them. */
static void run_late(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const unsigned toss = atomic_fetch_add(&dice, 1) * 2654435761u;

    if ((toss >> 24) % 6 == 0)
        usleep((toss >> 16) % 200);
    real_run(step)(step, call, part, parts, scratch);
    if ((toss >> 20) % 6 == 0)
        usleep((toss >> 12) % 200);
}

static void check_outputs(const pare_context *got, const pare_context *want, const pare_plan *plan, const char *when)
{
    for (int k = 0; k < pare_plan_n_outputs(plan); k++) {
        const pare_tensor *const a = pare_context_output(got, k), *const b = pare_context_output(want, k);

        if (memcmp(a->data, b->data, (size_t)pare_tensor_bytes(b)) != 0)
            fail_msg("%s: output %d differs", when, k);
    }
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    static const int counts[] = { 2, 3, 7 };
    pare_pool       *pool[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        OK(pare_pool_create(counts[i], &pool[i]));
    for (uint64_t seed = 1; seed <= 40; seed++) {
        pare_plan *const         plan = make_network(seed);
        pare_tensor              x = make_input(plan, seed);
        const pare_tensor *const in[] = { &x };
        pare_context            *one, *many;

        OK(pare_context_create(plan, &one));
        OK(pare_context_create(plan, &many));
        OK(pare_context_run(one, NULL, in, NULL, 0));
        stand_in(plan, run_late);
        for (int i = 0; i < 9; i++) {
            char when[64];

            snprintf(when, sizeof(when), "seed %d, %d threads", (int)seed, counts[i % 3]);
            OK(pare_context_run(many, pool[i % 3], in, NULL, 0));
            check_outputs(many, one, plan, when);
        }
        pare_context_destroy(one);
        pare_context_destroy(many);
        pare_tensor_release(&x);
        pare_plan_destroy(plan);
    }
    for (int i = 0; i < 3; i++)
        pare_pool_destroy(pool[i]);
}

/* ------------------------------------------------------------------------------------------------------------- spans */

enum { MAX_OPERANDS = 16 };

static struct {
    char       *block; /* of the only context */
    size_t      bytes;
    const char *kept; /* what the block held before the step */
    char       *full; /* what it held after all of it         */
    char       *now;
    pare_rng    rng;
    long        checks;
} truth;

/* What a part says that it touches, by address: some operands are the same memory. */
typedef struct claims {
    int         n;
    const char *begin[MAX_OPERANDS], *end[MAX_OPERANDS];
} claims;

static void claim(claims *c, const pare_tensor *t, pare_span span)
{
    const pare_span all = pare_span_extent(t);

    assert_true(c->n < MAX_OPERANDS);
    c->begin[c->n] = (char *)t->data + (span.begin > all.begin ? span.begin : all.begin);
    c->end[c->n++] = (char *)t->data + (span.end < all.end ? span.end : all.end);
}

static bool is_claimed(const claims *c, const char *at)
{
    for (int i = 0; i < c->n; i++)
        if (at >= c->begin[i] && at < c->end[i])
            return true;
    return false;
}

/* Writes noise over the elements that are not claimed, or a pattern over all of them. */
static void spoil(const pare_tensor *t, const claims *keep, int pattern)
{
    const int64_t size = (int64_t)pare_dtype_size(t->dtype);
    int64_t       at[PARE_MAX_RANK] = { 0 };

    if ((char *)t->data < truth.block || (char *)t->data >= truth.block + truth.bytes)
        return; /* constant, or the caller's */
    for (int64_t left = pare_shape_count(&t->shape); left > 0; left--) {
        int64_t offset = 0;

        for (int i = 0; i < t->shape.rank; i++)
            offset += at[i] * t->stride[i] * size;
        for (int64_t b = 0; b < size; b++)
            if (pattern >= 0)
                ((char *)t->data)[offset + b] = (char)pattern;
            else if (!is_claimed(keep, (char *)t->data + offset))
                ((char *)t->data)[offset + b] = (char)pare_rng_below(&truth.rng, 256);
        for (int i = t->shape.rank - 1; i >= 0 && ++at[i] == t->shape.dim[i]; i--)
            at[i] = 0;
    }
}

/* One part, alone, on a block where only what it says it reads is as it was. */
static void check_part(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    claims reads = { 0 }, writes = { 0 };

    memcpy(truth.block, truth.kept, truth.bytes);
    for (int i = 0; i < call->n_in; i++)
        if (call->in[i])
            claim(&reads, call->in[i], step->span(step, call, i, part, parts));
    for (int i = 0; i < call->n_in; i++)
        if (call->in[i])
            spoil(call->in[i], &reads, -1);
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i])
            claim(&writes, call->out[i], step->span(step, call, call->n_in + i, part, parts));
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i])
            spoil(call->out[i], NULL, 0xA5);
    memcpy(truth.now, truth.block, truth.bytes);
    real_run(step)(step, call, part, parts, scratch);
    for (size_t i = 0; i < truth.bytes; i++) {
        if (truth.block[i] == truth.now[i])
            continue;
        truth.checks++;
        if (!is_claimed(&writes, truth.block + i))
            fail_msg("%s, %s: part %d of %d writes outside its span", call->op->name, step->kernel, part, parts);
        if (truth.block[i] != truth.full[i])
            fail_msg("%s, %s: part %d of %d reads outside its span", call->op->name, step->kernel, part, parts);
    }
}

static void run_part_by_part(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    assert_true(part == 0 && parts == 1);
    memcpy((char *)truth.kept, truth.block, truth.bytes);
    real_run(step)(step, call, 0, 1, scratch);
    memcpy(truth.full, truth.block, truth.bytes);
    for (int n = 2; step->span && n <= 7; n++)
        for (int p = 0; p < n; p++)
            check_part(step, call, p, n, scratch);
    memcpy(truth.block, truth.full, truth.bytes);
}

static void spans_tell_the_truth(void **state)
{
    (void)state;
    truth.rng = pare_rng_seed(1);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        pare_plan *const         plan = make_network(seed);
        pare_tensor              x = make_input(plan, seed);
        const pare_tensor *const in[] = { &x };
        const int                y = plan->g->outputs[0]->id;
        pare_context            *ctx;

        OK(pare_context_create(plan, &ctx));
        assert_int_equal(plan->places[y].kind, PARE_PLACE_BLOCK);
        truth.block = (char *)pare_context_output(ctx, 0)->data - plan->places[y].interior - plan->places[y].offset;
        truth.bytes = plan->block_bytes;
        truth.kept = pare_malloc(truth.bytes);
        truth.full = pare_malloc(truth.bytes);
        truth.now = pare_malloc(truth.bytes);
        truth.checks = 0;
        stand_in(plan, run_part_by_part);
        OK(pare_context_run(ctx, NULL, in, NULL, 0));
        assert_true(truth.checks > 0);
        pare_free((char *)truth.kept);
        pare_free(truth.full);
        pare_free(truth.now);
        pare_context_destroy(ctx);
        pare_tensor_release(&x);
        pare_plan_destroy(plan);
    }
}

/* -------------------------------------------------------------------------------------------------------------- order */

/*
 * Steps that share out their elements at the same places: nobody waits, until the floats at the end take memory that
 * others had. Steps that do not say what they touch: all wait for all.
 */
static void only_what_must_wait_waits(void **state)
{
    static const char text[] = "graph chain\n%x = input f32[1,16,8,8]\n@s = const f32 {0.4}\n@z = const u8 {117}\n"
                               "@t = const u8[256] seed=9\n%a : u8 q(0.4, 117) = quantize_linear(%x, @s, @z)\n"
                               "%b : u8 q(0.4, 117) = lut(%a, @t)\n%c : u8 q(0.4, 117) = qmul(%a, %b)\n"
                               "%d : u8 q(0.4, 117) = lut(%c, @t)\n%y = dequantize_linear(%d, @s, @z)\nreturn %y\n";
    pare_graph       *g;
    pare_plan        *plan;
    pare_order        order = { 0 };

    (void)state;
    OK(pare_graph_parse(text, &g));
    OK(pare_graph_infer(g, false));
    OK(pare_compile(g, NULL, &plan));
    pare_graph_destroy(g);

    pare_bound bound = { 0 };

    OK(pare_bound_create(plan, &bound));
    for (int parts = 2; parts <= 4; parts += 2) {
        const int last = plan->n_steps - 1;

        OK(pare_order_make(plan, &bound, parts, &order));
        assert_int_equal(order.parts, parts);
        assert_int_equal(order.first[last * parts], 0);
        assert_true(order.n_waits <= parts * (parts - 1));
    }
    for (int s = 0; s < plan->n_steps; s++)
        plan->steps[s].step.span = NULL;
    OK(pare_order_make(plan, &bound, 3, &order));
    assert_int_equal(order.n_waits, (plan->n_steps - 1) * 3 * 2);
    for (int s = 1; s < plan->n_steps; s++)
        for (int k = order.first[s * 3]; k < order.first[s * 3 + 3]; k++)
            assert_int_equal(order.waits[k].count, s);
    for (int fail = 1; fail <= 4; fail++) {
        pare_alloc_fail_after(fail);
        assert_int_equal(pare_order_make(plan, &bound, 2, &order), PARE_ERR_MEMORY);
        pare_alloc_fail_after(0);
        assert_null(order.first);
    }
    pare_order_clear(&order);
    pare_bound_clear(&bound);
    pare_plan_destroy(plan);
}

/* ----------------------------------------------------------------------------------------------------- many contexts */

typedef struct user {
    const pare_plan    *plan;
    const pare_tensor  *x;
    const pare_context *want;
    int                 threads;
    const char         *failed;
} user;

static void *use(void *arg)
{
    user *const   u = arg;
    pare_pool    *pool = NULL;
    pare_context *ctx = NULL;

    if (pare_pool_create(u->threads, &pool) != PARE_OK || pare_context_create(u->plan, &ctx) != PARE_OK)
        u->failed = "nothing to run";
    for (int i = 0; i < 30 && !u->failed; i++) {
        if (pare_context_run(ctx, pool, &u->x, NULL, 0) != PARE_OK)
            u->failed = "run";
        for (int k = 0; !u->failed && k < pare_plan_n_outputs(u->plan); k++) {
            const pare_tensor *const y = pare_context_output(ctx, k);

            if (memcmp(y->data, pare_context_output(u->want, k)->data, (size_t)pare_tensor_bytes(y)) != 0)
                u->failed = "bytes differ";
        }
    }
    pare_context_destroy(ctx);
    pare_pool_destroy(pool);
    return NULL;
}

/* One plan, and several users at once, each with a context and a pool of its own. */
static void contexts_with_pools_share_a_plan(void **state)
{
    enum { USERS = 4 };

    (void)state;
    for (uint64_t seed = 100; seed < 106; seed++) {
        pare_plan *const plan = make_network(seed);
        pare_tensor      x[USERS];
        pare_context    *want[USERS];
        pthread_t        threads[USERS];
        user             users[USERS];

        for (int i = 0; i < USERS; i++) {
            x[i] = make_input(plan, seed + (uint64_t)i);
            OK(pare_context_create(plan, &want[i]));
            OK(pare_context_run(want[i], NULL, &(const pare_tensor *){ &x[i] }, NULL, 0));
            users[i] = (user){ plan, &x[i], want[i], 1 + i % 3, NULL };
        }
        for (int i = 0; i < USERS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
        for (int i = 0; i < USERS; i++)
            pthread_join(threads[i], NULL);
        for (int i = 0; i < USERS; i++) {
            if (users[i].failed)
                fail_msg("seed %d, user %d: %s", (int)seed, i, users[i].failed);
            pare_context_destroy(want[i]);
            pare_tensor_release(&x[i]);
        }
        pare_plan_destroy(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_tell_the_truth),
        cmocka_unit_test(only_what_must_wait_waits),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(contexts_with_pools_share_a_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
