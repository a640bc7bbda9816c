/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_bench.c - pare bench: how long one inference takes */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pare/cpu.h>

#include "command.h"
#include "json.h"
#include "progress.h"
#include "session.h"
#include "table.h"

/* A median of fewer runs says little; more than these tell nothing new. */
enum { LEAST_RUNS = 15, MOST_RUNS = 100000, WARM_RUNS = 3, PROFILED_RUNS = 101 };

typedef struct bench_args {
    pare_texts  input;
    const char *seconds;
    int         batch;
    bool        plan;
} bench_args;

static const pare_option options[] = {
    { "input", 'i', PARE_OPTION_LIST, offsetof(bench_args, input), "NAME=FILE", "as for `pare run` (random numbers)", 0,
      0, false },
    { "batch", 0, PARE_OPTION_INT, offsetof(bench_args, batch), "N", "samples in one inference (1)", 1, 1 << 20,
      false },
    { "seconds", 0, PARE_OPTION_TEXT, offsetof(bench_args, seconds), "S", "measure this long, and at least 15 runs (1)",
      0, 0, false },
    { "plan", 0, PARE_OPTION_FLAG, offsetof(bench_args, plan), NULL, "list every step: op, kernel, output, time, speed",
      0, 0, false },
    { 0 },
};

typedef struct timing {
    double *ms; /* [n], sorted when measured                                  */
    int     n;
    double *step_ms; /* [steps] medians; NULL: not wanted                          */
    double *step_ns; /* [PROFILED_RUNS][steps] what the profiler saw in single runs */
} timing;

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

static int measure(pare_session *s, pare_pool *pool, double ms, timing *t)
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

