/* SPDX-License-Identifier: Apache-2.0 */
/* bench_report.c - what pare bench has measured, printed */
#include "bench_report.h"

#include <stdio.h>

#include <pare/cpu.h>

#include "json.h"
#include "table.h"

double pare_bench_median(const double *sorted, int n)
{
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Of the time that the step takes, the part that no version could save on this machine. */
static double roof_of(const pare_bench *t, const pare_step_info *info, double ms)
{
    return ms > 0 ? 1e3 * pare_peaks_bound(&t->peaks, info) / ms : 0;
}

static double sum_of_steps(const pare_session *s, const pare_bench *t)
{
    double sum = 0;

    for (int i = 0; i < pare_plan_n_steps(s->plan); i++)
        sum += t->step_ms[i];
    return sum;
}

static void json_steps(const pare_session *s, const pare_bench *t)
{
    pare_json_open("peaks", '{');
    pare_json_text("level", t->peaks.level);
    pare_json_real("int8_gmacs", t->peaks.int8_macs * 1e-9);
    pare_json_real("f32_gmacs", t->peaks.f32_macs * 1e-9);
    pare_json_real("memory_gb", t->peaks.bytes * 1e-9);
    pare_json_close('}');
    pare_json_real("steps_ms", sum_of_steps(s, t));
    pare_json_open("steps", '[');
    for (int i = 0; i < pare_plan_n_steps(s->plan); i++) {
        pare_step_info info;

        pare_plan_describe(s->plan, i, &info);
        pare_json_open(NULL, '{');
        pare_json_text("name", info.name);
        pare_json_text("op", info.op);
        pare_json_text("kernel", info.kernel);
        pare_json_int("choices", info.n_choices);
        pare_json_text("dtype", pare_dtype_name(info.dtype));
        pare_json_shape("shape", &info.shape);
        pare_json_real("ms", t->step_ms[i]);
        pare_json_real("macs", info.macs);
        pare_json_real("bytes", info.bytes);
        pare_json_real("roof", roof_of(t, &info, t->step_ms[i]));
        pare_json_close('}');
    }
    pare_json_close(']');
}

void pare_bench_json(const pare_session *s, const pare_bench *t)
{
    pare_json_open(NULL, '{');
    pare_json_real("median_ms", pare_bench_median(t->ms, t->n));
    pare_json_real("min_ms", t->ms[0]);
    pare_json_int("threads", t->threads);
    pare_json_int("batch", t->batch);
    pare_json_text("cpu", pare_cpu_name());
    pare_json_int("runs", t->n);
    pare_json_bool("planned", s->plan != NULL);
    pare_json_bool("tuned", t->tuned);
    pare_json_real("open_ms", t->open_ms);
    if (s->plan) {
        pare_json_int("packed_bytes", (int64_t)pare_plan_packed_bytes(s->plan));
        pare_json_int("context_bytes", (int64_t)pare_plan_context_bytes(s->plan));
    }
    if (t->step_ms)
        json_steps(s, t);
    pare_json_close('}');
}

static void print_step(pare_table *table, const pare_bench *t, const pare_step_info *info, double ms, double total)
{
    char text[PARE_WORD];

    pare_table_add(table, "%s", info->op);
    pare_table_add(table, "%s", info->kernel);
    pare_table_add(table, "%s %s", pare_dtype_name(info->dtype), pare_table_shape(&info->shape, text));
    pare_table_add(table, "%.4f", ms);
    pare_table_add(table, "%.1f %%", total > 0 ? 100 * ms / total : 0);
    pare_table_add(table, "%s", info->bytes > 0 ? pare_table_bytes(info->bytes, text) : "-");
    if (info->macs > 0 && ms > 0)
        pare_table_add(table, "%.1f", info->macs * 1e-6 / ms);
    else
        pare_table_add(table, "-");
    if (info->bytes > 0 && ms > 0)
        pare_table_add(table, "%.0f %%", 100 * roof_of(t, info, ms));
    else
        pare_table_add(table, "-");
    pare_table_add(table, "%s", info->name);
}

static void print_steps(const pare_session *s, const pare_bench *t)
{
    static const char *const head[] = { "op", "kernel", "output", "ms", "share", "bytes", "GMAC/s", "roof", "name" };
    pare_table *const        table = pare_table_create("lllrrrrrl");
    const double             total = sum_of_steps(s, t), median = pare_bench_median(t->ms, t->n);

    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
        pare_table_add(table, "%s", head[i]);
    for (int i = 0; i < pare_plan_n_steps(s->plan); i++) {
        pare_step_info info;

        pare_plan_describe(s->plan, i, &info);
        print_step(table, t, &info, t->step_ms[i], total);
    }
    pare_table_print(table, 0);
    printf("\nsum of steps %.4g ms, %.1f %% of the median\n", total, median > 0 ? 100 * total / median : 0);
    printf("peaks of %d thread%s, %s: int8 %.0f GMAC/s, float %.0f GMAC/s, memory %.0f GB/s\n", t->threads,
           t->threads == 1 ? "" : "s", t->peaks.level, t->peaks.int8_macs * 1e-9, t->peaks.f32_macs * 1e-9,
           t->peaks.bytes * 1e-9);
}

void pare_bench_text(const pare_session *s, const pare_bench *t)
{
    char packed[PARE_WORD], context[PARE_WORD];

    if (t->step_ms)
        print_steps(s, t);
    if (s->plan)
        printf("ready after %.4g ms%s; weights %s, activations %s\n", t->open_ms, t->tuned ? ", timing kernels" : "",
               pare_table_bytes((double)pare_plan_packed_bytes(s->plan), packed),
               pare_table_bytes((double)pare_plan_context_bytes(s->plan), context));
    printf("median %.4g ms, fastest %.4g ms; %d run%s, %d thread%s, batch %d, %s%s\n", pare_bench_median(t->ms, t->n),
           t->ms[0], t->n, t->n == 1 ? "" : "s", t->threads, t->threads == 1 ? "" : "s", t->batch, pare_cpu_name(),
           s->plan ? "" : ", node by node: shapes depend on values");
}
