/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - the sentence that belongs to the last failure of a thread */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char          sentence[PARE_SENTENCE_SIZE];
static _Thread_local unsigned long failures;

const char *pare_error(void)
{
    return sentence;
}

unsigned long pare_error_count(void)
{
    return failures;
}

const char *pare_status_name(pare_status status)
{
    static const char *const names[] = {
        [PARE_OK] = "ok",
        [PARE_ERR_ARG] = "argument",
        [PARE_ERR_MEMORY] = "memory",
        [PARE_ERR_IO] = "io",
        [PARE_ERR_DATA] = "data",
        [PARE_ERR_UNSUPPORTED] = "unsupported",
        [PARE_ERR_SHAPE] = "shape",
        [PARE_ERR_DYNAMIC] = "dynamic",
        [PARE_ERR_NUMERIC] = "numeric",
        [PARE_ERR_CANCELLED] = "cancelled",
    };
    const unsigned i = (unsigned)status;

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : "unknown";
}

const char *pare_version(void)
{
    return PARE_VERSION;
}

pare_status pare_fail(pare_status status, const char *format, ...)
{
    /* Formatted beside the old sentence, which may be one of the arguments. */
    char    text[PARE_SENTENCE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    pare_error_set(text);
    return status;
}

pare_status pare_fail_in(pare_status status, const char *format, ...)
{
    char    text[PARE_SENTENCE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    /* When both do not fit, the end of the sentence is cut: who was being worked on stays. */
    strncat(text, ": ", sizeof(text) - 1 - strlen(text));
    strncat(text, sentence, sizeof(text) - 1 - strlen(text));
    pare_error_set(text);
    return status;
}

pare_status pare_fail_memory(size_t bytes, const char *what)
{
    return pare_fail(PARE_ERR_MEMORY, "out of memory (%zu bytes for %s)", bytes, what);
}

void pare_error_set(const char *text)
{
    const size_t n = strnlen(text, sizeof(sentence) - 1);

    memmove(sentence, text, n);
    sentence[n] = 0;
    failures++;
}
