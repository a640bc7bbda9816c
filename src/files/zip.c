/* SPDX-License-Identifier: Apache-2.0 */
/* zip.c - reading zip archives through libzip */
#include "files/zip.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* A local header, or the end of an empty archive. */
bool pare_zip_claims(const uint8_t *bytes, size_t size)
{
    return size >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

#if PARE_HAVE_ZIP

#include <limits.h>

#include <zip.h>

struct pare_zip {
    zip_t *archive;
    int    n;
};

/* The most that deflate makes of one byte, rounded up. */
enum { MAX_RATIO = 1040 };

pare_status pare_zip_open(const uint8_t *bytes, size_t size, pare_zip **out)
{
    zip_error_t     error;
    pare_zip *const zip = pare_calloc(1, sizeof(*zip));

    *out = NULL;
    if (!zip)
        return pare_fail_memory(sizeof(*zip), "an archive");
    zip_error_init(&error);

    zip_source_t *const source = zip_source_buffer_create(bytes, size, 0, &error);

    zip->archive = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error) : NULL;
    if (!zip->archive) {
        (void)pare_fail(PARE_ERR_DATA, "damaged zip archive (%s)", zip_error_strerror(&error));
        zip_source_free(source);
        zip_error_fini(&error);
        pare_free(zip);
        return PARE_ERR_DATA;
    }
    zip_error_fini(&error);

    const zip_int64_t n = zip_get_num_entries(zip->archive, 0);
    zip->n = n < 0 ? 0 : n > INT_MAX ? INT_MAX : (int)n;
    *out = zip;
    return PARE_OK;
}

void pare_zip_close(pare_zip *zip)
{
    if (zip)
        zip_discard(zip->archive);
    pare_free(zip);
}

int pare_zip_count(const pare_zip *zip)
{
    return zip->n;
}

const char *pare_zip_name(const pare_zip *zip, int index)
{
    const char *const name = zip_get_name(zip->archive, (zip_uint64_t)index, ZIP_FL_ENC_RAW);

    return name ? name : "";
}

int pare_zip_find(const pare_zip *zip, const char *name)
{
    const zip_int64_t index = zip_name_locate(zip->archive, name, ZIP_FL_ENC_RAW);

    return index < 0 || index > INT_MAX ? -1 : (int)index;
}

/* Reading one byte more than there should be makes libzip compare the check sum. */
static pare_status unpack(zip_file_t *file, const char *name, pare_buf *into)
{
    const size_t size = pare_buf_size(into);
    size_t       done = 0;
    uint8_t      more;

    while (done < size) {
        const zip_int64_t n = zip_fread(file, pare_buf_bytes(into) + done, size - done);

        if (n <= 0)
            return pare_fail(PARE_ERR_DATA, "'%s' in the archive is damaged (%s)", name,
                             n < 0 ? zip_error_strerror(zip_file_get_error(file)) : "too short");
        done += (size_t)n;
    }
    const zip_int64_t rest = zip_fread(file, &more, 1);

    if (rest != 0)
        return pare_fail(PARE_ERR_DATA, "'%s' in the archive is damaged (%s)", name,
                         rest < 0 ? zip_error_strerror(zip_file_get_error(file)) : "too long");
    return PARE_OK;
}

pare_status pare_zip_read(const pare_zip *zip, int index, size_t limit, pare_buf **out)
{
    const char *const  name = pare_zip_name(zip, index);
    const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    zip_stat_t         stat;
    pare_status        status;
    zip_file_t        *file;

    *out = NULL;
    if (zip_stat_index(zip->archive, (zip_uint64_t)index, 0, &stat) || (stat.valid & wanted) != wanted)
        return pare_fail(PARE_ERR_DATA, "'%s' in the archive has no size", name);
    if (stat.size > limit)
        return pare_fail(PARE_ERR_DATA, "'%s' in the archive has %llu bytes; %zu are the most that make sense", name,
                         (unsigned long long)stat.size, limit);
    if (stat.size / MAX_RATIO > stat.comp_size)
        return pare_fail(PARE_ERR_DATA, "'%s' in the archive says that %llu bytes became %llu", name,
                         (unsigned long long)stat.comp_size, (unsigned long long)stat.size);
    PARE_TRY(pare_buf_alloc((size_t)stat.size, out));

    file = zip_fopen_index(zip->archive, (zip_uint64_t)index, 0);
    if (file)
        status = unpack(file, name, *out);
    else
        status = pare_fail(PARE_ERR_UNSUPPORTED, "'%s' in the archive cannot be read (%s)", name,
                           zip_error_strerror(zip_get_error(zip->archive)));
    if (file)
        zip_fclose(file);
    if (status != PARE_OK) {
        pare_buf_unref(*out);
        *out = NULL;
    }
    return status;
}

#else

static pare_status without(void)
{
    return pare_fail(PARE_ERR_UNSUPPORTED, "a zip archive (.pth, .npz), but pare was built without libzip");
}

pare_status pare_zip_open(const uint8_t *bytes, size_t size, pare_zip **out)
{
    (void)bytes, (void)size;
    *out = NULL;
    return without();
}

void pare_zip_close(pare_zip *zip)
{
    (void)zip;
}

int pare_zip_count(const pare_zip *zip)
{
    (void)zip;
    return 0;
}

const char *pare_zip_name(const pare_zip *zip, int index)
{
    (void)zip, (void)index;
    return "";
}

int pare_zip_find(const pare_zip *zip, const char *name)
{
    (void)zip, (void)name;
    return -1;
}

pare_status pare_zip_read(const pare_zip *zip, int index, size_t limit, pare_buf **out)
{
    (void)zip, (void)index, (void)limit;
    *out = NULL;
    return without();
}

#endif

int pare_zip_find_ending(const pare_zip *zip, const char *ending)
{
    const size_t m = strlen(ending);

    for (int i = 0; i < pare_zip_count(zip); i++) {
        const char *const name = pare_zip_name(zip, i);
        const size_t      n = strlen(name);

        if (n >= m && strcmp(name + n - m, ending) == 0)
            return i;
    }
    return -1;
}

bool pare_zip_holds(const uint8_t *bytes, size_t size, const char *ending)
{
    pare_zip *zip;

    if (!pare_zip_claims(bytes, size) || pare_zip_open(bytes, size, &zip) != PARE_OK)
        return false;

    const bool holds = pare_zip_find_ending(zip, ending) >= 0;

    pare_zip_close(zip);
    return holds;
}
