/* SPDX-License-Identifier: Apache-2.0 */
/* outfile.h - files that appear whole or not at all: written to a temporary name, then renamed */
#ifndef PARE_BASE_OUTFILE_H
#define PARE_BASE_OUTFILE_H

#include <stddef.h>
#include <stdio.h>

#include <pare/status.h>

typedef struct pare_outfile pare_outfile;

/*
 * Opens PATH.tmp.PID.N beside the target (N counts within the process); links are followed, and the mode of an existing
 * file is kept. A device or pipe (/dev/stdout) is written directly. Exactly one of commit and discard closes the handle.
 */
pare_status pare_outfile_open(const char *path, pare_outfile **out);
pare_status pare_outfile_write(pare_outfile *file, const void *bytes, size_t size);
pare_status pare_outfile_printf(pare_outfile *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
pare_status pare_outfile_commit(pare_outfile *file);  /* flush, fsync, rename; on failure the temporary is removed */
void        pare_outfile_discard(pare_outfile *file); /* removes the temporary; NULL is fine                     */

#endif
