/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - a bar on stderr while long work goes on, and stopping it with Ctrl-C */
#ifndef PARE_CLI_PROGRESS_H
#define PARE_CLI_PROGRESS_H

#include <pare/progress.h>

/* The first Ctrl-C asks the work to stop, a second one ends the process. */
void pare_progress_catch_interrupt(void);
bool pare_progress_interrupted(void);

/* Draws only when stderr is a terminal; asks to stop after Ctrl-C. */
const pare_progress *pare_progress_bar(void);

#endif
