/* SPDX-License-Identifier: Apache-2.0 */
/* train_args.c - the options of `pare train`, and what they mean to the library */
#include "train_args.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

enum { MANY = 1 << 30, BATCH = 128 };

#define AT(field) offsetof(pare_train_args, field)

const pare_option pare_train_args_options[] = {
    { "data", 'd', PARE_OPTION_TEXT, AT(data), "DATA", "what is learned: a folder, .tar, .npy, .f32 or demo:train", 0,
      0, true },
    { "test", 't', PARE_OPTION_TEXT, AT(test), "DATA", "measured after every epoch (none)", 0, 0, false },
    { "test-split", 0, PARE_OPTION_TEXT, AT(test_split), "WORD", "of the test data's .tsv, as --split of the data's", 0,
      0, false },
    { "output", 'o', PARE_OPTION_TEXT, AT(output), "FILE", "the trained model", 0, 0, true },
    { "arch", 'a', PARE_OPTION_TEXT, AT(arch), "NAME",
      "a network of the library instead of a model file;\n`pare list archs` says which there are", 0, 0, false },
    { "classes", 0, PARE_OPTION_INT, AT(classes), "N", "outputs of --arch (as many as there are labels)", 1, 1 << 20,
      false },
    { "weights", 'w', PARE_OPTION_TEXT, AT(weights), "FILE",
      "what --arch begins with: .pth, .safetensors, .npz (random)", 0, 0, false },
    { "except", 0, PARE_OPTION_TEXT, AT(except), "GLOB", "names that are not taken from it, like 'fc.*' (none)", 0, 0,
      false },
    { "settings", 0, PARE_OPTION_TEXT, AT(settings), "TEXT", "more of the family of --arch, like 'width=0.5' (none)", 0,
      0, false },
    { "epochs", 'e', PARE_OPTION_INT, AT(epochs), "N", "how often everything is seen (10)", 1, 1 << 20, false },
    { "batch", 'b', PARE_OPTION_INT, AT(batch), "N", "samples in a step (128)", 1, 1 << 20, false },
    { "lr", 0, PARE_OPTION_TEXT, AT(lr), "X", "highest learning rate (0.1 for sgd, else 0.001)", 0, 0, false },
    { "optimizer", 0, PARE_OPTION_WORD, AT(optimizer), "sgd|adam|adamw", "how weights follow gradients (sgd)", 0, 0,
      false },
    { "momentum", 0, PARE_OPTION_TEXT, AT(momentum), "X", "of sgd (0.9)", 0, 0, false },
    { "no-nesterov", 0, PARE_OPTION_FLAG, AT(no_nesterov), NULL, "sgd does not look ahead along the momentum", 0, 0,
      false },
    { "weight-decay", 0, PARE_OPTION_TEXT, AT(weight_decay), "X",
      "of weights, not of biases and norms (0.0005; adam 0; adamw 0.01)", 0, 0, false },
    { "clip", 0, PARE_OPTION_TEXT, AT(clip), "X", "longest gradient of all weights together (no limit)", 0, 0, false },
    { "schedule", 0, PARE_OPTION_WORD, AT(schedule), "one-cycle|cosine|step|constant",
      "learning rate over time (one-cycle)", 0, 0, false },
    { "warmup", 0, PARE_OPTION_TEXT, AT(warmup), "X", "epochs in which the rate rises first (0)", 0, 0, false },
    { "augment", 0, PARE_OPTION_TEXT, AT(augment), "LIST",
      "how pictures are varied, like crop=4,flip,mixup=0.2;\nof resized-crop, crop, flip, jitter, mixup (none)", 0, 0,
      false },
    { "loss", 0, PARE_OPTION_WORD, AT(loss), "cross-entropy|mse", "mse: the output is to be the input (cross-entropy)",
      0, 0, false },
    { "smoothing", 0, PARE_OPTION_TEXT, AT(smoothing), "X", "share of a label that goes to all classes (0)", 0, 0,
      false },
    { "average", 0, PARE_OPTION_TEXT, AT(average), "X",
      "the result is a moving average of the weights that\nkeeps this share at each step, like 0.999 (none)", 0, 0,
      false },
    { "freeze-statistics", 0, PARE_OPTION_FLAG, AT(freeze_statistics), NULL,
      "batch normalization stays as it is in the model", 0, 0, false },
    { "seed", 0, PARE_OPTION_INT, AT(seed), "N", "of first weights, order and variations (0)", 0, MANY, false },
    { "checkpoint", 'c', PARE_OPTION_TEXT, AT(checkpoint), "FILE", "everything that is needed to go on (none)", 0, 0,
      false },
    { "every", 0, PARE_OPTION_INT, AT(every), "N", "epochs between two checkpoints (1)", 1, 1 << 20, false },
    { "resume", 0, PARE_OPTION_FLAG, AT(resume), NULL, "go on from the checkpoint, if it is there", 0, 0, false },
    { "curve", 0, PARE_OPTION_TEXT, AT(curve), "FILE", "SVG picture of the loss so far (none)", 0, 0, false },
    { "chunks", 0, PARE_OPTION_INT, AT(chunks), "N",
      "cut a batch into so many parts, a power of two: the same\nresult on 1 to N processes (one for each process)", 1,
      1 << 20, false },
    { "qat", 'q', PARE_OPTION_FLAG, AT(qat), NULL,
      "train with quantization; the output is the integer model\nthat a test after each epoch has run", 0, 0, false },
    { "weight-bits", 0, PARE_OPTION_INT, AT(weight_bits), "N",
      "--qat: bits of a weight, 2 to 8 (8); below 8 the first\nand the last layer keep 8 unless a recipe says "
      "otherwise",
      2, 8, false },
    { "activation-bits", 0, PARE_OPTION_INT, AT(activation_bits), "N",
      "--qat: bits of what a layer with weights reads, likewise (8)", 2, 8, false },
    { "scales", 0, PARE_OPTION_WORD, AT(scales), "moving-average|lsq|lsq+|pact",
      "--qat: how scales come about (moving-average at 8 bits,\nbelow lsq)", 0, 0, false },
    { "frozen", 0, PARE_OPTION_INT, AT(frozen), "N",
      "--qat: last epochs, with ranges and batch norms standing\nstill (a third)", 1, 1 << 20, false },
    { "samples", 0, PARE_OPTION_INT, AT(samples), "N", "--qat: first ranges come from N samples of the data (200)", 1,
      MANY, false },
    { "recipe", 0, PARE_OPTION_TEXT, AT(recipe), "FILE", "--qat: JSON that says what is done to which layer", 0, 0,
      false },
    { "loaders", 0, PARE_OPTION_INT, AT(loaders), "N", "threads that prepare pictures (1)", 1, 64, false },
    { 0 },
};

