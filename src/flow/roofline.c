/* SPDX-License-Identifier: Apache-2.0 */
/* roofline.c - the peaks of this machine: products in registers, and memory read line by line */
#include <pare/roofline.h>

#include <math.h>
#include <time.h>

#include "base/pages.h"
#include "base/pool.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "kernels/peak/peak.h"

enum { LINE = 64, TRIES = 5, SMALLEST = 1 << 20, LARGEST = 256 << 20 };

/* Seconds that one try should take: far above the time that threads take to wake up. */
static const double TRY = 3e-3;

typedef struct work {
    int (*products)(long n); /* NULL: memory is read */
    long           n;        /* rounds, or passes over a part's share */
    const uint8_t *bytes;
    size_t         size;
    int            sums[64]; /* of parts, so that nothing is left out; further parts share */
} work;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int read_lines(const uint8_t *bytes, size_t size)
{
    int sum = 0;

    for (size_t i = 0; i < size; i += LINE)
        sum += *(const volatile uint8_t *)(bytes + i);
    return sum;
}

static void job(void *arg, int part, int parts)
{
    work *const w = arg;
    long        begin, end;
    int         sum = 0;

    if (w->products) {
        sum = w->products(w->n);
    } else {
        pare_pool_split((long)w->size, LINE, part, parts, &begin, &end);
        for (long i = 0; i < w->n; i++)
            sum += read_lines(w->bytes + begin, (size_t)(end - begin));
    }
    __atomic_fetch_add(&w->sums[part % 64], sum, __ATOMIC_RELAXED);
}

/* What all parts do in a second, each `amount` per round; the best of some tries, since others only take time away. */
static double rate(pare_pool *pool, work *w, double amount)
{
    double best = INFINITY;

    for (w->n = 1;; w->n *= 2) {
        const double before = now();

        pare_pool_run(pool, job, w);
        if (now() - before > TRY)
            break;
    }
    for (int i = 0; i < TRIES; i++) {
        const double before = now();

        pare_pool_run(pool, job, w);
        best = fmin(best, now() - before);
    }
    return amount * (double)w->n / best;
}

pare_status pare_peaks_measure(pare_pool *pool, size_t working_set, pare_peaks *peaks)
{
    const size_t            size = working_set < SMALLEST ? SMALLEST : working_set > LARGEST ? LARGEST : working_set;
    const double            threads = pare_pool_threads(pool);
    const pare_peak_kernel *kernel;
    pare_buf               *memory;

    pare_peak_candidates(pare_cpu_features(), &kernel, 1);
    PARE_TRY(pare_buf_reserve(size, &memory));
    for (size_t i = 0; i < size; i += LINE)
        pare_buf_bytes(memory)[i] = 1;

    work int8 = { .products = kernel->int8 }, f32 = { .products = kernel->f32 };
    work bytes = { .bytes = pare_buf_bytes(memory), .size = size };

    *peaks = (pare_peaks){ .level = kernel->name,
                           .int8_macs = rate(pool, &int8, threads * kernel->int8_macs),
                           .f32_macs = rate(pool, &f32, threads * kernel->f32_macs),
                           .bytes = rate(pool, &bytes, (double)size) };
    pare_buf_unref(memory);
    return PARE_OK;
}

double pare_peaks_bound(const pare_peaks *p, const pare_step_info *step)
{
    return fmax(step->macs / (step->integer ? p->int8_macs : p->f32_macs), step->bytes / p->bytes);
}
