/* SPDX-License-Identifier: Apache-2.0 */
/* tar.h - walking over the files in a tar archive that is in memory */
#ifndef PARE_FILES_TAR_H
#define PARE_FILES_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>

enum { PARE_TAR_MAX_NAME = 4096 }; /* with the final 0; longer names are refused (the usual PATH_MAX) */

/* A walk over bytes that the caller keeps. */
typedef struct pare_tar {
    const uint8_t *bytes;
    size_t         size;
    size_t         at;                      /* the next header                             */
    char           name[PARE_TAR_MAX_NAME]; /* of the entry that pare_tar_next gave last   */
} pare_tar;

typedef struct pare_tar_entry {
    const char *name;   /* valid until the next call   */
    size_t      offset; /* of its first byte           */
    size_t      size;
} pare_tar_entry;

pare_tar pare_tar_of(const uint8_t *bytes, size_t size);

/*
 * The next regular file: ustar, old tar, GNU long names, pax path and size. Folders, links and devices are passed over.
 * *more is false at the end mark; an archive without one was cut short, which is an error. The sentence names the
 * entry, not the archive.
 */
pare_status pare_tar_next(pare_tar *tar, pare_tar_entry *out, bool *more);

#endif
