/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - long work says how far it is and stops when asked */
#include "base/progress.h"

#include "base/status.h"

pare_status pare_progress_step(const pare_progress *progress, const char *what, long done, long total)
{
    if (!progress || !progress->report || progress->report(progress->user, what, done, total))
        return PARE_OK;
    return pare_fail(PARE_ERR_CANCELLED, "%s: stopped on request after %ld of %ld", what, done, total);
}
