/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the command `pare`: finds the command, parses its options by table, runs it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pare/list.h>

#include "command.h"
#include "progress.h"

static const pare_option common_options[] = {
    { "threads", 0, PARE_OPTION_INT, offsetof(pare_common_args, threads), "N", "use N threads (one per core)", 1, 1024,
      false },
    { "json", 0, PARE_OPTION_FLAG, offsetof(pare_common_args, json), NULL, "print JSON; man pare names the keys", 0, 0,
      false },
    { "help", 'h', PARE_OPTION_FLAG, offsetof(pare_common_args, help), NULL, "print this help", 0, 0, false },
    { 0 },
};

#define PARE_COMMAND(name) extern const pare_command pare_command_##name;
#include "commands.def"
#undef PARE_COMMAND

static const pare_command *const commands[] = {
#define PARE_COMMAND(name) &pare_command_##name,
#include "commands.def"
#undef PARE_COMMAND
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const pare_command *pare_command_at(int index)
{
    return index >= 0 && index < N_COMMANDS ? commands[index] : NULL;
}

const pare_command *pare_command_find(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* The tables of a command; the structs may be NULL where only help is wanted. */
static int sets_of(const pare_command *c, void *args, pare_data_args *data, pare_common_args *common,
                   pare_option_set sets[3])
{
    int n = 0;

    if (c->options)
        sets[n++] = (pare_option_set){ "Options", c->options, args };
    if (c->takes_data)
        sets[n++] = (pare_option_set){ "Which samples, and how pictures become numbers", pare_data_args_options, data };
    sets[n++] = (pare_option_set){ "Of every command", common_options, common };
    return n;
}

void pare_command_print_help(const pare_command *c)
{
    pare_option_set sets[3];
    const int       n = sets_of(c, NULL, NULL, NULL, sets);

    printf("pare %s - %s\n\nUsage: pare %s %s\n", c->name, c->about, c->name, c->usage);
    if (c->details)
        printf("\n%s", c->details);
    pare_options_print(sets, n);
    printf("\nExamples:\n%s", c->examples);
}

void pare_command_print_all(void)
{
    printf("pare - makes trained neural networks smaller and faster\n\nUsage: pare COMMAND ...\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->about);
    printf("\n`pare COMMAND --help` says more about one. Exit code 0: fine, 1: the work failed, 2: wrong usage.\n");
}

pare_status pare_command_pool(const pare_invocation *v, pare_pool **pool)
{
    *pool = NULL;
    return v->common->threads == 1 ? PARE_OK : pare_pool_create(v->common->threads, pool);
}

static int run(const pare_command *c, const pare_invocation *v)
{
    if (v->common->help) {
        pare_command_print_help(c);
        return 0;
    }
    if (v->n_words < c->min_words || v->n_words > c->max_words)
        return pare_say_usage("%s; usage: pare %s %s",
                              v->n_words < c->min_words ? "something is missing"
                                                        : "there is too much on the command line",
                              c->name, c->usage);
    pare_progress_catch_interrupt();
    return c->run(v);
}

static int parse_and_run(const pare_command *c, int argc, char **argv)
{
    pare_common_args common = { 0 };
    pare_data_args   data = { 0 };
    void *const      args = calloc(1, c->args_size + 1);
    char **const     words = calloc((size_t)argc + 1, sizeof(*words));
    pare_option_set  sets[3];
    int              n_words, code = PARE_EXIT_FAILED;

    if (!args || !words) {
        pare_say_failed("out of memory");
        goto out;
    }
    const int n = sets_of(c, args, &data, &common, sets);

    code = pare_options_parse(sets, n, argc, argv, words, &n_words);
    if (code == 0 && !common.help)
        code = pare_options_check(sets, n);
    if (code == 0)
        code = run(c, &(pare_invocation){ args, &data, &common, words, n_words });
out:
    free(args);
    free(words);
    return code;
}

int pare_command_unknown(const char *word)
{
    const char *names[N_COMMANDS], *near;

    for (int i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i]->name;
    near = pare_nearest(word, names, N_COMMANDS);
    if (near)
        return pare_say_usage("there is no command '%s'; did you mean '%s'?", word, near);
    return pare_say_usage("there is no command '%s'; `pare help` lists them", word);
}

/* Output that did not arrive is a failure: a full disk, a closed pipe. */
static int finish(int code)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0)
        return pare_say_failed("the output could not be written");
    return code;
}

int main(int argc, char **argv)
{
    const char *const word = argc > 1 ? argv[1] : "";

    if (argc < 2) {
        fputs("pare: a command is missing; `pare help` lists them\n", stderr);
        return PARE_EXIT_USAGE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        pare_command_print_all();
        return finish(0);
    }
    const pare_command *const c = pare_command_find(strcmp(word, "--version") == 0 ? "version" : word);

    return c ? finish(parse_and_run(c, argc - 2, argv + 2)) : pare_command_unknown(word);
}
