/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - text in columns that are as wide as they must be */
#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pare_table {
    const char *columns;
    char      **cells; /* [n] */
    int         n, cap;
};

pare_table *pare_table_create(const char *columns)
{
    pare_table *const t = calloc(1, sizeof(*t));

    if (t)
        t->columns = columns;
    return t;
}

void pare_table_add(pare_table *t, const char *format, ...)
{
    char   *text = NULL;
    va_list args;

    if (!t)
        return;
    if (t->n == t->cap) {
        char **const more = realloc(t->cells, sizeof(*t->cells) * (size_t)(t->cap * 2 + 64));

        if (!more)
            return;
        t->cells = more;
        t->cap = t->cap * 2 + 64;
    }
    va_start(args, format);
    if (vasprintf(&text, format, args) >= 0)
        t->cells[t->n++] = text;
    va_end(args);
}

enum { MAX_COLUMNS = 16 };

void pare_table_print(pare_table *t, int indent)
{
    const int columns = t ? (int)strlen(t->columns) : 0;
    int       width[MAX_COLUMNS] = { 0 };

    for (int i = 0; t && i < t->n; i++) {
        const int length = (int)strlen(t->cells[i]);

        if (width[i % columns] < length)
            width[i % columns] = length;
    }
    for (int i = 0; t && i < t->n; i++) {
        const int  column = i % columns;
        const bool last = column == columns - 1;

        if (column == 0)
            printf("%*s", indent, "");
        if (t->columns[column] == 'r')
            printf("%*s", width[column], t->cells[i]);
        else
            printf("%-*s", last ? 0 : width[column], t->cells[i]);
        fputs(last ? "\n" : "  ", stdout);
    }
    for (int i = 0; t && i < t->n; i++)
        free(t->cells[i]);
    if (t)
        free(t->cells);
    free(t);
}

const char *pare_table_shape(const pare_shape *shape, char text[PARE_WORD])
{
    int n = 0;

    snprintf(text, PARE_WORD, "scalar");
    for (int i = 0; i < shape->rank && n < PARE_WORD - 24; i++)
        n += shape->dim[i] == PARE_DIM_ANY
                 ? snprintf(text + n, PARE_WORD - (size_t)n, "%s?", i ? "x" : "")
                 : snprintf(text + n, PARE_WORD - (size_t)n, "%s%lld", i ? "x" : "", (long long)shape->dim[i]);
    return text;
}

static const char *scaled(double x, const char *const units[4], char text[PARE_WORD])
{
    int i = 0;

    for (; i < 3 && x >= 999.5; i++)
        x /= 1000;
    snprintf(text, PARE_WORD, "%.*f %s", i == 0 || x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2, x, units[i]);
    return text;
}

const char *pare_table_bytes(double bytes, char text[PARE_WORD])
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB" };

    return scaled(bytes, units, text);
}

const char *pare_table_count(double count, char text[PARE_WORD])
{
    static const char *const units[] = { "", "thousand", "million", "billion" };

    return scaled(count, units, text);
}
