/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_eval.c - pare eval: how good models are, side by side */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <pare/evaluate.h>
#include <pare/io.h>
#include <pare/tensor_io.h>

#include "command.h"
#include "json.h"
#include "progress.h"
#include "table.h"

enum { MAX_MODELS = 16 };

typedef struct eval_args {
    const char *data, *metric, *against, *plan_file;
    bool        bf16;
} eval_args;

static const pare_option options[] = {
    { "data", 0, PARE_OPTION_TEXT, offsetof(eval_args, data), "DATA",
      "a folder of pictures, .tar, .npy, .f32, .u16, or demo:test", 0, 0, true },
    { "metric", 0, PARE_OPTION_WORD, offsetof(eval_args, metric), "top1|top5|nll|mse|reconstruction_mse",
      "print only this one (all that have a meaning)", 0, 0, false },
    { "against", 0, PARE_OPTION_TEXT, offsetof(eval_args, against), "FILE",
      ".npy with a row of outputs for each sample: mse is against it", 0, 0, false },
    { "bf16", 0, PARE_OPTION_FLAG, offsetof(eval_args, bf16), NULL,
      "round the operands of float layers to bfloat16 where the CPU\nmultiplies these; other bits", 0, 0, false },
    { "plan-file", 0, PARE_OPTION_TEXT, offsetof(eval_args, plan_file), "FILE",
      "of one model: keep packed weights here, and use them when they fit\n(none)", 0, 0, false },
    { 0 },
};

/* The columns of the table, and keys of the JSON. */
static const struct {
    const char *name;
    size_t      offset;
    bool        percent, needs_labels;
} metrics[] = {
    { "top1", offsetof(pare_evaluation, top1), true, true },
    { "top5", offsetof(pare_evaluation, top5), true, true },
    { "nll", offsetof(pare_evaluation, nll), false, true },
    { "mse", offsetof(pare_evaluation, mse), false, false },
    { "reconstruction_mse", offsetof(pare_evaluation, reconstruction_mse), false, false },
};

enum { N_METRICS = sizeof(metrics) / sizeof(metrics[0]) };

static double metric_of(const pare_evaluation *e, int metric)
{
    double value;

    memcpy(&value, (const char *)e + metrics[metric].offset, sizeof(value));
    return value;
}

typedef struct work {
    pare_graph     *models[MAX_MODELS];
    int             n;
    pare_dataset   *data;
    pare_pool      *pool;
    pare_tensor     expected; /* no data: not given */
    pare_evaluation results[MAX_MODELS];
    double          equal;
} work;

static void release(work *w)
{
    for (int i = 0; i < w->n; i++)
        pare_graph_destroy(w->models[i]);
    pare_dataset_close(w->data);
    pare_pool_destroy(w->pool);
    pare_tensor_release(&w->expected);
}

static bool is_tokens(const work *w)
{
    return pare_dataset_dtype(w->data) == PARE_s64;
}

/* Shown when it means something for any model, and was not left out. The mse of a single model is always 0. */
static bool is_shown(const work *w, int metric, const char *only)
{
    bool any = false;

    if (only)
        return strcmp(only, metrics[metric].name) == 0;
    for (int i = 0; i < w->n; i++)
        any |= !isnan(metric_of(&w->results[i], metric));
    return any && (w->n > 1 || w->expected.data || strcmp(metrics[metric].name, "mse") != 0);
}

static void print_table(char **files, const work *w, const char *only)
{
    char        columns[16] = "l";
    bool        shown[N_METRICS];
    pare_table *t;

    for (int m = 0; m < N_METRICS; m++)
        if ((shown[m] = is_shown(w, m, only)))
            strcat(columns, "r");
    t = pare_table_create(columns);
    pare_table_add(t, "model");
    for (int m = 0; m < N_METRICS; m++)
        if (shown[m])
            pare_table_add(t, "%s", metrics[m].name);
    for (int i = 0; i < w->n; i++) {
        pare_table_add(t, "%s", files[i]);
        for (int m = 0; m < N_METRICS; m++) {
            const double value = metric_of(&w->results[i], m);

            if (shown[m] && isnan(value))
                pare_table_add(t, "-");
            else if (shown[m])
                pare_table_add(t, metrics[m].percent ? "%.2f %%" : "%.6g", metrics[m].percent ? 100 * value : value);
        }
    }
    pare_table_print(t, 0);
}

