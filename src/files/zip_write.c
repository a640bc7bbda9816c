/* SPDX-License-Identifier: Apache-2.0 */
/* zip_write.c - writing zip archives through libzip: into memory, and from there into a file that appears whole */
#include "files/zip.h"

#include "base/outfile.h"
#include "base/status.h"

#if PARE_HAVE_ZIP

#include <zip.h>

/* One date for all, so that equal tensors give equal files: the first that zip can say. */
static pare_status add(zip_t *archive, const pare_zip_part *part, zip_error_t *error)
{
    const zip_buffer_fragment_t bytes[] = { { (zip_uint8_t *)part->head, part->head_size },
                                            { (zip_uint8_t *)part->data, part->data_size } };
    zip_source_t *const         source = zip_source_buffer_fragment_create(bytes, part->data_size ? 2 : 1, 0, error);
    const zip_int64_t           index = source ? zip_file_add(archive, part->name, source, ZIP_FL_ENC_UTF_8) : -1;

    if (index < 0)
        zip_source_free(source);
    if (index < 0 || zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) ||
        zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 1 << 5 | 1, 0))
        return pare_fail(PARE_ERR_IO, "'%s' cannot be added to the archive (%s)", part->name,
                         source ? zip_error_strerror(zip_get_error(archive)) : zip_error_strerror(error));
    return PARE_OK;
}

static pare_status write_out(const char *path, zip_source_t *source)
{
    uint8_t       block[1 << 14];
    pare_outfile *file;
    zip_int64_t   n;
    pare_status   status;

    PARE_TRY(pare_outfile_open(path, &file));
    if (zip_source_open(source)) {
        pare_outfile_discard(file);
        return pare_fail(PARE_ERR_IO, "%s: %s", path, zip_error_strerror(zip_source_error(source)));
    }
    status = PARE_OK;
    while (status == PARE_OK && (n = zip_source_read(source, block, sizeof(block))) > 0)
        status = pare_outfile_write(file, block, (size_t)n);
    zip_source_close(source);
    if (status == PARE_OK)
        return pare_outfile_commit(file);
    pare_outfile_discard(file);
    return status;
}

/* An archive of nothing is its end record; libzip would delete the file. */
static pare_status write_empty(const char *path)
{
    static const uint8_t end[22] = { 'P', 'K', 5, 6 };
    pare_outfile        *file;

    PARE_TRY(pare_outfile_open(path, &file));
    const pare_status status = pare_outfile_write(file, end, sizeof(end));
    if (status == PARE_OK)
        return pare_outfile_commit(file);
    pare_outfile_discard(file);
    return status;
}

pare_status pare_zip_write(const char *path, const pare_zip_part *parts, int n)
{
    zip_error_t error;
    pare_status status = PARE_OK;

    if (n == 0)
        return write_empty(path);
    zip_error_init(&error);
    zip_source_t *const source = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *const        archive = source ? zip_open_from_source(source, ZIP_TRUNCATE, &error) : NULL;

    if (!archive) {
        status = pare_fail(PARE_ERR_MEMORY, "%s: %s", path, zip_error_strerror(&error));
        zip_source_free(source);
    } else {
        zip_source_keep(source); /* the archive gives its own reference up when it closes */
        for (int i = 0; status == PARE_OK && i < n; i++)
            status = add(archive, &parts[i], &error);
        if (status != PARE_OK) {
            (void)pare_fail_in(status, "%s", path);
            zip_discard(archive);
        } else if (zip_close(archive)) {
            status = pare_fail(PARE_ERR_IO, "%s: %s", path, zip_error_strerror(zip_get_error(archive)));
            zip_discard(archive);
        } else {
            status = write_out(path, source);
        }
        zip_source_free(source);
    }
    zip_error_fini(&error);
    return status;
}

#else

pare_status pare_zip_write(const char *path, const pare_zip_part *parts, int n)
{
    (void)parts, (void)n;
    return pare_fail(PARE_ERR_UNSUPPORTED, "%s: a zip archive, but pare was built without libzip", path);
}

#endif
