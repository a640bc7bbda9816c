/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - writing JSON to stdout, front to back; only commas and depth are remembered */
#include "json.h"

#include <math.h>
#include <stdio.h>

static int  depth;
static bool comma; /* something stands before, on this level */

static void put_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void start(const char *key)
{
    if (comma)
        fputs(", ", stdout);
    if (key) {
        put_text(key);
        fputs(": ", stdout);
    }
    comma = true;
}

void pare_json_open(const char *key, char bracket)
{
    start(key);
    putchar(bracket);
    depth++;
    comma = false;
}

void pare_json_close(char bracket)
{
    putchar(bracket);
    comma = --depth > 0;
    if (depth == 0)
        putchar('\n');
}

void pare_json_text(const char *key, const char *text)
{
    start(key);
    if (text)
        put_text(text);
    else
        fputs("null", stdout);
}

void pare_json_int(const char *key, int64_t number)
{
    start(key);
    printf("%lld", (long long)number);
}

void pare_json_real(const char *key, double number)
{
    start(key);
    if (isfinite(number))
        printf("%.10g", number);
    else
        fputs("null", stdout);
}

void pare_json_bool(const char *key, bool value)
{
    start(key);
    fputs(value ? "true" : "false", stdout);
}

void pare_json_shape(const char *key, const pare_shape *shape)
{
    pare_json_open(key, '[');
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == PARE_DIM_ANY)
            pare_json_text(NULL, NULL);
        else
            pare_json_int(NULL, shape->dim[i]);
    }
    pare_json_close(']');
}
