/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.h - the libc-only test runner of the lower floors: it cross-compiles and runs under qemu-user.
 *
 * A test program lists its cases and calls runner_main:
 *
 *     static void rounds_half_to_even(runner *r) { CHECK(r, pare_rintf(2.5f) == 2.0f, "got %g", ...); }
 *     int main(int argc, char **argv)
 *     {
 *         static const runner_case cases[] = { { "rounds_half_to_even", rounds_half_to_even } };
 *         return runner_main(argc, argv, cases, 1);
 *     }
 *
 * Options: --only=PREFIX, --seed=N (decimal or 0x), --list. A failing check prints what, where and how to see it again.
 */
#ifndef PARE_TESTS_RUNNER_H
#define PARE_TESTS_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct runner {
    const char *program;
    const char *name;   /* case that runs now                        */
    uint64_t    seed;   /* of this run; cases derive theirs from it  */
    long        checks; /* made so far                               */
    long        failed;
} runner;

typedef struct runner_case {
    const char *name;
    void (*run)(runner *r);
} runner_case;

int runner_main(int argc, char **argv, const runner_case *cases, int n);

/* Counts one check; a failure prints the sentence and the rerun line. Returns `ok`. */
bool runner_check(runner *r, bool ok, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#define CHECK(r, ok, ...) runner_check(r, ok, __FILE__, __LINE__, __VA_ARGS__)

/*
 * `size` bytes that start at a multiple of `align` (a power of two, at most 4096) and end as close as that allows to a
 * page nobody may touch: right before it when `align` divides `size`. Filled with 0xA5. Reads or writes of that page
 * crash; writes into the spare bytes around the block stop the program in runner_guarded_free.
 */
void *runner_guarded(size_t size, size_t align);
void  runner_guarded_free(void *ptr, size_t size, size_t align);

#endif
