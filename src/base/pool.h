/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - running one job on every worker, with waiting for each other inside it */
#ifndef PARE_BASE_POOL_H
#define PARE_BASE_POOL_H

#include <pare/pool.h>

/*
 * Calls job(arg, part, parts) once on every worker, part 0 on the calling thread, and returns when
 * all have returned. A NULL pool runs job(arg, 0, 1). One wake-up per call (spin, then condvar).
 * A sentence (pare_error) that a worker wrote during the job is handed over to the caller; the lowest part wins.
 */
void pare_pool_run(pare_pool *pool, void (*job)(void *arg, int part, int parts), void *arg);

/*
 * Inside a job: part `part`, which is the caller's own, has come to `count`. Counts begin at 0 with each job and grow.
 * What it has written before is seen by whoever awaits this count. NULL pool: nothing.
 */
void pare_pool_reach(pare_pool *pool, int part, int count);

/* Inside a job: waits until that part has come to `count` or returned. Spins a little, then sleeps. NULL: returns. */
void pare_pool_await(pare_pool *pool, int part, int count);

/* The share of 0..n-1 that part `part` of `parts` does: [*begin, *end), in multiples of `grain`. */
void pare_pool_split(long n, long grain, int part, int parts, long *begin, long *end);

#endif
