/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_quantize.c - pare quantize: a float model in, its integer twin out */
#include <stdio.h>
#include <string.h>

#include <pare/io.h>
#include <pare/payoff.h>
#include <pare/quantize.h>
#include <pare/recipe.h>

#include "command.h"
#include "model_file.h"
#include "progress.h"
#include "quantize_report.h"

typedef struct quantize_args {
    const char *calib, *output, *mode, *recipe, *observer, *target, *cache, *write_recipe;
    int         samples, weight_bits, activation_bits;
    bool        per_tensor, measure;
    pare_texts  in_float;
} quantize_args;

#define AT(field) offsetof(quantize_args, field)

static const pare_option options[] = {
    { "output", 'o', PARE_OPTION_TEXT, AT(output), "FILE", "the quantized model", 0, 0, true },
    { "calib", 0, PARE_OPTION_TEXT, AT(calib), "DATA",
      "pictures or numbers like those the model will see: a folder,\n"
      ".tar, .npy, .f32, .u16, or demo:train; dynamic needs none",
      0, 0, false },
    { "mode", 0, PARE_OPTION_WORD, AT(mode), "auto|static|dynamic",
      "static: scales from calibration data; dynamic: at run "
      "time;\nauto: static where there are convolutions (auto)",
      0, 0, false },
    { "samples", 0, PARE_OPTION_INT, AT(samples), "N", "calibrate on at most N samples (200)", 1, 1 << 30, false },
    { "observer", 0, PARE_OPTION_TEXT, AT(observer), "NAME",
      "how ranges are chosen; see `pare list observers` (histogram)", 0, 0, false },
    { "weight-bits", 0, PARE_OPTION_INT, AT(weight_bits), "N", "bits of a weight, 2 to 8 (8)", 2, 8, false },
    { "activation-bits", 0, PARE_OPTION_INT, AT(activation_bits), "N",
      "bits of what a layer with weights reads, 2 to 8 (8)", 2, 8, false },
    { "per-tensor", 0, PARE_OPTION_FLAG, AT(per_tensor), NULL,
      "one scale for all weights of a layer, not one per channel", 0, 0, false },
    { "float", 0, PARE_OPTION_LIST, AT(in_float), "GLOB", "leave nodes with such names in float; may be repeated", 0, 0,
      false },
    { "recipe", 0, PARE_OPTION_TEXT, AT(recipe), "FILE", "JSON that says what is done to which layer; options win", 0,
      0, false },
    { "measure", 0, PARE_OPTION_FLAG, AT(measure), NULL,
      "time every layer on this machine, and leave those in float\nthat integers make no faster", 0, 0, false },
    { "write-recipe", 0, PARE_OPTION_TEXT, AT(write_recipe), "FILE",
      "write all of these decisions as a recipe\n(none; with --measure: OUTPUT.recipe.json)", 0, 0, false },
    { "target", 0, PARE_OPTION_WORD, AT(target), "onnx|onnxruntime",
      "how dynamic layers are written: for every engine, or\n"
      "as DynamicQuantizeLinear and MatMulInteger (onnx)",
      0, 0, false },
    { "cache", 0, PARE_OPTION_TEXT, AT(cache), "FILE", "keep ranges here, and use them when they fit (none)", 0, 0,
      false },
    { 0 },
};

static pare_qmode mode_of(const char *word)
{
    return !word                          ? PARE_QMODE_DEFAULT
           : strcmp(word, "static") == 0  ? PARE_QMODE_STATIC
           : strcmp(word, "dynamic") == 0 ? PARE_QMODE_DYNAMIC
                                          : PARE_QMODE_AUTO;
}

/* The file first, then the options, which are stronger because they come later. */
static pare_status fill_recipe(const quantize_args *args, pare_recipe *recipe)
{
    const pare_rule    global = { .kind = PARE_RULE_GLOBAL,
                                  .config = { .mode = mode_of(args->mode),
                                              .observer = args->observer,
                                              .weight_bits = args->weight_bits,
                                              .activation_bits = args->activation_bits,
                                              .granularity =
                                               args->per_tensor ? PARE_PER_TENSOR : PARE_GRANULARITY_DEFAULT } };
    const pare_qconfig in_float = { .mode = PARE_QMODE_FLOAT };
    pare_status        status = args->recipe ? pare_recipe_read(recipe, args->recipe) : PARE_OK;

    if (status == PARE_OK)
        status = pare_recipe_add(recipe, &global);
    for (int i = 0; i < args->in_float.n && status == PARE_OK; i++)
        status = pare_recipe_force(recipe, args->in_float.items[i], &in_float);
    return status;
}

