/* SPDX-License-Identifier: Apache-2.0 */
/* say.c - what goes wrong, on stderr */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const char *format, va_list args)
{
    fputs("pare: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int pare_say_usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    return PARE_EXIT_USAGE;
}

int pare_say_failed(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    return PARE_EXIT_FAILED;
}

int pare_say_status(pare_status status)
{
    if (status == PARE_OK)
        return 0;
    fprintf(stderr, "pare: %s\n", pare_error());
    return status == PARE_ERR_ARG         ? PARE_EXIT_USAGE
           : status == PARE_ERR_CANCELLED ? PARE_EXIT_INTERRUPTED
                                          : PARE_EXIT_FAILED;
}
