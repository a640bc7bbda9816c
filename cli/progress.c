/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - a bar on stderr while long work goes on, and stopping it with Ctrl-C */
#include "progress.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

void pare_progress_catch_interrupt(void)
{
    struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESETHAND };

    sigaction(SIGINT, &action, NULL);
}

bool pare_progress_interrupted(void)
{
    return interrupted;
}

typedef struct bar {
    double start, drawn; /* seconds */
    long   first;        /* done at the start */
    bool   active;
} bar;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void clear_line(bar *b)
{
    if (b->active)
        fputs("\r\033[K", stderr);
    b->active = false;
}

static void draw(const bar *b, const char *what, long done, long total)
{
    const double seconds = now() - b->start;
    const double rate = seconds > 0 ? (double)(done - b->first) / seconds : 0;
    char         text[BAR + 1];

    for (int i = 0; i < BAR; i++)
        text[i] = (long)i * total < done * BAR ? '#' : '.';
    text[BAR] = '\0';
    fprintf(stderr, "\r\033[K%s [%s] %ld/%ld", what, text, done, total);
    if (rate > 0)
        fprintf(stderr, "  %.*f/s  %.0f s left", rate < 10 ? 1 : 0, rate, (double)(total - done) / rate);
    fflush(stderr);
}

/* At most ten times a second: drawing must not cost more than the work. */
static bool report(void *user, const char *what, long done, long total)
{
    bar *const   b = user;
    const double t = now();

    if (interrupted || done >= total) {
        clear_line(b);
        return !interrupted;
    }
    if (!isatty(STDERR_FILENO))
        return true;
    if (!b->active)
        *b = (bar){ .start = t, .first = done, .active = true };
    if (t - b->drawn >= 0.1) {
        draw(b, what, done, total);
        b->drawn = t;
    }
    return true;
}

const pare_progress *pare_progress_bar(void)
{
    static bar                 state;
    static const pare_progress progress = { report, &state };

    return &progress;
}
