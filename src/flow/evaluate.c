/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluate.c - models run over a data set, and their outputs are measured
 *
 * Every worker takes the next sample that nobody has taken and runs all models on it, on one thread. What it measures
 * is kept per sample and summed up in order at the end, so results depend on neither the number of threads nor on who
 * was fast.
 */
#include <pare/evaluate.h>

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/progress.h"
#include "base/status.h"
#include "flow/measure.h"
#include "flow/runner.h"

enum { FIRST_TOKEN = 16 };

/* The work that all threads share. */
typedef struct job {
    const pare_graph *const *models;
    int                      n;
    const pare_dataset      *data;
    const pare_progress     *progress;
    const pare_tensor       *expected; /* NULL: the first model's outputs */
    int                      first_token;
    pare_model              *compiled; /* [n]                       */
    pare_measures           *measures; /* [samples][n]              */
    int64_t                 *same;     /* [samples] positions where all models agree */
    int64_t                  samples;
    atomic_llong             next, done;
    atomic_int               failed; /* a pare_status             */
} job;

/* What one thread works with. */
typedef struct worker {
    job         *j;
    pare_runner *runners; /* [n]                                      */
    void        *sample;  /* one sample                               */
    int32_t     *classes; /* [n][positions] largest output of each    */
} worker;

static pare_status start_worker(worker *w, job *j)
{
    const pare_shape item = pare_dataset_item(j->data);
    const int64_t    count = pare_shape_count(&item);
    const pare_dtype dtype = pare_dataset_dtype(j->data);
    const size_t     bytes = (size_t)count * (dtype == PARE_s64 ? sizeof(int64_t) : sizeof(float));

    *w = (worker){ .j = j };
    w->runners = pare_calloc((size_t)j->n, sizeof(*w->runners));
    w->sample = pare_malloc(bytes);
    w->classes = pare_calloc((size_t)j->n * (size_t)count, sizeof(*w->classes));
    if (!w->runners || !w->sample || !w->classes)
        return pare_fail_memory(bytes, "a sample");
    for (int m = 0; m < j->n; m++)
        PARE_TRY(pare_runner_create(&j->compiled[m], &w->runners[m]));
    return PARE_OK;
}

static void stop_worker(worker *w)
{
    for (int m = 0; w->runners && m < w->j->n; m++)
        pare_runner_clear(&w->runners[m]);
    pare_free(w->runners);
    pare_free(w->sample);
    pare_free(w->classes);
}

/* What the outputs of a sample should be. */
static pare_tensor reference_of(const worker *w, int64_t index)
{
    const pare_tensor *const all = w->j->expected;

    if (!all)
        return *pare_runner_output(&w->runners[0]);
    const int64_t width = pare_shape_count(&all->shape) / w->j->samples;
    pare_tensor   row = pare_tensor_of(PARE_f32, pare_shape_of(1, &width));

    row.data = (float *)all->data + index * width;
    return row;
}

static pare_status run_sample(worker *w, int64_t index)
{
    const job *const j = w->j;
    const pare_shape item = pare_dataset_item(j->data);
    pare_measured    what = {
           .sample = w->sample, .shape = item, .dtype = pare_dataset_dtype(j->data), .first_token = j->first_token
    };

    PARE_TRY(pare_dataset_read(j->data, index, w->sample, &what.label));
    for (int m = 0; m < j->n; m++) {
        pare_runner *const   r = &w->runners[m];
        pare_measures *const measures = &j->measures[index * j->n + m];
        int32_t *const       classes = w->classes + m * pare_shape_count(&item);

        pare_runner_set_sample(r, w->sample);
        PARE_TRY(pare_runner_run(r, NULL));
        PARE_TRY(pare_measure(&what, pare_runner_output(r), measures, classes));
        if (m > 0 || j->expected) {
            const pare_tensor reference = reference_of(w, index);

            PARE_TRY(pare_measure_difference(pare_runner_output(r), &reference, measures));
        }
    }
    for (int64_t p = 0; p < j->measures[index * j->n].predicted; p++) {
        bool same = true;

        for (int m = 1; m < j->n; m++)
            same &= w->classes[m * pare_shape_count(&item) + p] == w->classes[p];
        j->same[index] += same;
    }
    return PARE_OK;
}

static pare_status run_samples(worker *w, bool reports)
{
    job *const j = w->j;
    long long  index;

    while ((index = atomic_fetch_add(&j->next, 1)) < j->samples && atomic_load(&j->failed) == PARE_OK) {
        if (reports)
            PARE_TRY(pare_progress_step(j->progress, "evaluating", (long)atomic_load(&j->done), (long)j->samples));
        const pare_status status = run_sample(w, index);

        if (status != PARE_OK) {
            char name[256];

            pare_dataset_name(j->data, index, name, sizeof(name));
            return pare_fail_in(status, "sample %s", name);
        }
        atomic_fetch_add(&j->done, 1);
    }
    return PARE_OK;
}

