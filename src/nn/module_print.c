/* SPDX-License-Identifier: Apache-2.0 */
/* module_print.c - a tree of modules, a line each */
#include <stdio.h>
#include <string.h>

#include "nn/module.h"

enum { LINE = 1024 };

static void print(const pare_module *m, int depth, void (*line)(void *, const char *), void *user)
{
    char   text[LINE];
    size_t n =
        (size_t)snprintf(text, sizeof(text), "%*s%s%s%s", 2 * depth, "", m->name, *m->name ? ": " : "", m->kind->name);

    for (int i = 0; i < m->n_settings && n < sizeof(text); i++)
        if (!m->settings[i].usual)
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %s=%s", m->settings[i].name, m->settings[i].value);
    line(user, text);
    for (const pare_module *c = m->first; c; c = c->next)
        print(c, depth + 1, line, user);
}

void pare_module_print(const pare_module *m, void (*line)(void *user, const char *text), void *user)
{
    print(m, 0, line, user);
}
