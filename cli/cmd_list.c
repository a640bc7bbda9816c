/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_list.c - pare list */
#include <stdio.h>
#include <string.h>

#include <pare/list.h>

#include "command.h"
#include "json.h"
#include "table.h"

static const char commands_list[] = "commands";

/* The library's lists, and the commands, which only this program has. */
static bool entry_at(const char *list, int index, pare_list_entry *entry)
{
    if (strcmp(list, commands_list) != 0)
        return pare_list_at(list, index, entry);
    const pare_command *const c = pare_command_at(index);

    if (!c)
        return false;
    entry->name = c->name;
    snprintf(entry->about, sizeof(entry->about), "%s", c->about);
    return true;
}

static const char *list_at(int index)
{
    const char *name;
    int         n = 0;

    for (; (name = pare_list_name(n)); n++)
        if (n == index)
            return name;
    return index == n ? commands_list : NULL;
}

static void print_list(const char *list, bool json)
{
    pare_table *const t = json ? NULL : pare_table_create("ll");
    pare_list_entry   entry;

    if (json)
        pare_json_open(list, '[');
    for (int i = 0; entry_at(list, i, &entry); i++) {
        if (json) {
            pare_json_open(NULL, '{');
            pare_json_text("name", entry.name);
            pare_json_text("about", entry.about);
            pare_json_close('}');
        } else {
            pare_table_add(t, "%s", entry.name);
            pare_table_add(t, "%s", entry.about);
        }
    }
    if (json)
        pare_json_close(']');
    else
        pare_table_print(t, 0);
}

static int unknown(const char *word)
{
    const char *names[16], *name;
    int         n = 0;

    while (n < 16 && (name = list_at(n)))
        names[n++] = name;
    name = pare_nearest(word, names, n);
    return pare_say_usage("there is no list '%s'%s%s%s; `pare list` names them", word, name ? "; did you mean '" : "",
                          name ? name : "", name ? "'?" : "");
}

static void print_names(void)
{
    pare_table *const t = pare_table_create("lr");
    pare_list_entry   entry;
    const char       *name;

    for (int i = 0; (name = list_at(i)); i++) {
        int n = 0;

        while (entry_at(name, n, &entry))
            n++;
        pare_table_add(t, "%s", name);
        pare_table_add(t, "%d", n);
    }
    pare_table_print(t, 0);
}

static int run(const pare_invocation *v)
{
    const char *const wanted = v->n_words ? v->words[0] : NULL;
    const char       *name;
    int               n = 0;

    for (; (name = list_at(n)); n++)
        if (wanted && strcmp(name, wanted) == 0)
            break;
    if (wanted && !name)
        return unknown(wanted);
    if (!wanted && !v->common->json) {
        print_names();
        return 0;
    }
    if (v->common->json)
        pare_json_open(NULL, '{');
    for (int i = 0; (name = list_at(i)); i++)
        if (!wanted || i == n)
            print_list(name, v->common->json);
    if (v->common->json)
        pare_json_close('}');
    return 0;
}

const pare_command pare_command_list = {
    .name = "list",
    .about = "what there is: ops, kernels, observers, presets, passes, modules, archs, optimizers ...",
    .usage = "[ops|kernels|observers|presets|passes|modules|archs|optimizers|schedules|augmentations|commands]",
    .examples = "  pare list\n  pare list observers\n",
    .max_words = 1,
    .run = run,
};
