/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - what a command of `pare` is, and what it is given */
#ifndef PARE_CLI_COMMAND_H
#define PARE_CLI_COMMAND_H

#include <pare/pool.h>

#include "data_args.h"
#include "options.h"
#include "say.h"

/* Options of every command. */
typedef struct pare_common_args {
    int  threads; /* 0: one per core */
    bool json;
    bool help;
} pare_common_args;

typedef struct pare_invocation {
    const void             *args; /* the command's own struct, filled */
    const pare_data_args   *data;
    const pare_common_args *common;
    char                  **words; /* [n_words] */
    int                     n_words;
} pare_invocation;

typedef struct pare_command {
    const char        *name;
    const char        *about;    /* one line                                        */
    const char        *usage;    /* behind "pare NAME"                              */
    const char        *details;  /* lines between usage and options; NULL: none     */
    const char        *examples; /* whole lines                                     */
    int                min_words, max_words;
    const pare_option *options; /* NULL: none                                      */
    size_t             args_size;
    bool               takes_data;        /* the data options too                          */
    int (*run)(const pare_invocation *v); /* the exit code                          */
} pare_command;

/* The list (commands.def). */
const pare_command *pare_command_at(int index); /* NULL past the end */
const pare_command *pare_command_find(const char *name);

/* Says that there is no such command, and which one may be meant: 2. */
int pare_command_unknown(const char *word);

void pare_command_print_help(const pare_command *command);
void pare_command_print_all(void);

/* The pool that --threads asks for; NULL for one thread. Destroy it. */
pare_status pare_command_pool(const pare_invocation *v, pare_pool **pool);

#endif