static double median(const double *sorted, int n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* In runs of their own: looking at the clock after every step takes time. */
static int profile(pare_session *s, pare_pool *pool, timing *t)
{
    const int steps = s->plan ? pare_plan_n_steps(s->plan) : 0;
    double    one[PROFILED_RUNS];

    for (int run = 0; t->step_ns && s->plan && run < PROFILED_RUNS; run++) {
        pare_context_profile(s->ctx, t->step_ns + (size_t)run * (size_t)steps);
        const int code = pare_say_status(pare_session_run(s, pool));

        pare_context_profile(s->ctx, NULL);
        if (code || pare_progress_interrupted())
            return code ? code : PARE_EXIT_INTERRUPTED;
    }
    for (int i = 0; t->step_ms && i < steps; i++) {
        for (int run = 0; run < PROFILED_RUNS; run++)
            one[run] = t->step_ns[(size_t)run * (size_t)steps + (size_t)i] * 1e-6;
        qsort(one, PROFILED_RUNS, sizeof(*one), by_size);
        t->step_ms[i] = median(one, PROFILED_RUNS);
    }
    return 0;
}

static void json_steps(const pare_session *s, const timing *t)
{
    pare_json_open("steps", '[');
    for (int i = 0; s->plan && i < pare_plan_n_steps(s->plan); i++) {
        pare_step_info info;

        pare_plan_describe(s->plan, i, &info);
        pare_json_open(NULL, '{');
        pare_json_text("name", info.name);
        pare_json_text("op", info.op);
        pare_json_text("kernel", info.kernel);
        pare_json_text("dtype", pare_dtype_name(info.dtype));
        pare_json_shape("shape", &info.shape);
        pare_json_real("ms", t->step_ms[i]);
        pare_json_real("macs", info.macs);
        pare_json_close('}');
    }
    pare_json_close(']');
}

static void print_json(const pare_session *s, const timing *t, int threads, const bench_args *args)
{
    pare_json_open(NULL, '{');
    pare_json_real("median_ms", median(t->ms, t->n));
    pare_json_real("min_ms", t->ms[0]);
    pare_json_int("threads", threads);
    pare_json_int("batch", args->batch ? args->batch : 1);
    pare_json_text("cpu", pare_cpu_name());
    pare_json_int("runs", t->n);
    pare_json_bool("planned", s->plan != NULL);
    if (args->plan)
        json_steps(s, t);
    pare_json_close('}');
}

static void print_steps(const pare_session *s, const timing *t)
{
    pare_table *const table = pare_table_create("lllrrrl");
    const char *const head[] = { "op", "kernel", "output", "ms", "share", "GMAC/s", "name" };
    const int         steps = pare_plan_n_steps(s->plan);
    double            total = 0;

    for (int i = 0; i < 7; i++)
        pare_table_add(table, "%s", head[i]);
    for (int i = 0; i < steps; i++)
        total += t->step_ms[i];
    for (int i = 0; i < steps; i++) {
        const double   ms = t->step_ms[i];
        char           text[PARE_WORD];
        pare_step_info info;

        pare_plan_describe(s->plan, i, &info);
        pare_table_add(table, "%s", info.op);
        pare_table_add(table, "%s", info.kernel);
        pare_table_add(table, "%s %s", pare_dtype_name(info.dtype), pare_table_shape(&info.shape, text));
        pare_table_add(table, "%.4f", ms);
        pare_table_add(table, "%.1f %%", total > 0 ? 100 * ms / total : 0);
        if (info.macs > 0 && ms > 0)
            pare_table_add(table, "%.1f", info.macs * 1e-6 / ms);
        else
            pare_table_add(table, "-");
        pare_table_add(table, "%s", info.name);
    }
    pare_table_print(table, 0);
    printf("\n");
}

static void print_text(const pare_session *s, const timing *t, int threads, const bench_args *args)
{
    const int batch = args->batch ? args->batch : 1;

    if (args->plan && s->plan)
        print_steps(s, t);
    printf("median %.4g ms, fastest %.4g ms; %d run%s, %d thread%s, batch %d, %s%s\n", median(t->ms, t->n), t->ms[0],
           t->n, t->n == 1 ? "" : "s", threads, threads == 1 ? "" : "s", batch, pare_cpu_name(),
           s->plan ? "" : ", node by node: shapes depend on values");
}

static int bench(const pare_invocation *v, pare_session *s, pare_pool *pool, timing *t)
{
    const bench_args *const args = v->args;
    char                   *end = NULL;
    const double            ms = args->seconds ? 1e3 * strtod(args->seconds, &end) : 1e3;
    int                     code;

    if (end && (end == args->seconds || *end || !(ms > 0 && ms <= 1e8)))
        return pare_say_usage("--seconds must be a positive number, not '%s'", args->seconds);
    t->ms = malloc(sizeof(*t->ms) * MOST_RUNS);
    if (args->plan && s->plan) {
        const size_t steps = (size_t)pare_plan_n_steps(s->plan) + 1;

        t->step_ms = calloc(steps, sizeof(*t->step_ms));
        t->step_ns = calloc(steps * PROFILED_RUNS, sizeof(*t->step_ns));
    }
    if (!t->ms || (args->plan && s->plan && (!t->step_ms || !t->step_ns)))
        return pare_say_failed("out of memory");
    if ((code = warm_up(s, pool, ms)) || (code = measure(s, pool, ms, t)) || (code = profile(s, pool, t)))
        return code;
    if (v->common->json)
        print_json(s, t, pare_pool_threads(pool), args);
    else
        print_text(s, t, pare_pool_threads(pool), args);
    return 0;
}

static int run(const pare_invocation *v)
{
    const bench_args *const args = v->args;
    pare_common_args        one = *v->common;
    pare_pool              *pool = NULL;
    timing                  t = { 0 };
    pare_session            s;
    int                     code =
        pare_session_open(&s, v->words[0], &(pare_session_options){ .files = &args->input, .batch = args->batch });

    if (!one.threads)
        one.threads = 1;
    if (code == 0)
        code = pare_say_status(pare_command_pool(&(pare_invocation){ .common = &one }, &pool));
    if (code == 0)
        code = bench(v, &s, pool, &t);
    free(t.ms);
    free(t.step_ms);
    free(t.step_ns);
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
        "up. Without --threads it is one thread.\n",
    .examples = "  pare bench model.int8.onnx\n  pare bench model.onnx --threads 4 --batch 8 --plan\n",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .args_size = sizeof(bench_args),
    .run = run,
};
