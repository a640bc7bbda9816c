/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - worker threads that wait for one job at a time, and for each other inside it.
 *
 * Everything waits at gates. A gate is a count that only grows; whoever waits names the count that lets it through. One
 * gate starts the jobs; every part has one of its own that says how far it has come, at last that it has returned. A
 * waiter spins for about 20 us, longer than the gap between two steps of a plan, and then sleeps on a condition
 * variable. After the first 2 us it offers its core at every look: where other programs keep the remaining cores busy,
 * the thread that everybody waits for may be next in line for this one. A pool with more threads than cores sleeps at
 * once.
 */
#include "base/pool.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/status.h"

enum {
    YIELD_NS = 2000, /* longer than an undisturbed wait, far shorter than the time that a busy core costs */
    SPIN_NS = 20000,
    MAX_THREADS = 1024,
    LINE = 64, /* words that different threads write stay on cache lines of their own */
    RETURNED = INT_MAX,
};

typedef struct gate {
    alignas(LINE) atomic_int count; /* written by one thread                                  */
    atomic_int sleepers;
    alignas(LINE) pthread_mutex_t lock; /* not on the line at which everybody looks while spinning */
    pthread_cond_t raised;
} gate;

typedef struct worker {
    pare_pool *pool;
    pthread_t  thread;
    int        part;
    bool       failed; /* wrote a sentence during this job */
    char       sentence[PARE_SENTENCE_SIZE];
} worker;

struct pare_pool {
    gate start; /* counts the jobs; once more to stop */
    void (*job)(void *arg, int part, int parts);
    void   *arg;
    bool    stop;
    bool    spins;
    int     threads;
    int     started; /* workers with a live thread                                */
    worker *workers; /* [threads - 1]                                             */
    gate   *parts;   /* [threads] what each has reached in this job, or RETURNED  */
};

static void gate_init(gate *g)
{
    atomic_init(&g->count, 0);
    atomic_init(&g->sleepers, 0);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->raised, NULL);
}

static void gate_free(gate *g)
{
    pthread_cond_destroy(&g->raised);
    pthread_mutex_destroy(&g->lock);
}

/* The difference is right even when the count has passed the largest int: one waits for the near future only. */
static bool gate_has(gate *g, int count)
{
    return (int)((unsigned)atomic_load_explicit(&g->count, memory_order_acquire) - (unsigned)count) >= 0;
}

/*
 * The sequentially consistent order makes a lost wake-up impossible: either the one that raises sees the sleeper, or the
 * sleeper, which counts itself before it looks at the count again, sees the new count.
 */
