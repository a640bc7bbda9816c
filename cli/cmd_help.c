/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_help.c - pare help */
#include "command.h"

static int run(const pare_invocation *v)
{
    if (v->n_words == 0) {
        pare_command_print_all();
        return 0;
    }
    const pare_command *const c = pare_command_find(v->words[0]);

    if (!c)
        return pare_command_unknown(v->words[0]);
    pare_command_print_help(c);
    return 0;
}

const pare_command pare_command_help = {
    .name = "help",
    .about = "what the commands are, and what each can do",
    .usage = "[COMMAND]",
    .examples = "  pare help\n  pare help quantize\n",
    .max_words = 1,
    .run = run,
};
