/* SPDX-License-Identifier: Apache-2.0 */
/* zip.h - zip archives through libzip: PyTorch's files and NumPy's .npz are such */
#ifndef PARE_FILES_ZIP_H
#define PARE_FILES_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/buf.h>

/* An archive over bytes that the caller keeps. Sentences name the entry, not the archive. */
typedef struct pare_zip pare_zip;

bool pare_zip_claims(const uint8_t *bytes, size_t size); /* begins as an archive does */

/* True for an archive with an entry whose name ends so. */
bool pare_zip_holds(const uint8_t *bytes, size_t size, const char *ending);

pare_status pare_zip_open(const uint8_t *bytes, size_t size, pare_zip **out);
void        pare_zip_close(pare_zip *zip); /* NULL is fine */

int pare_zip_count(const pare_zip *zip);
/* The first entry whose name ends so; -1: none. */
int         pare_zip_find_ending(const pare_zip *zip, const char *ending);
const char *pare_zip_name(const pare_zip *zip, int index);        /* valid until close; never NULL */
int         pare_zip_find(const pare_zip *zip, const char *name); /* -1: not there                 */

/* The bytes of an entry, unpacked and checked against their sum; an entry that says to have over `limit` is refused. */
pare_status pare_zip_read(const pare_zip *zip, int index, size_t limit, pare_buf **out);

/* One entry of an archive to write: the bytes of `head`, then those of `data`, both borrowed. */
typedef struct pare_zip_part {
    const char *name;
    const void *head;
    size_t      head_size;
    const void *data;
    size_t      data_size;
} pare_zip_part;

/* Writes an archive of `n` entries as they are, not packed; equal entries give equal bytes. */
pare_status pare_zip_write(const char *path, const pare_zip_part *parts, int n);

#endif
