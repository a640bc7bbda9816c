/* SPDX-License-Identifier: Apache-2.0 */
/* pool_test.c - every part runs once per job and waits for what others have done, shares cover everything exactly once */
#include "runner.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"

static const int thread_counts[] = { 1, 2, 3, 7 };
enum { N_COUNTS = 4, MOST = 7, JOBS = 300, ROUNDS = 200 };

typedef struct shared {
    pare_pool *pool;
    atomic_int ran[MOST];
    long       sums[2][MOST]; /* plain memory: only the waiting orders it, so a hole in them shows as a wrong sum */
    atomic_int wrong;
    bool       fails[MOST];
} shared;

static void count_part(void *arg, int part, int parts)
{
    shared *const s = arg;

    if (part >= 0 && part < parts && parts <= MOST)
        atomic_fetch_add(&s->ran[part], 1);
    else
        atomic_fetch_add(&s->wrong, 1);
}

static void runs_every_part_once(runner *r)
{
    for (int t = 0; t < N_COUNTS; t++) {
        static shared s;
        memset(&s, 0, sizeof(s));
        CHECK(r, pare_pool_create(thread_counts[t], &s.pool) == PARE_OK, "create: %s", pare_error());
        CHECK(r, pare_pool_threads(s.pool) == thread_counts[t], "%d threads", pare_pool_threads(s.pool));
        for (int i = 0; i < JOBS; i++)
            pare_pool_run(s.pool, count_part, &s);
        for (int p = 0; p < MOST; p++)
            CHECK(r, atomic_load(&s.ran[p]) == (p < thread_counts[t] ? JOBS : 0), "%d threads: part %d ran %d times",
                  thread_counts[t], p, atomic_load(&s.ran[p]));
        CHECK(r, atomic_load(&s.wrong) == 0, "a part outside 0..parts-1");
        pare_pool_destroy(s.pool);
    }
}

/*
 * In every round each part writes its own cell, waits for all others and adds up everybody's cells of that round.
 * Two sets of cells take turns: nobody writes a cell again before all have come to the round after, having read it.
 */
static void add_in_rounds(void *arg, int part, int parts)
{
    shared *const s = arg;

    for (long round = 1; round <= ROUNDS; round++) {
        long *const cells = s->sums[round & 1];
        long        sum = 0;

        cells[part] = round * (part + 1);
        pare_pool_reach(s->pool, part, (int)round);
        for (int p = 0; p < parts; p++)
            pare_pool_await(s->pool, p, (int)round);
        for (int p = 0; p < parts; p++)
            sum += cells[p];
        if (sum != round * parts * (parts + 1) / 2)
            atomic_fetch_add(&s->wrong, 1);
    }
}

static void all_wait_for_all(runner *r)
{
    for (int t = 0; t < N_COUNTS; t++) {
        static shared s;
        memset(&s, 0, sizeof(s));
        CHECK(r, pare_pool_create(thread_counts[t], &s.pool) == PARE_OK, "create: %s", pare_error());
        for (int i = 0; i < 20; i++)
            pare_pool_run(s.pool, add_in_rounds, &s);
        CHECK(r, atomic_load(&s.wrong) == 0, "%d threads: %d wrong sums", thread_counts[t], atomic_load(&s.wrong));
        pare_pool_destroy(s.pool);
    }
}

/*
 * Every part waits for the one before it, whose cell of this round it reads, and for the one behind it, which has read
 * its own cell of the round before: nobody else keeps them together.
 */
static void add_along(void *arg, int part, int parts)
{
    shared *const s = arg;
    long *const   cells = s->sums[0];

    for (long round = 1; round <= ROUNDS; round++) {
        if (part > 0)
            pare_pool_await(s->pool, part - 1, (int)round);
        if (part + 1 < parts)
            pare_pool_await(s->pool, part + 1, (int)round - 1);
        cells[part] = part > 0 ? cells[part - 1] + round : round;
        if (cells[part] != round * (part + 1))
            atomic_fetch_add(&s->wrong, 1);
        pare_pool_reach(s->pool, part, (int)round);
    }
}

/* A part that has returned lets everybody through, whatever count they wait for. */
static void return_early(void *arg, int part, int parts)
{
    shared *const s = arg;

    s->sums[0][part] = part + 1;
    if (part + 1 < parts) {
        pare_pool_await(s->pool, part + 1, 1000000);
        if (s->sums[0][part + 1] != part + 2)
            atomic_fetch_add(&s->wrong, 1);
    }
}

static void some_wait_for_some(runner *r)
{
    for (int t = 0; t < N_COUNTS; t++) {
        static shared s;
        memset(&s, 0, sizeof(s));
        CHECK(r, pare_pool_create(thread_counts[t], &s.pool) == PARE_OK, "create: %s", pare_error());
        for (int i = 0; i < 20; i++) {
            pare_pool_run(s.pool, add_along, &s);
            memset(s.sums, 0, sizeof(s.sums));
            pare_pool_run(s.pool, return_early, &s);
            memset(s.sums, 0, sizeof(s.sums));
        }
        CHECK(r, atomic_load(&s.wrong) == 0, "%d threads: %d times too early", thread_counts[t], atomic_load(&s.wrong));
        pare_pool_destroy(s.pool);
    }
}