static void print_text(char **files, const work *w, const char *only)
{
    print_table(files, w, only);
    if (is_tokens(w))
        for (int i = 0; i < w->n; i++)
            printf("%s: loss %.5f, perplexity %.4f\n", files[i], w->results[i].nll, exp(w->results[i].nll));
    if (w->n > 1 && !isnan(w->equal))
        printf("equal predictions: %.2f %%\n", 100 * w->equal);
    printf("%lld samples", (long long)w->results[0].samples);
    if (is_tokens(w))
        printf(", %lld tokens", (long long)w->results[0].predictions);
    printf("\n");
}

static void print_json(char **files, const work *w)
{
    pare_json_open(NULL, '{');
    pare_json_open("models", '[');
    for (int i = 0; i < w->n; i++) {
        const pare_evaluation *const e = &w->results[i];

        pare_json_open(NULL, '{');
        pare_json_text("file", files[i]);
        pare_json_int("samples", e->samples);
        for (int m = 0; m < N_METRICS; m++)
            if (strcmp(metrics[m].name, "reconstruction_mse") != 0 || !isnan(metric_of(e, m)))
                pare_json_real(metrics[m].name, metric_of(e, m));
        if (is_tokens(w)) {
            pare_json_real("loss", e->nll);
            pare_json_real("ppl", exp(e->nll));
            pare_json_int("tokens", e->predictions);
        }
        pare_json_close('}');
    }
    pare_json_close(']');
    pare_json_real("equal", w->equal);
    pare_json_close('}');
}

/* One model alone and no labels leave nothing to measure, unless the model reconstructs its input. */
static int check_meaning(const work *w, const eval_args *args)
{
    const char *const            only = args->metric;
    const pare_evaluation *const e = &w->results[0];

    for (int m = 0; only && m < N_METRICS; m++)
        if (strcmp(metrics[m].name, only) == 0 && isnan(metric_of(e, m)))
            return pare_say_failed("%s has no meaning for this model and data", only);
    if (w->n == 1 && isnan(e->top1) && isnan(e->reconstruction_mse) && !args->against)
        return pare_say_failed("nothing to measure: no labels (give --labels FILE), or outputs that are no classes; "
                               "several models can be compared");
    return 0;
}

static int evaluate(const pare_invocation *v, work *w)
{
    const eval_args *const args = v->args;
    bool                   needs_labels = false;
    int                    code = 0;

    if (args->plan_file && v->n_words > 1)
        return pare_say_usage("--plan-file is for one model, not %d", v->n_words);

    for (int m = 0; args->metric && m < N_METRICS; m++)
        needs_labels |= strcmp(metrics[m].name, args->metric) == 0 && metrics[m].needs_labels;
    for (int i = 0; i < v->n_words && code == 0; i++)
        if ((code = pare_say_status(pare_graph_load(v->words[i], &w->models[i]))) == 0)
            w->n++;
    if (code == 0)
        code = pare_data_args_open(v->data, args->data, needs_labels, &w->data);
    if (code == 0 && args->against)
        code = pare_say_status(pare_tensor_load(args->against, &w->expected));
    if (code == 0)
        code = pare_say_status(pare_command_pool(v, &w->pool));
    if (code)
        return code;
    const pare_evaluate_options o = { .expected = w->expected.data ? &w->expected : NULL,
                                      .bf16 = args->bf16,
                                      .plan_file = args->plan_file,
                                      .pool = w->pool,
                                      .progress = pare_progress_bar() };

    code =
        pare_say_status(pare_evaluate((const pare_graph *const *)w->models, w->n, w->data, &o, w->results, &w->equal));
    return code ? code : check_meaning(w, args);
}

static int run(const pare_invocation *v)
{
    const eval_args *const args = v->args;
    work                   w = { 0 };
    const int              code = evaluate(v, &w);

    if (code == 0 && v->common->json)
        print_json(v->words, &w);
    else if (code == 0)
        print_text(v->words, &w, args->metric);
    release(&w);
    return code;
}

const pare_command pare_command_eval = {
    .name = "eval",
    .about = "measure models on data, and how much they differ",
    .usage = "MODEL... --data DATA [options]",
    .details = "top1 and top5 are shares of the samples; mse is that of the outputs against those of the first model;\n"
               "reconstruction_mse is that against the input. With .u16 data: the loss of the next token.\n",
    .examples = "  pare eval resnet.onnx resnet.int8.onnx --data photos.tar --preset imagenet-torch\n"
                "  pare eval kws.onnx --data kws.f32 --item 1,49,10 --slice 0:100 --json\n",
    .min_words = 1,
    .max_words = MAX_MODELS,
    .options = options,
    .args_size = sizeof(eval_args),
    .takes_data = true,
    .run = run,
};