typedef struct work {
    pare_graph           *model, *quantized;
    pare_recipe          *recipe;
    pare_dataset         *data;
    pare_pool            *pool;
    pare_quantize_result *result;
    pare_layer_times     *times; /* NULL: not measured */
} work;

static void release(work *w)
{
    pare_quantize_result_destroy(w->result);
    pare_layer_times_destroy(w->times);
    pare_graph_destroy(w->quantized);
    pare_recipe_destroy(w->recipe);
    pare_dataset_close(w->data);
    pare_pool_destroy(w->pool);
    pare_graph_destroy(w->model);
}

static pare_status write_recipe(const quantize_args *args, const work *w, const pare_quantize_options *o)
{
    char path[4096];

    if (!args->write_recipe && !args->measure)
        return PARE_OK;
    snprintf(path, sizeof(path), "%s.recipe.json", args->output);
    return pare_recipe_write(w->recipe, o, args->write_recipe ? args->write_recipe : path);
}

static pare_status quantize(const pare_invocation *v, work *w)
{
    const quantize_args *const args = v->args;
    pare_quantize_options      o = { .calibration = w->data, .cache = args->cache, .progress = pare_progress_bar() };
    pare_status                status;

    if ((status = pare_recipe_create(w->model, &w->recipe)) != PARE_OK ||
        (status = fill_recipe(args, w->recipe)) != PARE_OK || (status = pare_command_pool(v, &w->pool)) != PARE_OK)
        return status;
    pare_recipe_apply(w->recipe, &o);
    o.pool = w->pool;
    o.samples = args->samples ? args->samples : o.samples;
    o.target = args->target ? args->target : o.target;
    if (args->measure) {
        if ((status = pare_recipe_measure(w->recipe, &o, &w->times)) != PARE_OK)
            return status;
        const pare_quantize_options said = o;

        pare_recipe_apply(w->recipe, &o); /* the rules that it has now */
        o.samples = said.samples;
        o.target = said.target;
    }
    if ((status = write_recipe(args, w, &o)) != PARE_OK)
        return status;
    return pare_quantize(w->model, &o, &w->quantized, &w->result);
}

static int run(const pare_invocation *v)
{
    const quantize_args *const args = v->args;
    const char *const          from = v->words[0];
    work                       w = { 0 };
    int                        code = pare_model_file_check_output(args->output, from);

    if (code == 0)
        code = pare_say_status(pare_graph_load(from, &w.model));
    if (code == 0 && args->calib)
        code = pare_data_args_open(v->data, args->calib, false, &w.data);
    if (code == 0)
        code = pare_say_status(quantize(v, &w));
    if (code == 0 && pare_progress_interrupted())
        code = PARE_EXIT_INTERRUPTED;
    if (code == 0)
        code = pare_say_status(pare_graph_save(w.quantized, args->output, NULL));
    if (code == 0)
        (v->common->json ? pare_quantize_json : pare_quantize_text)(from, args->output, w.result, w.times);
    release(&w);
    return code;
}

const pare_command pare_command_quantize = {
    .name = "quantize",
    .about = "make a small, fast integer model of a float model",
    .usage = "MODEL --calib DATA -o FILE [options]",
    .details =
        "Prints what was done to each layer, which layers stay in float and why, and the sizes. The new file is\n"
        "ONNX with QuantizeLinear and DequantizeLinear, for this program and other engines.\n",
    .examples = "  pare quantize resnet.onnx --calib photos/ --preset imagenet-torch -o resnet.int8.onnx\n"
                "  pare quantize bert.onnx --mode dynamic --float 'pooler*' -o bert.int8.onnx\n",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .args_size = sizeof(quantize_args),
    .takes_data = true,
    .run = run,
};