static void fail_some(void *arg, int part, int parts)
{
    shared *const s = arg;

    if (s->fails[part])
        pare_fail(PARE_ERR_DATA, "part %d of %d", part, parts);
}

static void hands_over_sentences(runner *r)
{
    static shared s;
    pare_status   status = pare_pool_create(3, &s.pool);

    CHECK(r, status == PARE_OK, "create: %s", pare_error());
    pare_error_set("old");
    pare_pool_run(s.pool, fail_some, &s);
    CHECK(r, !strcmp(pare_error(), "old"), "nobody failed: \"%s\"", pare_error());
    s.fails[1] = s.fails[2] = true;
    pare_pool_run(s.pool, fail_some, &s);
    CHECK(r, !strcmp(pare_error(), "part 1 of 3"), "the lowest part wins: \"%s\"", pare_error());
    s.fails[0] = true;
    pare_pool_run(s.pool, fail_some, &s);
    CHECK(r, !strcmp(pare_error(), "part 0 of 3"), "the caller's own comes first: \"%s\"", pare_error());
    s.fails[0] = s.fails[1] = false;
    pare_pool_run(s.pool, fail_some, &s);
    CHECK(r, !strcmp(pare_error(), "part 2 of 3"), "an old failure is not handed over again: \"%s\"", pare_error());
    pare_pool_destroy(s.pool);
}

static void no_pool_is_one_thread(runner *r)
{
    static shared s;

    memset(&s, 0, sizeof(s));
    pare_pool_run(NULL, count_part, &s);
    pare_pool_run(NULL, add_in_rounds, &s);
    pare_pool_reach(NULL, 0, 1);
    pare_pool_await(NULL, 0, 1);
    pare_pool_destroy(NULL);
    CHECK(r, atomic_load(&s.ran[0]) == 1 && atomic_load(&s.wrong) == 0, "ran %d times", atomic_load(&s.ran[0]));
    CHECK(r, pare_pool_threads(NULL) == 1, "%d threads", pare_pool_threads(NULL));
}

static void refuses_what_cannot_be(runner *r)
{
    const long live = pare_alloc_live();
    pare_pool *pool;

    CHECK(r, pare_pool_create(-1, &pool) == PARE_ERR_ARG && !pool, "-1 threads");
    CHECK(r, pare_pool_create(1 << 20, &pool) == PARE_ERR_ARG && !pool, "a million threads");
    for (int n = 1; n <= 2; n++) {
        pare_alloc_fail_after(n);
        CHECK(r, pare_pool_create(2, &pool) == PARE_ERR_MEMORY && !pool, "allocation %d fails", n);
        pare_alloc_fail_after(0);
    }
    CHECK(r, pare_pool_create(0, &pool) == PARE_OK && pare_pool_threads(pool) >= 1, "one per core");
    pare_pool_destroy(pool);
    CHECK(r, pare_alloc_live() == live, "live %ld", pare_alloc_live() - live);
}

static void split_covers_everything_once(runner *r)
{
    static const long sizes[] = { 0, 1, 2, 15, 16, 17, 100, 1000, 4097 }, grains[] = { 1, 2, 4, 16, 64 };

    for (int i = 0; i < 9; i++)
        for (int g = 0; g < 5; g++)
            for (int parts = 1; parts <= 9; parts++) {
                long at = 0, most = 0, least = sizes[i] + grains[g];

                for (int part = 0; part < parts; part++) {
                    long begin, end;
                    pare_pool_split(sizes[i], grains[g], part, parts, &begin, &end);
                    CHECK(r, begin == at && end >= begin, "%ld by %ld: part %d of %d is [%ld, %ld)", sizes[i],
                          grains[g], part, parts, begin, end);
                    CHECK(r, begin % grains[g] == 0 || begin == sizes[i], "begin %ld is inside a grain", begin);
                    most = end - begin > most ? end - begin : most;
                    least = end - begin < least ? end - begin : least;
                    at = end;
                }
                CHECK(r, at == sizes[i], "%ld by %ld in %d: ends at %ld", sizes[i], grains[g], parts, at);
                CHECK(r, most - least < 2 * grains[g], "%ld by %ld in %d: unfair", sizes[i], grains[g], parts);
            }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "runs_every_part_once", runs_every_part_once },
        { "all_wait_for_all", all_wait_for_all },
        { "some_wait_for_some", some_wait_for_some },
        { "hands_over_sentences", hands_over_sentences },
        { "no_pool_is_one_thread", no_pool_is_one_thread },
        { "refuses_what_cannot_be", refuses_what_cannot_be },
        { "split_covers_everything_once", split_covers_everything_once },
    };
    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