/* A number from lo to below hi; `otherwise` where none is given. */
static int number(const char *name, const char *text, double otherwise, double below, double *out)
{
    char *end;

    *out = otherwise;
    if (!text)
        return 0;
    *out = strtod(text, &end);
    if (end == text || *end || !(*out >= 0 && *out < below))
        return pare_say_usage("--%s must be a number from 0 to below %g, not '%s'", name, below, text);
    return 0;
}

static bool has_word(const char *list, const char *word)
{
    const char *const at = list ? strstr(list, word) : NULL;

    return at && (at == list || at[-1] == ',') && strchr("=,", at[strlen(word)]) != NULL;
}

static double usual_decay(const char *optimizer)
{
    return !optimizer || strcmp(optimizer, "sgd") == 0 ? 0.0005 : strcmp(optimizer, "adamw") == 0 ? 0.01 : 0;
}

int pare_train_args_fill(const pare_train_args *args, int64_t samples, pare_train_options *o)
{
    const bool                    sgd = !args->optimizer || strcmp(args->optimizer, "sgd") == 0;
    pare_optimizer_options *const optimizer = &o->trainer.optimizer;
    const int                     batch = args->batch ? args->batch : BATCH;
    double                        warmup, smoothing;

    o->trainer.batch = batch;
    o->trainer.chunks = args->chunks;
    o->trainer.loss = args->loss;
    o->trainer.targets = has_word(args->augment, "mixup");
    o->trainer.freeze_statistics = args->freeze_statistics;
    o->schedule.name = args->schedule ? args->schedule : "one-cycle";
    o->epochs = args->epochs ? args->epochs : 10;
    o->seed = (uint64_t)args->seed;
    o->augment = args->augment;
    o->loaders = args->loaders;
    o->checkpoint = args->checkpoint;
    o->every = args->every;
    o->resume = args->resume;
    o->curve = args->curve;
    optimizer->name = args->optimizer;
    if (args->resume && !args->checkpoint)
        return pare_say_usage("--resume needs --checkpoint FILE to go on from");
    if (number("lr", args->lr, 0, 1e9, &o->schedule.lr) ||
        number("momentum", args->momentum, sgd ? 0.9 : 0, 1, &optimizer->momentum) ||
        number("weight-decay", args->weight_decay, usual_decay(args->optimizer), 1e9, &optimizer->weight_decay) ||
        number("clip", args->clip, 0, 1e9, &optimizer->clip) || number("warmup", args->warmup, 0, 1e6, &warmup) ||
        number("smoothing", args->smoothing, 0, 1, &smoothing) ||
        number("average", args->average, 0, 1, &o->trainer.average))
        return PARE_EXIT_USAGE;
    optimizer->nesterov = sgd && !args->no_nesterov && optimizer->momentum > 0;
    o->trainer.label_smoothing = (float)smoothing;
    o->schedule.warmup = (int64_t)rint(warmup * (double)(samples / batch));
    if (o->trainer.targets && smoothing > 0)
        return pare_say_usage("--smoothing is for labels; mixup makes shares of classes of them");
    return 0;
}