static void gate_raise(gate *g, int count)
{
    atomic_store(&g->count, count);
    if (atomic_load(&g->sleepers) > 0) {
        pthread_mutex_lock(&g->lock);
        pthread_cond_broadcast(&g->raised);
        pthread_mutex_unlock(&g->lock);
    }
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* True when the count was reached in time. The clock costs as much as many looks, so it is read rarely. */
static bool spin(gate *g, int count)
{
    enum { LOOKS = 32 };
    long long begin = 0, waited = 0;

    do {
        if (waited > YIELD_NS)
            sched_yield();
        for (int i = 0; i < LOOKS; i++) {
            if (gate_has(g, count))
                return true;
            relax();
        }
        const long long now = now_ns();
        begin = begin ? begin : now;
        waited = now - begin;
    } while (waited < SPIN_NS);
    return false;
}

static void gate_wait(gate *g, int count, bool spins)
{
    if (gate_has(g, count) || (spins && spin(g, count)))
        return;
    pthread_mutex_lock(&g->lock);
    atomic_fetch_add(&g->sleepers, 1);
    while ((int)((unsigned)atomic_load(&g->count) - (unsigned)count) < 0)
        pthread_cond_wait(&g->raised, &g->lock);
    atomic_fetch_sub(&g->sleepers, 1);
    pthread_mutex_unlock(&g->lock);
}

static void *work(void *arg)
{
    worker *const    me = arg;
    pare_pool *const pool = me->pool;

    for (unsigned jobs = 1;; jobs++) {
        gate_wait(&pool->start, (int)jobs, pool->spins);
        if (pool->stop)
            return NULL;

        const unsigned long failures = pare_error_count();
        pool->job(pool->arg, me->part, pool->threads);
        me->failed = pare_error_count() != failures;
        if (me->failed)
            strcpy(me->sentence, pare_error());
        gate_raise(&pool->parts[me->part], RETURNED);
    }
}

/* Cores that this process may use, which taskset and containers can make fewer than the machine has. */
static int cores(void)
{
#if defined(__linux__)
    cpu_set_t set;

    if (!sched_getaffinity(0, sizeof(set), &set))
        return CPU_COUNT(&set);
#endif
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

static pare_status start_workers(pare_pool *pool)
{
    pool->workers = pare_calloc((size_t)pool->threads, sizeof(worker));
    pool->parts = pare_malloc_aligned((size_t)pool->threads * sizeof(gate));
    if (!pool->workers || !pool->parts)
        return pare_fail_memory((size_t)pool->threads * (sizeof(worker) + sizeof(gate)), "worker threads");
    for (int i = 0; i < pool->threads; i++)
        gate_init(&pool->parts[i]);
    for (int i = 0; i < pool->threads - 1; i++) {
        worker *const w = &pool->workers[i];

        w->pool = pool;
        w->part = i + 1;
        const int error = pthread_create(&w->thread, NULL, work, w);
        if (error)
            return pare_fail(PARE_ERR_MEMORY, "worker thread %d of %d cannot be started: %s; ask for fewer threads",
                             i + 1, pool->threads - 1, strerror(error));
        pool->started++;
    }
    return PARE_OK;
}

pare_status pare_pool_create(int threads, pare_pool **out)
{
    *out = NULL;
    if (threads < 0 || threads > MAX_THREADS)
        return pare_fail(PARE_ERR_ARG, "%d threads: the number must be from 1 to %d, or 0 for one per core", threads,
                         MAX_THREADS);

    pare_pool *const pool = pare_malloc_aligned(sizeof(*pool));
    if (!pool)
        return pare_fail_memory(sizeof(*pool), "a thread pool");
    memset(pool, 0, sizeof(*pool));
    gate_init(&pool->start);
    pool->threads = threads ? threads : cores();
    pool->spins = pool->threads <= cores();

    const pare_status status = start_workers(pool);
    if (status == PARE_OK)
        *out = pool;
    else
        pare_pool_destroy(pool);
    return status;
}

/* The number of the next job. */
static int next_job(pare_pool *pool)
{
    return (int)((unsigned)atomic_load_explicit(&pool->start.count, memory_order_relaxed) + 1);
}

void pare_pool_destroy(pare_pool *pool)
{
    if (!pool)
        return;
    pool->stop = true;
    gate_raise(&pool->start, next_job(pool));
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    for (int i = 0; pool->parts && pool->workers && i < pool->threads; i++)
        gate_free(&pool->parts[i]);
    gate_free(&pool->start);
    pare_free_aligned(pool->parts);
    pare_free(pool->workers);
    pare_free_aligned(pool);
}

int pare_pool_threads(const pare_pool *pool)
{
    return pool ? pool->threads : 1;
}

void pare_pool_run(pare_pool *pool, void (*job)(void *arg, int part, int parts), void *arg)
{
    if (!pool || pool->threads == 1) {
        job(arg, 0, 1);
        return;
    }

    const unsigned long failures = pare_error_count();

    pool->job = job;
    pool->arg = arg;
    for (int i = 0; i < pool->threads; i++)
        atomic_store_explicit(&pool->parts[i].count, 0, memory_order_relaxed); /* the start gate publishes it */
    gate_raise(&pool->start, next_job(pool));
    job(arg, 0, pool->threads);
    gate_raise(&pool->parts[0], RETURNED);
    for (int i = 1; i < pool->threads; i++)
        gate_wait(&pool->parts[i], RETURNED, pool->spins);

    for (int i = 0; i < pool->threads - 1 && pare_error_count() == failures; i++)
        if (pool->workers[i].failed)
            pare_error_set(pool->workers[i].sentence);
}

void pare_pool_reach(pare_pool *pool, int part, int count)
{
    if (pool && pool->threads > 1)
        gate_raise(&pool->parts[part], count);
}

void pare_pool_await(pare_pool *pool, int part, int count)
{
    if (pool && pool->threads > 1)
        gate_wait(&pool->parts[part], count, pool->spins);
}

void pare_pool_split(long n, long grain, int part, int parts, long *begin, long *end)
{
    const long units = n / grain + (n % grain != 0);
    const long each = units / parts;
    const long more = units % parts; /* the first `more` parts do one unit more */
    const long first = each * part + (part < more ? part : more);
    const long last = first + each + (part < more);

    *begin = first == units ? n : first * grain;
    *end = last == units ? n : last * grain;
}
