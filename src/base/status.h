/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - raising and forwarding failures inside the library */
#ifndef PARE_BASE_STATUS_H
#define PARE_BASE_STATUS_H

#include <stddef.h>

#include <pare/status.h>

/* Bytes of a sentence with its final 0; longer ones are cut. */
enum { PARE_SENTENCE_SIZE = 1024 };

/* Forwards a failure unchanged; the sentence was written where the problem was found. */
#define PARE_TRY(expr)                   \
    do {                                 \
        const pare_status try_ = (expr); \
        if (try_ != PARE_OK)             \
            return try_;                 \
    } while (0)

/* Like PARE_TRY in a function with something to release: sets `status` and jumps to `out`. */
#define PARE_GOTO(expr)        \
    do {                       \
        status = (expr);       \
        if (status != PARE_OK) \
            goto out;          \
    } while (0)

/* Writes this thread's sentence and returns `status`. The sentence has no final full stop or newline. */
pare_status pare_fail(pare_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "format: " in front of this thread's sentence and returns `status`: who was being worked on. */
pare_status pare_fail_in(pare_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory (N bytes for WHAT)" */
pare_status pare_fail_memory(size_t bytes, const char *what);

/* How often a sentence was set on this thread: tells a fresh failure from an old one. */
unsigned long pare_error_count(void);

/* Sets this thread's sentence to one that another thread handed over. */
void pare_error_set(const char *sentence);

#endif