static pare_qat_scales scales_of(const pare_train_args *args)
{
    const bool few =
        (args->weight_bits && args->weight_bits < 8) || (args->activation_bits && args->activation_bits < 8);

    if (!args->scales)
        return few ? PARE_QAT_LSQ : PARE_QAT_MOVING_AVERAGE;
    return strcmp(args->scales, "lsq") == 0    ? PARE_QAT_LSQ
           : strcmp(args->scales, "lsq+") == 0 ? PARE_QAT_LSQ_PLUS
           : strcmp(args->scales, "pact") == 0 ? PARE_QAT_PACT
                                               : PARE_QAT_MOVING_AVERAGE;
}

/* The first and the last layer with weights lose most by few bits, and are small. */
static pare_status keep_ends(pare_recipe *recipe, const pare_graph *model)
{
    const char *ends[2] = { NULL, NULL }, *op, *name;

    for (int i = 0; (name = pare_graph_node(model, i, &op)); i++)
        if (strcmp(op, "conv") == 0 || strcmp(op, "gemm") == 0 || strcmp(op, "matmul") == 0) {
            ends[0] = ends[0] ? ends[0] : name;
            ends[1] = name;
        }
    for (int i = 0; i < 2 && ends[i]; i++) {
        const pare_rule   rule = { .kind = PARE_RULE_NAME,
                                   .pattern = ends[i],
                                   .config = { .weight_bits = 8, .activation_bits = 8 } };
        const pare_status status = pare_recipe_add(recipe, &rule);

        if (status != PARE_OK)
            return status;
    }
    return PARE_OK;
}

pare_status pare_train_args_qat(const pare_train_args *args, const pare_graph *model, pare_recipe *recipe,
                                pare_qat_options *o)
{
    const pare_rule global = { .kind = PARE_RULE_GLOBAL,
                               .config = { .mode = PARE_QMODE_STATIC,
                                           .weight_bits = args->weight_bits,
                                           .activation_bits = args->activation_bits } };
    pare_status     status = args->recipe ? pare_recipe_read(recipe, args->recipe) : keep_ends(recipe, model);

    if (status == PARE_OK)
        status = pare_recipe_add(recipe, &global);
    if (status != PARE_OK)
        return status;
    pare_recipe_apply(recipe, &o->quantize);
    o->quantize.samples = args->samples ? args->samples : o->quantize.samples;
    o->scales = scales_of(args);
    return PARE_OK;
}
