/* SPDX-License-Identifier: Apache-2.0 */
/* peak_test.c - every version really does the rounds it is asked for */
#include "runner.h"

#include <string.h>
#include <time.h>

#include "cpu/cpu.h"
#include "kernels/peak/peak.h"

enum { MAX = 16, TRIES = 9 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of the fastest of some tries. */
static double time_of(int (*peak)(long n), long n)
{
    double best = 1e9;

    for (int i = 0; i < TRIES; i++) {
        const double before = now();

        peak(n);
        const double seconds = now() - before;

        best = seconds < best ? seconds : best;
    }
    return best;
}

/* A loop that the compiler has left out, or that it does once for all rounds, takes no longer for more rounds. */
static void check_rounds(runner *r, const char *name, int (*peak)(long n), int macs)
{
    const long   n = 4000000 / macs;
    const double once = time_of(peak, n), eight_times = time_of(peak, 8 * n);

    CHECK(r, eight_times > 4 * once, "%s: %ld rounds take %g s, eight times as many %g s", name, n, once, eight_times);
    CHECK(r, once > 4e6 / 1e14, "%s: %g multiply-adds in a second are more than any core can do", name, 4e6 / once);
}

static void does_its_rounds(runner *r)
{
    const pare_peak_kernel *kernels[MAX];
    const int               n = pare_peak_candidates(pare_cpu_features(), kernels, MAX);

    CHECK(r, n >= 1 && strcmp(kernels[n - 1]->name, "c") == 0, "portable C is missing");
    for (int i = 0; i < n; i++) {
        check_rounds(r, kernels[i]->name, kernels[i]->int8, kernels[i]->int8_macs);
        check_rounds(r, kernels[i]->name, kernels[i]->f32, kernels[i]->f32_macs);
    }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = { { "does_its_rounds", does_its_rounds } };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
