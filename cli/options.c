/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - command lines by table */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pare/list.h>

#include "say.h"

enum { MAX_OPTIONS = 64, LEFT_COLUMN = 26 };

static const pare_option *find(const pare_option_set *sets, int n_sets, const char *name, size_t length, void **values)
{
    for (int s = 0; s < n_sets; s++)
        for (const pare_option *o = sets[s].rows; o && o->name; o++)
            if (strlen(o->name) == length && strncmp(o->name, name, length) == 0) {
                *values = sets[s].values;
                return o;
            }
    return NULL;
}

static const pare_option *find_letter(const pare_option_set *sets, int n_sets, char letter, void **values)
{
    for (int s = 0; s < n_sets; s++)
        for (const pare_option *o = sets[s].rows; o && o->name; o++)
            if (letter && o->letter == letter) {
                *values = sets[s].values;
                return o;
            }
    return NULL;
}

static int unknown(const pare_option_set *sets, int n_sets, const char *arg, size_t length)
{
    const char *names[MAX_OPTIONS], *near;
    char        word[64];
    int         n = 0;

    for (int s = 0; s < n_sets; s++)
        for (const pare_option *o = sets[s].rows; o && o->name && n < MAX_OPTIONS; o++)
            names[n++] = o->name;
    snprintf(word, sizeof(word), "%.*s", (int)length, arg);
    near = pare_nearest(word + strspn(word, "-"), names, n);
    if (near)
        return pare_say_usage("there is no option %s; did you mean --%s?", word, near);
    return pare_say_usage("there is no option %s; --help lists them", word);
}

/* "auto|static|dynamic" has the word "static". */
static bool is_one_of(const char *words, const char *word)
{
    const size_t n = strlen(word);

    for (const char *w = words; w; w = strchr(w, '|') ? strchr(w, '|') + 1 : NULL)
        if (n && strncmp(w, word, n) == 0 && (w[n] == '|' || w[n] == '\0'))
            return true;
    return false;
}

static int set_int(const pare_option *o, const char *text, int *to)
{
    char *end;

    errno = 0;
    const long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < o->lo || value > o->hi)
        return pare_say_usage("--%s must be a whole number from %d to %d, not '%s'", o->name, o->lo, o->hi, text);
    *to = (int)value;
    return 0;
}

static int set(const pare_option *o, void *values, const char *text)
{
    void *const to = (char *)values + o->offset;

    switch (o->kind) {
    case PARE_OPTION_FLAG:
        *(bool *)to = true;
        return 0;
    case PARE_OPTION_INT:
        return set_int(o, text, to);
    case PARE_OPTION_LIST: {
        pare_texts *const list = to;

        if (list->n == PARE_MAX_TEXTS)
            return pare_say_usage("--%s can be given %d times at most", o->name, PARE_MAX_TEXTS);
        list->items[list->n++] = text;
        return 0;
    }
    case PARE_OPTION_WORD:
        if (!is_one_of(o->value, text))
            return pare_say_usage("--%s must be one of %s, not '%s'", o->name, o->value, text);
        break;
    default:
        break;
    }
    *(const char **)to = text;
    return 0;
}

static bool is_given(const pare_option *o, const void *values)
{
    const void *const at = (const char *)values + o->offset;

    return o->kind == PARE_OPTION_LIST ? ((const pare_texts *)at)->n > 0 : *(const char *const *)at != NULL;
}

int pare_options_check(const pare_option_set *sets, int n_sets)
{
    for (int s = 0; s < n_sets; s++)
        for (const pare_option *o = sets[s].rows; o && o->name; o++)
            if (o->required && !is_given(o, sets[s].values))
                return pare_say_usage("--%s %s is missing; --help says more", o->name, o->value);
    return 0;
}

int pare_options_parse(const pare_option_set *sets, int n_sets, int argc, char **argv, char **words, int *n_words)
{
    bool only_words = false;

    *n_words = 0;
    for (int i = 0; i < argc; i++) {
        const char *const arg = argv[i];
        const bool        is_long = strncmp(arg, "--", 2) == 0;
        const char       *text = NULL;
        void             *values = NULL;

        if (only_words || arg[0] != '-' || !arg[1]) {
            words[(*n_words)++] = argv[i];
            continue;
        }
        if (is_long && !arg[2]) {
            only_words = true;
            continue;
        }
        const size_t             length = is_long ? strcspn(arg, "=") : 2;
        const pare_option *const o =
            is_long ? find(sets, n_sets, arg + 2, length - 2, &values) : find_letter(sets, n_sets, arg[1], &values);
        if (!o)
            return unknown(sets, n_sets, arg, is_long ? length : strlen(arg));
        if (arg[length])
            text = arg + length + (arg[length] == '=');
        if (o->kind == PARE_OPTION_FLAG && text)
            return pare_say_usage("--%s takes no value", o->name);
        if (o->kind != PARE_OPTION_FLAG && !text) {
            if (++i == argc)
                return pare_say_usage("--%s needs a value: %s", o->name, o->value);
            text = argv[i];
        }
        if (set(o, values, text))
            return 2;
    }
    return 0;
}

static void print_option(const pare_option *o)
{
    char left[80];
    int  n = 0;

    if (o->letter)
        n = snprintf(left, sizeof(left), "-%c, ", o->letter);
    n += snprintf(left + n, sizeof(left) - (size_t)n, "--%s", o->name);
    if (o->kind != PARE_OPTION_FLAG)
        n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->value);
    printf("  %-*s", LEFT_COLUMN - 2, left);
    if (n > LEFT_COLUMN - 4)
        printf("\n%*s", LEFT_COLUMN, "");
    for (const char *line = o->about; line;) {
        const size_t length = strcspn(line, "\n");

        printf("%.*s\n", (int)length, line);
        line = line[length] ? line + length + 1 : NULL;
        if (line)
            printf("%*s", LEFT_COLUMN, "");
    }
}

void pare_options_print(const pare_option_set *sets, int n_sets)
{
    for (int s = 0; s < n_sets; s++) {
        if (!sets[s].rows || !sets[s].rows->name)
            continue;
        printf("\n%s:\n", sets[s].title);
        for (const pare_option *o = sets[s].rows; o->name; o++)
            print_option(o);
    }
}