static void work(void *arg, int part, int parts)
{
    job *const  j = arg;
    int         none = PARE_OK;
    worker      w;
    pare_status status = start_worker(&w, j);

    (void)parts;
    if (status == PARE_OK)
        status = run_samples(&w, part == 0);
    if (status != PARE_OK)
        atomic_compare_exchange_strong(&j->failed, &none, (int)status);
    stop_worker(&w);
}

static double mean(double sum, int64_t n)
{
    return n ? sum / (double)n : NAN;
}

static void sum_up(const job *j, int m, pare_evaluation *e)
{
    pare_measures sum = { 0 };

    for (int64_t i = 0; i < j->samples; i++)
        pare_measures_add(&sum, &j->measures[i * j->n + m]);
    *e = (pare_evaluation){ .samples = j->samples,
                            .top1 = mean((double)sum.top1, sum.labelled),
                            .top5 = mean((double)sum.top5, sum.labelled),
                            .nll = mean(sum.nll, sum.labelled),
                            .mse = m == 0 && !j->expected ? 0 : mean(sum.squares, sum.compared),
                            .reconstruction_mse = mean(sum.input_squares, sum.input_compared),
                            .predictions = sum.labelled };
}

static pare_status compile_all(job *j, const pare_evaluate_options *o)
{
    const pare_compile_options how = { .bf16 = o->bf16, .plan_file = j->n == 1 ? o->plan_file : NULL };

    j->compiled = pare_calloc((size_t)j->n, sizeof(*j->compiled));
    j->measures = pare_calloc((size_t)j->samples * (size_t)j->n, sizeof(*j->measures));
    j->same = pare_calloc((size_t)j->samples, sizeof(*j->same));
    if (!j->compiled || !j->measures || !j->same)
        return pare_fail_memory((size_t)j->samples * (size_t)j->n * sizeof(*j->measures), "measures");
    for (int m = 0; m < j->n; m++) {
        PARE_TRY(pare_model_prepare(j->models[m], &how, &j->compiled[m]));
        PARE_TRY(pare_model_check_sample(&j->compiled[m], j->data));
    }
    return PARE_OK;
}

static void release(job *j)
{
    for (int m = 0; j->compiled && m < j->n; m++)
        pare_model_clear(&j->compiled[m]);
    pare_free(j->compiled);
    pare_free(j->measures);
    pare_free(j->same);
}

static double share_of_same(const job *j)
{
    int64_t same = 0, predicted = 0;

    for (int64_t i = 0; i < j->samples; i++) {
        same += j->same[i];
        predicted += j->measures[i * j->n].predicted;
    }
    return mean((double)same, predicted);
}

static pare_status check_expected(const pare_tensor *t, int64_t samples)
{
    if (!t)
        return PARE_OK;
    if (t->dtype != PARE_f32 || !pare_tensor_is_dense(t) || t->shape.rank < 1 || t->shape.dim[0] != samples)
        return pare_fail(PARE_ERR_SHAPE, "the expected outputs must be f32 [%lld, outputs]: a row for each sample",
                         (long long)samples);
    return PARE_OK;
}

pare_status pare_evaluate(const pare_graph *const *models, int n, const pare_dataset *data,
                          const pare_evaluate_options *options, pare_evaluation *results, double *equal)
{
    const pare_evaluate_options defaults = { 0 }, *o = options ? options : &defaults;
    job                         j = { .models = models,
                                      .n = n,
                                      .data = data,
                                      .progress = o->progress,
                                      .expected = o->expected,
                                      .first_token = o->first_token ? o->first_token : FIRST_TOKEN,
                                      .samples = pare_dataset_count(data) };
    pare_status                 status;

    if (n < 1 || j.samples < 1)
        return pare_fail(PARE_ERR_ARG, "nothing to evaluate: %s", n < 1 ? "no model" : "the data has no samples");
    PARE_TRY(check_expected(o->expected, j.samples));
    PARE_GOTO(compile_all(&j, o));
    pare_pool_run(o->pool, work, &j);
    PARE_GOTO((pare_status)atomic_load(&j.failed));
    PARE_GOTO(pare_progress_step(o->progress, "evaluating", (long)j.samples, (long)j.samples));
    for (int m = 0; m < n; m++)
        sum_up(&j, m, &results[m]);
    if (equal)
        *equal = share_of_same(&j);
out:
    release(&j);
    return status;
}
