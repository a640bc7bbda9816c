/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - worker threads that wait for one job at a time.
 *
 * Everything waits at gates. A gate is a counter that only grows; whoever waits remembers the count and goes on when it
 * has changed. A waiter spins for about 20 us, longer than the gap between two steps of a plan, and then sleeps on a
 * condition variable. After the first 2 us it offers its core at every look: where other programs keep the remaining
 * cores busy, the thread that everybody waits for may be next in line for this one. A pool with more threads than cores
 * sleeps at once.
 */
#include "base/pool.h"

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
};

typedef struct gate {
    alignas(LINE) atomic_uint count;
    atomic_int      sleepers;
    pthread_mutex_t lock;
    pthread_cond_t  opened;
} gate;

typedef struct worker {
    pare_pool *pool;
    pthread_t  thread;
    int        part;
    bool       failed; /* wrote a sentence during this job */
    char       sentence[PARE_SENTENCE_SIZE];
} worker;

struct pare_pool {
    gate start;                       /* opened by the caller for every job, and once more to stop */
    gate done;                        /* opened by the last worker that returns from a job         */
    gate barrier;                     /* opened by the last part that arrives                      */
    alignas(LINE) atomic_int running; /* workers still in the job              */
    alignas(LINE) atomic_int arrived; /* parts at the barrier                  */
    alignas(LINE) void (*job)(void *arg, int part, int parts);
    void   *arg;
    bool    stop;
    bool    spins;
    int     threads;
    int     started; /* workers with a live thread */
    worker *workers; /* [threads - 1]              */
};

static void gate_init(gate *g)
{
    atomic_init(&g->count, 0);
    atomic_init(&g->sleepers, 0);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->opened, NULL);
}

static void gate_free(gate *g)
{
    pthread_cond_destroy(&g->opened);
    pthread_mutex_destroy(&g->lock);
}

static unsigned gate_count(gate *g)
{
    return atomic_load(&g->count);
}

/*
 * The sequentially consistent order makes a lost wake-up impossible: either the opener sees the sleeper, or the sleeper,
 * which counts itself before it looks at the count again, sees the gate open.
 */
static void gate_open(gate *g)
{
    atomic_fetch_add(&g->count, 1);
    if (atomic_load(&g->sleepers) > 0) {
        pthread_mutex_lock(&g->lock);
        pthread_cond_broadcast(&g->opened);
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

/* True when the gate opened in time. The clock costs as much as many looks, so it is read rarely. */
static bool spin(gate *g, unsigned seen)
{
    const long long begin = now_ns();

    for (long long waited = 0; waited < SPIN_NS; waited = now_ns() - begin) {
        if (waited > YIELD_NS)
            sched_yield();
        for (int i = 0; i < 32; i++) {
            if (gate_count(g) != seen)
                return true;
            relax();
        }
    }
    return false;
}

static void gate_wait(gate *g, unsigned seen, bool spins)
{
    if (gate_count(g) != seen || (spins && spin(g, seen)))
        return;
    pthread_mutex_lock(&g->lock);
    atomic_fetch_add(&g->sleepers, 1);
    while (gate_count(g) == seen)
        pthread_cond_wait(&g->opened, &g->lock);
    atomic_fetch_sub(&g->sleepers, 1);
    pthread_mutex_unlock(&g->lock);
}

static void *work(void *arg)
{
    worker *const    me = arg;
    pare_pool *const pool = me->pool;

    for (unsigned seen = 0;; seen++) {
        gate_wait(&pool->start, seen, pool->spins);
        if (pool->stop)
            return NULL;

        const unsigned long failures = pare_error_count();
        pool->job(pool->arg, me->part, pool->threads);
        me->failed = pare_error_count() != failures;
        if (me->failed)
            strcpy(me->sentence, pare_error());
        if (atomic_fetch_sub(&pool->running, 1) == 1)
            gate_open(&pool->done);
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
    if (!pool->workers)
        return pare_fail_memory((size_t)pool->threads * sizeof(worker), "worker threads");
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
    gate_init(&pool->start);
    gate_init(&pool->done);
    gate_init(&pool->barrier);
    pool->threads = threads ? threads : cores();
    pool->spins = pool->threads <= cores();

    const pare_status status = start_workers(pool);
    if (status == PARE_OK)
        *out = pool;
    else
        pare_pool_destroy(pool);
    return status;
}

void pare_pool_destroy(pare_pool *pool)
{
    if (!pool)
        return;
    pool->stop = true;
    gate_open(&pool->start);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    gate_free(&pool->start);
    gate_free(&pool->done);
    gate_free(&pool->barrier);
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
    const unsigned      seen = gate_count(&pool->done);

    pool->job = job;
    pool->arg = arg;
    atomic_store(&pool->running, pool->threads - 1);
    gate_open(&pool->start);
    job(arg, 0, pool->threads);
    gate_wait(&pool->done, seen, pool->spins);

    for (int i = 0; i < pool->threads - 1 && pare_error_count() == failures; i++)
        if (pool->workers[i].failed)
            pare_error_set(pool->workers[i].sentence);
}

void pare_pool_barrier(pare_pool *pool)
{
    if (!pool || pool->threads == 1)
        return;

    const unsigned seen = gate_count(&pool->barrier);
    if (atomic_fetch_add(&pool->arrived, 1) == pool->threads - 1) {
        atomic_store(&pool->arrived, 0); /* before the gate opens: the next barrier counts from zero */
        gate_open(&pool->barrier);
    } else {
        gate_wait(&pool->barrier, seen, pool->spins);
    }
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
