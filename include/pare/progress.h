/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - watching and stopping long work */
#ifndef PARE_PROGRESS_H
#define PARE_PROGRESS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Given by the caller; the library itself never prints. */
typedef struct pare_progress {
    /* Called between samples on the calling thread. Return false to stop: the work ends with PARE_ERR_CANCELLED. */
    bool (*report)(void *user, const char *what, long done, long total);
    void *user;
} pare_progress;

#ifdef __cplusplus
}
#endif
#endif
