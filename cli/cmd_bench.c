/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_bench.c - pare bench: how long one inference takes */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench_report.h"
#include "command.h"
#include "progress.h"

/* A median of fewer runs says little; more than these tell nothing new. */
enum { LEAST_RUNS = 15, MOST_RUNS = 100000, WARM_RUNS = 3, PROFILED_RUNS = 101 };

typedef struct bench_args {
    pare_texts  input;
    const char *seconds;
    const char *plan_file;
    int         batch;
    bool        plan, no_tune, bf16;
} bench_args;

#define AT(field) offsetof(bench_args, field)

static const pare_option options[] = {
    { "input", 'i', PARE_OPTION_LIST, AT(input), "NAME=FILE", "as for `pare run` (random numbers)", 0, 0, false },
    { "batch", 0, PARE_OPTION_INT, AT(batch), "N", "samples in one inference (1)", 1, 1 << 20, false },
    { "seconds", 0, PARE_OPTION_TEXT, AT(seconds), "S", "measure this long, and at least 15 runs (1)", 0, 0, false },
    { "plan", 0, PARE_OPTION_FLAG, AT(plan), NULL, "list every step: time, speed, and share of what the machine can do",
      0, 0, false },
    { "no-tune", 0, PARE_OPTION_FLAG, AT(no_tune), NULL, "take kernels by rule, not by timing them on this machine", 0,
      0, false },
    { "bf16", 0, PARE_OPTION_FLAG, AT(bf16), NULL,
      "round the operands of float layers to bfloat16 where the CPU\nmultiplies these; other bits", 0, 0, false },
    { "plan-file", 0, PARE_OPTION_TEXT, AT(plan_file), "FILE",
      "keep packed weights and timed kernels here, and use them\nwhen they fit (none)", 0, 0, false },
    { 0 },
};

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A tenth of the time, so that caches, clocks and threads are as they will be. */
static int warm_up(pare_session *s, pare_pool *pool, double ms)
{
    const double start = now_ms();

    for (int i = 0; i < WARM_RUNS || now_ms() - start < ms / 10; i++) {
        const int code = pare_say_status(pare_session_run(s, pool));

        if (code || pare_progress_interrupted())
            return code ? code : PARE_EXIT_INTERRUPTED;
    }
    return 0;
}

static int measure(pare_session *s, pare_pool *pool, double ms, pare_bench *t)
{
    const double start = now_ms();

    while (t->n < LEAST_RUNS || (t->n < MOST_RUNS && now_ms() - start < ms)) {
        const double before = now_ms();
        const int    code = pare_say_status(pare_session_run(s, pool));

        if (code || pare_progress_interrupted())
            return code ? code : PARE_EXIT_INTERRUPTED;
        t->ms[t->n++] = now_ms() - before;
    }
    qsort(t->ms, (size_t)t->n, sizeof(*t->ms), by_size);
    return 0;
}

static int profile_runs(pare_session *s, pare_pool *pool, double *step_ns)
{
    for (int run = 0; run < PROFILED_RUNS; run++) {
        pare_context_profile(s->ctx, step_ns + (size_t)run * (size_t)pare_plan_n_steps(s->plan));
        const int code = pare_say_status(pare_session_run(s, pool));

        pare_context_profile(s->ctx, NULL);
        if (code || pare_progress_interrupted())
            return code ? code : PARE_EXIT_INTERRUPTED;
    }
    return 0;
}

/* In runs of their own: looking at the clock after every step takes time. */
static int profile(pare_session *s, pare_pool *pool, pare_bench *t)
{
    const size_t  steps = (size_t)pare_plan_n_steps(s->plan);
    double *const step_ns = calloc(steps + 1, sizeof(*step_ns) * PROFILED_RUNS); /* [PROFILED_RUNS][steps] */
    double        one[PROFILED_RUNS];
    int           code;

    t->step_ms = calloc(steps + 1, sizeof(*t->step_ms));
    code = step_ns && t->step_ms ? profile_runs(s, pool, step_ns) : pare_say_failed("out of memory");
    for (size_t i = 0; code == 0 && i < steps; i++) {
        for (size_t run = 0; run < PROFILED_RUNS; run++)
            one[run] = step_ns[run * steps + i] * 1e-6;
        qsort(one, PROFILED_RUNS, sizeof(*one), by_size);
        t->step_ms[i] = pare_bench_median(one, PROFILED_RUNS);
    }
    free(step_ns);
    return code;
}

static int bench(const pare_invocation *v, pare_session *s, pare_pool *pool, pare_bench *t)
{
    const bench_args *const args = v->args;
    char                   *end = NULL;
    const double            ms = args->seconds ? 1e3 * strtod(args->seconds, &end) : 1e3;
    int                     code;

    if (end && (end == args->seconds || *end || !(ms > 0 && ms <= 1e8)))
        return pare_say_usage("--seconds must be a positive number, not '%s'", args->seconds);
    t->ms = malloc(sizeof(*t->ms) * MOST_RUNS);
    if (!t->ms)
        return pare_say_failed("out of memory");
    if ((code = warm_up(s, pool, ms)) || (code = measure(s, pool, ms, t)))
        return code;
    if (args->plan && s->plan) {
        const size_t bytes = pare_plan_packed_bytes(s->plan) + pare_plan_context_bytes(s->plan);

        if ((code = profile(s, pool, t)) || (code = pare_say_status(pare_peaks_measure(pool, bytes, &t->peaks))))
            return code;
    }
    (v->common->json ? pare_bench_json : pare_bench_text)(s, t);
    return 0;
}

static int run(const pare_invocation *v)
{
    const bench_args *const    args = v->args;
    const pare_session_options o = { .files = &args->input,
                                     .batch = args->batch,
                                     .tune = !args->no_tune,
                                     .bf16 = args->bf16,
                                     .plan_file = args->plan_file };
    pare_common_args           one = *v->common;
    pare_pool                 *pool = NULL;
    pare_bench                 t = { .batch = args->batch ? args->batch : 1, .tuned = !args->no_tune };
    pare_session               s;
    const double               start = now_ms();
    int                        code = pare_session_open(&s, v->words[0], &o);

    t.open_ms = now_ms() - start;
    if (!one.threads)
        one.threads = 1;
    if (code == 0)
        code = pare_say_status(pare_command_pool(&(pare_invocation){ .common = &one }, &pool));
    t.threads = pare_pool_threads(pool);
    if (code == 0)
        code = bench(v, &s, pool, &t);
    free(t.ms);
    free(t.step_ms);
    pare_session_close(&s);
    pare_pool_destroy(pool);
    return code;
}

const pare_command pare_command_bench = {
    .name = "bench",
    .about = "measure how long a model takes, step by step if asked",
    .usage = "MODEL [options]",
    .details =
        "Inputs are random where no file gives them. Every number is a median of at least 15 runs, after warming\n"
        "up. Without --threads it is one thread. Before that, each step's kernels are timed and the fastest kept;\n"
        "results do not depend on it. `roof` in the list of steps is the time that the step's multiply-adds, or its\n"
        "bytes, would take at the peak of this machine, as a share of the time that it takes. The peaks are measured\n"
        "in the same run; memory's from as much as the model has, so a step whose input is still in a nearer cache\n"
        "can pass 100 %.\n",
    .examples = "  pare bench model.int8.onnx\n  pare bench model.onnx --threads 4 --batch 8 --plan\n"
                "  pare bench model.int8.onnx --plan-file model.plan\n",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .args_size = sizeof(bench_args),
    .run = run,
};
