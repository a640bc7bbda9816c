/* SPDX-License-Identifier: Apache-2.0 */
/* train_args.h - the options of `pare train`, and what they mean to the library */
#ifndef PARE_CLI_TRAIN_ARGS_H
#define PARE_CLI_TRAIN_ARGS_H

#include <pare/qat.h>
#include <pare/recipe.h>

#include "options.h"

typedef struct pare_train_args {
    const char *data, *test, *test_split, *output;
    const char *arch, *weights, *except, *settings;
    const char *optimizer, *lr, *momentum, *weight_decay, *clip, *average;
    const char *schedule, *warmup, *loss, *smoothing, *augment, *checkpoint, *curve;
    int         classes, epochs, batch, chunks, seed, loaders, every;
    bool        no_nesterov, resume, freeze_statistics;

    /* Quantization in training. */
    bool        qat;
    const char *scales, *recipe;
    int         weight_bits, activation_bits, samples, frozen;
} pare_train_args;

extern const pare_option pare_train_args_options[];

/* 0, or 2 after saying what is wrong. Pool, comm and progress are left to the caller. */
int pare_train_args_fill(const pare_train_args *args, int64_t samples, pare_train_options *o);

/* The settings of quantization for a model: the recipe file's, then the options', which are stronger. The mapping is the recipe's. */
pare_status pare_train_args_qat(const pare_train_args *args, const pare_graph *model, pare_recipe *recipe,
                                pare_qat_options *o);

#endif
