/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - long work says how far it is, through a callback the caller gives; and stops when asked */
#ifndef PARE_BASE_PROGRESS_H
#define PARE_BASE_PROGRESS_H

#include <pare/progress.h>
#include <pare/status.h>

/* Reports `done` of `total`; PARE_ERR_CANCELLED when the callback asks to stop. NULL progress: PARE_OK. */
pare_status pare_progress_step(const pare_progress *progress, const char *what, long done, long total);

#endif
