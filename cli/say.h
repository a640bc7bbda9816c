/* SPDX-License-Identifier: Apache-2.0 */
/* say.h - what goes wrong, on stderr as "pare: sentence"; each returns the exit code */
#ifndef PARE_CLI_SAY_H
#define PARE_CLI_SAY_H

#include <pare/status.h>

enum { PARE_EXIT_FAILED = 1, PARE_EXIT_USAGE = 2, PARE_EXIT_INTERRUPTED = 130 };

/* The command line is wrong: 2. */
int pare_say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The work failed: 1. */
int pare_say_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The library's sentence: 2 for a bad argument, 130 after Ctrl-C, else 1; 0 and nothing said for PARE_OK. */
int pare_say_status(pare_status status);

#endif
