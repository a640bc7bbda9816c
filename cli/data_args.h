/* SPDX-License-Identifier: Apache-2.0 */
/* data_args.h - the options that say which samples of a data set are used, and how pictures become numbers */
#ifndef PARE_CLI_DATA_ARGS_H
#define PARE_CLI_DATA_ARGS_H

#include <pare/data.h>

#include "options.h"

typedef struct pare_data_args {
    const char *preset, *size, *filter, *mean, *std, *scale, *labels, *label_rule, *slice, *without, *split, *item;
    bool        crop, squash, bgr;
    int         resize, window;
} pare_data_args;

extern const pare_option pare_data_args_options[];

/* Opens the data set. 0, or the exit code after saying what is wrong. */
int pare_data_args_open(const pare_data_args *args, const char *path, bool need_labels, pare_dataset **out);

#endif
